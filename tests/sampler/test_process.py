"""The sampler as a process of its own, as the app starts it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from gilscope.launch.remote import SamplerLink
from gilscope.launch.spec import resolve_spec
from gilscope.recording.reader import RecordingReader
from gilscope.sampler.config import SamplerConfig
from tests.commands import head_ns
from tests.watched import TARGETS, is_gone, open_descriptors, wait_for

Start = Callable[..., SamplerLink]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.gilscope"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Starts a sampler; none of them outlives the test."""
    links: list[SamplerLink] = []

    def begin(
        script: str | None = None, *args: object, code: str | None = None, **fields: object
    ) -> SamplerLink:
        spec = resolve_spec(
            script=str(TARGETS / script) if script else None, code=code, args=[str(arg) for arg in args]
        )
        sizes = {"columns": 100, "rows": 30}
        config = SamplerConfig(spec=spec, recording=path, **(sizes | fields))  # type: ignore[arg-type]
        link = SamplerLink.start(config.to_json())
        links.append(link)
        return link

    yield begin
    for link in links:
        link._process.kill()
        link._process.wait()
        link._line.close()
        link._errors.close()


def output(path: Path) -> bytes:
    reader = RecordingReader(path, live=True)
    try:
        return b"".join(piece.data for piece in reader.output())
    finally:
        reader.close()


def ready(path: Path) -> list[int]:
    """The numbers behind READY on the target's terminal."""
    found: list[int] = []

    def said() -> bool:
        if path.exists():
            try:
                match = re.search(rb"READY([ \d]*)\r\n", output(path))
            except Exception:
                return False
            if match:
                found[:] = map(int, match[1].split())
                return True
        return False

    wait_for(said, "the target says nothing")
    return found


def ended(path: Path) -> bool:
    reader = RecordingReader(path)
    try:
        return reader.session().ended_ns is not None
    finally:
        reader.close()


SLEEPER = "import os, time; print('READY', os.getpid(), flush=True); time.sleep(600)"


def test_a_whole_session(start: Start, path: Path) -> None:
    before = open_descriptors()
    link = start("cpu_threads.py", 2, 1)
    link.finish(60)
    assert (link.exit_code, link.error) == (0, None)
    assert not link.alive()
    assert open_descriptors() == before
    assert ended(path)
    assert output(path).startswith(b"READY ")


def test_every_byte_of_a_storm(start: Start, path: Path, tmp_path: Path) -> None:
    """Lines, escape sequences, bytes that are no UTF-8: all of it, as a terminal has it."""
    link = start("storm.py", 100_000, tmp_path / "copy")
    link.finish(120)
    assert link.exit_code == 0, link.error
    expected = (tmp_path / "copy").read_bytes().replace(b"\n", b"\r\n")
    assert len(expected) > 4_000_000
    assert output(path) == expected


def test_the_last_words(start: Start, path: Path) -> None:
    link = start(code="import sys; print('x' * 60_000); sys.stderr.write('last'); sys.exit(9)")
    link.finish(60)
    assert link.exit_code == 9
    assert output(path) == b"x" * 60_000 + b"\r\nlast"
    reader = RecordingReader(path)
    # Whoever stands at the end of the session sees it all.
    assert max(piece.at_ns for piece in reader.output()) <= reader.head_ns()
    reader.close()


def test_typing_and_sizes(start: Start, path: Path) -> None:
    code = """
import os, signal, sys
def changed(*_): print('SIZE', *os.get_terminal_size(), flush=True)
signal.signal(signal.SIGWINCH, changed)
print('READY', *os.get_terminal_size(), flush=True)
total = 0
while True:
    line = sys.stdin.readline()
    total += len(line)
    if line == 'end\\n':
        break
print('typed', total, flush=True)
"""
    link = start(code=code)
    assert ready(path) == [100, 30]
    link.resize_output(50, 10)
    wait_for(lambda: b"SIZE 50 10" in output(path), "no new size")
    link.send_input((b"x" * 99 + b"\n") * 400)  # more than a pty holds
    link.send_input(b"end\n")
    wait_for(lambda: b"typed 40004" in output(path), "input is lost")
    link.finish(60)
    assert link.exit_code == 0


def test_stop(start: Start, path: Path) -> None:
    link = start(code=SLEEPER)
    (pid,) = ready(path)
    assert link.alive()
    link.stop_target()
    link.finish(60)
    assert link.exit_code == 143
    assert link.error is None
    assert is_gone(pid)
    assert ended(path)


def test_the_app_is_gone(start: Start, path: Path) -> None:
    link = start(code=SLEEPER)
    (pid,) = ready(path)
    link._line.close()
    wait_for(lambda: is_gone(pid), "the target runs on")
    assert link._process.wait(60) == 0
    assert ended(path)


def test_left_running(start: Start, path: Path, tmp_path: Path) -> None:
    """Both go on without the app until the target ends by itself, and all of it is recorded."""
    go = tmp_path / "go"
    waits = f"while not os.path.exists({os.fspath(go)!r}): time.sleep(0.02)"
    link = start(code=f"import os, time\nprint('READY', flush=True)\n{waits}\nprint('done')")
    ready(path)
    link.leave_running()
    link.finish()
    left_ns = head_ns(path)
    wait_for(lambda: head_ns(path) > left_ns + 3e8, "it is no longer recorded")
    assert link._process.poll() is None
    go.touch()
    assert link._process.wait(60) == 0
    assert output(path).endswith(b"done\r\n")
    reader = RecordingReader(path)
    assert reader.session().exit_code == 0
    reader.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end(number: signal.Signals, start: Start, path: Path) -> None:
    link = start(code=SLEEPER)
    (pid,) = ready(path)
    os.kill(link._process.pid, number)
    link.finish(60)
    assert is_gone(pid)
    assert ended(path)


def test_killed(start: Start, path: Path) -> None:
    """Nothing can be done about the target but the kernel's hang-up of its terminal; the file opens."""
    link = start(code=SLEEPER)
    (pid,) = ready(path)
    wait_for(lambda: head_ns(path) > 3e8, "nothing is recorded")
    link._process.kill()
    wait_for(lambda: not link.alive(), "runs on")
    assert link.error is not None
    assert "signal 9" in link.error
    assert len(link.error.splitlines()) <= 3
    wait_for(lambda: is_gone(pid), "the target outlives its terminal")
    assert not ended(path)
    assert b"READY" in output(path)


def test_what_cannot_start_is_told(start: Start, path: Path) -> None:
    path.write_text("precious")
    link = start(code=SLEEPER)
    link.finish(60)
    assert link.error is not None
    assert "not overwritten" in link.error
    assert link.error_code == 2
    assert path.read_text() == "precious"


def test_its_last_words_come_before_its_end() -> None:
    """GIVEN a sampler that tells why, and ends, just as it is looked at THEN both are known."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    class Ending:
        def poll(self) -> int:
            far.send(json.dumps({"error": "no room", "code": 2}).encode())
            return 0

    link = SamplerLink(cast("subprocess.Popen[bytes]", Ending()), near, io.BytesIO())
    with near, far:
        assert not link.alive()
        assert (link.error, link.error_code) == ("no room", 2)


def test_settings_survive_the_way(path: Path) -> None:
    spec = resolve_spec(code="print('\udcff ü')", args=["a\udc80"], env=["A=\udcff"])
    config = SamplerConfig(spec=spec, recording=path, rate_hz=123.5, duration_ns=7, columns=80, rows=24)
    assert SamplerConfig.from_json(config.to_json()) == config

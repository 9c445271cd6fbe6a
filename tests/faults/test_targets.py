"""Targets that do to themselves what makes them hard to watch: they end as without us, nothing else does."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gilscope.exports.read import summary_of
from gilscope.recording.reader import RecordingReader
from tests.commands import Outcome, command, default_signals, environment, gilscope, watch
from tests.watched import TARGETS, wait_for

FAULTS = re.findall(r"^def (\w+)\(\):", (TARGETS / "faulty.py").read_text(), re.MULTILINE)
DEADLY = re.findall(
    r"signal\.(SIG[A-Z0-9]+)[,\]]", (TARGETS / "faulty.py").read_text().partition("DEADLY")[2]
)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """All of them at once, watched."""
    return watch(tmp_path_factory.mktemp("faulty"), "faulty.py")


@pytest.mark.parametrize(
    "fault", [name for name in FAULTS if name not in ("busy", "die")] + sorted(set(DEADLY) - {"SIGSTOP"})
)
def test_a_child_ends_as_without_us(fault: str, faulty: Outcome) -> None:
    assert f"{fault} as ever" in faulty.stdout.decode()


def test_the_session_goes_on_to_its_end(faulty: Outcome) -> None:
    assert faulty.code == 7
    assert b"all ended, failed: 0" in faulty.stdout
    assert "Traceback" not in faulty.stderr
    summary = faulty.summary
    # Of those that live for a moment only some have a row; the parent is watched to its end.
    parent = summary["processes"][0]
    assert parent["exit_code"] == 7
    assert len(summary["processes"]) > 5
    assert any(lane["running_s"] > 0.05 for lane in summary["lanes"])
    with contextlib.closing(RecordingReader(faulty.recording)) as reader:
        assert summary_of(reader)["verdict"]["kind"] == summary["verdict"]["kind"]


FLOOD = """
import os, sys, time
piece = b'x' * 1023 + b'\\n'
for _ in range(100 * 64):
    os.write(1, piece * 16)
print('last words', flush=True)
"""


def test_a_flood_of_output_passes_through(tmp_path: Path) -> None:
    """100 MB: all of it comes out, none of it is kept twice, and the command ends."""
    with subprocess.Popen(
        command("run", "--headless", "-o", tmp_path / "r.gilscope", "-c", FLOOD),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        size, last = 0, b""
        while piece := process.stdout.read(1 << 20):
            size += len(piece)
            last = (last + piece)[-20:]
        assert process.wait(60) == 0
    assert size == 100 * 64 * 16 * 1024 + len("last words\n")
    assert last.endswith(b"last words\n")
    assert (tmp_path / "r.gilscope").stat().st_size < 10_000_000


STEADY = """
import time
print('READY', flush=True)
end = time.monotonic() + 2.2
while time.monotonic() < end: sum(range(500))
"""


def test_gilscope_is_stopped_and_goes_on(tmp_path: Path) -> None:
    """SIGSTOP, SIGCONT of it alone: the target runs on, and what was not seen is not called anything else."""
    process = subprocess.Popen(
        command(
            "run", "--headless", "--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope", "-c", STEADY
        ),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path,
        preexec_fn=default_signals,  # noqa: PLW1509 - one system call
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        time.sleep(0.4)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1.0)
        os.kill(process.pid, signal.SIGCONT)
        _, said = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == 0, said
    assert b"Traceback" not in said
    outcome = Outcome(0, b"", said.decode(), tmp_path)
    rate, gaps = (outcome.summary["gilscope"][key] for key in ("rate_hz", "gaps"))
    # A pause is named, and what was not sampled in it was not.
    assert max(gap["seconds"] for gap in gaps if "got no CPU time" in gap["reason"]) > 0.7
    assert rate["achieved"] < 0.8 * rate["asked"]
    with contextlib.closing(RecordingReader(outcome.recording)) as reader:
        session = reader.session()
        assert session.samples_taken < session.samples_asked
        assert session.late_ns_max > 500_000_000
        # One thread ran all the time, and no tick says more than its length.
        for tick in reader.ticks():
            for lane in tick.lanes:
                assert sum(lane.states) <= (tick.end_ns - tick.start_ns) * 1.001 + 1
    assert "s late" in said.decode()
    assert re.search(r"not read for \d+\.\d s \(gil\): the sampler got no CPU time", said.decode())


@pytest.mark.parametrize("what", ["directory", "parent"])
def test_the_users_directory_vanishes(what: str, tmp_path: Path) -> None:
    """The target deletes the directory that gilscope runs in; what has a relative name is told."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    folder = tmp_path / "a" / "b"
    gone = folder if what == "directory" else folder.parent
    code = f"import shutil, time; time.sleep(0.2); shutil.rmtree({str(gone)!r}); print('done')"
    done = gilscope(tmp_path, "run", "--json", "s.json", "-c", code, cwd=folder)
    assert b"done" in done.stdout
    assert "Traceback" not in done.stderr
    assert done.code in (0, 2)
    assert done.code == 0 or "Cannot write s.json" in done.stderr


def test_nothing_is_started_that_outlives_it(tmp_path: Path) -> None:
    done = gilscope(tmp_path, "run", "-o", tmp_path / "r.gilscope", "-c", "print(1)")
    assert done.code == 0

    def helpers() -> list[str]:
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = entry.read_bytes()
                if str(tmp_path).encode() in words:
                    found.append(words.decode(errors="replace"))
        return found

    wait_for(lambda: not helpers(), f"still there: {helpers()}")

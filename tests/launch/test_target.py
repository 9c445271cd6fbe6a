"""The handshake, reports, and the end of a target with all its processes; real programs and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gilscope.errors import UsageError
from gilscope.launch import inject, tree
from gilscope.launch.reports import ExitStatus, ForkReport, ThreadsReport, parse_message
from gilscope.launch.spec import TargetSpec
from gilscope.launch.target import Target
from tests.launch.conftest import DEADLINE_S, TARGETS
from tests.launch.helpers import SIZE, code, open_descriptors, read_until, start, wait_exit, wait_for


@pytest.fixture(autouse=True)
def _subreaper() -> Iterator[None]:
    """Orphans of targets come to the tests; no longer afterwards, as other tests' children are theirs."""
    assert tree.become_subreaper()
    yield
    tree.become_subreaper(on=False)


def test_nothing_runs_before_go_and_sigint_then_is_quiet(python: str) -> None:
    with Target.start(code("print('ran')", python), terminal=SIZE) as target:
        assert target.wait_ready() is not None
        assert target.read_output() == b""
        assert target.poll() is None
        target.signal(signal.SIGINT)
        assert wait_exit(target) == ExitStatus(signal=signal.SIGINT)
        assert read_until(target, b"no such text") == b""


def test_a_target_whose_launcher_vanishes_runs_on(python: str, tmp_path: Path) -> None:
    done = tmp_path / "done"
    target = Target.start(code(f"open({str(done)!r}, 'w')", python))
    assert target.wait_ready() is not None
    target.close()
    assert wait_exit(target) == ExitStatus(code=0)
    assert done.exists()


def test_a_program_outlives_a_closed_line(python: str) -> None:
    """No SIGPIPE, even where the program has made it deadly, and no error, when gilscope is left."""
    text = """
import os, signal, sys, threading
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.read(0, 1)
threading.Thread(target=int).start()
if os.fork() == 0: os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]) if hasattr(os, 'waitstatus_to_exitcode') else os.wait and 0)
"""
    reader, writer = os.pipe()
    saved = os.dup(0)
    os.dup2(reader, 0)
    try:
        target = start(code(text, python), terminal=None)
    finally:
        os.dup2(saved, 0)
        for fd in (saved, reader):
            os.close(fd)
    target.close()
    os.write(writer, b"x")
    os.close(writer)
    assert wait_exit(target) == ExitStatus(code=0)


def test_an_interpreter_that_says_nothing_is_told_from_one_that_ended(tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    closing = tmp_path / "closing"
    closing.write_text("#!/bin/sh\nexit 3\n")
    for path in (silent, closing):
        path.chmod(0o700)
    with Target.start(code("import time; time.sleep(600)", str(silent)), terminal=SIZE) as target:
        assert target.wait_ready(0.3) is None
        assert target.not_ready == "silent"
        assert target.stop(grace_s=60) == ExitStatus(signal=signal.SIGTERM)
    with Target.start(code("pass", str(closing)), terminal=SIZE) as target:
        assert target.wait_ready() is None
        assert target.not_ready == "exited"
        assert target.poll() == ExitStatus(code=3)


def test_a_python_behind_a_shell_script(python: str, tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n"{python}" "$@"\nexit $?\n')
    wrapper.chmod(0o700)
    with start(code("import sys; sys.exit(4)", str(wrapper))) as target:
        assert target.ready is not None
        assert target.ready.pid != target.pid
        assert wait_exit(target) == ExitStatus(code=4)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process that nobody is to touch."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command, start_new_session=True) as process:
        yield process
        process.kill()


def test_stop_ends_every_process_and_no_other(python: str, other: subprocess.Popen[bytes]) -> None:
    spec = TargetSpec(kind="script", target=str(TARGETS / "launch_tree.py"), python=python)
    with start(spec) as target, start(code("import time; time.sleep(600)")) as second, ExitStack() as last:
        last.callback(second.stop)
        last.callback(target.stop)
        target.spare(other.pid)
        output = read_until(target, b"\n").decode()
        pids = [int(word) for word in output.split()[1:]]
        assert output.startswith("READY")
        assert len(set(pids)) == 10
        identities = [entry for entry in target.descendants() if entry.pid in pids]
        assert {entry.pid for entry in identities} == set(pids)
        begin = time.monotonic()
        assert target.stop(grace_s=0.5) == ExitStatus(signal=signal.SIGTERM)
        assert time.monotonic() - begin < 5
        assert not [entry for entry in identities if tree.read_entry(entry.pid) == entry]
        assert target.descendants() == []
        assert other.poll() is None
        assert second.poll() is None


def test_stop_lets_a_program_clean_up(python: str) -> None:
    text = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(6))
try:
    print('READY', flush=True)
    time.sleep(600)
finally:
    print('cleaned', flush=True)
"""
    with start(code(text, python)) as target:
        read_until(target, b"READY")
        assert target.stop(grace_s=60) == ExitStatus(code=6)
        assert b"cleaned" in read_until(target, b"cleaned")
        assert target.stop() == ExitStatus(code=6)
        assert not target.signal(signal.SIGTERM)


def test_reaping_takes_orphans_only() -> None:
    own = subprocess.Popen([sys.executable, "-c", "raise SystemExit(5)"])
    text = """
import os
if os.fork() == 0:
    if os.fork() == 0: os._exit(3)
    os._exit(0)
os.wait()
os.read(0, 9)
"""
    with start(code(text)) as target:
        target.spare(own.pid)
        reaped: list[tuple[int, ExitStatus]] = []
        deadline = time.monotonic() + DEADLINE_S
        while not reaped:
            assert time.monotonic() < deadline
            reaped += target.reap_orphans()
        assert reaped == [(reaped[0][0], ExitStatus(code=3))]
        target.write_input(b"\n")
        assert wait_exit(target) == ExitStatus(code=0)
        assert target.reap_orphans() == []
    assert own.wait() == 5


def test_a_reused_pid_is_another_process() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    entry = tree.read_entry(process.pid)
    assert entry is not None
    assert entry.ppid == os.getpid()
    assert not tree.send_signal(entry.pid, entry.start_ticks + 1, signal.SIGKILL)
    assert process.poll() is None
    assert tree.is_running(entry.pid, entry.start_ticks)
    assert tree.send_signal(entry.pid, entry.start_ticks, signal.SIGKILL)
    wait_for(lambda: not tree.is_running(entry.pid, entry.start_ticks), "still runs")
    process.wait()
    assert not tree.send_signal(entry.pid, entry.start_ticks, signal.SIGKILL)


def test_children_without_the_kernels_list() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    assert process.pid in tree.children(os.getpid())
    assert process.pid in tree._children_by_psutil(os.getpid())
    process.kill()
    process.wait()


def test_reports_arrive_while_it_runs(python: str) -> None:
    text = """
import os, threading
threads = [threading.Thread(target=int) for _ in range(2000)]
for thread in threads[:1500]: thread.start(); thread.join()
pid = os.fork()
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
print('READY', flush=True)
os.read(0, 1)
"""
    with start(code(text, python)) as target:
        read_until(target, b"READY")
        reports = target.reports()
        assert [report for report in reports if isinstance(report, ThreadsReport)] == [
            ThreadsReport(pid=target.pid, created=2000, started=1500)
        ]
        assert [report.ppid for report in reports if isinstance(report, ForkReport)] == [target.pid]
        assert target.reports() == []
        assert target.line_open
        target.write_input(b"\n")
        wait_exit(target)
        assert target.reports() == []
        assert not target.line_open


def test_a_tracer_is_allowed_only_where_it_must_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scope = tmp_path / "ptrace_scope"
    monkeypatch.setattr(inject, "_PTRACE_SCOPE", scope)
    assert not inject.needs_tracer_permission()
    for text, needed in [("0\n", False), ("1\n", True), ("2\n", False), ("3\n", False)]:
        scope.write_text(text)
        assert inject.needs_tracer_permission() is needed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"kind":"other"}',
        b'{"kind":"ready"}',
        b'{"kind":"fork","pid":"x"}',
        b"\xff",
    ],
)
def test_what_is_no_message_is_passed_over(data: bytes) -> None:
    assert parse_message(data) is None


def test_exit_statuses() -> None:
    assert ExitStatus(code=3).shell_code == 3
    assert ExitStatus(signal=9).shell_code == 137
    assert ExitStatus.from_returncode(-11) == ExitStatus(signal=11)


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (None, 0, "No such file"),
        (b"\0\1", 0o700, "Exec format"),
        (b"#!/nowhere/python\n", 0o700, "No such file"),
        (b"#!/bin/sh\n", 0o600, "Permission denied"),
    ],
)
def test_what_cannot_be_started_is_told(
    content: bytes | None, mode: int, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "python"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    before = len(open_descriptors())
    with pytest.raises(UsageError, match=expected) as caught:
        Target.start(code("pass", str(path)), terminal=SIZE)
    assert len(str(caught.value).splitlines()) == 2
    assert str(path) in str(caught.value)
    assert len(open_descriptors()) == before


def test_a_directory_that_vanished_and_a_bad_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TargetSpec(kind="code", target="pass", python=sys.executable, cwd=str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="gone does not exist"):
        Target.start(spec)
    (tmp_path / "a:b").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "a:b"))
    with pytest.raises(UsageError, match="colon"):
        Target.start(code("pass"))
    assert list((tmp_path / "a:b").iterdir()) == []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="temporary directory"):
        Target.start(code("pass"))


def test_descriptors_are_freed() -> None:
    before = open_descriptors()
    for _ in range(3):
        with start(code("pass")) as target:
            wait_exit(target)
            target.close()
    assert open_descriptors() == before

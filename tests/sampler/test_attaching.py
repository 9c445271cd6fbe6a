"""What is said of a process before it is watched, or instead."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gilscope.errors import EXIT_CANNOT_OBSERVE, EXIT_USAGE, GilscopeError
from gilscope.launch.attached import AttachedTarget, short_command
from gilscope.launch.reports import ExitStatus
from gilscope.sampler import attaching
from gilscope.sampler.attaching import attach, examine, is_stopped
from gilscope.sources import access, processes
from gilscope.sources.memory import EndingError, ReadFailedError
from tests.pythons import found_old_pythons, found_pythons
from tests.watched import Watched, wait_for, watched


@pytest.fixture(scope="module")
def sleeper() -> Iterator[Watched]:
    with watched("sleepers.py", 1, 600) as target:
        yield target


@pytest.fixture(scope="module")
def program() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        wait_for(lambda: "sleep" in processes.command_line(process.pid), "it never became sleep")
        yield process
        process.kill()


def refused(pid: int, code: int) -> str:
    """The message with which a process is refused: one to three lines."""
    with pytest.raises(GilscopeError) as raised:
        examine(pid)
    assert raised.value.exit_code == code
    text = str(raised.value)
    assert 2 <= len(text.splitlines()) <= 3
    return text


@pytest.mark.parametrize("version", found_pythons())
def test_each_python_is_known_with_its_version(version: str) -> None:
    with watched("sleepers.py", 1, 600, python=found_pythons()[version]) as target:
        spec = examine(target.pid)
    assert spec.version is not None
    assert spec.version.startswith(version)
    # From 3.11 on an interpreter tells all of it.
    assert (spec.version.count(".") == 2) == (int(version.split(".")[1]) >= 11)
    assert not spec.needs_pyspy
    assert spec.implementation == "CPython"
    assert "sleepers.py 1" in spec.display


@pytest.mark.parametrize("version", found_old_pythons())
def test_an_old_python_is_left_to_py_spy(version: str) -> None:
    code = "import sys, time; sys.stdout.write('READY\\n'); sys.stdout.flush(); time.sleep(60)"
    with subprocess.Popen([found_old_pythons()[version], "-c", code], stdout=subprocess.PIPE) as process:
        try:
            spec = examine(Watched(process).pid)
        finally:
            process.kill()
    assert spec.needs_pyspy
    assert spec.version in (version, None)


def test_no_process() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    assert "There is no process" in refused(process.pid, EXIT_USAGE)


def test_oneself() -> None:
    assert "gilscope itself" in refused(os.getpid(), EXIT_USAGE)


def test_a_thread_of_a_process(sleeper: Watched) -> None:
    (tid,) = set(sleeper.tids) - {sleeper.pid}
    text = refused(tid, EXIT_USAGE)
    assert f"{tid} is a thread of process {sleeper.pid}" in text
    assert f"gilscope attach {sleeper.pid}" in text


def test_a_part_of_the_kernel() -> None:
    if not access.is_kernel_thread(2):
        pytest.skip("the kernel's threads are not to be seen here")
    assert "part of the kernel" in refused(2, EXIT_CANNOT_OBSERVE)


def test_one_that_has_ended_and_waits_for_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        wait_for(lambda: (f := processes.facts(process.pid)) and f.state == "Z", "no zombie")
        text = refused(process.pid, EXIT_CANNOT_OBSERVE)
    assert "it has ended" in text
    assert f"its parent, process {os.getpid()}" in text


def test_no_python(program: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "STARTING_S", 0.05)
    assert "it is no Python" in refused(program.pid, EXIT_CANNOT_OBSERVE)


def test_no_python_that_has_started_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "STARTING_S", 0.05)
    command = f"{sys.executable} -c 'print(\"READY\", flush=True); import time; time.sleep(600)'; true"
    with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE) as process:
        Watched(process)
        (child,) = processes.children(process.pid, [process.pid])
        text = refused(process.pid, EXIT_CANNOT_OBSERVE)
        os.kill(child, 9)
    assert f"gilscope attach {child}" in text


def test_one_whose_memory_is_gone(sleeper: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is not to be seen yet, but nobody was denied anything."""

    def ends(pid: int) -> str:
        raise EndingError(f"process {pid} has no memory any more: it ends")

    monkeypatch.setattr(attaching, "_read_version", ends)
    assert "has just ended" in refused(sleeper.pid, EXIT_CANNOT_OBSERVE)


def test_one_that_ends_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched("sleepers.py", 1, 600) as target:

        def ends(pid: int) -> str:
            target.kill()
            raise ReadFailedError(f"process {pid}: 0 of 8 bytes")

        monkeypatch.setattr(attaching, "_read_version", ends)
        assert "has just ended" in refused(target.pid, EXIT_CANNOT_OBSERVE)


def test_one_that_ends_between_the_look_and_the_watch() -> None:
    with watched("sleepers.py", 1, 600) as target:
        spec = examine(target.pid)
        target.kill()
        with pytest.raises(GilscopeError, match="has just ended") as raised:
            attach(spec)
    assert raised.value.exit_code == EXIT_CANNOT_OBSERVE


def test_a_pid_that_is_another_process_by_now(sleeper: Watched) -> None:
    spec = examine(sleeper.pid)
    other = type(spec)(
        pid=spec.pid, start_ticks=spec.start_ticks - 1, command=spec.command, python=spec.python
    )
    with pytest.raises(GilscopeError, match="has just ended"):
        attach(other)


def test_hidden_by_the_way_proc_is_mounted(sleeper: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "facts", lambda _pid: None)
    assert "hidepid" in refused(sleeper.pid, EXIT_CANNOT_OBSERVE)


@pytest.mark.parametrize(
    ("scope", "uid", "traces_all", "words"),
    [
        (None, 0, False, ["it belongs to", "you are", "sudo gilscope attach"]),
        (1, None, False, ["ptrace_scope is 1", "sudo sysctl kernel.yama.ptrace_scope=0", "gilscope run"]),
        (2, None, False, ["only root may read", "ptrace_scope is 2"]),
        (3, None, False, ["ptrace_scope is 3", "restart"]),
        (None, None, False, ["more rights than you"]),
        (None, "root", False, ["although you are root", "--cap-add=SYS_PTRACE"]),
        (None, "root", True, ["although you are root", "SELinux"]),
    ],
)
def test_why_it_is_denied(
    scope: int | None,
    uid: int | str | None,
    *,
    traces_all: bool,
    words: list[str],
    sleeper: Watched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GIVEN a kernel that refuses to open the memory THEN the reason is told that holds here."""

    def denied(pid: int) -> str:
        raise ReadFailedError(f"cannot open the memory of process {pid}: Permission denied")

    me = 0 if uid == "root" else 1234
    monkeypatch.setattr(attaching, "_read_version", denied)
    monkeypatch.setattr(access, "ptrace_scope", lambda: scope)
    monkeypatch.setattr(access, "may_trace_all", lambda: traces_all)
    monkeypatch.setattr(os, "geteuid", lambda: me)
    owner = access.Owner(0 if uid == 0 else me, sleeper.pid)
    monkeypatch.setattr(access, "owner", lambda _pid: owner)
    text = refused(sleeper.pid, EXIT_CANNOT_OBSERVE)
    assert all(word in text for word in words), text


def test_hostile_names_do_not_reach_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "STARTING_S", 0.05)
    with subprocess.Popen(["sleep", "600"], executable="/bin/sleep") as process:
        monkeypatch.setattr(processes, "command_line", lambda _pid: "a\x1b[31m\nb\u202e " + "x" * 10_000)
        text = refused(process.pid, EXIT_CANNOT_OBSERVE)
        process.kill()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text) < 400


def test_a_stopped_process_is_told_apart(sleeper: Watched) -> None:
    assert not is_stopped(sleeper.pid)
    os.kill(sleeper.pid, 19)
    wait_for(lambda: is_stopped(sleeper.pid), "it does not stop")
    assert examine(sleeper.pid).pid == sleeper.pid
    os.kill(sleeper.pid, 18)


@pytest.mark.parametrize("kernel_tells", [True, False])
def test_how_it_ended(monkeypatch: pytest.MonkeyPatch, *, kernel_tells: bool) -> None:
    """GIVEN a process that is not ours WHEN it ends THEN its exit code is known, or unknown; no guess."""
    with watched("family.py") as target:
        handle = attach(examine(target.pid))
        if not kernel_tells:
            monkeypatch.setattr(AttachedTarget, "_told_by_kernel", lambda _self: None)
        assert handle.poll() is None
        reaper = threading.Thread(target=target.process.wait)
        reaper.start()  # its entry is gone at once
        target.write("exit 7")
        reaper.join()
        status = handle.poll()
        handle.close()
    assert status is not None
    assert status in (ExitStatus(code=7), ExitStatus()) if kernel_tells else status == ExitStatus()
    assert status.shell_code in (7, None)


def test_a_zombie_tells_how_it_ended() -> None:
    with watched("family.py") as target:
        handle = attach(examine(target.pid))
        target.write("exit 7")
        wait_for(lambda: handle.poll() is not None, "its end is not seen")
        assert handle.poll() == ExitStatus(code=7)
        handle.close()


def test_nothing_that_could_touch_it(sleeper: Watched) -> None:
    handle = attach(examine(sleeper.pid))
    assert handle.signal(9) is False
    assert handle.stop() is None
    handle.write_input(b"x")
    assert handle.poll() is None
    handle.close()
    handle.close()


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ("/usr/bin/python3 /srv/app.py --x", "python3 /srv/app.py --x"),
        ("python", "python"),
        ("a \n  b", "a b"),
        ("", ""),
    ],
)
def test_commands_as_people_write_them(line: str, short: str) -> None:
    assert short_command(line) == short
    assert len(short_command("x" * 5000)) == 200


def test_who_started_whom() -> None:
    assert access.is_below(os.getpid(), os.getppid())
    assert not access.is_below(os.getppid(), os.getpid())
    assert access.owner(2**22 - 1) is None


def test_scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "PTRACE_SCOPE", tmp_path / "scope")
    assert access.ptrace_scope() is None
    (tmp_path / "scope").write_text("2\n")
    assert access.ptrace_scope() == 2

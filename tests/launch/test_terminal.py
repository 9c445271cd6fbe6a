"""Targets on a pty: what they see there, and what can be typed and shown."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import time

import pytest

from gilscope.launch.reports import ExitStatus
from gilscope.launch.spec import TargetSpec
from gilscope.launch.terminal import TerminalSize
from tests.launch.conftest import DEADLINE_S, TARGETS, without_addresses
from tests.launch.helpers import code, output_fd, read_until, start, wait_exit


def test_a_program_on_a_terminal(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    monkeypatch.delenv("TERM", raising=False)
    spec = TargetSpec(kind="script", target=str(TARGETS / "launch_terminal.py"), python=python)
    with start(spec) as target:
        output = read_until(target, b"name? ")
        target.write_input("Zoë\n".encode())
        output = read_until(target, b"said", output)
        target.resize(TerminalSize(columns=77, rows=11))
        output = read_until(target, b"interrupt? ", output)
        target.write_input(b"\x03")
        output = read_until(target, b"no such text", output)
        assert wait_exit(target) == ExitStatus(code=9)
        assert target.read_output() is None
    lines = output.decode().splitlines()
    assert lines[:6] == [
        "[True, True, True] True",
        "(100, 30) (100, 30)",
        "True True xterm-256color",
        "3 []",
        "[True, True, True, True]",
        "name? Zoë",
    ]
    assert lines[6:9] == ["said 'Zoë'", "now (77, 11)", "err"]
    assert lines[-1].endswith("^Cinterrupted")


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_program_on_a_terminal_sees_what_it_sees_without_us(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    for variable in ("COLUMNS", "LINES"):
        monkeypatch.delenv(variable, raising=False)
    spec = TargetSpec(kind="script", target=str(TARGETS / "launch_facts.py"), python=python)
    with start(spec) as target:
        launched = read_until(target, b"no such text")
        assert wait_exit(target) == ExitStatus(code=0)
    pid, master = pty.fork()
    if pid == 0:
        os.execve(python, spec.command(), dict(os.environ))
    plain = b""
    with contextlib.suppress(OSError):  # EIO at the end of the output
        while data := os.read(master, 65_536):
            plain += data
    os.close(master)
    assert os.waitpid(pid, 0)[1] == 0
    assert without_addresses(launched).splitlines() == without_addresses(plain).splitlines()


def test_ctrl_c_ends_a_program_as_plain_python_on_a_pty(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    spec = code("import time\nprint('READY', flush=True)\nwhile True: time.sleep(0.05)", python)
    with start(spec) as target:
        output = read_until(target, b"READY")
        target.write_input(b"\x03")
        output = read_until(target, b"no such text", output)
        assert wait_exit(target) == ExitStatus(signal=signal.SIGINT)
    assert b"Traceback (most recent call last):\r\n" in output
    assert output.rstrip().endswith(b"KeyboardInterrupt")
    assert b"gilscope" not in output


def test_input_that_does_not_fit_is_kept() -> None:
    text = """
import os, signal, sys, tty
tty.setraw(0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print('READY', flush=True)
signal.sigwait([signal.SIGUSR1])  # nothing is read before, or all might fit
os.read(sys.stdin.fileno(), 1)
left = 299_999
while left: left -= len(os.read(0, left))
print('all', flush=True)
"""
    with start(code(text)) as target:
        read_until(target, b"READY")
        target.write_input(b"x" * 300_000)
        assert target.wants_write
        target.signal(signal.SIGUSR1)
        output = b""
        deadline = time.monotonic() + DEADLINE_S
        while b"all" not in output and time.monotonic() < deadline:
            fd = output_fd(target)
            select.select([fd], [fd] if target.wants_write else [], [], 0.1)
            target.write_input()
            output += target.read_output() or b""
        assert b"all" in output
        assert not target.wants_write
        wait_exit(target)

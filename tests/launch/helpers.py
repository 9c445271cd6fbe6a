"""Start targets in the test's own process, and wait for what they do; never a blind sleep."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gilscope.launch.reports import ExitStatus
from gilscope.launch.spec import TargetSpec
from gilscope.launch.target import Target
from gilscope.launch.terminal import TerminalSize
from tests.launch.conftest import DEADLINE_S

SIZE = TerminalSize(columns=100, rows=30)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def output_fd(target: Target) -> int:
    assert target.output_fd is not None
    return target.output_fd


def open_descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def read_until(target: Target, text: bytes, output: bytes = b"") -> bytes:
    """Return all output up to that text, or to its end."""
    deadline = time.monotonic() + DEADLINE_S
    while text not in output:
        assert time.monotonic() < deadline, output
        select.select([output_fd(target)], [], [], 0.1)
        data = target.read_output()
        if data is None:
            break
        output += data
    return output


def wait_exit(target: Target) -> ExitStatus:
    wait_for(lambda: target.poll() is not None, "the target runs on")
    status = target.poll()
    assert status is not None
    return status


def start(spec: TargetSpec, terminal: TerminalSize | None = SIZE) -> Target:
    target = Target.start(spec, terminal=terminal)
    assert target.wait_ready() is not None
    target.go()
    return target


def code(text: str, python: str = sys.executable) -> TargetSpec:
    return TargetSpec(kind="code", target=text, python=python)

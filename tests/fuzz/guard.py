"""What a case may take, held by an alarm and a limit; and what it may raise."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator
from types import FrameType

LIMIT_S = 1.0
"""CPU time of one case: the wall clock would count what others do on the same machine."""
LIMIT_BYTES = 300_000_000
"""Resident memory of a process that runs cases, at its highest."""


class TooLongError(BaseException):
    """A case took longer than LIMIT_S. No handler of errors may keep it."""


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise TooLongError


@contextlib.contextmanager
def limited(limit_s: float = LIMIT_S) -> Iterator[None]:
    """Whatever takes longer is interrupted."""
    before = signal.signal(signal.SIGPROF, _ring)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory(more: int = LIMIT_BYTES) -> None:
    """Let this process map only so much more than it has: a case that wants all gets a MemoryError."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - the one line of it
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + more, hard))


def peak_bytes() -> int:
    """The most that this process ever had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

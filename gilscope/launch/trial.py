"""Pythons that do nothing, started for a moment to see whether they can be read."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Final

from gilscope.errors import CannotObserveError
from gilscope.launch import tree

START_S = 5.0
_WAITS: Final = """
import os, sys
sys.stdout.write('READY %d\\n' % os.getpid())
sys.stdout.flush()
sys.stdin.read()
"""
"""For any Python from 2.7 on. It ends with its standard input, so that none outlives us if we are killed."""
_ORPHAN: Final = "import os\nif os.fork(): os._exit(0)\nos.setsid()\n" + _WAITS
"""Its first process ends at once; only when that has ended is the second nobody's child."""


@contextlib.contextmanager
def child(python: str) -> Iterator[int]:
    """Start an interpreter as a child; its pid, once it runs Python.

    Raises:
        CannotObserveError: it does not start, or says nothing.
    """
    with _started([python, "-S", "-c", _WAITS]) as pid:
        yield pid


@contextlib.contextmanager
def stranger(python: str) -> Iterator[int]:
    """Start an interpreter that is no descendant of ours: an orphan, which init adopts; its pid.

    Raises:
        CannotObserveError: it does not start, or says nothing.
    """
    with _started([python, "-S", "-c", _ORPHAN], is_orphan=True) as pid:
        entry = tree.read_entry(pid)
        try:
            yield pid
        finally:
            if entry is not None:
                tree.send_signal(pid, entry.start_ticks, signal.SIGKILL)


@contextlib.contextmanager
def _started(command: Sequence[str], *, is_orphan: bool = False) -> Iterator[int]:
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise CannotObserveError(f"it does not start: {getattr(error, 'strerror', None) or error}") from None
    with process:
        try:
            pid = _pid_told(process)
            if is_orphan:
                _wait_for_end(process)
            yield pid
        finally:
            process.kill()


def _wait_for_end(process: subprocess.Popen[bytes]) -> None:
    """The kernel gives the children of one that ends to init before it lets that one be waited for."""
    try:
        process.wait(START_S)
    except subprocess.TimeoutExpired:
        raise CannotObserveError(f"its first process did not end for {START_S:.0f} s") from None


def _pid_told(process: subprocess.Popen[bytes]) -> int:
    stream = process.stdout
    deadline, said = time.monotonic() + START_S, b""
    while stream is not None and b"\n" not in said:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            raise CannotObserveError(f"it said nothing for {START_S:.0f} s")
        data = os.read(stream.fileno(), 4096)
        if not data:
            raise CannotObserveError("it ended at once")
        said += data
    word, _, number = said.decode(errors="replace").strip().partition(" ")
    if word != "READY" or not number.isdecimal():
        raise CannotObserveError("it said something else than it was told to")
    return int(number)

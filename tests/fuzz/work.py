"""Runs cases in processes of their own."""

from __future__ import annotations

import faulthandler
import tempfile
import time
from pathlib import Path

from tests.fuzz import guard, memory, recordings

STEP = 500
"""Cases that are handed to a process at once."""
STUCK_S = 1_800.0
"""Cases that no alarm can interrupt, in a loop of C code, end their process, with its stack: by the wall
clock, which runs on while others have the CPU."""
WARM_UP = 30
"""Cases that are run, and not judged, before memory is limited: by then all is imported."""


def prepare(what: str) -> None:
    """In each process: load what cases load, then let it have little more."""
    with tempfile.TemporaryDirectory() as name:
        for number in range(WARM_UP):
            one(what, -1, number, Path(name))
    guard.limit_memory()


def one(what: str, seed: int, number: int, folder: Path) -> tuple[str, str]:
    folder.mkdir(exist_ok=True)
    return (recordings.run if what == "recordings" else memory.run)(seed, number, folder)


def batch(job: tuple[str, int, int, int]) -> tuple[list[tuple[int, str, str]], float, int]:
    """All outcomes of some cases, the longest time, the most memory."""
    what, seed, first, count = job
    found, longest = [], 0.0
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        for number in range(first, first + count):
            if number % 100 == 0:
                faulthandler.dump_traceback_later(STUCK_S, exit=True)
            before = time.process_time()
            said, where = one(what, seed, number, Path(name))
            longest = max(longest, time.process_time() - before)
            found.append((number, said, where))
    return found, longest, guard.peak_bytes()

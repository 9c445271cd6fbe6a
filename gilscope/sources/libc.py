"""What differs between C libraries: where a condition variable counts who waits on it.

glibc counts in `__wrefs`, eight a waiter, with flags in the lowest three bits. Only the library knows where
that word is: 36 bytes into the variable since 2.25, 28 since 2.41 (and where a distribution took that change
into an older one). Python's GIL waits by the monotonic clock, which is one of the flags, so the word can be
told by its lowest bits in the live process: always 2, in no other word for long.

Before 2.25 there was a lock, a pointer and no such word. musl (its condition variable and mutex have the same
sizes, 48 and 40 bytes, so the GIL's struct is laid out as with glibc) links its waiters through their stacks
and waits on a word there: neither how many nor who waits can be read from the GIL's struct.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from gilscope.sources.memory import ProcessMemory

MUTEX_SIZE = 40
MUTEX_SIZES_OF_GLIBC = {"aarch64": 48}

WAITERS_SINCE_2_25 = 36
WAITERS_SINCE_2_41 = 28
NEW_IN_2_41 = "sched_setattr"
"""A function that came with the release that moved the word."""

_COND_SIZE = 48
_FLAGS, _MONOTONIC = 7, 2
_TRIES = 5
_TRY_AGAIN_S = 0.001
_NAME_WITH_VERSION = re.compile(r"libc-2\.(\d+)(?:\.\d+)*\.so")


def is_musl(path: str) -> bool:
    """This mapped file is musl's library."""
    return PurePosixPath(path).name.startswith(("ld-musl-", "libc.musl-"))


def is_glibc(path: str) -> bool:
    """This mapped file is glibc's library, of a version that counts waiters."""
    name = PurePosixPath(path).name
    if name == "libc.so.6":
        return True
    version = _NAME_WITH_VERSION.fullmatch(name)
    return version is not None and int(version[1]) >= 25


def counts_waiters(paths: Iterable[str]) -> bool:
    """The C library among a process's mapped files is one that counts; unknown ones are not trusted."""
    paths = list(paths)
    return any(map(is_glibc, paths)) and not any(map(is_musl, paths))


def mutex_size(paths: Iterable[str], machine: str) -> int:
    """The size of the C library's mutex in a process that maps these files."""
    return MUTEX_SIZE if any(map(is_musl, paths)) else MUTEX_SIZES_OF_GLIBC.get(machine, MUTEX_SIZE)


def waiters_offset(memory: ProcessMemory, cond: int, is_2_41: Callable[[], bool]) -> int | None:
    """Where in the condition variable at `cond`, which a GIL waits on, its waiters are counted.

    Args:
        memory: the process's.
        cond: the condition variable's address.
        is_2_41: whether the library is as new; asked where the words alone do not tell.

    Raises:
        ReadFailedError: the process is gone.
    """
    possible = {WAITERS_SINCE_2_25, WAITERS_SINCE_2_41}
    for left in range(_TRIES - 1, -1, -1):
        words = memory.read(cond, _COND_SIZE)
        possible = {at for at in possible if words[at] & _FLAGS == _MONOTONIC}
        if len(possible) < 2:
            return next(iter(possible), None)
        if left:
            time.sleep(_TRY_AGAIN_S)
    return WAITERS_SINCE_2_41 if is_2_41() else WAITERS_SINCE_2_25

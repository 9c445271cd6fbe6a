"""Thread ids of a process in another pid namespace, such as a container: its own are other numbers.

What is read from its memory, and what py-spy says of it, are its own numbers; /proc and all else in here have
ours. The kernel tells both in /proc/PID/task/TID/status.
"""

from __future__ import annotations

import os
from pathlib import Path

_KEPT = 256
_MARK = b"\nNSpid:"


class ThreadIds:
    """The threads of one process: from its own numbers to ours."""

    def __init__(self, pid: int) -> None:
        self._path = f"/proc/{pid}/task"
        self._ours: dict[int, int] = {}

    def ours(self, tid: int) -> int:
        """Our number of the thread that the process itself knows as `tid`; 0 where there is none."""
        found = self._ours.get(tid, 0)
        # Its number may be another thread's by now; ours is never another's as long as it is there.
        if not found or not Path(f"{self._path}/{found}").exists():
            self.read()
            found = self._ours.get(tid, found)
        return found

    def read(self) -> dict[int, int]:
        """All threads there are now: its number → ours. What is known stays where the process has ended."""
        try:
            tids = os.listdir(self._path)  # noqa: PTH208 - names only
        except OSError:
            return self._ours
        fresh = {numbers[-1]: int(tid) for tid in tids if (numbers := _numbers(f"{self._path}/{tid}"))}
        self._ours = fresh or self._ours
        return self._ours


_known: dict[int, ThreadIds | None] = {}
"""By pid, for what is told of a process when it has ended."""


def thread_ids(pid: int) -> ThreadIds | None:
    """How to translate a process's own thread ids; None where they are ours as well, as nearly always."""
    while len(_known) >= _KEPT:
        _known.pop(next(iter(_known)))
    _known[pid] = ThreadIds(pid) if len(_numbers(f"/proc/{pid}")) > 1 else None
    return _known[pid]


def our_tid(pid: int, tid: int) -> int:
    """Our number of a thread that a process, watched already, knows as `tid`; 0 where there is none."""
    ids = _known.get(pid)
    return tid if ids is None else ids.ours(tid)


def _numbers(folder: str) -> list[int]:
    """The numbers of a process or thread, from our namespace inward; empty where it has ended."""
    try:
        text = Path(f"{folder}/status").read_bytes()
        return [int(word) for word in text.partition(_MARK)[2].partition(b"\n")[0].split()]
    except (OSError, ValueError):
        return []

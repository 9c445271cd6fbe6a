"""Processes and their descendants: find, signal and reap them, by identity and never by pid alone."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from gilscope.launch.reports import ExitStatus

_PR_SET_CHILD_SUBREAPER: Final = 36
_STATE_FIELD: Final = 0
_PPID_FIELD: Final = 1
_THREADS_FIELD: Final = 17
_START_FIELD: Final = 19
"""Positions in /proc/PID/stat after the command's closing parenthesis, whose first is the state (field 3)."""


class ProcessEntry(NamedTuple):
    """A process, named by pid and start time so that a reused pid is another one, and its parent."""

    pid: int
    start_ticks: int
    """Clock ticks since boot, field 22 of /proc/PID/stat."""
    ppid: int


def read_entry(pid: int) -> ProcessEntry | None:
    """Return the process with that pid now, zombie or not; None if there is none."""
    fields = _stat_fields(pid)
    if fields is None:
        return None
    return ProcessEntry(pid=pid, start_ticks=int(fields[_START_FIELD]), ppid=int(fields[_PPID_FIELD]))


def is_running(pid: int, start_ticks: int) -> bool:
    """Say whether exactly that process is there and has not ended: a zombie without threads has."""
    fields = _stat_fields(pid)
    if fields is None or int(fields[_START_FIELD]) != start_ticks:
        return False
    return fields[_STATE_FIELD] not in {"Z", "X"} or int(fields[_THREADS_FIELD]) > 1


def stat_fields(pid: int, start_ticks: int) -> list[str] | None:
    """The words of /proc/PID/stat behind the command, state first; None if that process is gone."""
    fields = _stat_fields(pid)
    return fields if fields is not None and int(fields[_START_FIELD]) == start_ticks else None


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The command stands in parentheses and may hold any byte, parentheses and blanks included.
    return text[text.rindex(b")") + 2 :].decode("ascii").split()


def children(pid: int) -> list[int]:
    """Return the pids of the children of all threads of a process."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - a path object for each thread costs more than the read
    except OSError:
        return found
    for tid in threads:
        try:
            text = Path(f"/proc/{pid}/task/{tid}/children").read_bytes()
        except FileNotFoundError:
            if not Path("/proc/self/task").joinpath(str(os.getpid()), "children").exists():
                return _children_by_psutil(pid)
            continue  # This thread has just ended.
        except OSError:
            continue
        found += [int(child) for child in text.split()]
    return found


def _children_by_psutil(pid: int) -> list[int]:
    """Return the same on a kernel without CONFIG_PROC_CHILDREN; it has to look at every process there is."""
    import psutil  # noqa: PLC0415 - for rare kernels only

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def walk(roots: Iterable[int], *, spare: Collection[int] = ()) -> list[ProcessEntry]:
    """Return the roots that exist and all their descendants, parents before their children.

    Without those to `spare`, and what is below them.
    """
    pending = list(roots)
    seen: set[int] = set(spare)
    found: list[ProcessEntry] = []
    while pending:
        pid = pending.pop(0)
        if pid in seen:
            continue
        seen.add(pid)
        entry = read_entry(pid)
        if entry is not None:
            found.append(entry)
            pending += children(pid)
    return found


def send_signal(pid: int, start_ticks: int, signum: int) -> bool:
    """Send a signal to exactly that process; return False if it is gone or not ours to signal.

    A pidfd holds on to the process while its start time is checked, so the pid cannot be reused in between.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    except OSError:
        handle = -1  # A kernel before 5.3: a check and then a kill, with a gap of a few microseconds.
    try:
        entry = read_entry(pid)
        if entry is None or entry.start_ticks != start_ticks:
            return False
        if handle >= 0:
            signal.pidfd_send_signal(handle, signum)
        else:
            os.kill(pid, signum)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        if handle >= 0:
            os.close(handle)
    return True


_subreaper = False


def become_subreaper(*, on: bool = True) -> bool:
    """Make this process the new parent of orphaned descendants, in place of init; return whether it is now.

    A daemon that forks twice is then still found below us. Whoever calls this has to call `reap_orphans` too.
    `on=False` ends it.
    """
    global _subreaper  # noqa: PLW0603 - it is a property of the process
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0) == 0:
        _subreaper = on
    return _subreaper


def adopted_children(*, since_ticks: int, spare: Collection[int]) -> list[ProcessEntry]:
    """Return orphans that came to us: our children not in `spare`, begun at `since_ticks` or later.

    Empty if this process is no subreaper, for then every child of it is one that it started itself.
    """
    if not _subreaper:
        return []
    me = os.getpid()
    entries = (read_entry(pid) for pid in children(me) if pid not in spare)
    return [entry for entry in entries if entry and entry.ppid == me and entry.start_ticks >= since_ticks]


def reap(pid: int) -> ExitStatus | None:
    """Take the exit status of an ended child; None if it runs or is no child of ours."""
    try:
        reaped, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return ExitStatus.from_returncode(os.waitstatus_to_exitcode(status)) if reaped else None

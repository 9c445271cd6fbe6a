"""Processes where there is no /proc, by psutil: macOS and Windows. Not tried there; see README."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable

import psutil

from gilscope.sources.identity import ProcessFacts, ProcessIdentity

_TICKS_PER_S = 100
"""Of a start time, as psutil has it."""
_STATES = {psutil.STATUS_RUNNING: "R", psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_STOPPED: "T"}


def facts(pid: int) -> ProcessFacts | None:
    """What the system says of `pid` now; None when there is no such process."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            ticks = round((process.create_time() - psutil.boot_time()) * _TICKS_PER_S)
            state = _STATES.get(process.status(), "S")
            return ProcessFacts(ProcessIdentity(pid, ticks), process.ppid() or 0, state)
    except psutil.ZombieProcess:
        return ProcessFacts(ProcessIdentity(pid, 0), 0, "Z")
    except (psutil.Error, OSError):
        return None


def boot_ns() -> int:
    """Nanoseconds since boot, as start times are counted."""
    return round((time.time() - psutil.boot_time()) * 1e9)


def age_s(pid: int) -> float:
    """Seconds since a process began; 0 when there is none."""
    try:
        return time.time() - psutil.Process(pid).create_time()
    except (psutil.Error, OSError):
        return 0.0


def command_line(pid: int) -> str:
    """The command line, arguments joined by spaces; the short name where it is not told; "?" when gone."""
    with contextlib.suppress(psutil.NoSuchProcess, OSError):
        process = psutil.Process(pid)
        with contextlib.suppress(psutil.AccessDenied):
            words = process.cmdline()
            if words:
                return " ".join(words)
        with contextlib.suppress(psutil.AccessDenied):
            return process.name() or "?"
    return "?"


def name_of(pid: int) -> str:
    """The file name of its program; "?" when gone."""
    try:
        return psutil.Process(pid).name() or "?"
    except (psutil.Error, OSError):
        return "?"


def executable(pid: int) -> str | None:
    """The path of the running program."""
    try:
        return psutil.Process(pid).exe() or None
    except (psutil.Error, OSError):
        return None


def cpu_ns_of(pid: int) -> int:
    """CPU time of a process of ours so far; 0 when it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except (psutil.Error, OSError):
        return 0
    return round((times.user + times.system) * 1e9)


def elsewhere_tid(pid: int, told: int) -> int:
    """The lane of a thread that py-spy knows as `told`; on macOS, where only py-spy does, the process's."""
    return pid if sys.platform == "darwin" else told


def extension_modules(pid: int) -> set[str]:  # noqa: ARG001 - as on Linux
    """Unknown here."""
    return set()


def children(pid: int, tids: list[int]) -> list[int]:  # noqa: ARG001 - as on Linux
    """Pids of the living children of `pid`, whichever thread made them."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except (psutil.Error, OSError):
        return []


def thread_names(pid: int, tids: Iterable[int]) -> dict[int, str]:  # noqa: ARG001 - as on Linux
    """Not told here; py-spy has Python's own names."""
    return {}

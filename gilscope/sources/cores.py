"""What psutil knows: the load of every core, the cores that are usable, what processes cost in memory."""

from __future__ import annotations

import contextlib
import math
import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import psutil

from gilscope.model import NS_PER_MS
from gilscope.sources.memory import ReadFailedError

SMOOTHING_NS = 200 * NS_PER_MS
"""The kernel counts a core's busy time in steps of 10 ms: a load is taken over at least this span."""


_NOT_TOLD = (psutil.Error, OSError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What psutil raises where the system says nothing, less than usual, or something that it cannot read."""


class CoreLoads:
    """Busy share of each core, over the last SMOOTHING_NS."""

    def __init__(self) -> None:
        self._history: deque[tuple[int, list[tuple[float, float]]]] = deque()

    def read(self, now_ns: int) -> list[float]:
        """0 – 1 per core, in order; empty until there are two readings.

        Raises:
            ReadFailedError: the system does not tell.
        """
        try:
            times = [_busy_and_total(core) for core in psutil.cpu_times(percpu=True)]
        except _NOT_TOLD as error:
            raise ReadFailedError(f"the load of the cores cannot be read: {error}") from error
        history = self._history
        history.append((now_ns, times))
        while len(history) > 2 and now_ns - history[1][0] >= SMOOTHING_NS:
            history.popleft()
        before = history[0][1]
        if len(history) < 2 or len(before) != len(times):
            return []
        return [_share(old, new) for old, new in zip(before, times, strict=True)]


def _busy_and_total(core: object) -> tuple[float, float]:
    def value(name: str) -> float:
        return float(getattr(core, name, 0.0))

    idle = value("idle") + value("iowait")
    busy = sum(value(n) for n in ("user", "nice", "system", "irq", "softirq", "steal"))
    return busy, busy + idle


def _share(old: tuple[float, float], new: tuple[float, float]) -> float:
    total = new[1] - old[1]
    return min(1.0, max(0.0, (new[0] - old[0]) / total)) if total > 0 else 0.0


def core_count() -> int:
    """Cores of this machine that are online."""
    return psutil.cpu_count() or 1


def usable_cores() -> int:
    """Cores that a program started here can use: affinity and the cgroup's CPU limit, at least one."""
    usable = core_count()
    with contextlib.suppress(AttributeError, OSError):
        usable = min(usable, len(os.sched_getaffinity(0)))
    # Files of a cgroup may be missing, or hold anything.
    with contextlib.suppress(OSError, ValueError, ArithmeticError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            usable = min(usable, max(1, math.ceil(int(quota) / int(period))))
    return max(1, usable)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds of memory, in bytes."""

    rss: int
    pss: int | None
    """Its share of shared pages counted in part; None where that was not read."""
    uss: int | None
    """What only it holds."""
    threads: int


def footprint(pid: int, *, shares: bool) -> Footprint | None:
    """Memory and thread count of a process; None when it has ended.

    Args:
        pid: the process.
        shares: read PSS and USS too, which the kernel has to count page by page.
    """
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            threads = process.num_threads()
            if not shares:
                return Footprint(process.memory_info().rss, None, None, threads)
            full = process.memory_full_info()
            return Footprint(full.rss, getattr(full, "pss", None), getattr(full, "uss", None), threads)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None
    except _NOT_TOLD:
        # Not allowed, mostly: what is dear to read is what is asked most for.
        return footprint(pid, shares=False) if shares else None

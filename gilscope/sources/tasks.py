"""/proc/PID/task → what the kernel knows of each thread: state, core, on-CPU and run-queue time.

Cost follows activity, not the number of threads: a thread whose CPU time did not move since the last sweep
cannot have changed what it does, so only its `schedstat` is read, and after a few quiet sweeps not even
that. The process's CPU clock, one call, tells when a thread that was left out has run after all.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from gilscope.model import NOT_KNOWN, WAITS_NOT_KNOWN

FUTEX_CALLS = {"x86_64": b"202", "aarch64": b"98"}
"""The number of the futex system call, as /proc/PID/task/TID/syscall prints it."""
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if sys.platform != "win32" else 100
QUIET_SWEEPS = 4
"""After so many sweeps without CPU time a thread is left out until its process shows unexplained CPU time."""
UNEXPLAINED_NS, UNEXPLAINED_PER_TASK_NS = 500_000, 5_000
"""CPU time of a process, not of the threads that were read, from which the others are read again.

It grows with their number: to read very many for a little time would cost more than it tells.
"""
CORE_EVERY_SWEEPS = 4
"""A thread's core is the dearest thing to read, and is shown no more often than the cores' load."""
NO_SYSCALL = "which threads wait for a GIL, or are blocked ({reason}: /proc/PID/task/TID/syscall)"
NO_SCHEDSTAT = "time in the run queue, and CPU times to less than 10 ms (no /proc/PID/task/TID/schedstat)"
GilSpan = tuple[int, int, int]
"""Key of a GIL, and the addresses between which a futex waits for it."""


def boot_ns() -> int:
    """Nanoseconds since boot by the clock that counts processes' starts (suspended time included)."""
    if sys.platform != "linux":
        from gilscope.sources.portable import boot_ns as since_boot_ns  # noqa: PLC0415 - there only

        return since_boot_ns()
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Seen(IntEnum):
    """What a thread was seen to do at the moment of a sweep."""

    ON_CPU = 0
    """Running or in the run queue: the kernel's file does not tell which."""
    WAITING = 1
    """In the futex of a GIL."""
    ASLEEP = 2
    UNREADABLE = 3
    """The kernel does not let us see in which call it is."""


@dataclass(slots=True)
class Task:
    """One thread, with its kept-open descriptors and what was last read."""

    tid: int
    start_ticks: int
    """Kernel clock ticks since boot at which it started: with the tid, its identity."""
    schedstat_fd: int
    syscall_fd: int = -1
    stat_fd: int = -1
    raw: bytes = b""
    cpu_ns: int = 0
    """On a CPU since its start, exact."""
    queue_ns: int = 0
    """In a run queue since its start."""
    seen: Seen = Seen.ASLEEP
    waits_for: int | None = None
    """Key of the GIL in whose futex it is."""
    core: int | None = None
    quiet: int = 0
    """Sweeps since it last used the CPU."""


@dataclass(slots=True)
class Sweep:
    """What one sweep of a process brought."""

    started: list[Task] = field(default_factory=list)
    ended: list[Task] = field(default_factory=list)
    seen: list[Task] = field(default_factory=list)
    """Those whose state at this moment is known; the others have been asleep for some sweeps."""
    idle: bool = False
    """The whole process used no CPU time since the last thorough sweep."""


class Tasks:
    """The threads of one process."""

    def __init__(self, pid: int, machine: str | None = None) -> None:
        self.pid = pid
        self.tasks: dict[int, Task] = {}
        self._active: dict[int, Task] = {}
        """Those that are read at each sweep."""
        self.whole = False
        """Its threads are not told apart: one task, under the pid, stands for all of them."""
        self.not_known: list[tuple[str, str]] = []
        """What cannot be told of these threads, and why, each with an event's kind; for whoever takes it."""
        self._syscalls_readable = True
        self._coarse = False
        """Without the kernel's exact times: CPU times come from `stat`, in clock ticks."""
        self._path = f"/proc/{pid}/task"
        self._futex = FUTEX_CALLS.get(machine or platform.machine())
        self._folder_fd = -1
        self._links = 0
        self._sweeps = 0
        self._clock = (~pid << 3) | 2  # the process's CPU clock, counted by the scheduler
        self._cpu_ns = -1
        self.last_cpu_ns = 0
        """CPU time of the whole process at the last thorough sweep that found it alive."""
        self._unexplained_ns = 0

    def cpu_ns(self) -> int:
        """CPU time of the whole process, ended threads included; −1 when it is gone."""
        try:
            return time.clock_gettime_ns(self._clock)
        except OSError:
            return -1

    def sweep(self, spans: Sequence[GilSpan], *, thorough: bool = True) -> Sweep:
        """Read the threads once.

        Args:
            spans: the futex addresses of the process's GILs.
            thorough: read CPU times and cores too; else only what those that are active do.
        """
        result = Sweep()
        if not thorough:
            for task in list(self._active.values()):
                if self._look(task, spans):
                    result.seen.append(task)
                else:
                    self._end(task, result)
            return result
        self._sweeps += 1
        total_ns = self.cpu_ns()
        if total_ns == self._cpu_ns and self.tasks:
            # Nothing ran in the whole process, so nothing can have changed, not even the list of threads.
            result.idle = True
            result.seen += self._active.values()
            return result
        self._update_list(result)
        moved_ns = total_ns - self._cpu_ns if self._cpu_ns >= 0 else 0
        self._cpu_ns = total_ns
        self.last_cpu_ns = max(self.last_cpu_ns, total_ns)
        moved_ns -= self._read_all(list(self._active.values()), spans, result)
        self._unexplained_ns = max(0, self._unexplained_ns + moved_ns)
        others = len(self.tasks) - len(self._active)
        if others and self._unexplained_ns > UNEXPLAINED_NS + others * UNEXPLAINED_PER_TASK_NS:
            left_out = [task for tid, task in self.tasks.items() if tid not in self._active]
            self._read_all(left_out, spans, result)
            self._unexplained_ns = 0
        return result

    def waiters(self, spans: Sequence[GilSpan]) -> list[int]:
        """Tids of the active threads that wait for a GIL now. Who has ended is left to the next sweep."""
        return [
            tid for tid, task in self._active.items() if self._look(task, spans) and task.seen is Seen.WAITING
        ]

    def wake(self, tid: int) -> None:
        """Read this thread at the next sweep: something else showed that it is active."""
        task = self.tasks.get(tid)
        if task is not None:
            task.quiet = 0
            self._active[tid] = task

    def _read_all(self, tasks: Iterable[Task], spans: Sequence[GilSpan], result: Sweep) -> int:
        """Read these threads; returns the CPU time that they used."""
        used_ns = 0
        for task in tasks:
            before_ns = task.cpu_ns
            if not self._read(task, spans):
                self._end(task, result)
                continue
            result.seen.append(task)
            if task.cpu_ns != before_ns:
                used_ns += task.cpu_ns - before_ns
                task.quiet = 0
                self._active[task.tid] = task
            elif task.seen is Seen.ASLEEP:
                task.quiet += 1
                if task.quiet >= QUIET_SWEEPS:
                    self._active.pop(task.tid, None)
        return used_ns

    def _read(self, task: Task, spans: Sequence[GilSpan]) -> bool:
        """Read one thread; False when it has ended."""
        try:
            raw = os.pread(task.schedstat_fd, 1024 if self._coarse else 64, 0)
        except OSError:
            return False
        if raw == task.raw and task.seen is not Seen.ON_CPU:
            return True
        if raw != task.raw:
            try:
                task.cpu_ns, task.queue_ns = _coarse_times(raw) if self._coarse else _exact_times(raw)
            except (ValueError, IndexError):
                return bool(raw)  # nothing comes of a thread that has just ended; else the next read tells
            task.raw = raw
            if task.core is None or self._sweeps % CORE_EVERY_SWEEPS == 0:
                task.core = self._core(task)
        return self._look(task, spans)

    def _core(self, task: Task) -> int | None:
        try:
            if task.stat_fd < 0:
                task.stat_fd = os.open(f"{self._path}/{task.tid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            # Field 39, counted behind the command, which may hold anything.
            return int(os.pread(task.stat_fd, 1024, 0).rpartition(b")")[2].split()[36])
        except (OSError, IndexError, ValueError):
            return task.core

    def _look(self, task: Task, spans: Sequence[GilSpan]) -> bool:
        """Which call is it in? False when it has ended."""
        try:
            if task.syscall_fd < 0:
                task.syscall_fd = os.open(f"{self._path}/{task.tid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
            words = os.pread(task.syscall_fd, 256, 0).split()
        except ProcessLookupError:
            return False
        except OSError as error:
            if isinstance(error, FileNotFoundError) and self._has_ended(task):
                return False
            if self._syscalls_readable:
                self._syscalls_readable = False
                self.not_known.append((WAITS_NOT_KNOWN, NO_SYSCALL.format(reason=error.strerror)))
            task.seen, task.waits_for = Seen.UNREADABLE, None
            return True
        if not words:
            return False
        task.waits_for = None
        if words[0] == b"running":
            task.seen = Seen.ON_CPU
            return True
        if words[0] == self._futex:
            task.waits_for = _gil_at(words[1:2], spans)
        task.seen = Seen.ASLEEP if task.waits_for is None else Seen.WAITING
        return True

    def _has_ended(self, task: Task) -> bool:
        """Whether a thread is gone, and not only one of its files."""
        return not os.path.exists(f"{self._path}/{task.tid}/stat")  # noqa: PTH110 - as all paths in here

    def _update_list(self, result: Sweep) -> None:
        """Notice new and ended threads: the folder's link count moves with their number."""
        try:
            if self._folder_fd < 0:
                self._folder_fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            links = os.fstat(self._folder_fd).st_nlink
            if links == self._links:
                return
            tids = {int(name) for name in os.listdir(self._path)}  # noqa: PTH208 - names only, often
        except OSError:
            tids, links = set(), 0
        self._links = links
        for task in [t for t in self.tasks.values() if t.tid not in tids]:
            self._end(task, result)
        for tid in sorted(tids - self.tasks.keys()):
            self._start(tid, result)

    def _start(self, tid: int, result: Sweep) -> None:
        # It may have ended meanwhile: then it was never seen, and its CPU time is in the process's.
        with contextlib.suppress(OSError, IndexError, ValueError):
            folder = f"{self._path}/{tid}"
            with open(f"{folder}/stat", "rb") as file:  # noqa: PTH123 - on the sampling path
                start_ticks = int(file.read().rpartition(b")")[2].split()[19])
            task = Task(tid, start_ticks, self._open_times(folder))
            self.tasks[tid] = self._active[tid] = task
            result.started.append(task)

    def _open_times(self, folder: str) -> int:
        """The file with a thread's CPU time."""
        if not self._coarse:
            try:
                return os.open(f"{folder}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                if self.tasks or not os.path.exists(f"{folder}/stat"):  # noqa: PTH110 - as all paths in here
                    raise  # it has just ended
                self._coarse = True
                self.not_known.append((NOT_KNOWN, NO_SCHEDSTAT))
        return os.open(f"{folder}/stat", os.O_RDONLY | os.O_CLOEXEC)

    def _end(self, task: Task, result: Sweep) -> None:
        self.tasks.pop(task.tid, None)
        self._active.pop(task.tid, None)
        _close(task)
        self._links = 0  # read the list again: another may have started in its place
        result.ended.append(task)

    def close(self) -> None:
        """Give all descriptors back."""
        for task in self.tasks.values():
            _close(task)
        if self._folder_fd >= 0:
            os.close(self._folder_fd)
            self._folder_fd = -1
        self.tasks.clear()
        self._active.clear()


def _exact_times(raw: bytes) -> tuple[int, int]:
    """Of `schedstat`: nanoseconds on a CPU, and in a run queue."""
    cpu, queue, _ = raw.split()
    return int(cpu), int(queue)


def _gil_at(words: Sequence[bytes], spans: Sequence[GilSpan]) -> int | None:
    """Key of the GIL in whose struct the address lies that a call was given first."""
    try:
        address = int(words[0], 16)
    except (IndexError, ValueError):
        return None
    return next((key for key, first, last in spans if first <= address < last), None)


def _coarse_times(raw: bytes) -> tuple[int, int]:
    """Of `stat`: the same in clock ticks; of the run queue it knows nothing."""
    words = raw.rpartition(b")")[2].split()
    return (int(words[11]) + int(words[12])) * (1_000_000_000 // CLOCK_TICKS_PER_S), 0


def _close(task: Task) -> None:
    for fd in (task.schedstat_fd, task.syscall_fd, task.stat_fd):
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

"""The lanes of one process, and what a tick's readings make of them.

Cost follows activity: only lanes that were seen to do something are looked at when a tick ends, so that a
thousand sleeping threads cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

from gilscope.model import Lane, LaneTick
from gilscope.sampler.freemerge import AttachedSweeps, merge_free
from gilscope.sampler.merge import LaneDebt, LaneReading, merge_lanes
from gilscope.sources.tasks import Seen, Task


@dataclass(slots=True)
class LaneWatch:
    """A lane and what was read of it in the tick that goes on."""

    lane: Lane
    task: Task
    debt: LaneDebt = field(default_factory=LaneDebt)
    cpu_mark_ns: int = 0
    """The task's CPU time at the last tick's end; likewise its time in the run queue."""
    queue_mark_ns: int = 0
    cpu_base_ns: int = 0
    """Its CPU time when the watch began."""
    sweeps: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    """How often it was seen, by tasks.Seen."""
    waits_for: int | None = None
    ended_ns: int | None = None


@dataclass(slots=True, kw_only=True)
class TickReading:
    """What a tick brought of the whole process."""

    start_ns: int
    end_ns: int
    python: bool
    watched_ns: int
    """How long its GIL was read; the most of several."""
    swept_ns: int
    """When its threads' CPU times were read."""
    held: dict[int, int]
    """By tid: how long it held a GIL."""
    waiter_ns: dict[int, int]
    """By GIL: waiting time of all its waiters together."""
    only_gil: int | None
    """The key of its GIL where it has just one."""
    free: dict[int, AttachedSweeps] | None = None
    """By tid, where there is no GIL: whether sweeps saw it execute Python."""


class RawLane(NamedTuple):
    """What a tick brought of a lane, not yet merged."""

    lane: int
    """Its key."""
    reading: LaneReading
    core: int | None


CoreTimes = dict[int, dict[int, int]]
"""Per core: CPU time of each lane that was last seen on it."""


class LaneSet:
    """All living lanes of one process."""

    def __init__(self) -> None:
        self.changed: list[Lane] = []
        """New or changed lanes that are not written yet."""
        self._by_tid: dict[int, LaneWatch] = {}
        self._owed_ns: dict[int, int] = {}
        """By GIL: waiting time that is no lane's yet."""
        self._touched: set[int] = set()
        self._ended: list[int] = []
        self._unnamed: set[int] = set()

    def __iter__(self) -> Iterator[int]:
        """The tids."""
        return iter(self._by_tid)

    def key_of(self, tid: int | None) -> int | None:
        """The lane of a thread, if it has one."""
        watch = None if tid is None else self._by_tid.get(tid)
        return None if watch is None else watch.lane.key

    def queued_ns(self, tid: int) -> int:
        """How long a thread was in the run queue since the last tick's end."""
        watch = self._by_tid.get(tid)
        return 0 if watch is None else max(0, watch.task.queue_ns - watch.queue_mark_ns)

    def start(self, lane: Lane, task: Task, *, older: bool) -> None:
        """A thread was found; the CPU time of an `older` one until now is not the session's."""
        watch = LaneWatch(lane, task)
        if older:
            watch.cpu_base_ns = watch.cpu_mark_ns = task.cpu_ns
            watch.queue_mark_ns = task.queue_ns
        self._by_tid[task.tid] = watch
        self._touched.add(task.tid)
        self.changed.append(lane)
        if lane.name is None:
            self._unnamed.add(task.tid)

    def end(self, tid: int, ended_ns: int) -> None:
        """A thread has ended; its lane stays until the tick does."""
        watch = self._by_tid.get(tid)
        if watch is not None and watch.ended_ns is None:
            watch.ended_ns = ended_ns
            self._ended.append(tid)
            self._touched.add(tid)
            self._unnamed.discard(tid)

    def see(self, tasks: Iterable[Task]) -> None:
        """A sweep knows the state of these threads."""
        for task in tasks:
            watch = self._by_tid.get(task.tid)
            if watch is not None:
                self._touched.add(task.tid)
                watch.sweeps[task.seen] += 1
                if task.waits_for is not None:
                    watch.waits_for = task.waits_for

    def rename(self, names: dict[int, str], *, kind: str | None = None) -> None:
        """Give lanes the names that their threads have in Python, or the program's where it is none."""
        for tid, name in names.items():
            watch = self._by_tid.get(tid)
            if watch is not None and (watch.lane.name != name or kind not in (None, watch.lane.kind)):
                watch.lane = replace(watch.lane, name=name, kind=kind or watch.lane.kind)
                self.changed.append(watch.lane)
                self._unnamed.discard(tid)

    @property
    def unnamed(self) -> int:
        """How many living threads have no name yet."""
        return len(self._unnamed)

    def some_unnamed(self, most: int) -> list[int]:
        """Tids of living threads that have no name yet, so many at most."""
        return list(islice(self._unnamed, most))

    def used_in_tick(self) -> tuple[dict[int, int], set[int]]:
        """Each thread's time on a core or in the run queue; and those seen to do nothing but wait."""
        used_ns, waiting = {}, set()
        for tid in self._touched:
            watch = self._by_tid.get(tid)
            if watch is not None:
                # Who holds a GIL without a core to run on stands in the run queue meanwhile.
                used_ns[tid] = watch.task.cpu_ns - watch.cpu_mark_ns + self.queued_ns(tid)
                if watch.sweeps[Seen.WAITING] and not watch.sweeps[Seen.ON_CPU]:
                    waiting.add(tid)
        return used_ns, waiting

    def refresh(self) -> None:
        """Note the CPU time of the lanes so far."""
        for watch in self._by_tid.values():
            cpu_ns = watch.task.cpu_ns - watch.cpu_base_ns
            if cpu_ns != watch.lane.cpu_ns:
                watch.lane = replace(watch.lane, cpu_ns=cpu_ns)
                self.changed.append(watch.lane)

    def finish_tick(self, tick: TickReading) -> tuple[list[LaneTick], CoreTimes]:
        """The rows of a tick; lanes that only slept get none. Ended lanes are let go."""
        tids: Iterable[int] = self._touched | tick.held.keys()
        if tick.python and tick.watched_ns < tick.end_ns - tick.start_ns:
            tids = list(self._by_tid)  # unknown even if they seem to sleep
        watches = [watch for watch in map(self._by_tid.get, tids) if watch is not None]
        readings = [self._reading(watch, tick) for watch in watches]
        if tick.free is None:
            states = merge_lanes(readings, [watch.debt for watch in watches], tick.waiter_ns, self._owed_ns)
        else:
            found = [tick.free.setdefault(watch.task.tid, AttachedSweeps()) for watch in watches]
            states = list(map(merge_free, readings, found))
        rows: list[LaneTick] = []
        for watch, reading, times in zip(watches, readings, states, strict=True):
            if sum(times) > times[5]:
                held_ns = times[0] + times[1] if tick.free is None else min(times[0], reading.held_ns)
                rows.append(
                    LaneTick(lane=watch.lane.key, states=times, held_ns=held_ns, core=watch.task.core)
                )
        core_ns = self._next_tick(watches, readings)
        rows.sort(key=lambda row: row.lane)
        return rows, core_ns

    def take_readings(self, tick: TickReading) -> tuple[dict[int, RawLane], CoreTimes]:
        """The readings of a tick by tid, for whoever learns later who held; lanes that slept have none."""
        watches = [watch for watch in map(self._by_tid.get, self._touched) if watch is not None]
        readings = [self._reading(watch, tick) for watch in watches]
        raw = {
            watch.task.tid: RawLane(watch.lane.key, reading, watch.task.core)
            for watch, reading in zip(watches, readings, strict=True)
        }
        return raw, self._next_tick(watches, readings)

    def _next_tick(self, watches: Iterable[LaneWatch], readings: Iterable[LaneReading]) -> CoreTimes:
        """Begin to gather for the next tick; where the lanes ran in the one that ends."""
        core_ns: CoreTimes = {}
        for watch, reading in zip(watches, readings, strict=True):
            watch.sweeps[:] = (0, 0, 0, 0)
            watch.waits_for = None
            core = watch.task.core
            if core is not None and reading.cpu_ns > 0:
                core_ns.setdefault(core, {})[watch.lane.key] = reading.cpu_ns
        self._touched.clear()
        self._let_go()
        return core_ns

    @staticmethod
    def _reading(watch: LaneWatch, tick: TickReading) -> LaneReading:
        task = watch.task
        first = max(tick.start_ns, watch.lane.start_ns)
        last = tick.end_ns if watch.ended_ns is None else min(tick.end_ns, watch.ended_ns)
        reading = LaneReading(
            length_ns=max(0, last - first),
            python=tick.python,
            watched_ns=tick.watched_ns,
            held_ns=tick.held.get(task.tid, 0),
            cpu_ns=task.cpu_ns - watch.cpu_mark_ns,
            queue_ns=task.queue_ns - watch.queue_mark_ns,
            sweep_error_ns=tick.swept_ns - tick.end_ns,
            on_cpu_sweeps=watch.sweeps[Seen.ON_CPU],
            waiting_sweeps=watch.sweeps[Seen.WAITING],
            asleep_sweeps=watch.sweeps[Seen.ASLEEP],
            unreadable_sweeps=watch.sweeps[Seen.UNREADABLE],
            gil=watch.waits_for if watch.waits_for is not None else tick.only_gil,
        )
        watch.cpu_mark_ns, watch.queue_mark_ns = task.cpu_ns, task.queue_ns
        return reading

    def _let_go(self) -> None:
        ended, self._ended = self._ended, []
        for tid in ended:
            watch = self._by_tid.pop(tid)
            cpu_ns = watch.task.cpu_ns - watch.cpu_base_ns
            self.changed.append(replace(watch.lane, end_ns=watch.ended_ns, cpu_ns=cpu_ns))

    def end_all(self, ended_ns: int) -> None:
        """The process is gone, or no longer watched."""
        for tid in list(self._by_tid):
            self.end(tid, ended_ns)
        self._let_go()

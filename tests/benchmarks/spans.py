"""Pure: the kernel's events of taking and dropping a GIL → who held it and who waited for it, exactly."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

PROBED = ("take", "took", "drop", "dropped")
DROP_TAKES_NS = 5_000
"""From the call of drop_gil to the moment that the lock word becomes 0, at most, while it has a CPU."""
LONG_WAIT_NS = 20_000_000
"""A target's main thread waits at least so long to be told to go."""


class NoTruthError(Exception):
    """The times cannot be had here, or what was recorded is incomplete; says why."""


class Event(NamedTuple):
    """One call or return, by CLOCK_MONOTONIC to the microsecond."""

    at_ns: int
    tid: int
    what: str
    """take, took, drop, dropped; on, preempted, slept, woken (of a CPU); exit."""
    gil: int
    """Of a take: the GIL's address, 0 where a process has only one."""


class Span(NamedTuple):
    """A thread holds, waits for or yields a GIL."""

    tid: int
    gil: int
    start_ns: int
    end_ns: int


@dataclass(slots=True)
class ThreadTruth:
    """What one thread did with one GIL in a window."""

    held_ns: int = 0
    waiting_ns: int = 0
    """In take_gil."""
    queued_ns: int = 0
    """In take_gil, but in the run queue: it had no CPU to go on with."""
    yielding_ns: int = 0
    """In drop_gil, until another thread has taken the GIL."""
    acquisitions: int = 0


@dataclass(slots=True)
class Truth:
    """All that happened, as spans."""

    holds: list[Span] = field(default_factory=list)
    waits: list[Span] = field(default_factory=list)
    queued: list[Span] = field(default_factory=list)
    """In take_gil and in the run queue."""
    yields: list[Span] = field(default_factory=list)
    handoffs: list[tuple[int, int]] = field(default_factory=list)
    """When, and of which GIL: what CPython's switch_number counts."""
    exits: dict[int, int] = field(default_factory=dict)
    """When each thread ended."""
    contradictions: int = 0
    """Drops by a thread that was not seen to take: parts of the functions are inlined."""

    def threads(self, start_ns: int, end_ns: int) -> dict[tuple[int, int], ThreadTruth]:
        """By tid and GIL, over a window."""
        found: dict[tuple[int, int], ThreadTruth] = {}
        for span in self.holds:
            thread = found.setdefault((span.tid, span.gil), ThreadTruth())
            thread.held_ns += _within(span, start_ns, end_ns)
            thread.acquisitions += start_ns <= span.start_ns < end_ns
        for span in self.waits:
            found.setdefault((span.tid, span.gil), ThreadTruth()).waiting_ns += _within(
                span, start_ns, end_ns
            )
        for span in self.queued:
            found.setdefault((span.tid, span.gil), ThreadTruth()).queued_ns += _within(span, start_ns, end_ns)
        for span in self.yields:
            found.setdefault((span.tid, span.gil), ThreadTruth()).yielding_ns += _within(
                span, start_ns, end_ns
            )
        return found

    def by_tid(self, start_ns: int, end_ns: int) -> dict[int, ThreadTruth]:
        """By tid, all GILs together."""
        found: dict[int, ThreadTruth] = {}
        for (tid, _), part in self.threads(start_ns, end_ns).items():
            whole = found.setdefault(tid, ThreadTruth())
            whole.held_ns += part.held_ns
            whole.waiting_ns += part.waiting_ns
            whole.queued_ns += part.queued_ns
            whole.yielding_ns += part.yielding_ns
            whole.acquisitions += part.acquisitions
        return found

    def count_handoffs(self, start_ns: int, end_ns: int) -> int:
        """In a window."""
        return sum(start_ns <= at_ns < end_ns for at_ns, _ in self.handoffs)

    def window(self, pid: int, wall_ns: int) -> tuple[int, int]:
        """From the moment that a target which lived for `wall_ns` was told to go, to its end.

        It waited without the GIL to be told: the end of such a wait of its main thread is the exact moment.
        """
        if pid not in self.exits:
            raise NoTruthError("the target's end is not in the trace")
        end_ns = self.exits[pid]
        about_ns = end_ns - wall_ns
        mine = [span for span in self.holds if span.tid == pid]
        waited = [
            later.start_ns
            for earlier, later in itertools.pairwise(mine)
            if later.start_ns - earlier.end_ns > LONG_WAIT_NS
        ]
        start_ns = min(waited, key=lambda at_ns: abs(at_ns - about_ns), default=about_ns)
        return (start_ns if abs(start_ns - about_ns) < LONG_WAIT_NS else about_ns), end_ns


def _within(span: Span, start_ns: int, end_ns: int) -> int:
    return max(0, min(span.end_ns, end_ns) - max(span.start_ns, start_ns))


@dataclass(slots=True)
class _Thread:
    """What a thread does while events are folded."""

    tid: int
    truth: Truth
    last_holder: dict[int, int]
    gil: int = 0
    wants_ns: int | None = None
    holds_ns: int | None = None
    yields_ns: int | None = None
    queued_ns: int | None = None
    """Since when it has been in the run queue."""
    on_cpu: bool = False
    still_holds: bool = False
    """It was preempted right after it called drop_gil, before it can have let go."""

    def _span(self, start_ns: int, end_ns: int) -> Span:
        return Span(self.tid, self.gil, start_ns, end_ns)

    def take(self, at_ns: int, gil: int) -> None:
        """It is in take_gil; a copy of the function may call another one."""
        if self.wants_ns is None and self.holds_ns is None:
            self.wants_ns, self.gil = at_ns, gil

    def took(self, at_ns: int, _gil: int) -> None:
        """It has the GIL."""
        if self.wants_ns is None:
            return
        self.truth.waits.append(self._span(self.wants_ns, at_ns))
        self.wants_ns, self.holds_ns = None, at_ns
        if self.last_holder.get(self.gil) != self.tid:
            self.truth.handoffs.append((at_ns, self.gil))
            self.last_holder[self.gil] = self.tid

    def drop(self, at_ns: int, _gil: int) -> None:
        """It lets go of the GIL."""
        if self.holds_ns is None:
            self.truth.contradictions += self.yields_ns is None
            return
        self.truth.holds.append(self._span(self.holds_ns, at_ns))
        self.holds_ns, self.yields_ns = None, at_ns

    def dropped(self, at_ns: int, _gil: int) -> None:
        """It goes on without the GIL."""
        if self.yields_ns is not None:
            self.truth.yields.append(self._span(self.yields_ns, at_ns))
            self.yields_ns = None

    def preempted(self, at_ns: int, _gil: int) -> None:
        """It could run on, and has no CPU."""
        self.queued_ns, self.on_cpu = at_ns, False
        self.still_holds = self.yields_ns is not None and at_ns - self.yields_ns < DROP_TAKES_NS

    def woken(self, at_ns: int, _gil: int) -> None:
        """It could run, and has no CPU yet; it may be woken while it is on its way to sleep."""
        if self.queued_ns is None and not self.on_cpu:
            self.queued_ns = at_ns

    def on(self, at_ns: int, _gil: int) -> None:
        """It is on a CPU."""
        if self.queued_ns is not None and self.wants_ns is not None:
            self.truth.queued.append(self._span(max(self.wants_ns, self.queued_ns), at_ns))
        self.queued_ns, self.on_cpu = None, True
        own = self.truth.holds[-1] if self.still_holds else None
        if own is not None and own.tid == self.tid and self.truth.waits[-1].end_ns <= own.end_ns:
            self.truth.holds[-1] = own._replace(end_ns=at_ns)  # nobody has taken it since
        self.still_holds = False

    def slept(self, _at_ns: int, _gil: int) -> None:
        """It is asleep."""
        self.queued_ns, self.on_cpu = None, False

    def exit(self, at_ns: int, _gil: int) -> None:
        """It ends, whatever it was at."""
        self.truth.exits[self.tid] = at_ns
        if self.wants_ns is not None:
            self.truth.waits.append(self._span(self.wants_ns, at_ns))
        if self.holds_ns is not None:
            self.truth.holds.append(self._span(self.holds_ns, at_ns))
        self.wants_ns = self.holds_ns = None


def fold(events: Iterable[Event], tids: set[int] | None = None) -> Truth:
    """Make spans of events; only of these threads, where they are named."""
    truth = Truth()
    threads: dict[int, _Thread] = {}
    last_holder: dict[int, int] = {}
    for at_ns, tid, what, gil in events:
        if tids is not None and tid not in tids:
            continue
        thread = threads.get(tid)
        if thread is None:
            thread = threads[tid] = _Thread(tid, truth, last_holder)
        if what in PROBED:
            thread.on(at_ns, gil)  # the kernel omits some switches to a thread: where it acts, it runs
        step: Callable[[int, int], None] = getattr(thread, what)
        step(at_ns, gil)
    truth.holds.sort(key=lambda span: span.start_ns)
    return truth


_LINE = re.compile(r"-(\d+)\s+\[\d+\]\s+\S+\s+(\d+)\.(\d+): (\w+): (.*)")
_SWITCH = re.compile(r"prev_pid=(\d+) .*prev_state=(\S+) ==> .*next_pid=(\d+) ")
_WOKEN = re.compile(r"pid=(\d+) prio=")
_PROBES = {"take": "take", "takeret": "took", "drop": "drop", "dropret": "dropped"}


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """Events of a trace in ftrace's text form."""
    for line in lines:
        match = _LINE.search(line)
        if match is None:
            continue
        tid, seconds, fraction, name, rest = match.groups()
        at_ns = int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))
        if name == "sched_switch":
            switch = _SWITCH.search(rest)
            if switch is not None:
                yield Event(at_ns, int(switch[1]), "preempted" if switch[2].startswith("R") else "slept", 0)
                yield Event(at_ns, int(switch[3]), "on", 0)
        elif name.startswith("sched_wakeup"):
            woken = _WOKEN.search(rest)
            if woken is not None:
                yield Event(at_ns, int(woken[1]), "woken", 0)
        elif name == "sched_process_exit":
            yield Event(at_ns, int(tid), "exit", 0)
        elif name.rpartition("_")[0] in _PROBES:
            gil = rest.rpartition("gil=")[2] if "gil=" in rest else "0"
            yield Event(at_ns, int(tid), _PROBES[name.rpartition("_")[0]], int(gil, 16))

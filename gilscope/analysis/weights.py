"""Stacks of random moments, weighted by times that are known far more finely.

py-spy sees some ten stacks a second, the probe a thousand holders. So a stack counts for its part of the time
that its thread held the GIL in the span it comes from: between threads and spans the split is as exact as the
probe's, and only within a thread it rests on the number of stacks.

Stacks of threads that wait are far fewer. Each stands for its thread's waiting time around its moment, up to
the middle between it and the next one; so between threads the split is as exact as the sweeps' waiting times.
A thread that waits and was never caught at it counts for nothing: what is not known is not made up.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gilscope.model import Frame, Lane, LaneTick, StackSample, State, Tick, WaitingStack


@dataclass(frozen=True, slots=True)
class WeightedStack:
    """A stack, and the part of a thread's held time, or of its waiting time, that it stands for."""

    lane: int
    frames: tuple[Frame, ...]
    """Outermost first; never empty."""
    count: int
    """How often it was seen."""
    weight_ns: float


class LaneTimes:
    """How long each of some lanes held a GIL, or did something else, between any two moments."""

    def __init__(
        self, lanes: Collection[int], of: Callable[[LaneTick], int] = lambda row: row.held_ns
    ) -> None:
        """`lanes`: keys of those that will be asked for; `of`: the time that is meant."""
        self._lanes = frozenset(lanes)
        self._of = of
        self._ends: dict[int, list[int]] = {}
        self._spans: dict[int, list[tuple[int, int, int]]] = {}
        """By lane: start, the time before, the time in it."""
        self._totals: dict[int, int] = {}

    def add(self, tick: Tick) -> None:
        """Add a tick; they come in order of time."""
        for row in tick.lanes:
            if row.lane in self._lanes and (ns := self._of(row)):
                before = self._totals.get(row.lane, 0)
                self._ends.setdefault(row.lane, []).append(tick.end_ns)
                self._spans.setdefault(row.lane, []).append((tick.start_ns, before, ns))
                self._totals[row.lane] = before + ns

    def until(self, lane: int, at_ns: int) -> float:
        """The time from the session's start; in the middle of a tick it is taken to be spread evenly."""
        spans = self._spans.get(lane)
        if spans is None:
            return 0.0
        index = bisect_right(self._ends[lane], at_ns)
        if index == len(spans):
            return float(self._totals[lane])
        start_ns, before, ns = spans[index]
        if at_ns <= start_ns:
            return float(before)
        return before + ns * (at_ns - start_ns) / (self._ends[lane][index] - start_ns)

    def total(self, lane: int) -> float:
        """All of it."""
        return float(self._totals.get(lane, 0))

    def between(self, lane: int, start_ns: int, end_ns: int) -> float:
        """The time in a span."""
        return self.until(lane, end_ns) - self.until(lane, start_ns)


def waiting_times(lanes: Collection[int]) -> LaneTimes:
    """How long lanes waited for a GIL."""
    return LaneTimes(lanes, lambda row: row.states[State.WAITING])


def weigh(
    stacks: Iterable[StackSample], held: LaneTimes, process_of: Mapping[int, int]
) -> list[WeightedStack]:
    """Give each stack its part of the held time.

    Spans of a process may overlap, as a single look in the middle of a longer record does: the longer one
    counts then, since a short look comes at a moment that is not random, such as a thread's start.

    Args:
        stacks: as recorded.
        held: of the lanes in them.
        process_of: key of the process of each lane.
    """
    groups: dict[tuple[int, int, int], list[StackSample]] = {}
    for sample in stacks:
        if sample.frames and sample.count > 0:
            process = process_of.get(sample.lane, -1)
            groups.setdefault((process, sample.start_ns, sample.end_ns), []).append(sample)
    covered: dict[int, list[tuple[int, int]]] = {}
    weighted: list[WeightedStack] = []
    for (process, start_ns, end_ns), samples in sorted(
        groups.items(), key=lambda item: item[0][1] - item[0][2]
    ):
        free = _uncovered(covered.setdefault(process, []), start_ns, end_ns)
        counts: dict[int, int] = {}
        for sample in samples:
            counts[sample.lane] = counts.get(sample.lane, 0) + sample.count
        held_ns = {lane: sum(held.between(lane, *part) for part in free) for lane in counts}
        weighted += [
            WeightedStack(
                sample.lane, sample.frames, sample.count,
                held_ns[sample.lane] * sample.count / counts[sample.lane],
            )
            for sample in samples
            if free
        ]  # fmt: skip
        for part in free:
            insort(covered[process], part)
    if not any(stack.weight_ns for stack in weighted):
        # Nobody measured who held the GIL: then each stack counts the same.
        return [replace(stack, weight_ns=float(stack.count)) for stack in weighted]
    return weighted


def weigh_waiting(stacks: Iterable[WaitingStack], waiting: LaneTimes) -> list[WeightedStack]:
    """Give each stack of a thread that waited its part of the thread's waiting time.

    Args:
        stacks: as recorded.
        waiting: the waiting times of the lanes in them.
    """
    by_lane: dict[int, list[WaitingStack]] = {}
    for stack in stacks:
        if stack.frames:
            by_lane.setdefault(stack.lane, []).append(stack)
    weighted: list[WeightedStack] = []
    for lane, own in by_lane.items():
        own.sort(key=lambda stack: stack.at_ns)
        middles = [(one.at_ns + next_one.at_ns) // 2 for one, next_one in pairwise(own)]
        before = [0.0, *(waiting.until(lane, at_ns) for at_ns in middles), waiting.total(lane)]
        weighted += [
            WeightedStack(lane, stack.frames, 1, end - start)
            for stack, start, end in zip(own, before, before[1:], strict=False)
        ]
    return weighted


def _uncovered(covered: Sequence[tuple[int, int]], start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """The parts of a span that none of the `covered`, disjoint and in order, reaches."""
    free: list[tuple[int, int]] = []
    index = max(0, bisect_right(covered, (start_ns, start_ns)) - 1)
    for begin_ns, until_ns in covered[index:]:
        if begin_ns >= end_ns:
            break
        if start_ns < begin_ns:
            free.append((start_ns, begin_ns))
        start_ns = max(start_ns, until_ns)
    if start_ns < end_ns:
        free.append((start_ns, end_ns))
    return free


def weighted_stacks(
    stacks: Sequence[StackSample], ticks: Iterable[Tick], lanes: Iterable[Lane]
) -> list[WeightedStack]:
    """All of it at once: the stacks of a session, or of a part of it, with their parts of the held time."""
    held = LaneTimes({sample.lane for sample in stacks})
    for tick in ticks:
        held.add(tick)
    return weigh(stacks, held, {lane.key: lane.process for lane in lanes})


def weighted_waiting(stacks: Sequence[WaitingStack], ticks: Iterable[Tick]) -> list[WeightedStack]:
    """The same of stacks of threads that waited, with their parts of the waiting time."""
    waiting = waiting_times({stack.lane for stack in stacks})
    for tick in ticks:
        waiting.add(tick)
    return weigh_waiting(stacks, waiting)

"""Where in the source a GIL is held: stacks from random moments, weighted by the probe's far finer times.

py-spy sees some ten stacks a second, the probe a thousand holders. So a stack counts for its part of the time
that its thread held the GIL in the span it comes from: between threads and spans the split is as exact as the
probe's, and only within a thread it rests on the number of stacks.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gilscope.model import Flame, Flames, Frame, Lane, StackSample, Tick

SHOWN = 100
"""So many functions at most are in a summary: those with the largest shares."""
DEPTH = 200
"""Calls deeper than this, such as functions that call each other, count for the one that made them."""
_DIGITS = 6
_Place = tuple[str, str]
"""Function and file."""


@dataclass(frozen=True, slots=True)
class WeightedStack:
    """A stack, and the part of a thread's held time that it stands for."""

    lane: int
    frames: tuple[Frame, ...]
    """Outermost first; never empty."""
    count: int
    """How often it was seen."""
    held_ns: float


class HeldTimes:
    """How long each of some lanes held a GIL, between any two moments."""

    def __init__(self, lanes: Collection[int]) -> None:
        """`lanes`: keys of those that will be asked for."""
        self._lanes = frozenset(lanes)
        self._ends: dict[int, list[int]] = {}
        self._spans: dict[int, list[tuple[int, int, int]]] = {}
        """By lane: start, held time before, held time in it."""
        self._totals: dict[int, int] = {}

    def add(self, tick: Tick) -> None:
        """Add a tick; they come in order of time."""
        for row in tick.lanes:
            if row.held_ns and row.lane in self._lanes:
                before = self._totals.get(row.lane, 0)
                self._ends.setdefault(row.lane, []).append(tick.end_ns)
                self._spans.setdefault(row.lane, []).append((tick.start_ns, before, row.held_ns))
                self._totals[row.lane] = before + row.held_ns

    def until(self, lane: int, at_ns: int) -> float:
        """Held time from the session's start; in the middle of a tick it is taken to be spread evenly."""
        spans = self._spans.get(lane)
        if spans is None:
            return 0.0
        index = bisect_right(self._ends[lane], at_ns)
        if index == len(spans):
            return float(self._totals[lane])
        start_ns, before, held = spans[index]
        if at_ns <= start_ns:
            return float(before)
        return before + held * (at_ns - start_ns) / (self._ends[lane][index] - start_ns)

    def between(self, lane: int, start_ns: int, end_ns: int) -> float:
        """Held time in a span."""
        return self.until(lane, end_ns) - self.until(lane, start_ns)


def weigh(
    stacks: Iterable[StackSample], held: HeldTimes, process_of: Mapping[int, int]
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
    if not any(stack.held_ns for stack in weighted):
        # Nobody measured who held the GIL: then each stack counts the same.
        return [replace(stack, held_ns=float(stack.count)) for stack in weighted]
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


@dataclass(slots=True)
class _Sums:
    own_ns: float = 0.0
    total_ns: float = 0.0
    samples: int = 0
    lines_ns: dict[int, float] = field(default_factory=dict)


def functions(stacks: Sequence[WeightedStack]) -> list[dict[str, Any]]:
    """The rows of "functions" in a summary, the largest share of held time first.

    A row's `held_share` is the function's own, `total_share` includes what it called; `line` is the one in
    which it was for longest; `samples` counts the stacks in which it was innermost.
    """
    total_ns = sum(stack.held_ns for stack in stacks)
    if not total_ns:
        return []
    found: dict[_Place, _Sums] = {}
    for stack in stacks:
        lines = {(frame.function, frame.file): frame.line for frame in stack.frames}
        for place, line in lines.items():
            sums = found.setdefault(place, _Sums())
            sums.total_ns += stack.held_ns
            sums.lines_ns[line] = sums.lines_ns.get(line, 0.0) + stack.held_ns
        own = found[stack.frames[-1].function, stack.frames[-1].file]
        own.own_ns += stack.held_ns
        own.samples += stack.count
    ranked = sorted(found.items(), key=lambda item: (-item[1].own_ns, -item[1].total_ns, item[0]))
    return [
        {
            "function": function,
            "file": file,
            "line": max(sums.lines_ns, key=lambda line: sums.lines_ns[line]),
            "held_share": round(sums.own_ns / total_ns, _DIGITS),
            "total_share": round(sums.total_ns / total_ns, _DIGITS),
            "waiting_share": None,
            "samples": sums.samples,
        }
        for (function, file), sums in ranked[:SHOWN]
    ]


def rest_on(stacks: Sequence[WeightedStack], held_ns: int) -> dict[str, Any]:
    """What "functions" rests on: how many stacks, and how much of all held time their spans cover."""
    covered_ns = sum(stack.held_ns for stack in stacks)
    return {
        "stacks": sum(stack.count for stack in stacks),
        "held_share": round(min(1.0, covered_ns / held_ns), _DIGITS) if held_ns else None,
    }


def flame(stacks: Iterable[WeightedStack], lanes: Collection[int] | None = None) -> Flame:
    """The tree of all stacks, the widest branch first; `lanes`: only of these."""
    root = _Branch(Frame(function="", file="", line=0))
    for stack in stacks:
        if lanes is None or stack.lane in lanes:
            root.add(stack)
    return root.flame()


def flames(stacks: Sequence[WeightedStack], lanes: Iterable[Lane]) -> Flames:
    """The trees of all threads together and of each that has stacks; equal names are told apart by tid."""
    seen = {stack.lane for stack in stacks}
    own = [(lane, flame(stacks, {lane.key})) for lane in lanes if lane.key in seen]
    own.sort(key=lambda item: -item[1].held_ns)
    labels = [lane.label for lane, _ in own]
    named = [
        (lane.label if labels.count(lane.label) == 1 else f"{lane.label} {lane.tid}", tree)
        for lane, tree in own
    ]
    return Flames(whole=flame(stacks), threads=tuple(named))


class _Branch:
    """A node of the tree while it grows."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._held_ns = self.own_ns = 0.0
        self._samples = 0
        self._lines_ns: dict[int, float] = {}
        self.children: dict[_Place, _Branch] = {}

    def add(self, stack: WeightedStack) -> None:
        branch = self
        branch.see(stack, 0)
        place: _Place | None = None
        depth = 0
        for frame in stack.frames:
            if place == (frame.function, frame.file):
                continue  # a function that calls itself is as wide as its first call
            depth += 1
            if depth > DEPTH:
                break
            place = (frame.function, frame.file)
            branch = branch.children.setdefault(place, _Branch(frame))
            branch.see(stack, frame.line)
        branch.own_ns += stack.held_ns

    def see(self, stack: WeightedStack, line: int) -> None:
        self._held_ns += stack.held_ns
        self._samples += stack.count
        self._lines_ns[line] = self._lines_ns.get(line, 0.0) + stack.held_ns

    def flame(self) -> Flame:
        line = max(self._lines_ns, key=lambda line: self._lines_ns[line], default=0)
        children = [child.flame() for child in self.children.values()]
        return Flame(
            frame=Frame(function=self._frame.function, file=self._frame.file, line=line),
            held_ns=round(self._held_ns),
            own_ns=round(self.own_ns),
            samples=self._samples,
            children=tuple(sorted(children, key=lambda child: -child.held_ns)),
        )


def weighted_stacks(
    stacks: Sequence[StackSample], ticks: Iterable[Tick], lanes: Iterable[Lane]
) -> list[WeightedStack]:
    """All of it at once: the stacks of a session, or of a part of it, with their parts of the held time."""
    held = HeldTimes({sample.lane for sample in stacks})
    for tick in ticks:
        held.add(tick)
    return weigh(stacks, held, {lane.key: lane.process for lane in lanes})

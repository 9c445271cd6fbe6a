"""The tree of who called whom while a GIL was held, or waited for, each function as wide as its share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from gilscope.analysis.weights import WeightedStack
from gilscope.model import Flame, Flames, Frame, Lane

DEPTH = 200
"""Calls deeper than this, such as functions that call each other, count for the one that made them."""
_Place = tuple[str, str]
"""Function and file."""


def flame(stacks: Iterable[WeightedStack], lanes: Collection[int] | None = None) -> Flame:
    """The tree of all stacks, the widest branch first; `lanes`: only of these."""
    root = _Branch(Frame(function="", file="", line=0))
    for stack in stacks:
        if lanes is None or stack.lane in lanes:
            root.add(stack)
    return root.flame()


def flames(
    held: Sequence[WeightedStack], lanes: Sequence[Lane], waiting: Sequence[WeightedStack] = ()
) -> Flames:
    """The trees of all threads together and of each that has stacks; equal names are told apart by tid."""
    of_waiting = _of_each(waiting, lanes) if any(stack.weight_ns for stack in waiting) else None
    return replace(_of_each(held, lanes), waiting=of_waiting)


def _of_each(stacks: Sequence[WeightedStack], lanes: Iterable[Lane]) -> Flames:
    seen = {stack.lane for stack in stacks}
    own = [(lane, flame(stacks, {lane.key})) for lane in lanes if lane.key in seen]
    own.sort(key=lambda item: -item[1].time_ns)
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
        self._time_ns = self.own_ns = 0.0
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
        branch.own_ns += stack.weight_ns

    def see(self, stack: WeightedStack, line: int) -> None:
        self._time_ns += stack.weight_ns
        self._samples += stack.count
        self._lines_ns[line] = self._lines_ns.get(line, 0.0) + stack.weight_ns

    def flame(self) -> Flame:
        line = max(self._lines_ns, key=lambda line: self._lines_ns[line], default=0)
        children = [child.flame() for child in self.children.values()]
        return Flame(
            frame=Frame(function=self._frame.function, file=self._frame.file, line=line),
            time_ns=round(self._time_ns),
            own_ns=round(self.own_ns),
            samples=self._samples,
            children=tuple(sorted(children, key=lambda child: -child.time_ns)),
        )

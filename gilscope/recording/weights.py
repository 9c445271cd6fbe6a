"""Stacks weighted by the time for which their thread held a GIL, piece by piece.

py-spy sees some stacks a second, the GIL's own samples far more holders: the time for which a lane held a
GIL in a span, as those samples have it, is shared among the stacks seen in that span by how often each was
seen. Where spans of a process overlap, as a single look in the middle of a longer record does, the longer
one counts: a short look comes at a moment that is not random. (analysis/weights.py does the same for the
summary, in memory.)
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gilscope.recording.streams import RecordingStreams

Part = tuple[int, int]
"""Start and end of a span, or of a part of one."""


class Weighted(NamedTuple):
    """A stack with its weight in time."""

    start_ns: int
    length_ns: int
    """Of its place in the span: where in it a stack was is not known, so they follow each other."""
    stack: int
    weight_ns: float
    """0 throughout where nobody measured who held (StackWeights.measured)."""
    times: int
    """How often it was seen."""


class StackWeights:
    """The weights of one recording. In memory are its spans only, a few bytes a second."""

    def __init__(self, streams: RecordingStreams) -> None:
        self._streams = streams
        self.measured = streams.any_held()
        """Whether anybody measured who held a GIL; else only the counts of the stacks say something."""
        process_of = {lane.key: lane.process for lane in streams.lanes()}
        self._free: dict[int, dict[Part, list[Part]]] = {}
        """By process: of each span the parts that count, by start of the largest of them."""
        self._process_of = process_of
        spans: dict[int, set[Part]] = {}
        for lane, start, end in streams.stack_spans():
            if end > start:
                spans.setdefault(process_of.get(lane, -1), set()).add((start, end))
        for process, found in spans.items():
            free = uncovered(found)
            self._free[process] = dict(sorted(free.items(), key=lambda item: _largest(item[1])))

    def of(self, lane: int) -> Iterator[Weighted]:
        """The stacks of one lane, in order of time; those of a span that does not count are left out."""
        streams = self._streams
        for (start, end), parts in self._free.get(self._process_of.get(lane, -1), {}).items():
            rows = streams.stacks_between(lane, start, end)
            total = sum(times for _, times in rows)
            if not total:
                continue
            held = sum(streams.held_between(*part).get(lane, 0.0) for part in parts)
            # Two parts with a longer span between them: placed in one, so that time never goes back.
            begin, until = _largest(parts)
            seen = 0
            for stack, times in rows:
                at = begin + (until - begin) * seen // total
                seen += times
                length = begin + (until - begin) * seen // total - at
                yield Weighted(at, length, stack, held * times / total, times)


def uncovered(spans: Iterable[Part]) -> dict[Part, list[Part]]:
    """Of each span the parts that no longer one covers; those with none are left out."""
    taken: list[Part] = []
    found: dict[Part, list[Part]] = {}
    for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span)):
        parts, at = [], start
        index = max(0, bisect_right(taken, (start, start)) - 1)
        while at < end and index < len(taken) and taken[index][0] < end:
            since, until = taken[index]
            if since > at:
                parts.append((at, since))
            at = max(at, until)
            index += 1
        if at < end:
            parts.append((at, end))
        for part in parts:
            insort(taken, part)
        if parts:
            found[start, end] = parts
    return found


def _largest(parts: list[Part]) -> Part:
    return max(parts, key=lambda part: part[1] - part[0])

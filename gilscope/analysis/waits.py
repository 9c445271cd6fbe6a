"""How long each thread waited for each acquisition of a GIL, as far as the evidence goes. Pure.

Which thread holds is known to the millisecond, so is when it took the GIL. How long it had waited by then is
known only as a sum over each tick, which is spread evenly over the part of the tick in which the thread did
not hold. So all waits together are exact to what the ticks have, a single one is an estimate: right where a
thread does nothing but wait between two holds, too even where it also sleeps in the same tick.

Holds shorter than the time between two samples are mostly not seen, but CPython counts them: each hides two
handoffs, to the thread and back. They go to the threads that waited in that tick, by how long they did.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gilscope.model import NS_PER_MS, Hold, State, Tick

BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Upper ends of the histogram's classes; the last class has none."""
HIDDEN_HANDOFFS = 2
"""A hold that nobody saw is one handoff to its thread, and one back."""
_BOUNDS_NS = tuple(bound * NS_PER_MS for bound in BOUNDS_MS)


@dataclass(slots=True)
class Waits:
    """The acquisitions of one lane, and the waits before them."""

    count: int = 0
    waiting_ns: float = 0.0
    longest_ns: float = 0.0
    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    pending_ns: float = 0.0
    """Waited since the last hold ended, for an acquisition that is still to come."""
    unseen: float = 0.0
    """Acquisitions that nobody saw and that are not counted yet: parts of one."""

    def _taken(self, times: int = 1) -> None:
        """The pending time was waited for so many acquisitions, one like the other."""
        each_ns = self.pending_ns / times
        self.count += times
        self.waiting_ns += self.pending_ns
        self.longest_ns = max(self.longest_ns, each_ns)
        self.classes[bisect_left(_BOUNDS_NS, each_ns)] += times
        self.pending_ns = 0.0

    def add_unseen(self, waiting_ns: int, holds: int, unseen: float) -> bool:
        """A tick in which acquisitions were not seen; False if there is none to count yet."""
        self.unseen += unseen
        times = int(self.unseen)
        if times < 1:
            return False
        self.unseen -= times
        times += holds
        self.pending_ns += waiting_ns
        # The tick ends somewhere in a wait: half of one is left for the next tick.
        left_ns = self.pending_ns / (2 * times + 1)
        self.pending_ns -= left_ns
        self._taken(times)
        self.pending_ns = left_ns
        return True

    def add(self, start_ns: int, end_ns: int, waiting_ns: int, holds: Sequence[Hold]) -> None:
        """A tick, with the lane's own holds that overlap it, in order of time."""
        inside_ns = sum(min(hold.end_ns, end_ns) - max(hold.start_ns, start_ns) for hold in holds)
        outside_ns = end_ns - start_ns - inside_ns
        density = min(1.0, waiting_ns / outside_ns) if outside_ns > 0 else 0.0
        at_ns = start_ns
        for hold in holds:
            if hold.start_ns >= start_ns:
                self.pending_ns += density * max(0, hold.start_ns - at_ns)
                self._taken()
            at_ns = max(at_ns, hold.end_ns)
        self.pending_ns += density * max(0, end_ns - at_ns)

    def fields(self) -> dict[str, Any]:
        """As it stands in the summary."""
        return {
            "count": self.count,
            "mean_ms": round(self.waiting_ns / self.count / NS_PER_MS, 6),
            "longest_ms": round(self.longest_ns / NS_PER_MS, 6),
            "histogram": [
                {"up_to_ms": bound, "count": count}
                for bound, count in zip((*BOUNDS_MS, None), self.classes, strict=True)
            ],
        }


def waits(steps: Iterable[tuple[Tick, Sequence[Hold]]], gil_of: Mapping[int, int]) -> Mapping[int, Waits]:
    """By lane: its acquisitions.

    Args:
        steps: all ticks in order of time, each with the holds that overlap it, in order of their start.
        gil_of: by lane, the only GIL that it can wait for.
    """
    found: dict[int, Waits] = {}
    for tick, holds in steps:
        own: dict[int, list[Hold]] = {}
        for hold in holds:
            if hold.lane is not None:
                own.setdefault(hold.lane, []).append(hold)
        waited = {row.lane: row.states[State.WAITING] for row in tick.lanes if row.states[State.WAITING]}
        unseen = _unseen(tick, waited, gil_of)
        for lane in own.keys() | waited.keys():
            of_lane, mine = found.setdefault(lane, Waits()), own.get(lane, [])
            begun = sum(hold.start_ns >= tick.start_ns for hold in mine)
            if not of_lane.add_unseen(waited.get(lane, 0), begun, unseen.get(lane, 0.0)):
                of_lane.add(tick.start_ns, tick.end_ns, waited.get(lane, 0), mine)
    return found


def _unseen(tick: Tick, waited: Mapping[int, int], gil_of: Mapping[int, int]) -> dict[int, float]:
    """By lane: how many acquisitions it had in a tick besides those that were seen."""
    hidden = {
        gil.gil: (gil.handoffs - gil.handoffs_seen) / HIDDEN_HANDOFFS
        for gil in tick.gils
        if gil.handoffs > gil.handoffs_seen >= 0
    }
    waiting_ns: dict[int, int] = {}
    for lane, ns in waited.items():
        gil = gil_of.get(lane)
        if gil in hidden:
            waiting_ns[gil] = waiting_ns.get(gil, 0) + ns
    return {
        lane: hidden[gil_of[lane]] * ns / waiting_ns[gil_of[lane]]
        for lane, ns in waited.items()
        if gil_of.get(lane) in waiting_ns
    }

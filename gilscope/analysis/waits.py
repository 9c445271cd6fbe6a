"""How long each thread waited for each acquisition of a GIL, as far as the evidence goes. Pure.

Which thread holds is known to the millisecond, so is when it took the GIL. How long it had waited by then is
known only as a sum over each tick, which is spread evenly over the part of the tick in which the thread did
not hold. So all waits together are exact to what the ticks have, a single one is an estimate: right where a
thread does nothing but wait between two holds, too even where it also sleeps in the same tick.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gilscope.model import NS_PER_MS, Hold, State, Tick

BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Upper ends of the histogram's classes; the last class has none."""
_BOUNDS_NS = tuple(bound * NS_PER_MS for bound in BOUNDS_MS)


@dataclass(slots=True)
class Waits:
    """The acquisitions of one lane that samples saw, and the waits before them."""

    count: int = 0
    waiting_ns: float = 0.0
    longest_ns: float = 0.0
    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    pending_ns: float = 0.0
    """Waited since the last hold ended, for an acquisition that is still to come."""

    def _taken(self) -> None:
        self.count += 1
        self.waiting_ns += self.pending_ns
        self.longest_ns = max(self.longest_ns, self.pending_ns)
        self.classes[bisect_left(_BOUNDS_NS, self.pending_ns)] += 1
        self.pending_ns = 0.0

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


def waits(steps: Iterable[tuple[Tick, Sequence[Hold]]]) -> Mapping[int, Waits]:
    """By lane: its acquisitions.

    Args:
        steps: all ticks in order of time, each with the holds that overlap it, in order of their start.
    """
    found: dict[int, Waits] = {}
    for tick, holds in steps:
        own: dict[int, list[Hold]] = {}
        for hold in holds:
            if hold.lane is not None:
                own.setdefault(hold.lane, []).append(hold)
        waited = {row.lane: row.states[State.WAITING] for row in tick.lanes}
        for lane in own.keys() | {lane for lane, ns in waited.items() if ns}:
            of_lane = found.setdefault(lane, Waits())
            of_lane.add(tick.start_ns, tick.end_ns, waited.get(lane, 0), own.get(lane, []))
    return found

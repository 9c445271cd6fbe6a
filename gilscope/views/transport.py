"""Where one can jump to in a recording, and by what one steps. What stands where comes from the recording."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from gilscope.model import NS_PER_S

IDLE_NS = NS_PER_S
"""A stretch in which the target only sleeps is skipped from this length on."""
BEFORE_BUSY_NS = 200_000_000
"""So much of it is still shown before the work goes on."""


class Unit(Enum):
    """By what `,` and `.` step."""

    SAMPLE = "sample"
    TICK = "tick"
    HANDOFF = "handoff"

    @property
    def following(self) -> Unit:
        """The next one, after the last the first."""
        units = list(Unit)
        return units[(units.index(self) + 1) % len(units)]


class Places(Protocol):
    """What is asked of a recording; its reader's `places` has it. None: there is none on that side."""

    def tick_beside(self, at_ns: int, direction: int) -> int | None: ...  # noqa: D102
    def handoff_beside(self, at_ns: int, direction: int) -> int | None: ...  # noqa: D102
    def stall_beside(self, at_ns: int, direction: int) -> int | None: ...  # noqa: D102
    def busy_from(self, at_ns: int) -> int | None: ...  # noqa: D102


def step_target(places: Places, rate_hz: float, unit: Unit, at_ns: int, direction: int) -> int | None:
    """The moment one step on (1) or back (-1)."""
    match unit:
        case Unit.SAMPLE:
            return at_ns + direction * round(NS_PER_S / max(1.0, rate_hz))
        case Unit.TICK:
            return places.tick_beside(at_ns, direction)
        case Unit.HANDOFF:
            return just_after(places.handoff_beside(at_ns - 1, direction))


def just_after(found: int | None) -> int | None:
    """Where to stand to see something that begins at a moment: a position shows what was until then."""
    return None if found is None else found + 1


def beside(moments: Sequence[int], at_ns: int, direction: int) -> int | None:
    """The nearest moment after (1) or before (-1) another, itself not counted."""
    if direction > 0:
        return min((moment for moment in moments if moment > at_ns), default=None)
    return max((moment for moment in moments if moment < at_ns), default=None)


def over_idle(places: Places, at_ns: int, head_ns: int, *, growing: bool) -> tuple[int, int]:
    """Where to go on from a moment if idle time is skipped, and until when one need not ask again."""
    busy_ns = places.busy_from(at_ns)
    if busy_ns is None:
        # Of what is still recorded nobody knows how it goes on.
        return (at_ns, at_ns) if growing else (head_ns, head_ns)
    if busy_ns - at_ns > IDLE_NS:
        return busy_ns - BEFORE_BUSY_NS, busy_ns
    return at_ns, max(at_ns, busy_ns)

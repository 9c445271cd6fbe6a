"""How a GIL passes from lane to lane: where its mark is between two of them. Pure.

All of it follows from the recording, the position and the speed: stopping and going back loses nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gilscope.model import NS_PER_MS, Hold

TRAVEL_NS = 150 * NS_PER_MS
"""For so long, of the viewer's time, the mark is on its way."""
TRAIL_NS = 600 * NS_PER_MS
"""And after so long its trail is gone."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A GIL that went from one lane to another."""

    source: int
    target: int
    way: float
    """How far the mark has come: 0 – 1."""
    freshness: float
    """Of its trail: 1 at the handoff, 0 when it is gone."""


class Turns:
    """The holds of a window by GIL, to be asked for many moments."""

    def __init__(self, holds: Iterable[Hold]) -> None:
        self._turns: dict[int, tuple[list[int], list[Hold]]] = {}
        for hold in sorted(holds, key=lambda hold: hold.start_ns):
            if hold.lane is None:
                continue
            starts, turns = self._turns.setdefault(hold.gil, ([], []))
            if turns and turns[-1].lane == hold.lane:
                continue  # the same lane again: its turn goes on
            starts.append(hold.start_ns)
            turns.append(hold)

    def at(self, at_ns: int, speed: float) -> tuple[Pass, ...]:
        """The last pass of each GIL before a moment, while something of it is still seen.

        Args:
            at_ns: the position.
            speed: of the picture; 0: it stands still, and a trail stays.
        """
        found = []
        for starts, turns in self._turns.values():
            number = bisect_left(starts, at_ns) - 1
            if number < 1:
                continue
            age_ns = at_ns - starts[number]
            way = freshness = 1.0
            if speed > 0:
                way = min(1.0, age_ns / (TRAVEL_NS * speed))
                freshness = 1.0 - age_ns / (TRAIL_NS * speed)
            source, target = turns[number - 1].lane, turns[number].lane
            if freshness > 0 and source is not None and target is not None:
                found.append(Pass(source, target, way, freshness))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands left of a row."""

    glyph: str
    """"▶", or a piece of the trail."""
    fresh: bool = True


HOLDER = Mark("▶")


def marks_of(passes: Iterable[Pass], holders: Iterable[int], rows: Mapping[int, int]) -> dict[int, Mark]:
    """By row: the holder's mark, wherever it is on its way, and its trail.

    Args:
        passes: of all GILs.
        holders: lanes that hold one.
        rows: by lane: its row on the screen; lanes out of sight have none.
    """
    found: dict[int, Mark] = {}
    hold = frozenset(holders)
    shown = {rows[lane] for lane in hold if lane in rows}
    for one in passes:
        # One that was let go since leads nowhere.
        if one.source not in rows or one.target not in rows or one.target not in hold:
            continue
        source, target = rows[one.source], rows[one.target]
        step = 1 if target > source else -1
        now = source + round((target - source) * one.way)
        found[source] = Mark("╷" if step > 0 else "╵", one.freshness > 0.5)
        for row in range(source + step, now, step):
            found[row] = Mark("│", one.freshness > 0.5)
        if now != target:
            shown.discard(target)
        shown.add(now)
    for row in shown:
        found[row] = HOLDER
    return found

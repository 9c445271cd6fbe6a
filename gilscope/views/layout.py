"""How the panels share the screen. Pure: sizes in, heights out."""

from __future__ import annotations

from dataclasses import dataclass

HEADER_AND_FOOTER = 2
BORDERS = 2
VERDICT_ROWS = 8
"""A verdict with its advice and evidence, in a column of half a screen."""
SCRUB_FROM, SCRUB_TWO_FROM = 14, 30
"""From these heights the bar with the whole session has a row, or two."""
SIDE_BY_SIDE_FROM = 76
"""From this width cores and verdict stand side by side."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Heights with borders; 0: not shown."""

    gil: int
    lanes: int
    middle: int
    """Cores and verdict."""
    output: int
    cores: bool
    """Whether there is room for the cores beside the verdict."""
    scrub: int
    """Rows of the bar with the whole session; it has no borders."""


def plan(width: int, height: int, *, gils: int, lanes: int, cores: int) -> Plan:
    """Share `height` rows. Lanes come first: the others keep to what they need, and fold when it is tight."""
    scrub = 0 if height < SCRUB_FROM else 1 if height < SCRUB_TWO_FROM else 2
    left = max(0, height - HEADER_AND_FOOTER - scrub)
    side_by_side = width >= SIDE_BY_SIDE_FROM
    tight, tiny = left < 28, left < 20
    gil = BORDERS + (min(gils, 2 if tight else max(3, left // 6)) if gils > 1 else 1 if tight else 2)
    middle = BORDERS + (1 if tiny else 3 if tight else 5)
    if side_by_side and tiny:
        middle += 1
    output = BORDERS + (1 if tiny else 3 if tight else 4)
    if left < 14:
        output = 0
    if left < 11:
        middle = 0
    lanes_most = BORDERS + max(lanes, 3) + (2 if left >= 18 else 0)
    lanes_height = left - gil - middle - output
    if lanes_height > lanes_most:
        spare = lanes_height - lanes_most
        lanes_height = lanes_most
        # Room that the lanes do not need: cores and verdict get what they want of it, the output the rest.
        want = BORDERS + max(VERDICT_ROWS, cores if side_by_side else 0)
        more = min(spare // 2, max(0, want - middle))
        middle += more
        output += spare - more
    return Plan(gil, max(0, lanes_height), middle, output, side_by_side, scrub)

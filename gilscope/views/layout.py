"""How the panels share the screen, as the user arranged them. Pure: sizes in, heights out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from gilscope.settings import HEIGHT_MOST, PANELS, Layout

HEADER_AND_FOOTER = 2
BORDERS = 2
LEAST = BORDERS + 1
"""A panel with a line in it."""
VERDICT_ROWS = 8
"""A verdict with its advice and evidence, in a column of half a screen."""
INFO_ROWS = 6
SCRUB_FROM, SCRUB_TWO_FROM = 14, 30
"""From these heights the bar with the whole session has a row, or two."""
SIDE_BY_SIDE_FROM = 76
"""From this width cores and verdict stand side by side."""
PAIR = frozenset({"cores", "verdict"})
_NEEDS = {"gil": LEAST, "lanes": LEAST + 1, "cores": LEAST + 1, "verdict": LEAST + 1}
"""Rows below which a panel makes room for others: those that are named last below."""
_GO_FIRST = ("info", "output", "cores", "verdict", "gil", "lanes")
_GIVE = ("output", "info", "verdict", "cores", "lanes", "gil")
"""Who gives rows first when others are to have more."""
DEFAULT = Layout()


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side."""

    panels: tuple[str, ...]
    height: int
    """With borders."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is shown, from top to bottom."""

    rows: tuple[Row, ...]
    scrub: int
    """Rows of the bar with the whole session; it has no borders."""

    def height_of(self, panel: str) -> int:
        """Its height with borders; 0: it is not shown."""
        return next((row.height for row in self.rows if panel in row.panels), 0)


def plan(
    width: int,
    height: int,
    *,
    gils: int,
    lanes: int,
    cores: int,
    layout: Layout = DEFAULT,
    full: str | None = None,
) -> Plan:
    """Share `height` rows. Lanes come first: the others keep to what they need, and fold when it is tight.

    Args:
        width: of the screen.
        height: likewise.
        gils: how many there are to show; likewise `lanes`, `cores`.
        lanes: see there.
        cores: see there.
        layout: as the user arranged it.
        full: the panel that has all of it.
    """
    scrub = 0 if height < SCRUB_FROM else 1 if height < SCRUB_TWO_FROM else 2
    left = max(0, height - HEADER_AND_FOOTER - scrub)
    if full is not None:
        return Plan((Row((full,), left),), scrub)
    side_by_side = width >= SIDE_BY_SIDE_FROM
    rows = _folded(_in_rows(layout.panels, side_by_side=side_by_side), left)
    heights = _by_themselves(rows, left, gils=gils, lanes=lanes, cores=cores, side_by_side=side_by_side)
    _balance(heights, left, keep=())
    wanted = {row: max((layout.rows.get(panel, 0) for panel in row), key=abs) for row in rows}
    heights = {row: max(_need(row) if wanted[row] < 0 else 1, heights[row] + wanted[row]) for row in rows}
    _balance(heights, left, keep=[row for row in rows if wanted[row]])
    return Plan(tuple(Row(row, heights[row]) for row in rows), scrub)


_Panels = tuple[str, ...]


def _in_rows(panels: Sequence[str], *, side_by_side: bool) -> list[_Panels]:
    """Panels in rows; of cores and verdict one after the other only the verdict where it is narrow."""
    rows: list[_Panels] = []
    for panel in panels:
        if rows and panel in PAIR and rows[-1][0] in PAIR and len(rows[-1]) == 1:
            rows[-1] = (rows[-1][0], panel) if side_by_side else ("verdict",)
        else:
            rows.append((panel,))
    return rows


def _need(row: _Panels) -> int:
    return max(_NEEDS.get(panel, LEAST) for panel in row)


def _folded(rows: list[_Panels], left: int) -> list[_Panels]:
    """The rows for which there is room, at least one."""
    rows = list(rows)
    for panel in _GO_FIRST:
        if len(rows) < 2 or sum(map(_need, rows)) <= left:
            break
        rows = [row for row in rows if panel not in row] or rows
    return rows


def _by_themselves(
    rows: Sequence[_Panels], left: int, *, gils: int, lanes: int, cores: int, side_by_side: bool
) -> dict[_Panels, int]:
    """The heights that rows have where nobody changed them."""
    tight, tiny = left < 28, left < 20
    heights = {}
    for row in rows:
        if "gil" in row:
            inside = min(gils, 2 if tight else max(3, left // 6)) if gils > 1 else 1 if tight else 2
        elif PAIR & set(row):
            inside = 2 if tiny else 4 if tight else 5  # the advice with its figure
        elif "info" in row:
            inside = 1 if tiny else 3 if tight else INFO_ROWS
        else:
            inside = 1 if tiny else 2 if tight else 4
        heights[row] = BORDERS + inside
    if ("lanes",) not in heights:
        return heights
    # Room that the lanes do not need: cores and verdict get what they want of it, the output the rest.
    spare = left - sum(height for row, height in heights.items() if row != ("lanes",))
    most = BORDERS + max(lanes, 3) + (2 if left >= 18 else 0)
    heights[("lanes",)] = max(0, min(spare, most))
    spare -= heights[("lanes",)]
    for row in rows:
        if PAIR & set(row) and spare > 0:
            want = BORDERS + max(VERDICT_ROWS, cores if side_by_side and "cores" in row else 0)
            more = min(spare // 2, max(0, want - heights[row]))
            heights[row] += more
            spare -= more
    return heights


def _balance(heights: dict[_Panels, int], left: int, keep: Sequence[_Panels]) -> None:
    """Let the heights come to what there is; rows to `keep` change only where nothing else can."""
    spare = left - sum(heights.values())
    free = sorted(
        (row for row in heights if row not in keep), key=lambda row: min(_GIVE.index(panel) for panel in row)
    )
    if spare > 0 and heights:
        # Lanes know nothing to do with more rows than lanes; lines of output always come.
        heights[free[0] if free else list(heights)[-1]] += spare
        return
    for row, least in [*((row, _need(row)) for row in [*free, *keep]), *((row, 1) for row in [*free, *keep])]:
        taken = min(-spare, max(0, heights[row] - least))
        heights[row] -= taken
        spare += taken


# --- what the user does to it ---


def without(layout: Layout, panel: str) -> Layout:
    """Without a panel; the last one stays."""
    rest = tuple(other for other in layout.panels if other != panel)
    return msgspec.structs.replace(layout, panels=rest) if rest else layout


def toggled(layout: Layout, panel: str) -> Layout:
    """With a panel if it is hidden (where it stands by default), else without it."""
    if panel in layout.panels:
        return without(layout, panel)
    before = set(PANELS[: PANELS.index(panel)])
    at = max((number + 1 for number, other in enumerate(layout.panels) if other in before), default=0)
    return msgspec.structs.replace(layout, panels=(*layout.panels[:at], panel, *layout.panels[at:]))


def moved(layout: Layout, panel: str, by: int) -> Layout:
    """With a panel further down (1) or up (-1)."""
    panels = list(layout.panels)
    if panel not in panels:
        return layout
    at = panels.index(panel)
    # Cores and verdict are passed as one: who moves another panel does not mean to part them.
    passed = panels[at + 1 : at + 3] if by > 0 else panels[max(0, at - 2) : at]
    if panel not in PAIR and set(passed) == PAIR:
        by *= 2
    panels.insert(max(0, min(at + by, len(panels) - 1)), panels.pop(at))
    return msgspec.structs.replace(layout, panels=tuple(panels))


def resized(layout: Layout, panel: str, by: int) -> Layout:
    """With so many rows more or less for a panel, and its neighbour in the row."""
    rows = {name: more for name, more in layout.rows.items() if name != panel}
    more = max(-HEIGHT_MOST, min(layout.rows.get(panel, 0) + by, HEIGHT_MOST))
    if more:
        rows[panel] = more
    return msgspec.structs.replace(layout, rows=rows)

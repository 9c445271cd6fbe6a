"""The lanes: a row each, a cell for each stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.text import share_text
from gilscope.views.passing import HOLDER, Mark
from gilscope.views.present import LaneRow
from gilscope.views.render.halves import HalfCells
from gilscope.views.render.lines import fit, fit_name, strip
from gilscope.views.render.palette import Palette
from gilscope.views.render.row import Row

SHARE_COLUMNS = 8
"""The held share of a lane and the space around it."""
MARK_COLUMNS = 2
RULER_STEPS_NS: tuple[int, ...] = tuple(
    unit * step
    for unit, steps in (
        (NS_PER_MS, (10, 20, 50, 100, 200, 500)),
        (NS_PER_S, (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)),
    )
    for step in steps
)


@dataclass(frozen=True, slots=True)
class Columns:
    """How a row is divided."""

    label: int
    cells: int

    @property
    def before_cells(self) -> int:
        """The column in which the cells begin."""
        return MARK_COLUMNS + self.label + SHARE_COLUMNS


def columns_for(width: int, longest_label: int) -> Columns:
    """Divide `width`: names get what they need up to a sixth of it, the cells the rest."""
    label = max(6, min(longest_label, max(10, width // 6)))
    return Columns(label, max(1, width - MARK_COLUMNS - label - SHARE_COLUMNS))


def render_lane(
    row: LaneRow,
    cells: bytes,
    columns: Columns,
    palette: Palette,
    *,
    share: float | None,
    holds: bool,
    selected: bool,
    cursor: int | None,
    chosen: tuple[int, int] | None = None,
) -> Strip:
    """A lane: holder mark, name, share of the time that it held the GIL, cells.

    Args:
        row: the lane.
        cells: its states, `columns.cells` of them.
        columns: how the row is divided.
        palette: colours.
        share: the share, or None if it is not known or has no sense.
        holds: it holds the GIL at the position.
        selected: the row is chosen.
        cursor: the cell at the position, if that is marked.
        chosen: the first cell of a selected span, and the one behind its last.
    """
    head = render_head(
        row,
        columns,
        palette,
        share=share,
        mark=HOLDER if holds else None,
        selected=selected,
        style=palette.bold if holds else palette.base,
    )
    return join_lane(head, render_cells(cells, palette, cursor=cursor, chosen=chosen), columns)


def join_lane(head: list[Segment], cells: list[Segment], columns: Columns) -> Strip:
    """A row from its two parts."""
    return Row(head + cells, columns.before_cells + columns.cells)


def render_head(
    row: LaneRow,
    columns: Columns,
    palette: Palette,
    *,
    share: float | None,
    mark: Mark | None,
    selected: bool,
    style: Style,
) -> list[Segment]:
    """What stands left of the cells: the mark of the GIL, or of its way, the lane's name and share.

    Args:
        row: the lane.
        columns: how the row is divided.
        palette: colours.
        share: of the time that it held its GIL, or None if it is not known or has no sense.
        mark: of the holder, or a piece of the trail to it.
        selected: the row is chosen.
        style: of the name, if nothing else rules it.
    """
    text = "" if share is None else share_text(share)
    name_style = palette.selected if selected else palette.faint if row.ended else style
    mark_style = palette.mark if mark is None or mark.fresh else palette.faint
    return [
        Segment(f"{mark.glyph if mark else ' '} ", mark_style),
        Segment(fit_name(row.label, columns.label), name_style),
        Segment(f"{text:>6}  ", palette.dim),
    ]


def render_cells(
    cells: bytes,
    palette: Palette,
    *,
    cursor: int | None,
    chosen: tuple[int, int] | None = None,
    halves: HalfCells | None = None,
) -> list[Segment]:
    """The cells of a lane, with the line at the position and the colour of the selected span.

    Args:
        cells: the states, one a cell; with `halves` two.
        palette: colours.
        cursor: the cell at the position, if that is marked.
        chosen: the first cell of a selected span, and the one behind its last.
        halves: draws two states in a cell.
    """
    slots, pieces = (1, palette.cells) if halves is None else (2, halves.cells)
    count = len(cells) // slots
    borders = {0, count}
    if cursor is not None and 0 <= cursor < count:
        borders |= {cursor, cursor + 1}
    if chosen is not None:
        borders |= {max(0, min(column, count)) for column in chosen}
    if len(borders) == 2:
        return pieces(cells)
    drawn: list[Segment] = []
    for begin, end in pairwise(sorted(borders)):
        if begin == cursor:
            drawn.append(palette.cursor(cells[slots * begin]))
        else:
            inside = chosen is not None and chosen[0] <= begin < chosen[1]
            drawn += pieces(cells[slots * begin : slots * end], chosen=inside)
    return drawn


def render_heading(row: LaneRow, width: int, palette: Palette, *, selected: bool) -> Strip:
    """The heading of a process."""
    mark = "▸ " if row.folded else "▾ "
    note = f"  {row.note}"
    return strip(
        [
            Segment(mark, palette.group),
            Segment(
                fit(row.label, min(len(row.label), max(0, width - 4 - len(note)))),
                palette.selected if selected else palette.group,
            ),
            Segment(note, palette.dim),
        ],
        width,
        palette,
    )


def render_ruler(
    first_cell: int, cell_ns: int, columns: Columns, palette: Palette, *, cursor: int | None
) -> Strip:
    """Times under the cells. The marks stand at round times, so they move with the cells."""
    step_ns = next((s for s in RULER_STEPS_NS if s >= 12 * cell_ns), RULER_STEPS_NS[-1])
    step = step_ns // cell_ns
    row = [" "] * columns.cells
    cell = max(0, -(-first_cell // step)) * step
    while cell < first_cell + columns.cells:
        text = "╵" + ruler_text(cell * cell_ns, step_ns)
        at = cell - first_cell
        if at >= 0 and at + len(text) <= columns.cells:
            row[at : at + len(text)] = text
        cell += step
    line = "".join(row)
    before = Segment(" " * columns.before_cells, palette.base)
    if cursor is None or not 0 <= cursor < columns.cells:
        return Strip([before, Segment(line, palette.faint)], columns.before_cells + columns.cells)
    return Strip(
        [
            before,
            Segment(line[:cursor], palette.faint),
            Segment("▲", palette.mark),
            Segment(line[cursor + 1 :], palette.faint),
        ],
        columns.before_cells + columns.cells,
    )


def ruler_text(at_ns: int, step_ns: int) -> str:
    """A round time, as exactly as the step between two of them needs."""
    seconds, rest = divmod(at_ns, NS_PER_S)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    digits = 0 if step_ns % NS_PER_S == 0 else 1 if step_ns % (NS_PER_S // 10) == 0 else 2
    text = f"{minutes:02d}:{seconds:02d}"
    if hours:
        text = f"{hours}:{text}"
    return f"{text}.{rest * 10**digits // NS_PER_S:0{digits}d}" if digits else text

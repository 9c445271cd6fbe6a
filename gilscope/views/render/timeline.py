"""The lanes: a row each, a cell for each stretch of time."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from textual.strip import Strip

from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.text import share_text
from gilscope.views.present import LaneRow
from gilscope.views.render.lines import fit, fit_name, strip
from gilscope.views.render.palette import Palette

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
    mark = Segment("▶ " if holds else "  ", palette.mark)
    name_style = (
        palette.selected
        if selected
        else palette.faint
        if row.ended
        else palette.bold
        if holds
        else palette.base
    )
    name = Segment(fit_name(row.label, columns.label), name_style)
    text = "" if share is None else share_text(share)
    figure = Segment(f"{text:>6}  ", palette.dim)
    if cursor is None or not 0 <= cursor < len(cells):
        drawn = _cells(cells, 0, chosen, palette)
    else:
        drawn = _cells(cells[:cursor], 0, chosen, palette)
        drawn.append(palette.cursor(cells[cursor]))
        drawn += _cells(cells[cursor + 1 :], cursor + 1, chosen, palette)
    return Strip([mark, name, figure, *drawn], columns.before_cells + columns.cells)


def _cells(cells: bytes, first: int, chosen: tuple[int, int] | None, palette: Palette) -> list[Segment]:
    """Cells from column `first` on, those of a selected span on its colour."""
    if chosen is None:
        return palette.cells(cells)
    begin, end = (max(0, min(column - first, len(cells))) for column in chosen)
    return [
        *palette.cells(cells[:begin]),
        *palette.cells(cells[begin:end], chosen=True),
        *palette.cells(cells[end:]),
    ]


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

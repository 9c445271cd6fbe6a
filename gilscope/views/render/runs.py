"""The runs of a comparison, one below the other on one axis of time."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.model import NS_PER_MS
from gilscope.views.axis import Axis
from gilscope.views.comparing import ALONE, Ending
from gilscope.views.present import LaneRow
from gilscope.views.render.lines import fit, fit_name, strip
from gilscope.views.render.palette import Palette
from gilscope.views.render.timeline import (
    MARK_COLUMNS,
    RULER_STEPS_NS,
    SHARE_COLUMNS,
    Columns,
    columns_for,
    render_heading,
    render_lane,
    ruler_text,
)

END_COLUMNS = 1
"""Right of the cells stands the bar that ends the longest run."""
HEADING_LEAST = 16
"""A heading with less room before the bar goes over it."""


def run_columns(width: int, longest_label: int) -> Columns:
    """How a row is divided: as on the dashboard, but for the bar behind the cells."""
    return columns_for(max(1, width - END_COLUMNS), longest_label)


def cells_left(columns: Columns) -> int:
    """The column in which the cells begin."""
    return MARK_COLUMNS + columns.label + SHARE_COLUMNS


def render_axis(axis: Axis, columns: Columns, width: int, palette: Palette) -> Strip:
    """Times since the start of each run, at round moments: the cells need not be of a round length."""
    step_ns = next((s for s in RULER_STEPS_NS if s >= 12 * axis.cell_ns), 0)
    if not step_ns:
        longest = RULER_STEPS_NS[-1]
        step_ns = -(-12 * axis.cell_ns // longest) * longest
    step_ns = max(step_ns, 10 * NS_PER_MS)
    row = [" "] * columns.cells
    at_ns = -(-axis.start_ns // step_ns) * step_ns
    while (column := at_ns // axis.cell_ns - axis.first) < columns.cells:
        text = "╷" + ruler_text(at_ns, step_ns)
        if column + len(text) <= columns.cells:
            row[column : column + len(text)] = text
        at_ns += step_ns
    words = fit("  since the start", cells_left(columns))
    return strip([Segment(words, palette.faint), Segment("".join(row), palette.dim)], width, palette)


def render_title(
    label: str,
    facts: Sequence[tuple[str, str]],
    *,
    left_out: str,
    ending: Ending | None,
    end: int,
    columns: Columns,
    width: int,
    palette: Palette,
) -> Strip:
    """A run's title: its label, as many figures as fit, rows that are not in sight, and its end.

    Args:
        label: what it is called.
        facts: figures, the most important first, in words and in short.
        left_out: how many rows of how many are in sight; "" if all are.
        ending: how it ended, if that is known.
        end: the column behind its last cell.
        columns: how rows are divided.
        width: of the line.
        palette: colours.
    """
    end_text, style, after = "", palette.dim, 0
    if ending is not None:
        style = palette.error if ending.failed else palette.bold
        if end < 0:
            end_text = f"← {ending.text}"
        elif end > columns.cells:
            end_text = f"{ending.text} →"
        elif not stands_beside(ending, end, columns):
            end_text, after = f"{ending.text} ┐", columns.cells - end
    right = [Segment(left_out, palette.faint)] if left_out else []
    if end_text:
        right.append(Segment(("   " if left_out else "") + end_text + " " * after, style))
    taken = sum(cell_len(segment.text) for segment in right)
    shown = [long for long, _ in facts]
    name = fit(label, max(0, min(cell_len(label), width - taken - 2)))

    def left() -> int:
        return cell_len(name) + sum(3 + cell_len(fact) for fact in shown)

    if left() + taken + 2 > width:
        shown = [short for _, short in facts]
    while shown and left() + taken + 2 > width:
        shown.pop()
    segments = [Segment(name, palette.group)]
    for fact in shown:
        segments += [Segment(" · ", palette.faint), Segment(fact, palette.base)]
    return strip(
        [*segments, Segment(" " * max(0, width - left() - taken), palette.base), *right], width, palette
    )


def stands_beside(ending: Ending, end: int, columns: Columns) -> bool:
    """Whether there is room for the ending right of its bar."""
    return end >= 0 and end + 2 + cell_len(ending.text) <= columns.cells + END_COLUMNS


def render_row(
    row: LaneRow,
    cells: bytes,
    columns: Columns,
    palette: Palette,
    *,
    share: float | None,
    end: int,
    ending: Ending | None,
    width: int,
) -> Strip:
    """A lane, or the heading of a process, with the bar at the run's end.

    Args:
        row: the lane.
        cells: its states.
        columns: how the row is divided.
        palette: colours.
        share: the lane's share of the time as its GIL's holder; None if that is not known.
        end: the column behind the run's last cell.
        ending: to be told beside the bar, in the first row if there is room; else None.
        width: of the line.
    """
    in_sight = 0 <= end <= columns.cells
    room = cells_left(columns) + (end if in_sight else columns.cells)
    if row.lane is None:
        if room < HEADING_LEAST:
            return render_heading(row, width, palette, selected=False)
        before = render_heading(row, room, palette, selected=False)
    else:
        kept = cells[:end] if in_sight else cells
        divided = Columns(columns.label, len(kept))
        before = render_lane(
            row, kept, divided, palette, share=share, holds=False, selected=False, cursor=None
        )
        if row.note == ALONE:
            name = Segment(fit_name(row.label, columns.label), palette.group)
            before = Strip([Segment("▪ ", palette.group), name, *list(before)[2:]])
    return strip([*before, *_bar(ending if in_sight else None, palette, bar=in_sight)], width, palette)


def _bar(ending: Ending | None, palette: Palette, *, bar: bool) -> list[Segment]:
    if not bar:
        return []
    style: Style = palette.error if ending and ending.failed else palette.bold
    found = [Segment("│", palette.dim)]
    if ending is not None:
        found.append(Segment(f" {ending.text}", style))
    return found

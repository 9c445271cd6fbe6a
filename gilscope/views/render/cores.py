"""The cores: load over time as a heat map, coloured by whether the target or others cause it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.views.present import CoreRow
from gilscope.views.render.lines import fill, fit_name, strip, text_strip
from gilscope.views.render.palette import Palette

LEVELS = "▁▂▃▄▅▆▇█"
CELL_COLUMNS_LEAST = 14
"""A column of cores with less than this has no room for a history."""


def render_cores(rows: Sequence[CoreRow], width: int, height: int, palette: Palette) -> list[Strip]:
    """All cores, in as many columns as it takes; a mere glyph each when there are very many."""
    if not rows or height <= 0:
        return fill(
            [text_strip("No core has been read yet.", width, palette.dim, palette)], width, height, palette
        )
    per_row = -(-len(rows) // height)
    column = width // per_row
    if per_row > 1 and column < CELL_COLUMNS_LEAST:
        return _grid(rows, width, height, palette)
    digits = len(str(rows[-1].core))
    strips = []
    height_used = -(-len(rows) // per_row)
    label = min(max((cell_len(row.label) for row in rows), default=0), max(0, column - digits - 16), 16)
    for line in range(height_used):
        segments: list[Segment] = []
        for row in rows[line::height_used]:
            segments += _core(row, column, digits, label if label >= 3 else 0, palette)
        strips.append(strip(segments, width, palette))
    return fill(strips, width, height, palette)


def core_at(rows: Sequence[CoreRow], width: int, height: int, x: int, y: int) -> CoreRow | None:
    """The core that stands at a place of what `render_cores` draws."""
    if not rows or height <= 0 or x < 0 or y < 0:
        return None
    per_row = -(-len(rows) // height)
    column = width // per_row
    if per_row > 1 and column < CELL_COLUMNS_LEAST:
        left, per_line = _grid_columns(rows, width, height)
        number = y * per_line + x - left
        return rows[number] if left <= x < left + per_line and number < len(rows) else None
    height_used = -(-len(rows) // per_row)
    number = x // column * height_used + y
    return rows[number] if y < height_used and number < len(rows) else None


def _grid_columns(rows: Sequence[CoreRow], width: int, height: int) -> tuple[int, int]:
    """Where the cores of a line of the grid begin, and how many there are in each."""
    left = len(str(rows[-1].core)) + 2
    most = -(-len(rows) // height)
    return left, min(max(1, width - left), max(most, 8 * -(-most // 8)))


def _core(row: CoreRow, width: int, digits: int, label: int, palette: Palette) -> list[Segment]:
    load = "  ? %" if row.busy_share is None else f"{row.busy_share * 100:3.0f} %"
    segments = [Segment(f"{row.core:>{digits}} ", palette.dim), Segment(f"{load}  ", palette.base)]
    used = digits + 1 + len(load) + 2
    if label:
        style = palette.dim if row.label == "other" else palette.bold
        segments.append(Segment(fit_name(row.label, label) + "  ", style))
        used += label + 2
    room = width - used - 1
    cells = row.cells[-room:] if room > 0 else ()
    run, run_style = " " * max(0, room - len(cells)), palette.base
    for cell in cells:
        glyph, style = _cell(cell, palette)
        if style is not run_style:
            segments.append(Segment(run, run_style))
            run, run_style = "", style
        run += glyph
    return [*segments, Segment(run + " ", run_style)]


def _cell(cell: tuple[float, float] | None, palette: Palette) -> tuple[str, Style]:
    if cell is None:
        return " ", palette.base
    busy, target = cell
    glyph = LEVELS[min(7, max(0, int(busy * 8)))]
    if busy < 0.06:
        return glyph, palette.faint
    return glyph, palette.good if 2 * target >= busy else palette.dim


def _grid(rows: Sequence[CoreRow], width: int, height: int, palette: Palette) -> list[Strip]:
    """One glyph a core, its load now; each line begins with the number of its first core."""
    digits = len(str(rows[-1].core))
    _, per_row = _grid_columns(rows, width, height)
    strips = []
    for begin in range(0, len(rows), per_row):
        segments = [Segment(f"{rows[begin].core:>{digits}}  ", palette.dim)]
        for row in rows[begin : begin + per_row]:
            if row.busy_share is None:
                segments.append(Segment("?", palette.faint))
                continue
            target = 0.0 if row.label in ("", "other") else row.busy_share
            segments.append(Segment(*_cell((row.busy_share, target), palette)))
        strips.append(strip(segments, width, palette))
    return fill(strips, width, height, palette)

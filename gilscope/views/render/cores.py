"""The cores: load over time as a heat map, coloured by whether the target or others cause it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.color import Color, blend_rgb
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.views.present import AND_OTHERS, CoreRow
from gilscope.views.render.lines import fill, fit, fit_name, strip, text_strip
from gilscope.views.render.palette import Palette

LEVELS = "▁▂▃▄▅▆▇█"
SCROLL_COLUMNS = 48
"""What a core has in a list that can be scrolled, about."""
PATCH_COLUMNS = 2
HALF = "▌"
FADE_CELLS = 5
"""Of the history, which has five cells a second: so long a core stays warm."""
CELL_COLUMNS_LEAST = 14
"""A column of cores with less than this has no room for a history."""


def render_cores(
    rows: Sequence[CoreRow], width: int, height: int, palette: Palette, *, top: int | None = None
) -> list[Strip]:
    """All cores, in as many columns as it takes; a mere patch each when there are very many.

    Args:
        rows: the cores.
        width: of the lines.
        height: how many lines.
        palette: colours.
        top: the first line in sight of a list that can be scrolled; None: all cores have to fit.
    """
    if not rows or height <= 0:
        return fill(
            [text_strip("No core has been read yet.", width, palette.dim, palette)], width, height, palette
        )
    rows, per_row = _in_sight(rows, width, height, top)
    column = width // per_row
    if per_row > 1 and column < CELL_COLUMNS_LEAST:
        return _grid(rows, width, height, palette)
    digits = len(str(rows[-1].core))
    strips = []
    height_used = -(-len(rows) // per_row)
    label = min(
        max((cell_len(row.label) for row in rows), default=0),
        max(0, column - digits - 16),
        max(18, column // 4),
    )
    for line in range(height_used):
        segments: list[Segment] = []
        for row in rows[line::height_used]:
            segments += _core(row, column, digits, label if label >= 3 else 0, palette)
        strips.append(strip(segments, width, palette))
    return fill(strips, width, height, palette)


def columns_to_scroll(width: int) -> int:
    """How many cores stand side by side, each with its label and history."""
    return max(1, width // SCROLL_COLUMNS)


def lines_to_scroll(cores: int, width: int, height: int) -> int:
    """How many lines a list of all cores has, in a place of this size."""
    per_row = min(-(-cores // max(1, height)), columns_to_scroll(width))
    return -(-cores // max(1, per_row))


def _in_sight(
    rows: Sequence[CoreRow], width: int, height: int, top: int | None
) -> tuple[Sequence[CoreRow], int]:
    """The cores that are drawn, and how many of them side by side."""
    per_row = -(-len(rows) // height)
    if top is not None:
        per_row = min(per_row, columns_to_scroll(width))
        lines = -(-len(rows) // per_row)
        if lines > height:
            top = max(0, min(top, lines - height))
            rows = rows[top * per_row : (top + height) * per_row]
    return rows, per_row


def core_at(
    rows: Sequence[CoreRow], width: int, height: int, x: int, y: int, *, top: int | None = None
) -> CoreRow | None:
    """The core that stands at a place of what `render_cores` draws."""
    if not rows or height <= 0 or x < 0 or y < 0:
        return None
    rows, per_row = _in_sight(rows, width, height, top)
    column = width // per_row
    if per_row > 1 and column < CELL_COLUMNS_LEAST:
        left, per_line, patch = _grid_columns(rows, width, height)
        at = (x - left) // patch
        number = y * per_line + at
        return rows[number] if 0 <= at < per_line and number < len(rows) else None
    height_used = -(-len(rows) // per_row)
    number = x // column * height_used + y
    return rows[number] if y < height_used and number < len(rows) else None


def _grid_columns(rows: Sequence[CoreRow], width: int, height: int) -> tuple[int, int, int]:
    """Where the cores of a line of the grid begin, how many there are in each, and how wide one is."""
    left = len(str(rows[-1].core)) + 2
    room = max(1, width - left)
    most = -(-len(rows) // height)
    per_row = min(room, max(most, 8 * -(-most // 8)))
    return left, per_row, max(1, min(PATCH_COLUMNS, room // per_row))


def _core(row: CoreRow, width: int, digits: int, label: int, palette: Palette) -> list[Segment]:
    load = "  ? %" if row.busy_share is None else f"{row.busy_share * 100:3.0f} %"
    segments = [Segment(f"{row.core:>{digits}} ", palette.dim), Segment(f"{load}  ", palette.base)]
    used = digits + 1 + len(load) + 2
    if label:
        style = palette.dim if row.label == "other" else palette.bold
        segments.append(Segment(_fit_label(row.label, label) + "  ", style))
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


def _fit_label(text: str, width: int) -> str:
    name = text.removesuffix(AND_OTHERS)
    if name != text and width >= len(AND_OTHERS) + 3:
        return fit(fit_name(name, min(cell_len(name), width - len(AND_OTHERS))) + AND_OTHERS, width)
    return fit_name(text, width)


def _cell(cell: tuple[float, float] | None, palette: Palette) -> tuple[str, Style]:
    if cell is None:
        return " ", palette.base
    busy, target = cell
    glyph = LEVELS[min(7, max(0, int(busy * 8)))]
    if busy < 0.06:
        return glyph, palette.faint
    return glyph, palette.good if 2 * target >= busy else palette.dim


def _grid(rows: Sequence[CoreRow], width: int, height: int, palette: Palette) -> list[Strip]:
    """A patch a core, as hot as it was in the last second; each line begins with its first core's number."""
    digits = len(str(rows[-1].core))
    _, per_row, patch = _grid_columns(rows, width, height)
    shades = _shades(palette)
    strips = []
    for begin in range(0, len(rows), per_row):
        segments = [Segment(f"{rows[begin].core:>{digits}}  ", palette.dim)]
        text, now = "", palette.base
        for row in rows[begin : begin + per_row]:
            glyph, style = _patch(row, shades, palette)
            if style is not now:
                segments.append(Segment(text, now))
                text, now = "", style
            # Half a cell stays free between two of them.
            text += glyph if patch == 1 else glyph + HALF if shades else glyph * patch
        strips.append(strip([*segments, Segment(text, now)], width, palette))
    return fill(strips, width, height, palette)


def _shades(palette: Palette) -> dict[bool, tuple[Style, ...]] | None:
    """By whether the target causes it, and level: the colour of a whole patch; None: glyphs must tell."""
    behind = palette.base.bgcolor
    if not palette.colours or palette.plain or behind is None or behind.is_default:
        return None
    found = {}
    for ours, style in ((True, palette.good), (False, palette.dim)):
        if style.color is None or style.color.is_default:
            return None
        ends = behind.get_truecolor(), style.color.get_truecolor()
        found[ours] = tuple(
            palette.base + Style(color=Color.from_triplet(blend_rgb(*ends, 0.1 + 0.9 * level / 7)))
            for level in range(8)
        )
    return found


def warmth(cells: Sequence[tuple[float, float] | None]) -> float | None:
    """How hot a core is: its load, fading for a second after it is over. None: nothing was read lately."""
    found = None
    for age, cell in enumerate(reversed(cells[-FADE_CELLS:])):
        if cell is not None:
            found = max(found or 0.0, cell[0] * (1 - age / FADE_CELLS))
    return found


def _patch(row: CoreRow, shades: dict[bool, tuple[Style, ...]] | None, palette: Palette) -> tuple[str, Style]:
    warm = row.busy_share if not row.cells else warmth(row.cells)
    if warm is None:
        return "?", palette.faint
    ours = row.label not in ("", "other") and not row.label.endswith(AND_OTHERS)
    if shades is None:
        return _cell((warm, warm if ours else 0.0), palette)
    return "█", shades[ours][min(7, max(0, int(warm * 8)))]

"""The table of a comparison and the advice: side by side where it is wide, else one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.text import clean
from gilscope.views.comparing import ComparedTable
from gilscope.views.render.lines import fill, fit, strip, wrap
from gilscope.views.render.palette import Palette

BESIDE_FROM = 100
"""From this width the advice stands beside the table."""
ADVICE_LEAST = 36
VALUE_LEAST, VALUE_MOST = 10, 20
WORD_GAP = 2
GAP = 3
"""Columns between the table and the advice beside it."""


def render_compared(table: ComparedTable, width: int, palette: Palette, *, opened: bool) -> list[Strip]:
    """All lines, each `width` wide.

    Args:
        table: what to show.
        width: of a line.
        palette: colours.
        opened: with the table and all that is to be said; else the advice in a sentence.
    """
    first = _sentences(table.advice[:1], width, palette, mark="→ ", style=palette.good)
    if not opened:
        return [strip(line, width, palette) for line in first]
    if width < BESIDE_FROM:
        rest = _sentences(table.advice[1:], width, palette, mark="· ", style=palette.base)
        return [strip(line, width, palette) for line in [*first, *_table(table, width, palette), *rest]]
    rows = _table(table, width - ADVICE_LEAST - GAP, palette)
    used = GAP + max((sum(cell_len(segment.text) for segment in row) for row in rows), default=0)
    advice = [
        *_sentences(table.advice[:1], width - used, palette, mark="→ ", style=palette.good),
        *_sentences(table.advice[1:], width - used, palette, mark="· ", style=palette.base),
    ]
    lines = []
    for number in range(max(len(rows), len(advice))):
        left = strip(rows[number] if number < len(rows) else [], used, palette)
        right = advice[number] if number < len(advice) else []
        lines.append(strip([*left, *right], width, palette))
    return lines


def cut_lines(lines: list[Strip], width: int, height: int, palette: Palette) -> list[Strip]:
    """Exactly `height` lines; where more are left out, the last one says so if it has room for that.

    A figure is not cut for it: the border says it too.
    """
    if len(lines) > height > 0:
        used = cell_len(lines[height - 1].text.rstrip())
        if used <= width - 2:
            kept = lines[height - 1].crop(0, used)
            lines = [*lines[: height - 1], strip([*kept, Segment(" …", palette.dim)], width, palette)]
    return fill(lines, width, height, palette)


def ways_shown(table: ComparedTable, width: int) -> int:
    """How many ways have room in the table."""
    room = width if width < BESIDE_FROM else width - ADVICE_LEAST - GAP
    words, value = _widths(table, room)
    return min(len(table.labels), max(1, (room - words) // value))


def _widths(table: ComparedTable, room: int) -> tuple[int, int]:
    words = max((cell_len(word) for word, _ in table.rows), default=0)
    texts = [*table.labels, *(value for _, values in table.rows for value in values)]
    longest = max((cell_len(clean(text)) for text in texts), default=0) + WORD_GAP
    value = max(VALUE_LEAST, min(VALUE_MOST, longest))
    return min(words, max(8, room - value)), value


def _table(table: ComparedTable, room: int, palette: Palette) -> list[list[Segment]]:
    words, value = _widths(table, room)
    count = min(len(table.labels), max(1, (room - words) // value))

    def cells(texts: tuple[str, ...]) -> str:
        return "".join(_right(clean(text), value) for text in texts[:count])

    lines = [[Segment(" " * words, palette.base), Segment(cells(table.labels), palette.group)]]
    lines += [
        [Segment(fit(clean(word), words), palette.dim), Segment(cells(values), palette.base)]
        for word, values in table.rows
    ]
    return lines


def _right(text: str, columns: int) -> str:
    text = fit(text, min(cell_len(text), columns - 1))
    return " " * (columns - cell_len(text)) + text


def _sentences(
    texts: Sequence[str], width: int, palette: Palette, *, mark: str, style: Style
) -> list[list[Segment]]:
    lines: list[list[Segment]] = []
    for text in texts:
        for number, line in enumerate(wrap(clean(text), max(1, width - 2))):
            lead = Segment(mark if number == 0 else "  ", palette.dim)
            lines.append([lead, Segment(fit(line, width - 2), style)])
    return lines

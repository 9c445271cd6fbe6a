"""Small pieces that all renderers share."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.views.render.palette import Palette

NAME_MIDDLE_FROM = 8
"""Narrower names lose their end: both ends of so few letters say nothing."""


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` columns: padded, or cropped with an ellipsis."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def fit_name(text: str, width: int) -> str:
    """As `fit`, but cropped in the middle: names mostly differ at their end, by a number."""
    if cell_len(text) <= width or width < NAME_MIDDLE_FROM:
        return fit(text, width)
    tail = ""
    for character in reversed(text):
        if cell_len(character + tail) > (width - 1) // 3:
            break
        tail = character + tail
    return set_cell_size(text, width - 1 - cell_len(tail)) + "…" + tail


_PLACE = re.compile(r"(.*) \((.*)(:\d+)\)")
FILE_LEAST = 4
"""Fewer letters of a file name say nothing."""


def fit_place(text: str, width: int) -> str:
    """As `fit`, of a function (file:line): the line stays, as long as there is room for it at all.

    The file's middle goes first, then the file, then the end of the function.
    """
    parts = _PLACE.fullmatch(text)
    if parts is None or cell_len(text) <= width:
        return fit(text, width)
    function, file, line = parts.groups()
    room = width - cell_len(function) - cell_len(line) - 3
    if room >= FILE_LEAST:
        return f"{function} ({fit_name(file, room)}{line})"
    room = width - cell_len(line)
    if room < FILE_LEAST:
        return fit(text, width)
    return fit(function, min(room, cell_len(function))) + fit(
        line, max(cell_len(line), width - cell_len(function))
    )


def strip(segments: Iterable[Segment], width: int, palette: Palette) -> Strip:
    """A line of exactly `width` columns: Textual does not draw one that is narrower than its widget."""
    return Strip(segments).adjust_cell_length(max(0, width), palette.base)


def text_strip(text: str, width: int, style: Style, palette: Palette) -> Strip:
    """A line of one style."""
    return strip([Segment(fit(text, width), style)], width, palette)


def blank(width: int, palette: Palette) -> Strip:
    """An empty line."""
    return Strip([Segment(" " * max(0, width), palette.base)], max(0, width))


def fill(strips: list[Strip], width: int, height: int, palette: Palette) -> list[Strip]:
    """Exactly `height` lines."""
    missing = height - len(strips)
    return strips[: max(0, height)] + [blank(width, palette)] * max(0, missing)


def wrap(text: str, width: int) -> list[str]:
    """Words in lines of at most `width` columns, wide characters counted as they are drawn."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width or not line:
            line = joined
        else:
            lines.append(line)
            line = word
    return [*lines, line] if line else lines

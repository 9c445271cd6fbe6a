"""A whole row of a panel: a strip that is made and written quickly, and goes as soon as nobody shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from textual.strip import Strip

LAZY = {"_segments", "_cell_length"} <= set(Strip.__slots__)
"""These are Textual's own names; where they have changed, a row is made as any strip."""
KEPT_MOST = 5_000
"""So many pieces are kept as the text that they are on the terminal."""


class Row(Strip):
    """Textual's strips keep their own pieces, and one that is not cut is its own piece.

    Such a ring is found by Python's collector only: with sixty rows a picture it was called all the time, and
    took tens of milliseconds of one frame. And seven caches a strip took longer to make than the row; nobody
    asks for them where a row is shown as it is.
    """

    __slots__ = ()

    def __init__(self, segments: list[Segment], cell_length: int) -> None:
        """A row of so many cells."""
        if not LAZY:
            super().__init__(segments, cell_length)
            return
        self._segments = segments
        self._cell_length = cell_length

    def __getattr__(self, name: str) -> Any:
        """What a strip has besides, made when it is asked for."""
        if LAZY and name in Strip.__slots__:
            super().__init__(self._segments, self._cell_length)
        return object.__getattribute__(self, name)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """As a strip is divided."""
        cuts = list(cuts)
        return [self] if cuts == [self.cell_length] else super().divide(cuts)

    def render(self, console: Console) -> str:
        """What is written to the terminal; most pieces are the same objects as in rows before."""
        kept = _texts_for(console.color_system)
        get, put = kept.get, kept.put
        return "".join([get(id(segment)) or put(segment) for segment in self])


class _Texts(dict[int, str]):
    """By the identity of a piece, which nothing else has as long as the piece is kept as well: its text."""

    def __init__(self, colours: str | None) -> None:
        super().__init__()
        self._pieces: list[Segment] = []
        self._colours = COLOR_SYSTEMS.get(colours or "", ColorSystem.TRUECOLOR)

    def put(self, segment: Segment) -> str:
        """A new one."""
        if len(self) >= KEPT_MOST:
            self.clear()
            self._pieces.clear()
        style, text = segment.style, segment.text
        if style is not None:
            text = Strip.render_style(style, text, color_system=self._colours)
        self[id(segment)] = text
        self._pieces.append(segment)
        return text


_texts_for = cache(_Texts)
"""By the name of a terminal's colours."""

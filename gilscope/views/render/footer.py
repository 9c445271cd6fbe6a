"""The line at the bottom: keys and what they do, the more important ones even on a narrow screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from gilscope.views.render.lines import strip
from gilscope.views.render.palette import Palette


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key in the footer."""

    key: str
    word: str
    action: str
    rank: int
    """Those with the highest go first when it is narrow."""
    panel: str = ""
    """The panel that the action is of, "" for the screen."""
    help: str = ""
    """What the key does, in more words."""

    @property
    def columns(self) -> int:
        """Its width with the space behind it."""
        return cell_len(self.key) + cell_len(self.word) + 3


def fit_hints(hints: Sequence[KeyHint], width: int) -> list[KeyHint]:
    """The keys that fit, in their order."""
    shown = list(hints)
    while shown and sum(hint.columns for hint in shown) + 1 > width:
        shown.remove(max(shown, key=lambda hint: hint.rank))
    return shown


def render_footer(hints: Sequence[KeyHint], width: int, palette: Palette) -> Strip:
    """One line."""
    segments = [Segment(" ", palette.base)]
    for hint in fit_hints(hints, width):
        segments += [Segment(hint.key, palette.mark), Segment(f" {hint.word}  ", palette.dim)]
    return strip(segments, width, palette)


def hint_at(hints: Sequence[KeyHint], width: int, x: int) -> KeyHint | None:
    """The key that stands in a column."""
    left = 1
    for hint in fit_hints(hints, width):
        if left <= x < left + hint.columns - 2:
            return hint
        left += hint.columns
    return None

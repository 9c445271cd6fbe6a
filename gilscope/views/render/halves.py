"""Two stretches of time in a cell: half blocks, where the terminal has colours and more than ASCII."""

from __future__ import annotations

from rich.color import Color, blend_rgb
from rich.segment import Segment
from rich.style import Style

from gilscope.views.render.palette import Palette, Runs, runs_of

LEFT, RIGHT = "▌", "▐"
DENSITY = (1.0, 1.0, 0.35, 0.75, 0.5, 0.0, 0.0, 0.0)
"""By state: how much of a cell its glyph covers. A half of it is as light as the whole ones beside it."""
ONE_MOST = 8
"""So many states at most: two of them are one byte."""

_FIRST = bytes(min(state, ONE_MOST - 1) * ONE_MOST for state in range(256))
_SECOND = bytes(min(state, ONE_MOST - 1) for state in range(256))
_RUNS = runs_of(range(ONE_MOST * ONE_MOST))


def fits(palette: Palette) -> bool:
    """Whether halves can be told apart: not by glyphs alone, so only with colours."""
    return palette.colours and not palette.plain


class HalfCells:
    """The pieces of rows with two states a cell, each made once, in the colours of a palette."""

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._runs = Runs(lambda run: self._run(run[0], len(run), chosen=False))
        self._chosen_runs = Runs(lambda run: self._run(run[0], len(run), chosen=True))
        self._colours = tuple(self._covered(state) for state in range(ONE_MOST))

    def _covered(self, state: int) -> Color | None:
        """The colour of a state, as thin as its glyph; None: it leaves the background as it is."""
        style, behind = self.palette.states[state], self.palette.base.bgcolor
        if DENSITY[state] == 0.0 or style.color is None:
            return None
        if DENSITY[state] == 1.0 or behind is None or behind.is_default or style.color.is_default:
            return style.color
        mixed = blend_rgb(behind.get_truecolor(), style.color.get_truecolor(), DENSITY[state])
        return Color.from_triplet(mixed)

    def cells(self, row: bytes, *, chosen: bool = False) -> list[Segment]:
        """A row, two states a cell, as one segment per run of equal cells; `chosen`: in a selected span."""
        count = len(row) // 2
        # As two long numbers they are added at once: no sum is more than a byte.
        first, second = row[: 2 * count : 2].translate(_FIRST), row[1::2].translate(_SECOND)
        pairs = (int.from_bytes(first, "little") + int.from_bytes(second, "little")).to_bytes(count, "little")
        runs = self._chosen_runs if chosen else self._runs
        return list(map(runs.__getitem__, _RUNS.findall(pairs)))

    def _run(self, pair: int, length: int, *, chosen: bool) -> Segment:
        first, second = divmod(pair, ONE_MOST)
        left, right = self._colours[first], self._colours[second]
        if first == second or (left is None and right is None):
            # Unknown is told before sleep, and sleep before nothing at all.
            state = first if first == second else min(first, second, key=(6, 5, 7, *range(5)).index)
            return self.palette.cells(bytes([state]) * length, chosen=chosen)[0]
        if left is not None and right is not None:
            return Segment(LEFT * length, self.palette.base + Style(color=left, bgcolor=right))
        style = self.palette.base + Style(color=left or right)
        glyph = LEFT if right is None else RIGHT
        return Segment(glyph * length, self.palette.chosen(style) if chosen else style)

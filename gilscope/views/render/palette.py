"""Glyphs and colours (Okabe – Ito, safe for colour-blind eyes), and the interned pieces of rows.

Every state differs by its glyph as well as by its colour: NO_COLOR and monochrome screens read the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from rich.segment import Segment
from rich.style import Style

from gilscope.model import State
from gilscope.views.cells import NO_DATA
from gilscope.views.render.contrast import best_on
from gilscope.views.render.tones import DARK, ORANGE, VERMILLION, YELLOW, Tones

__all__ = ["COLOURS", "GLYPHS", "MEANINGS", "ORANGE", "VERMILLION", "YELLOW", "Palette", "legend_markup"]

GLYPHS = "█!░▓▒·? "
"""By state, as in model.State; the last is NO_DATA."""
COLOURS: tuple[str, ...] = DARK.states
"""Likewise, of the theme that is there by default."""

MEANINGS: tuple[tuple[str, str], ...] = (
    ("running", "executes Python: holds its GIL and is on a CPU"),
    ("holding", "holds its GIL while off the CPU: nobody runs Python"),
    ("waiting", "wants the GIL and does not have it"),
    ("native", "on a CPU without the GIL: C code that released it"),
    ("ready", "could run, but no CPU is free"),
    ("blocked", "asleep: I/O, a lock, a sleep"),
    ("unknown", "could not be read"),
)
"""By state: its word and what it says."""

_LEGEND = (
    State.RUNNING,
    State.WAITING,
    State.NATIVE,
    State.READY,
    State.BLOCKED,
    State.HOLDING,
    State.UNKNOWN,
)
"""In a legend, the most seen first."""


def runs_of(values: Iterable[int]) -> re.Pattern[bytes]:
    """Finds the runs of equal bytes, each with one of these values."""
    return re.compile(b"|".join(re.escape(bytes([value])) + b"+" for value in values))


_RUNS = runs_of(range(256))


class Runs(dict[bytes, Segment]):
    """Segments for runs of equal cells, each made once."""

    def __init__(self, make: Callable[[bytes], Segment]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, run: bytes) -> Segment:
        """Make it."""
        segment = self[run] = self._make(run)
        return segment


def legend_markup(width: int, palette: Palette | None = None) -> str:
    """Glyphs and words of as many states as fit, as Textual's markup."""
    colours = COLOURS if palette is None else palette.tones.states
    if palette is not None and not palette.colours:
        words = [f"{GLYPHS[state]} {MEANINGS[state][0]}" for state in _LEGEND]
    else:
        words = [f"[{colours[state]}]{GLYPHS[state]}[/] {MEANINGS[state][0]}" for state in _LEGEND]
    lengths = [2 + len(MEANINGS[state][0]) for state in _LEGEND]
    # Close together before one is left out, but for the last, which is seldom seen.
    usual = lengths[:-1]
    gap = 1 if sum(usual) + 2 * (len(usual) - 1) > width >= sum(usual) + len(usual) - 1 else 2
    while words and sum(lengths[: len(words)]) + gap * (len(words) - 1) > width:
        words.pop()
    # A legend of two words explains little.
    return (" " * gap).join(words) if len(words) > 2 else ""


class Palette:
    """All styles on one background, and segments for runs of equal cells, each made once."""

    def __init__(
        self, base: Style | None = None, *, colours: bool = True, tones: Tones = DARK, plain: bool = False
    ) -> None:
        """Styles on `base`.

        Args:
            base: the style of text, with the background.
            colours: without them only bold and dim tell things apart, and the glyphs.
            tones: the colours that go with the background.
            plain: the terminal shows ASCII only, so that nothing may rest on parts of a cell.
        """
        base = base or Style.null()

        def style(colour: str, *, bold: bool = False, dim: bool = False) -> Style:
            return base + (Style(color=colour, bold=bold) if colours else Style(bold=bold, dim=dim))

        self.base, self.colours, self.tones, self.plain = base, colours, tones, plain
        self.bold = base + Style(bold=True)
        self.dim = style(tones.grey)
        self.faint = style(tones.dim, dim=True)
        self.good = style(tones.good)
        self.live = style(tones.good, bold=True)
        self.paused = style(tones.mark, bold=True)
        self.replay = style(tones.info, bold=True)
        self.error = style(tones.error, bold=True)
        self.mark = style(tones.mark, bold=True)
        self.group = style(tones.info, bold=True)
        self.selected = base + Style(reverse=True)
        self.states = tuple(style(colour) for colour in tones.states)
        line = style(tones.cursor, bold=True)
        self._crossed = tuple(
            base + Style(color=best_on(colour), bgcolor=colour, bold=True)
            if colours and state < State.BLOCKED
            else line
            for state, colour in enumerate(tones.states)
        )
        self._chosen = Style(bgcolor=tones.chosen) if colours else Style(underline=True)
        self._runs = Runs(lambda run: self._run(run, chosen=False))
        self._chosen_runs = Runs(lambda run: self._run(run, chosen=True))
        self._cursors: dict[int, Segment] = {}

    def looks_like(self, other: Palette) -> bool:
        """Whether lines that were drawn with it are still right with another one."""
        mine, theirs = (
            (palette.base, palette.colours, palette.tones, palette.plain) for palette in (self, other)
        )
        return mine == theirs

    def chosen(self, style: Style) -> Style:
        """A style in a span that is selected."""
        return style + self._chosen

    def cells(self, row: bytes, *, chosen: bool = False) -> list[Segment]:
        """A row of states as one segment per run of equal cells; `chosen`: in the selected span."""
        runs = self._chosen_runs if chosen else self._runs
        return list(map(runs.__getitem__, _RUNS.findall(row)))

    def _run(self, run: bytes, *, chosen: bool) -> Segment:
        state = min(run[0], NO_DATA)
        style = self.chosen(self.states[state]) if chosen else self.states[state]
        return Segment(GLYPHS[state] * len(run), style)

    def cursor(self, state: int) -> Segment:
        """One cell of the line that marks the position, on the colour of the state that it crosses."""
        segment = self._cursors.get(state)
        if segment is None:
            segment = self._cursors[state] = Segment("│", self._crossed[min(state, NO_DATA)])
        return segment

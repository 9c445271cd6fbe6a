"""Glyphs and colours (Okabe – Ito, safe for colour-blind eyes), and the interned pieces of rows.

Every state differs by its glyph as well as by its colour: NO_COLOR and monochrome screens read the same.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from rich.style import Style

from gilscope.model import State
from gilscope.views.cells import NO_DATA

GREEN, PURPLE, VERMILLION, BLUE, YELLOW, ORANGE = (
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#F0E442",
    "#E69F00",
)
GREY, DIM = "#9a9a9a", "#6c6c6c"
CHOSEN = "#2f3f5f"
"""Behind what is selected."""

GLYPHS = "█!░▓▒·? "
"""By state, as in model.State; the last is NO_DATA."""
COLOURS: tuple[str, ...] = (GREEN, PURPLE, VERMILLION, BLUE, YELLOW, GREY, DIM, DIM)

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

_RUNS = re.compile(rb"(.)\1*", re.DOTALL)


def legend_markup(width: int) -> str:
    """Glyphs and words of as many states as fit, as Textual's markup."""
    words = [f"[{COLOURS[state]}]{GLYPHS[state]}[/] {MEANINGS[state][0]}" for state in _LEGEND]
    lengths = [2 + len(MEANINGS[state][0]) for state in _LEGEND]
    while words and sum(lengths[: len(words)]) + 2 * (len(words) - 1) > width:
        words.pop()
    # A legend of two words explains little.
    return "  ".join(words) if len(words) > 2 else ""


class Palette:
    """All styles on one background, and segments for runs of equal cells, each made once."""

    def __init__(self, base: Style | None = None, *, colours: bool = True) -> None:
        """Styles on `base`; without `colours` only bold and dim tell things apart, and the glyphs."""
        base = base or Style.null()

        def style(colour: str, *, bold: bool = False, dim: bool = False) -> Style:
            return base + (Style(color=colour, bold=bold) if colours else Style(bold=bold, dim=dim))

        self.base, self.colours, self.plain = base, colours, False
        self.bold = base + Style(bold=True)
        self.dim = style(GREY)
        self.faint = style(DIM, dim=True)
        self.good = style(GREEN)
        self.live = style(GREEN, bold=True)
        self.paused = style(ORANGE, bold=True)
        self.replay = style(BLUE, bold=True)
        self.error = style(VERMILLION, bold=True)
        self.mark = style(ORANGE, bold=True)
        self.group = style(BLUE, bold=True)
        self.selected = base + Style(reverse=True)
        self.states = tuple(style(colour) for colour in COLOURS)
        white = style("#ffffff", bold=True)
        self._crossed = tuple(
            white + (Style(bgcolor=colour) if colours and state < State.BLOCKED else Style.null())
            for state, colour in enumerate(COLOURS)
        )
        self._chosen = Style(bgcolor=CHOSEN) if colours else Style(underline=True)
        self._runs: dict[bytes, Segment] = {}
        self._chosen_runs: dict[bytes, Segment] = {}
        self._cursors: dict[int, Segment] = {}

    def chosen(self, style: Style) -> Style:
        """A style in a span that is selected."""
        return style + self._chosen

    def cells(self, row: bytes, *, chosen: bool = False) -> list[Segment]:
        """A row of states as one segment per run of equal cells; `chosen`: in the selected span."""
        runs = self._chosen_runs if chosen else self._runs
        found = []
        for match in _RUNS.finditer(row):
            run = match.group()
            segment = runs.get(run)
            if segment is None:
                state = min(run[0], NO_DATA)
                style = self.chosen(self.states[state]) if chosen else self.states[state]
                segment = runs[run] = Segment(GLYPHS[state] * len(run), style)
            found.append(segment)
        return found

    def cursor(self, state: int) -> Segment:
        """One cell of the line that marks the position, on the colour of the state that it crosses."""
        segment = self._cursors.get(state)
        if segment is None:
            segment = self._cursors[state] = Segment("│", self._crossed[min(state, NO_DATA)])
        return segment

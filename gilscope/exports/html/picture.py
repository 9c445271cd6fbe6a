"""The timeline as a still picture: what a reader without JavaScript sees, and what is printed."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from html import escape

from gilscope.exports.html.timeline import Timeline
from gilscope.model import NS_PER_S, State
from gilscope.text import clean, cut


@dataclass(frozen=True, slots=True)
class Kind:
    """A state as the legend has it."""

    state: State
    glyph: str
    words: str


LEGEND = (
    Kind(State.RUNNING, "█", "executes Python: holds its GIL and is on a CPU"),
    Kind(State.WAITING, "░", "wants the GIL and does not have it"),
    Kind(State.NATIVE, "▓", "on a CPU without the GIL: C code that released it"),
    Kind(State.READY, "▒", "could run, but no CPU is free"),
    Kind(State.HOLDING, "!", "holds its GIL while off the CPU: nobody runs Python"),
    Kind(State.BLOCKED, "·", "asleep: I/O, a lock, a sleep"),
    Kind(State.UNKNOWN, "?", "could not be read"),
)
STACKED = (State.RUNNING, State.HOLDING, State.NATIVE, State.WAITING, State.READY, State.UNKNOWN)
"""From the bottom of a row to its top; what is left, it slept."""

WIDTH, LEFT, TOP = 1100, 170, 26
LANE, GIL, CORE, GAP = 22, 26, 16, 5
MOST_COLUMNS, MOST_PARTS = 300, 12_000
STEPS_S = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
)


def draw(timeline: Timeline) -> str:
    """An SVG element; its colours and patterns are those of the page."""
    drawing = _Drawing(timeline)
    return drawing.draw()


class _Drawing:
    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        rows = len(timeline.lanes) + len(timeline.gils) + len(timeline.cores)
        most = max(60, min(MOST_COLUMNS, MOST_PARTS // max(1, rows)))
        self.columns = max(1, min(most, timeline.count))
        self.column_width = (WIDTH - LEFT - 10) / self.columns
        self.y = TOP
        self.parts: list[str] = []

    def draw(self) -> str:
        timeline = self.timeline
        for gil in timeline.gils:
            self._label(gil.label, GIL)
            self._bars("running", gil.held, GIL)
            self._next(GIL)
        group = ""
        several = len({series.group for series in timeline.lanes}) > 1
        for series in timeline.lanes:
            if several and series.group != group:
                group = series.group
                self.y += GAP
                self._label(group, LANE, kind="group")
                self._next(LANE)
            self._label(series.lane.label, LANE)
            below = [0.0] * self.columns
            for state in STACKED:
                values = series.states.get(state)
                if values is not None:
                    below = self._bars(state.word, values, LANE, below)
            self._next(LANE)
        self.y += GAP
        for core in timeline.cores:
            self._label(f"core {core.core}", CORE)
            self._bars("other", core.busy, CORE)
            self._bars("native", core.target, CORE)
            self._next(CORE)
        axis = self._axis()
        height = self.y + 6
        return (
            f'<svg class="still" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Timeline of threads,'
            f' GIL and cores" font-size="12">{axis}{"".join(self.parts)}</svg>'
        )

    def _next(self, height: int) -> None:
        self.parts.append(f'<path class="line" d="M{LEFT} {self.y + height}H{WIDTH - 10}"/>')
        self.y += height + GAP

    def _label(self, text: str, height: int, *, kind: str = "name") -> None:
        shown = escape(cut(clean(text), 22))
        self.parts.append(
            f'<text class="{kind}" x="{LEFT - 8}" y="{self.y + height - 6}" text-anchor="end">{shown}</text>'
        )

    def _bars(
        self, kind: str, values: array[float], height: int, below: list[float] | None = None
    ) -> list[float]:
        """Bars of one kind over those that stand there; the tops."""
        tops, marks = [], []
        floors = below or [0.0] * self.columns
        for column, (floor, share) in enumerate(zip(floors, self._means(values), strict=True)):
            top = min(1.0, floor + max(0.0, share))
            tops.append(top)
            if top - floor > 0.01:
                x = LEFT + column * self.column_width
                y = self.y + height * (1 - top)
                w, h = self.column_width, height * (top - floor)
                marks.append(f"M{x:.1f} {y:.1f}h{w:.2f}v{h:.1f}h-{w:.2f}z")
        if marks:
            self.parts.append(f'<path class="fill-{kind}" d="{"".join(marks)}"/>')
        return tops

    def _means(self, values: array[float]) -> list[float]:
        count, known = self.timeline.count, self.timeline.known
        found = []
        for column in range(self.columns):
            begin, end = column * count // self.columns, (column + 1) * count // self.columns
            part = [values[i] for i in range(begin, end) if known[i] and values[i] >= 0]
            found.append(sum(part) / len(part) if part else 0.0)
        return found

    def _axis(self) -> str:
        cell_s = self.timeline.cell_ns / NS_PER_S
        start_s, span_s = self.timeline.first * cell_s, self.timeline.count * cell_s
        if span_s <= 0:
            return ""
        step = next((step for step in STEPS_S if span_s / step <= 12), STEPS_S[-1])
        marks, number = [], math.ceil(start_s / step)
        while number * step <= start_s + span_s:
            x = LEFT + (number * step - start_s) / span_s * (WIDTH - LEFT - 10)
            label = f"{number * step:g} s" if step < 60 else f"{number * step / 60:g} min"
            anchor = "start" if x < LEFT + 20 else "end" if x > WIDTH - 40 else "middle"
            marks.append(
                f'<path class="grid" d="M{x:.1f} {TOP - 6}V{self.y}"/>'
                f'<text class="tick" x="{x:.1f}" y="{TOP - 10}" text-anchor="{anchor}">{label}</text>'
            )
            number += 1
        return "".join(marks)


PATTERNS = """<svg class="patterns" aria-hidden="true"><defs>
<pattern id="p-holding" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="holding" width="6" height="6"/><path d="M0 0l6 6M6 0l-6 6" class="ink"/></pattern>
<pattern id="p-waiting" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="waiting pale" width="5" height="5"/><circle class="waiting" cx="1.5" cy="1.5" r="1.1"/><circle class="waiting" cx="4" cy="4" r="1.1"/></pattern>
<pattern id="p-native" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="native" width="6" height="6"/><path d="M-1 5l6 -6M1 7l6 -6" class="ink"/></pattern>
<pattern id="p-ready" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="ready" width="5" height="5"/><path d="M1.5 0v5" class="ink"/></pattern>
<pattern id="p-unknown" width="8" height="6" patternUnits="userSpaceOnUse"><rect class="unknown pale" width="8" height="6"/><path d="M1 3h5" class="dash"/></pattern>
</defs></svg>"""  # noqa: E501 - a line a pattern

"""The comparison's screen: places runs and table, turns keys into moves, draws when something changed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult

from gilscope.text import clock_text
from gilscope.views.axis import Axis
from gilscope.views.comparing import FOLDED_ROWS, OPEN_FROM_HEIGHT, ComparedTable, share_screen
from gilscope.views.present import Header
from gilscope.views.render.compared import cut_lines, render_compared, ways_shown
from gilscope.views.render.header import render_header
from gilscope.views.screens.compare_keys import BINDINGS, hints
from gilscope.views.screens.panelled import PanelledScreen
from gilscope.views.section import Section
from gilscope.views.widgets.keys import KeysLine
from gilscope.views.widgets.panel import Panel
from gilscope.views.widgets.runs import RunsPanel

BETWEEN_READS_S = 1 / 60
"""Keys are answered between two parts of what is read."""
COPY_COLUMNS = 200
"""As wide as the table may be where nobody has to see all of it at once."""
SIDE = 4
"""Columns that a panel's borders and padding take."""


class ComparisonScreen(PanelledScreen, inherit_bindings=False):
    """All runs on one axis of time, and the table below."""

    AUTO_FOCUS = ""
    BINDINGS = BINDINGS
    MAIN_PANEL = "compared"
    TITLE = "gilscope"

    def __init__(self, sections: Sequence[Section], table: ComparedTable) -> None:
        super().__init__()
        self.sections = sections
        self.table = table
        self.axis = Axis(max((section.end_ns for section in sections), default=0) or 1)
        self.opened: bool | None = None
        """Whether the table is open; None: where there is room."""
        self.pending = True
        """Something is still to be drawn or read."""
        self._asked = False
        self._heights: tuple[int, int] = (-1, -1)
        self.header = Panel("", id="header")
        self.runs = RunsPanel(id="runs")
        self.compared = Panel("Comparison", id="compared")
        for panel in (self.header, self.runs, self.compared):
            # There is nothing to choose between.
            panel.can_focus = False
        self.keys = KeysLine(hints(), id="keys")
        self.runs.put(sections)

    def compose(self) -> ComposeResult:
        """The panels from top to bottom."""
        yield self.header
        yield self.runs
        yield self.compared
        yield self.keys

    # --- size ---

    @property
    def table_is_open(self) -> bool:
        """Whether the table is shown, or the advice only."""
        return self.size.height >= OPEN_FROM_HEIGHT if self.opened is None else self.opened

    def on_resize(self, event: events.Resize) -> None:
        """Share the new size."""
        self._share(event.size.width, event.size.height)

    def _share(self, width: int, height: int) -> None:
        lines = len(
            render_compared(
                self.table, max(1, width - SIDE), self.compared.palette, opened=self.table_is_open
            )
        )
        plan = share_screen(height, table=lines if self.table_is_open else min(lines, FOLDED_ROWS))
        if (plan.runs, plan.table) != self._heights:
            self._heights = (plan.runs, plan.table)
            self.runs.styles.height = plan.runs
            self.compared.styles.height = plan.table
            self.compared.display = plan.table > 0
        self.redraw()

    def on_panel_changed(self) -> None:
        """A panel has another size or scroll position."""
        self.redraw()

    # --- drawing ---

    def redraw(self) -> None:
        """Draw as soon as all that waits has been handled: many keys at once are one picture."""
        self.pending = True
        if not self._asked and self.is_mounted:
            self._asked = True
            self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self._asked = False
        if not self.is_attached:
            return
        if self.runs.content_size.width and self.runs.content_size.height > 1:
            self.runs.lay_out()
            self.axis.resize(self.runs.columns.cells)
            self.pending = self.runs.read(self.axis)
            self.runs.draw(self.axis)
            if self.pending:
                self.set_timer(BETWEEN_READS_S, self.redraw)
        else:
            self.pending = False
        self._draw_around()

    def _draw_around(self) -> None:
        axis = self.axis
        count = len(self.sections)
        header = Header(
            title="compare",
            facts=(f"{count} run{'' if count == 1 else 's'}",),
            kind="ended" if axis.whole else "paused",
            state=f"{clock_text(axis.start_ns)} – {clock_text(axis.end_ns)}",
            costs=(),
        )
        self.header.show([render_header(header, self.header.size.width, self.header.palette)])
        self.keys.hints = hints(lanes=not self.runs.all_lanes_in_sight, runs=not self.runs.all_in_sight)
        self.keys.draw()
        width, height = self.compared.content_size
        if not self.compared.display or not width:
            return
        opened = self.table_is_open
        lines = render_compared(self.table, width, self.compared.palette, opened=opened)
        subtitle = ""
        ways = ways_shown(self.table, width)
        if not opened:
            subtitle = "t: the table"
        elif ways < len(self.table.labels):
            subtitle = f"{ways} of {len(self.table.labels)} ways: all are printed at the end"
        elif len(lines) > height:
            subtitle = "more is printed at the end"
        self.compared.show(cut_lines(lines, width, height, self.compared.palette), subtitle=subtitle)

    def copied(self) -> tuple[str, str]:
        """All of the table, whether it fits or not."""
        lines = render_compared(self.table, COPY_COLUMNS, self.compared.palette, opened=True)
        return "the comparison", "\n".join(line.text.rstrip() for line in lines)

    # --- keys ---

    def action_scroll(self, parts: int) -> None:
        """Later, or earlier if negative, by tenths of the screen."""
        step = max(1, self.axis.columns // 10)
        self.axis.scroll(parts * step)
        self.redraw()

    def action_zoom(self, steps: int) -> None:
        """To longer or shorter cells."""
        self.axis.zoom(steps)
        self.redraw()

    def action_whole(self) -> None:
        """All of the longest run."""
        self.axis.fit()
        self.redraw()

    def action_start(self) -> None:
        """To the start."""
        self.axis.scroll(-self.axis.cells)
        self.redraw()

    def action_end(self) -> None:
        """To the end of the longest run."""
        self.axis.scroll(self.axis.cells)
        self.redraw()

    def action_lanes(self, rows: int) -> None:
        """Scroll the lanes."""
        self.runs.move(rows)
        self.redraw()

    def action_run(self, runs: int) -> None:
        """The next run on top, or the one before: where not all have room."""
        self.runs.first += runs
        self.redraw()

    def action_table(self) -> None:
        """Fold the table away, or open it."""
        self.opened = not self.table_is_open
        self._share(self.size.width, self.size.height)

    def on_runs_panel_zoom(self, message: RunsPanel.Zoom) -> None:
        """The wheel over the cells."""
        self.axis.zoom(message.steps, message.column)
        self.redraw()

    def on_runs_panel_chosen_span(self, message: RunsPanel.ChosenSpan) -> None:
        """The mouse was dragged over the cells."""
        self.axis.show(message.first, message.last)
        self.redraw()

    def on_runs_panel_whole(self) -> None:
        """Two clicks on the cells."""
        self.action_whole()

    def on_runs_panel_scroll(self, message: RunsPanel.Scroll) -> None:
        """Shift and the wheel over the cells."""
        self.action_scroll(message.direction)

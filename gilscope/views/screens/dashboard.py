"""The dashboard: places the panels, turns keys into moves, and draws a frame when something changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Grid

from gilscope.model import Quality, SpanReport, Verdict
from gilscope.settings import PANELS
from gilscope.text import clock_text, duration_text
from gilscope.views.layout import BORDERS, Plan, plan
from gilscope.views.pace import Pace
from gilscope.views.panels import Panels
from gilscope.views.playback import Mode
from gilscope.views.present import present_header
from gilscope.views.render.footer import KeyHint
from gilscope.views.render.gil import render_gils
from gilscope.views.render.header import render_header
from gilscope.views.render.info import render_info
from gilscope.views.render.lines import fill, text_strip
from gilscope.views.render.scrub import ScrubState, column_of
from gilscope.views.render.words import render_span
from gilscope.views.screens.keys import BINDINGS, dashboard_hints
from gilscope.views.screens.picking import FilterLine, PickingScreen
from gilscope.views.viewing import Viewing
from gilscope.views.widgets.cores import CoresPanel
from gilscope.views.widgets.keys import KeysLine
from gilscope.views.widgets.lanes import LanesPanel
from gilscope.views.widgets.output import OutputPanel
from gilscope.views.widgets.panel import Panel
from gilscope.views.widgets.scrub import ScrubBar
from gilscope.views.widgets.verdict import VerdictPanel

if TYPE_CHECKING:
    from textual.events import Resize


class Dashboard(PickingScreen, inherit_bindings=False):
    """All panels on one screen, or one of them on all of it."""

    AUTO_FOCUS = ""
    MAIN_PANEL = "lanes"
    BINDINGS = BINDINGS
    TITLE = "gilscope"

    def __init__(
        self, title: str, *, live: bool, resize_output: Callable[[int, int], None] | None = None
    ) -> None:
        """A dashboard without a recording yet.

        Args:
            title: what is watched, in the user's words.
            live: a sampler of ours records it.
            resize_output: told the columns and rows of the output panel when they change.
        """
        super().__init__()
        self.what = title
        self.live = live
        self.resize_output = resize_output
        self._output_size = (0, 0)
        self.viewing: Viewing | None = None
        self.lost = False
        """The sampler died."""
        self.message = "Starting …"
        """Shown until there is a recording."""
        self.verdict: Verdict | None = None
        self.report: SpanReport | None = None
        """Of the selected span, or of one that was selected before, while the new one's is made."""
        self.quality: Quality | None = None
        """How well the session is watched, as of `quality_at_ns`; made while its panel is shown."""
        self.quality_at_ns = -1
        self.full: str | None = None
        """The panel that fills the screen."""
        self._shared: Plan | None = None
        self.pace: Pace | None = None
        """How often it is drawn."""
        self._drawn: tuple[object, ...] = ()
        self._dirty = True
        self._panels: Panels | None = None
        self.header = Panel("", id="header")
        self.header.can_focus = False
        self.gil = Panel("GIL", id="gil")
        self.lanes = LanesPanel(id="lanes")
        self.cores = CoresPanel(id="cores")
        self.words = VerdictPanel(id="verdict")
        self.output = OutputPanel(id="output")
        self.info = Panel("Watching: the whole session", id="info")
        self.info.display = False
        self.grid = Grid(self.gil, self.lanes, self.cores, self.words, self.output, self.info, id="panels")
        self.filter_line = FilterLine()
        self.scrub = ScrubBar(id="scrub")
        self._scrub_drawn: tuple[object, ...] = ()
        self._header_drawn: tuple[object, ...] = ()
        self.keys = KeysLine(dashboard_hints(live=live), id="keys")

    def compose(self) -> ComposeResult:
        """The panels from top to bottom."""
        yield self.header
        yield self.grid
        yield self.filter_line
        yield self.scrub
        yield self.keys

    # --- size ---

    def on_resize(self, event: Resize) -> None:
        """Share the new size."""
        self._share(event.size.width, event.size.height)

    def _share(self, width: int, height: int) -> None:
        viewing = self.viewing
        new = plan(
            width,
            height - self.filter_line.display,
            gils=len(viewing.panels().gils) if viewing else 1,
            lanes=len(viewing.panels().rows) if viewing else 4,
            cores=viewing.session.cores if viewing else 2,
            layout=self.layout_now,
            full=self.full,
        )
        if new == self._shared:
            return
        self._shared = new
        self.place(new, self.grid)
        self.scrub.display = new.scrub > 0
        self.scrub.styles.height = new.scrub
        self.redraw()

    def rearrange(self) -> None:
        """Place the panels anew: the user arranged them in another way."""
        self._share(self.size.width, self.size.height)
        self.redraw()

    def shown_rows(self, panel: str) -> int:
        """How high a panel is; 0: it is not shown."""
        return self._shared.height_of(panel) if self._shared else 0

    def show_full(self, panel: str | None) -> None:
        """Give one panel the whole screen; None: back to all."""
        self.full = panel
        self._share(self.size.width, self.size.height)
        if panel:
            self.query_one(f"#{panel}").focus()

    @property
    def wants_quality(self) -> bool:
        """The panel that says how well it is watched is on the screen."""
        return self.info.display

    def show_quality(self, quality: Quality | None, at_ns: int) -> None:
        """What is known of the watch up to a moment; None: it could not be read."""
        self.quality, self.quality_at_ns = quality, at_ns
        self.redraw()

    def redraw(self) -> None:
        """Let the next frame draw everything anew."""
        self._dirty = True

    def on_panel_changed(self) -> None:
        """A panel has another size or scroll position."""
        self._tell_output_size()
        self._draw_keys()
        self.redraw()
        self.frame(0)

    def _tell_output_size(self) -> None:
        """The target's terminal is as large as the output panel, once that has its place."""
        size = (self.output.text_columns, self.output.content_size.height)
        placed = (
            self.viewing
            and self._shared is not None
            and size[1] == self._shared.height_of("output") - BORDERS
        )
        if (
            self.resize_output
            and placed
            and self.output.display
            and size[1] > 0
            and size != self._output_size
        ):
            self._output_size = size
            self.resize_output(*size)

    # --- frames ---

    def frame(self, passed_ns: int) -> None:
        """Let `passed_ns` pass and draw what that changed."""
        viewing = self.viewing
        if viewing is None or not self.is_mounted:
            self._draw_header()
            if self._dirty and self.is_mounted:
                self._draw_message()
            return
        self._tell_room(viewing)
        viewing.advance(passed_ns)
        self._draw_header()
        self._draw_scrub(viewing)
        state = (
            viewing.moment,
            viewing.playback.mode,
            viewing.edge,
            viewing.cell_ns,
            min(viewing.edge, viewing.head_ns // viewing.cell_ns),
            viewing.columns,
        )
        if state == self._drawn and not self._dirty and not viewing.more:
            return
        anew, self._drawn, self._dirty = self._dirty, state, False
        self._draw(viewing, anew=anew)
        if anew:
            self._tell_output_size()  # the panel may have had its place before there was a recording

    def _tell_room(self, viewing: Viewing) -> None:
        """How much of the recording the panels have room for; a hidden one has none."""
        width = self.lanes.content_size.width
        if width:
            viewing.columns = self.lanes.columns(viewing.panels().rows, width).cells
            viewing.slots = self.lanes.slots
            viewing.fits = max(1, self.lanes.room)
        if self.cores.content_size.width:
            viewing.core_columns = max(4, self.cores.content_size.width)
        viewing.output_lines = max(200, self.output.content_size.height)

    def _draw_header(self) -> None:
        viewing = self.viewing
        playback = viewing.playback if viewing else None
        header = present_header(
            viewing.session if viewing else None,
            title=self.what,
            mode=playback.mode if playback else Mode.FOLLOW,
            speed=playback.speed if playback else 1.0,
            position_ns=playback.position_ns if playback else 0,
            head_ns=viewing.head_ns if viewing else 0,
            live=self.live,
            lost=self.lost,
        )
        drawn_for = (header, self.header.size.width, self.header.palette)
        if drawn_for != self._header_drawn or self._dirty:
            self._header_drawn = drawn_for
            self.header.show([render_header(*drawn_for)])

    def _draw_scrub(self, viewing: Viewing) -> None:
        columns = self.scrub.columns
        if not self.scrub.display or not columns or not self.scrub.content_size.height:
            return
        whole, position_ns = viewing.whole, viewing.playback.position_ns
        whole.fill(viewing.head_ns)
        # Much less than a column's worth of time makes no difference to see.
        step_ns = max(1, (viewing.head_ns - viewing.first_ns) // (8 * columns))
        column = column_of(position_ns, viewing.first_ns, viewing.head_ns, columns)
        key = (
            whole.version, self.scrub.content_size, column, viewing.head_ns // step_ns, viewing.first_ns,
        )  # fmt: skip
        if key == self._scrub_drawn and not self._dirty:
            return
        self._scrub_drawn = key
        self.scrub.draw(
            ScrubState(
                shares=whole.columns(columns, viewing.first_ns, viewing.head_ns),
                first_ns=viewing.first_ns,
                head_ns=viewing.head_ns,
                position_ns=position_ns,
                selection=whole.selection,
                begin_ns=whole.begin_ns,
                marks=[mark.at_ns for mark in whole.marks],
                stalls=whole.stalls,
            )
        )

    def _draw_message(self) -> None:
        self._dirty = False
        width, height = self.lanes.content_size
        palette = self.lanes.palette
        self.lanes.show(fill([text_strip(self.message, width, palette.dim, palette)], width, height, palette))

    def _draw(self, viewing: Viewing, *, anew: bool) -> None:
        panels = viewing.panels()
        if anew or panels is not self._panels:
            self._share(self.size.width, self.size.height)
        first = viewing.edge - viewing.columns
        if self.lanes.display:
            self.lanes.draw(
                panels.rows,
                viewing.timeline(),
                first=first,
                cursor=None if viewing.at_edge else viewing.cursor_cell - first,
                shares=panels.figures.held_share,
                holders=frozenset(panels.holders.values()),
                passes=viewing.passes(),
                now=viewing.now_slot,
                speed=viewing.playback.speed,
                chosen=self._chosen_cells(viewing, first),
                step=viewing.unit.value,
                picked=self.lanes_words(),
            )
        if panels is not self._panels or anew:
            before, self._panels = self._panels, panels
            self._draw_beside(panels, None if anew else before)

    @staticmethod
    def _chosen_cells(viewing: Viewing, first: int) -> tuple[int, int] | None:
        """The columns of the selected span."""
        span = viewing.whole.selection
        if span is None:
            return None
        return span[0] // viewing.cell_ns - first, -(-span[1] // viewing.cell_ns) - first

    def _draw_beside(self, panels: Panels, before: Panels | None) -> None:
        """Draw the panels other than the lanes: they change only with the quantum, the output by itself."""
        if self.gil.display and (before is None or panels.gils is not before.gils):
            title = "GIL" if len(panels.gils) < 2 else f"{len(panels.gils)} GILs"
            full, palette = self.full == "gil", self.gil.palette
            self.gil.show(render_gils(panels.gils, *self.gil.content_size, palette, full=full), title=title)
        if self.cores.display and (before is None or panels.cores is not before.cores):
            self.cores.draw(panels.cores, full=self.full == "cores")
        if self.words.display:
            self._draw_words()
        if self.output.display:
            self.output.foreign = self.viewing is not None and self.viewing.session.attached
            self.output.draw(panels.output, self.viewing.playback.position_ns if self.viewing else 0)
        if self.info.display:
            pictures = self.pace.words if self.pace else ""
            self.info.show(
                render_info(self.quality, *self.info.content_size, self.info.palette, pictures=pictures)
            )

    def _draw_words(self) -> None:
        (width, height), palette = self.words.content_size, self.words.palette
        span = self.viewing.whole.selection if self.viewing else None
        if span is None:
            growing = self.viewing is not None and self.viewing.growing
            title = "Verdict ── the last seconds" if growing else "Verdict"
            self.words.draw(self.verdict, title=title, whole=self.full == "verdict")
            return
        report = self.report if self.report and (self.report.start_ns, self.report.end_ns) == span else None
        self.words.show(
            render_span(report, width, height, palette),
            # How long it is comes first: a narrow border cuts the end.
            title=f"Selected {duration_text(span[1] - span[0])}: "
            f"{clock_text(span[0])} – {clock_text(span[1])}",
        )

    # --- keys ---

    def _draw_keys(self) -> None:
        """The keys that have a sense here: those of the focused panel first."""
        attached = self.viewing is not None and self.viewing.session.attached
        self.keys.hints = self.more_hints() + dashboard_hints(
            live=self.live and not attached, focused=self.focused, full=bool(self.full)
        )
        self.keys.draw()

    def more_hints(self) -> list[KeyHint]:
        """Keys of a screen that is more than a dashboard."""
        return []

    def copied(self) -> tuple[str, str]:
        """What is copied: a row, or all that a panel says, whether it fits or not."""
        if self.focused_panel() is self.words and self.verdict is not None:
            span = self.viewing.whole.selection if self.viewing else None
            verdict = self.report.verdict if span and self.report else self.verdict
            return "the verdict", "\n".join(
                [verdict.headline, *verdict.advice, *verdict.evidence, *verdict.also]
            )
        return super().copied()

    def action_rows(self, rows: int) -> None:
        """Another lane, while nothing that has rows of its own has the focus."""
        if self.lanes.display:
            self.lanes.focus()
            self.lanes.action_move(rows)

    def on_panel_chosen(self, message: Panel.Chosen) -> None:
        """Two clicks on a panel."""
        if message.panel in PANELS:
            self.action_panel(message.panel)

    def action_full(self) -> None:
        """The focused panel on the whole screen, or all panels again."""
        focused = self.focused.id if self.focused else None
        self.show_full(None if self.full else focused if focused in PANELS else "lanes")

    def action_back(self) -> None:
        """All panels again; else let go of the focus."""
        if self.end_filter():
            return
        if self.full:
            self.show_full(None)
        elif self.viewing and self.viewing.whole.selection:
            self.action_unselect()
        else:
            self.set_focus(None)

    def action_panel(self, panel: str) -> None:
        """One panel on the whole screen, or all again if it is."""
        self.show_full(None if self.full == panel else panel)

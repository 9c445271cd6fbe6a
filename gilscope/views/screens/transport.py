"""What moves the position: pause, steps, jumps, speeds, selection; by key, by wheel and by mouse."""

from __future__ import annotations

from gilscope.model import NS_PER_S
from gilscope.views.screens.panelled import PanelledScreen
from gilscope.views.viewing import Viewing
from gilscope.views.widgets.lanes import LanesPanel
from gilscope.views.widgets.scrub import ScrubBar

WORDS = {"handoff": "handoff", "stall": "stall", "mark": "mark", "process": "start of a process"}
"""What is jumped to, in the words of a message."""


class TransportScreen(PanelledScreen, inherit_bindings=False):
    """A screen over a recording, with a position that moves."""

    viewing: Viewing | None = None

    def frame(self, passed_ns: int) -> None:
        """Let `passed_ns` pass and draw what that changed."""
        raise NotImplementedError

    def _moved(self) -> None:
        self.frame(0)

    def _say(self, words: str) -> None:
        self.app.clear_notifications()  # what was said before is over
        self.notify(words, timeout=2, markup=False)

    # --- play ---

    def action_pause(self) -> None:
        """Pause or go on."""
        if self.viewing:
            self.viewing.toggle()
            self._moved()

    def action_slow(self) -> None:
        """To the next speed of slow motion."""
        if self.viewing:
            self.viewing.cycle_speed()
            self._moved()

    def action_speed(self, steps: int) -> None:
        """Slower (negative) or faster."""
        if self.viewing:
            self.viewing.change_speed(steps)
            self._moved()

    def action_skip_idle(self) -> None:
        """Leave idle time out while playing, or not."""
        if self.viewing:
            self.viewing.skip_idle = not self.viewing.skip_idle
            self._say(
                "Playing skips stretches in which the target only sleeps"
                if self.viewing.skip_idle
                else "Idle time is played as it was"
            )

    def action_follow(self) -> None:
        """To the newest moment, and stay there."""
        if self.viewing:
            self.viewing.follow()
            self._moved()

    # --- move ---

    def action_step(self, cells: int) -> None:
        """Scrub by timeline cells."""
        if self.viewing:
            self.viewing.step_cells(cells)
            self._moved()

    def action_unit_step(self, direction: int) -> None:
        """A sample, tick or handoff on or back."""
        if self.viewing:
            self.viewing.pause()
            if not self.viewing.step(direction):
                self._say(f"No {'later' if direction > 0 else 'earlier'} {self.viewing.unit.value}")
            self._moved()

    def action_unit(self) -> None:
        """What a step is: a sample, a tick or a handoff."""
        if self.viewing:
            self.viewing.unit = self.viewing.unit.following
            self._say(f", and . step by a {self.viewing.unit.value}")
            self.redraw()

    def redraw(self) -> None:
        """Let the next frame draw everything anew."""
        raise NotImplementedError

    def action_seconds(self, seconds: int) -> None:
        """Scrub by seconds."""
        if self.viewing:
            self.viewing.seek(self.viewing.playback.position_ns + seconds * NS_PER_S)
            self._moved()

    def action_start(self) -> None:
        """To the start of the recording."""
        if self.viewing:
            self.viewing.seek(0)
            self._moved()

    def action_jump(self, kind: str, direction: int) -> None:
        """To the next or previous handoff, stall, mark or start of a process."""
        if self.viewing:
            if not self.viewing.jump(kind, direction):
                self._say(f"No {'later' if direction > 0 else 'earlier'} {WORDS[kind]}")
            self._moved()

    def jump_to(self, at_ns: int) -> None:
        """Stand still at a moment."""
        if self.viewing:
            self.viewing.pause()
            self.viewing.seek(at_ns)
            self._moved()

    def action_zoom(self, steps: int) -> None:
        """To longer or shorter cells."""
        if self.viewing:
            self.viewing.zoom(steps)
            self._moved()

    # --- select ---

    def action_begin(self) -> None:
        """A selection begins at the position."""
        if self.viewing:
            self.viewing.whole.begin(self.viewing.playback.position_ns)
            self._say("The selection begins here: ) at its end")
            self._selected()

    def action_end(self) -> None:
        """It ends at the position."""
        if self.viewing:
            begin_ns, at_ns = self.viewing.whole.begin_ns, self.viewing.playback.position_ns
            if begin_ns is None and self.viewing.whole.selection is not None:
                begin_ns = self.viewing.whole.selection[0]
            if begin_ns is None or begin_ns == at_ns:
                self._say("First ( where the selection is to begin")
                return
            self.select(begin_ns, at_ns)

    def action_select_screen(self) -> None:
        """Select what the timeline shows."""
        if self.viewing:
            viewing = self.viewing
            first = max(0, viewing.edge - viewing.columns)
            self.select(first * viewing.cell_ns, viewing.edge * viewing.cell_ns)

    def action_unselect(self) -> None:
        """Select nothing."""
        if self.viewing and (self.viewing.whole.selection or self.viewing.whole.begin_ns is not None):
            self.viewing.whole.select(None)
            self._selected()

    def select(self, from_ns: int, to_ns: int) -> None:
        """Select a span, widened to whole ticks."""
        if self.viewing and self.viewing.head_ns > self.viewing.first_ns:
            span = self.viewing.whole_span(from_ns, to_ns)
            if span[1] > span[0]:
                self.viewing.whole.select(span)
                self._selected()

    def _selected(self) -> None:
        """The selection changed."""
        self.redraw()
        self._moved()

    # --- mouse ---

    def on_lanes_panel_seek(self, message: LanesPanel.Seek) -> None:
        """A click in the timeline."""
        if self.viewing:
            self.viewing.seek_column(message.column)
            self._moved()

    def on_lanes_panel_select(self, message: LanesPanel.Select) -> None:
        """The mouse was dragged over the timeline."""
        if self.viewing:
            left = self.viewing.edge - self.viewing.columns
            first, last = sorted((message.first, message.last))
            cell_ns = self.viewing.cell_ns
            self.select(max(0, left + first) * cell_ns, max(0, left + last + 1) * cell_ns)

    def on_lanes_panel_scrub(self, message: LanesPanel.Scrub) -> None:
        """The wheel over the timeline."""
        self.action_step(message.cells)

    def on_lanes_panel_zoom(self, message: LanesPanel.Zoom) -> None:
        """Ctrl and the wheel over the timeline."""
        if self.viewing:
            self.viewing.zoom(message.steps, message.column)
            self._moved()

    def on_lanes_panel_fold(self, message: LanesPanel.Fold) -> None:
        """A process is to be folded or unfolded."""
        if self.viewing:
            self.viewing.folded ^= {message.process}
            self.redraw()
            self._moved()

    def on_scrub_bar_seek(self, message: ScrubBar.Seek) -> None:
        """A click on the bar, or a drag."""
        if self.viewing:
            self.viewing.seek(message.at_ns)
            self._moved()

    def on_scrub_bar_select(self, message: ScrubBar.Select) -> None:
        """A drag with shift or ctrl."""
        self.select(message.from_ns, message.to_ns)

    def on_scrub_bar_scrub(self, message: ScrubBar.Scrub) -> None:
        """The wheel over the bar: a hundredth of the session."""
        if self.viewing:
            viewing = self.viewing
            step = max(NS_PER_S // 20, (viewing.head_ns - viewing.first_ns) // 100)
            viewing.seek(viewing.playback.position_ns + message.direction * step)
            self._moved()

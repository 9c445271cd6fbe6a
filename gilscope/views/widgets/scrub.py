"""The scrub bar: a click goes to a moment, dragging scrubs, dragging with shift or ctrl selects a span."""

from __future__ import annotations

from textual import events
from textual.message import Message

from gilscope.text import clock_text
from gilscope.views.render.scrub import ScrubState, bar_span, moment_at, place_at, render_scrub
from gilscope.views.widgets.panel import Panel


class ScrubBar(Panel, can_focus=False):
    """The whole session. Its only state is what the mouse does."""

    class Seek(Message):
        """Go to a moment."""

        def __init__(self, at_ns: int) -> None:
            self.at_ns = at_ns
            super().__init__()

    class Select(Message):
        """Select a span, from where the mouse was pressed to where it is."""

        def __init__(self, from_ns: int, to_ns: int) -> None:
            self.from_ns, self.to_ns = from_ns, to_ns
            super().__init__()

    class Scrub(Message):
        """The wheel was turned."""

        def __init__(self, direction: int) -> None:
            self.direction = direction
            super().__init__()

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("", id=id)
        self._span = (0, 0)
        self._state: ScrubState | None = None
        self._from_ns: int | None = None
        self._dragging = False

    @property
    def columns(self) -> int:
        """How many columns the bar has."""
        return bar_span(self.content_size.width)[1]

    def draw(self, state: ScrubState) -> None:
        """Draw it."""
        self._span, self._state = (state.first_ns, state.head_ns), state
        width, height = self.content_size
        self.show(render_scrub(state, width, height, self.palette))

    def _moment(self, event: events.MouseEvent) -> int:
        begin, columns = bar_span(self.content_size.width)
        return moment_at(event.x - begin, *self._span, columns)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A drag begins, or a click."""
        event.stop()
        self._dragging = True
        self.capture_mouse()
        self._from_ns = self._moment(event) if event.shift or event.ctrl else None
        if self._from_ns is None:
            # Who clicks on a mark or stall wants to go there, and not to where its column begins.
            there = place_at(self._state, self._bar_column(event), self.columns) if self._state else None
            self.post_message(self.Seek(self._moment(event) if there is None else there[0]))

    def _bar_column(self, event: events.MouseEvent) -> int:
        return event.x - bar_span(self.content_size.width)[0]

    def told(self, x: int, y: int) -> str | None:  # noqa: ARG002 - both rows say the same
        """The moment, and what stands there."""
        begin, columns = bar_span(self.content_size.width)
        if self._state is None or not 0 <= x - begin < columns:
            return None
        at_ns = moment_at(x - begin, *self._span, columns)
        there = place_at(self._state, x - begin, columns)
        if there is not None:
            return f"{there[1]}. A click goes there"
        share = self._state.shares[x - begin] if x - begin < len(self._state.shares) else None
        held = (
            "nothing was recorded" if share is None else f"the GIL was held {100 * share:.0f} % of the time"
        )
        return f"{clock_text(at_ns)}: {held}. A click goes there, a drag with shift selects"

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """It goes on."""
        if not self._dragging:
            return
        at_ns = self._moment(event)
        if self._from_ns is None:
            self.post_message(self.Seek(at_ns))
        elif at_ns != self._from_ns:
            self.post_message(self.Select(self._from_ns, at_ns))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """It is over."""
        event.stop()
        self._dragging = False
        self.release_mouse()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On in time."""
        event.stop()
        self.post_message(self.Scrub(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back in time."""
        event.stop()
        self.post_message(self.Scrub(-1))

"""The cores: all at a glance, or on the whole screen as a list to scroll through."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.binding import Binding

from gilscope.views.present import CoreRow
from gilscope.views.render.cores import lines_to_scroll, render_cores
from gilscope.views.widgets.panel import Panel


class CoresPanel(Panel):
    """The cores. Its only state is how far the list is scrolled."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("up", "scroll_lines(-1)", "Line up", show=False, id="cores.up"),
        Binding("down", "scroll_lines(1)", "Line down", show=False, id="cores.down"),
        Binding("pageup", "scroll_lines(-10)", "Page up", show=False, id="cores.page-up"),
        Binding("pagedown", "scroll_lines(10)", "Page down", show=False, id="cores.page-down"),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Cores", id=id)
        self.top = 0
        self._rows: Sequence[CoreRow] = ()
        self._full = False

    def draw(self, rows: Sequence[CoreRow], *, full: bool) -> None:
        """Draw them; `full`: the panel has the whole screen, and each core its label and history."""
        self._rows, self._full = rows, full
        width, height = self.content_size
        lines = lines_to_scroll(len(rows), width, height)
        self.top = max(0, min(self.top, lines - height)) if full else self.top
        title, subtitle = "Cores", ""
        if len(rows) > 1:
            title = f"Cores ── {len(rows)}"
        if full and lines > height:
            subtitle = f"lines {self.top + 1} – {self.top + height} of {lines}"
        strips = render_cores(rows, width, height, self.palette, top=self.top if full else None)
        self.show(strips, title=title, subtitle=subtitle)

    def action_scroll_lines(self, lines: int) -> None:
        """On by some lines, or back, where there are more than fit."""
        if self._full:
            self.top = max(0, self.top + lines)
            self.draw(self._rows, full=True)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back."""
        event.stop()
        self.action_scroll_lines(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On."""
        event.stop()
        self.action_scroll_lines(3)

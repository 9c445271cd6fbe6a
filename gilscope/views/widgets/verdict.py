"""The verdict: as much as fits beside the other panels, and all of it, to scroll, where it has the screen."""

from __future__ import annotations

from textual import events

from gilscope.model import Verdict
from gilscope.views.keymap import key as _key
from gilscope.views.render.lines import fill
from gilscope.views.render.verdict import render_whole_verdict
from gilscope.views.render.words import render_verdict
from gilscope.views.widgets.panel import Panel


class VerdictPanel(Panel):
    """The verdict. Its only state is how far it is scrolled."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key(
            "up,k", "scroll_lines(-1)", "A line up, where it has the screen", name="verdict.up", shown="↑ k"
        ),
        _key("down,j", "scroll_lines(1)", "A line down", name="verdict.down", shown="↓ j"),
        _key(
            "pageup,ctrl+u", "scroll_lines(-10)", "Ten lines up", name="verdict.page-up", shown="pgup ctrl u"
        ),
        _key(
            "pagedown,ctrl+d",
            "scroll_lines(10)",
            "Ten lines down",
            name="verdict.page-down",
            shown="pgdn ctrl d",
        ),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Verdict", id=id)
        self.top = 0
        self._more = 0
        """How many lines do not fit."""

    def draw(self, verdict: Verdict | None, *, title: str, whole: bool) -> None:
        """Draw it.

        Args:
            verdict: None as long as there is none.
            title: of the panel.
            whole: all that is known of it.
        """
        (width, height), palette = self.content_size, self.palette
        if not whole or verdict is None:
            self.top = self._more = 0
            self.show(render_verdict(verdict, width, height, palette), title=title, subtitle="")
            return
        lines = render_whole_verdict(verdict, width, palette)
        self._more = max(0, len(lines) - height)
        self.top = max(0, min(self.top, self._more))
        subtitle = f"{self._more - self.top} more lines: ↓" if self.top < self._more else ""
        self.show(fill(lines[self.top :], width, height, palette), title=title, subtitle=subtitle)

    def action_scroll_lines(self, lines: int) -> None:
        """Towards the end, or the beginning if negative."""
        top = max(0, min(self.top + lines, self._more))
        if top != self.top:
            self.top = top
            self.post_message(self.Changed())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Towards the beginning."""
        event.stop()
        self.action_scroll_lines(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Towards the end."""
        event.stop()
        self.action_scroll_lines(3)

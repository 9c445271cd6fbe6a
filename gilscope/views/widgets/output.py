"""What the target writes, newest line last; scrolls back when it has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.binding import Binding

from gilscope.views.render.words import STAMP_COLUMNS, render_output
from gilscope.views.terminal import OutputLine
from gilscope.views.widgets.panel import Panel


class OutputPanel(Panel):
    """The output. Its only state is how many lines it is scrolled back."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("up", "back(1)", "Line up", show=False, id="output.up"),
        Binding("down", "back(-1)", "Line down", show=False, id="output.down"),
        Binding("pageup", "back(10)", "Page up", show=False, id="output.page-up"),
        Binding("pagedown", "back(-10)", "Page down", show=False, id="output.page-down"),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Output", id=id)
        self.back = 0
        self.foreign = False
        """The target was there before us: what it prints goes elsewhere."""
        self.sought = ""
        """What was searched for: it stands out."""
        self._lines: Sequence[OutputLine] = ()

    @property
    def text_columns(self) -> int:
        """Columns that the target's text has."""
        return max(1, self.content_size.width - STAMP_COLUMNS)

    def draw(self, lines: Sequence[OutputLine]) -> None:
        """Draw the lines in sight."""
        self._lines = lines
        width, height = self.content_size
        self.back = max(0, min(self.back, len(lines) - height))
        subtitle = f"{self.back} lines back" if self.back else ""
        strips = render_output(
            lines, width, height, self.palette, back=self.back, sought=self.sought,
            foreign=self.foreign,
        )  # fmt: skip
        self.show(strips, subtitle=subtitle)

    def action_back(self, lines: int) -> None:
        """Scroll towards older lines, or newer ones if negative."""
        self.back = max(0, self.back + lines)
        self.draw(self._lines)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Older lines."""
        event.stop()
        self.action_back(3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Newer lines."""
        event.stop()
        self.action_back(-3)

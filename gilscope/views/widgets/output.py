"""What the target writes, newest line last; scrolls back when it has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events

from gilscope.text import clock_text
from gilscope.views.keymap import key as _key
from gilscope.views.render.words import STAMP_COLUMNS, render_output
from gilscope.views.terminal import OutputLine
from gilscope.views.widgets.panel import Panel


class OutputPanel(Panel):
    """The output. Its only state is how many lines it is scrolled back."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("up,k", "back(1)", "scroll", name="output.up", tooltip="A line back", shown="↑ k"),
        _key("down,j", "back(-1)", "A line on", name="output.down", shown="↓ j"),
        _key("pageup,ctrl+u", "back(10)", "Ten lines back", name="output.page-up", shown="pgup ctrl u"),
        _key("pagedown,ctrl+d", "back(-10)", "Ten lines on", name="output.page-down", shown="pgdn ctrl d"),
    ]  # fmt: skip

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Output", id=id)
        self.back = 0
        self.foreign = False
        """The target was there before us: what it prints goes elsewhere."""
        self.sought = ""
        """What was searched for: it stands out."""
        self.found: tuple[int, str] | None = None
        """Where a search led, and which of how many lines that is: "3/17"."""
        self._at_ns = 0
        self._lines: Sequence[OutputLine] = ()
        self._picked: OutputLine | None = None
        """The line that was clicked."""

    @property
    def text_columns(self) -> int:
        """Columns that the target's text has."""
        return max(1, self.content_size.width - STAMP_COLUMNS)

    def draw(self, lines: Sequence[OutputLine], at_ns: int) -> None:
        """Draw the lines in sight, up to a moment."""
        self._lines, self._at_ns = lines, at_ns
        width, height = self.content_size
        self.back = max(0, min(self.back, len(lines) - height))
        # Whoever went elsewhere since is at none of the lines that were found.
        hits = [f"found {self.found[1]}"] if self.found and self.found[0] == at_ns else []
        subtitle = " ── ".join(hits + ([f"{self.back} lines back"] if self.back else []))
        strips = render_output(
            lines, width, height, self.palette, back=self.back, sought=self.sought,
            foreign=self.foreign,
        )  # fmt: skip
        for row, line in enumerate(self._in_sight()):
            if line is self._picked or line == self._picked:
                strips[row] = strips[row].apply_style(Style(reverse=True))
        self.show(strips, subtitle=subtitle)

    def _in_sight(self) -> Sequence[OutputLine]:
        end = max(0, len(self._lines) - self.back)
        return self._lines[max(0, end - self.content_size.height) : end]

    def copied(self) -> tuple[str, str]:
        """The line that was clicked, while it is in sight; else the newest one that is."""
        lines = self._in_sight()
        if not lines:
            return "the line", ""
        line = self._picked if self._picked in lines and self._picked is not None else lines[-1]
        return "the line", line.text

    def told(self, x: int, y: int) -> str | None:
        """When a line was written."""
        lines = self._in_sight()
        if 0 <= y < len(lines) and x < self.content_size.width:
            return f"Written at {clock_text(lines[y].at_ns)}. A click chooses the line, y copies it"
        return None

    def on_click(self, event: events.Click) -> None:
        """Choose the line, or let go of it."""
        at, lines = event.get_content_offset(self), self._in_sight()
        if at is not None and event.chain == 1:
            line = lines[at.y] if at.y < len(lines) else None
            self._picked = None if line == self._picked else line
            self.draw(self._lines, self._at_ns)

    def action_back(self, lines: int) -> None:
        """Scroll towards older lines, or newer ones if negative."""
        self.back = max(0, self.back + lines)
        self.draw(self._lines, self._at_ns)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Older lines."""
        event.stop()
        self.action_back(3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Newer lines."""
        event.stop()
        self.action_back(-3)

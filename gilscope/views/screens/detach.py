"""The question at the end of a watch of a process that is not ours: it runs on, whatever the answer."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from gilscope.views.screens.dialogs import QuitScreen


class DetachScreen(QuitScreen, inherit_bindings=False):
    """Asks whether the watch is to end. Its answer to detach is that of a stop: of the watch."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("d,enter", "choose('stop')", "Detach", id="detach.detach"),
        Binding("escape,q", "choose('stay')", "Stay", id="detach.stay"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def compose(self) -> ComposeResult:
        """A question and two buttons."""
        with Vertical(classes="dialog"):
            yield Static("End the watch? The process runs on.", classes="question")
            with Horizontal():
                yield Button("Detach (d)", id="stop")
                yield Button("Stay (esc)", id="stay", variant="primary")

"""What all screens with panels have in common: copy, full screen, rows by key, and a size that is enough."""

from __future__ import annotations

from textual import events
from textual.screen import Screen

from gilscope.views.copying import copy
from gilscope.views.widgets.panel import Panel
from gilscope.views.widgets.small import Small


class PanelledScreen(Screen[None], inherit_bindings=False):
    """A screen of panels, one of which may have the focus."""

    DEFAULT_CSS = "PanelledScreen { layers: default above; }"
    MAIN_PANEL = ""
    """The panel that keys are for while none has the focus."""

    def on_mount(self) -> None:
        """Have what covers a screen that is too small."""
        if not self.is_attached:
            return  # the app ended before it began
        small = Small()
        self.mount(small)
        small.fit(*self.app.size)

    def on_resize(self, event: events.Resize) -> None:
        """Tell the user if the terminal has become too small."""
        for small in self.query(Small):
            small.fit(event.size.width, event.size.height)

    def focused_panel(self) -> Panel:
        """The one that has the focus, else the main one."""
        if isinstance(self.focused, Panel):
            return self.focused
        return self.query_one(f"#{self.MAIN_PANEL}", Panel)

    def action_copy(self) -> None:
        """What the panel offers, to the clipboard."""
        copy(self.app, *self.copied())

    def copied(self) -> tuple[str, str]:
        """What is copied: in words, and its text."""
        return self.focused_panel().copied()

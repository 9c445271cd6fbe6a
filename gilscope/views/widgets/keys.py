"""The footer: a line of keys that can be clicked."""

from __future__ import annotations

from textual import events

from gilscope.views.render.footer import KeyHint, hint_at, render_footer
from gilscope.views.widgets.panel import Panel


class KeysLine(Panel, can_focus=False):
    """Keys; a click does what the key does."""

    def __init__(self, hints: list[KeyHint], *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("", id=id)
        self.hints = hints

    def draw(self) -> None:
        """Draw the keys that fit."""
        width = self.content_size.width
        self.show([render_footer(self.hints, width, self.palette)])

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does."""
        event.stop()
        hint = hint_at(self.hints, self.content_size.width, event.x)
        if hint is not None:
            await self.app.run_action(
                hint.action,
                default_namespace=self.screen.query_one(f"#{hint.panel}") if hint.panel else self.screen,
            )

    def told(self, x: int, y: int) -> str | None:
        """What the key under the mouse does."""
        hint = hint_at(self.hints, self.content_size.width, x) if y == 0 else None
        return None if hint is None else f"{hint.key}: {hint.help or hint.word}"

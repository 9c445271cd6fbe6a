"""What both apps have in common: a screen that stays, and a command palette with every key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import on
from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widgets import Input

from gilscope.views.commands import system_commands
from gilscope.views.floor import FloorApp


class Modal(ModalScreen[ScreenResultType]):
    """A screen over others that closes once.

    Textual takes the topmost screen away whoever asks for it: of two quick escapes, the second one, which
    was sent before the first was done, would take away what is beneath.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close, if it is still there."""
        return super().dismiss(result) if self.is_active else AwaitComplete()


class Palette(CommandPalette):
    """The command palette; it closes once, likewise, and then searches no more."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close, if it is still there."""
        if not self.is_active:
            return AwaitComplete()
        self.workers.cancel_node(self)
        return super().dismiss(result)

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """What was typed before it closed may come after: a search would find its own list gone."""
        if not self.is_active:
            event.stop()
            event.prevent_default()


class StandingApp(FloorApp):
    """An app with one main screen, which nothing but the end takes away."""

    ENABLE_COMMAND_PALETTE = True

    def pop_screen(self) -> AwaitComplete:
        """Take the topmost screen away, but never the main one."""
        return super().pop_screen() if len(self.screen_stack) > 2 else AwaitComplete()

    def action_command_palette(self) -> None:
        """All actions by name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: the same actions as the keys."""
        return system_commands(self, screen)

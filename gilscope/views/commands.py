"""The command palette: every key of the screen and of its panels, by name.

It is made from the same tables as the keys themselves, so that none can be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from gilscope.views.helping import ABOUT
from gilscope.views.keymap import declared, keys_of, more_of, name_of


@dataclass(frozen=True, slots=True)
class Command:
    """An action that can be chosen by name."""

    binding: Binding
    node: DOMNode
    """Whose action it is: the app, the screen or a panel."""
    place: str
    """The panel, in words; "" for the whole screen."""

    @property
    def title(self) -> str:
        """Its name."""
        name = name_of(self.binding)
        return f"{self.place}: {name}" if self.place else name

    @property
    def help(self) -> str:
        """Its key, and more about it."""
        more = more_of(self.binding)
        return f"key {keys_of(self.binding)}" + (f" · {more}" if more else "")


def panels_of(screen: Screen[Any]) -> Iterator[Widget]:
    """The parts of a screen that have keys of their own and can be seen."""
    for widget in screen.query("*"):
        if widget.can_focus and widget.display and declared(widget):
            yield widget


def place_of(panel: Widget) -> str:
    """A panel in words."""
    about = ABOUT.get(panel.id or "")
    return "Text" if about is None else about.title


def commands(app: App[Any], screen: Screen[Any]) -> list[Command]:
    """All actions that there are on a screen: those of its focused panel first."""
    found = [
        Command(binding, panel, place_of(panel))
        for panel in sorted(panels_of(screen), key=lambda panel: panel is not screen.focused)
        for binding in declared(panel)
    ]
    found += [Command(binding, screen, "") for binding in declared(screen)]
    taken = {command.binding.action.removeprefix("app.") for command in found}
    found += [Command(binding, app, "") for binding in declared(app) if binding.action not in taken]
    return found


def system_commands(app: App[Any], screen: Screen[Any]) -> Iterator[SystemCommand]:
    """The same for Textual's palette."""
    for command in commands(app, screen):
        yield SystemCommand(command.title, command.help, _runner(app, command))


def _runner(app: App[Any], command: Command) -> Callable[[], Coroutine[Any, Any, None]]:
    async def run() -> None:
        node = command.node
        if isinstance(node, Widget) and not isinstance(node, Screen):
            node.focus()
        await app.run_action(command.binding.action, default_namespace=node)

    return run

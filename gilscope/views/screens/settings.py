"""Layout and settings, in a list that is changed by keys; what is changed is seen at once, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gilscope.model import NS_PER_MS
from gilscope.settings import DEFAULTS, PANELS, Settings
from gilscope.text import cell_text
from gilscope.views import layout
from gilscope.views.cells import ZOOMS_NS
from gilscope.views.keymap import key as _key
from gilscope.views.screens.arranging import NAMES
from gilscope.views.standing import Modal
from gilscope.views.themes import NAMES as THEME_NAMES

FRAME_RATES = (5, 10, 15, 20, 30, 60)
CELLS_MS = tuple(cell_ns // NS_PER_MS for cell_ns in ZOOMS_NS)
WORDS = {
    "theme": "Theme",
    "cell_ms": "Cells at the start",
    "frame_rate": "Frames a second",
    "fold": "Processes",
}
_KEYS = ("enter show or hide", "← → change", "shift ↑ ↓ move", "r defaults", "esc close")
HELP = "   ".join(key.replace(" ", "\N{NO-BREAK SPACE}") for key in _KEYS)
"""A narrow line is not broken between a key and its word."""
_T = TypeVar("_T")


class SettingsScreen(Modal[None]):
    """Panels with their place and size, and the other settings."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("left,minus", "step(-1)", "Less, or the value before", name="settings.less", shown="← −"),
        _key(
            "right,plus,equals_sign", "step(1)", "More, or the next value", name="settings.more", shown="→ +"
        ),
        _key("shift+up,K", "move(-1)", "The panel further up", name="settings.up", shown="shift ↑"),
        _key("shift+down,J", "move(1)", "The panel further down", name="settings.down", shown="shift ↓"),
        _key("space", "show", "Show or hide the panel", name="settings.toggle", shown="space enter"),
        _key("r", "defaults", "The defaults again", name="settings.defaults"),
        _key(
            "question_mark,f1", "app.help", "help", name="settings.help", tooltip="What can be set", shown="?"
        ),
        _key("escape,q,L", "dismiss", "Close", name="settings.close", shown="esc"),
    ]

    def __init__(self, settings: Settings, put: Callable[[Settings], None]) -> None:
        """A list.

        Args:
            settings: as they are.
            put: told of each change.
        """
        super().__init__()
        self._settings, self._put = settings, put

    def compose(self) -> ComposeResult:
        """The list and its keys."""
        with Vertical(classes="dialog"):
            yield Static("Layout and settings", classes="question")
            yield OptionList(id="settings")
            yield Static(HELP, id="settings-keys", markup=False)

    def on_mount(self) -> None:
        """Begin."""
        if self.is_attached:  # else it was closed before it was open
            self._list("panel-" + self._panels()[0])

    def _panels(self) -> list[str]:
        """All of them; hidden ones where they would be shown, so that the cursor need not jump."""
        arranged = self._settings.layout
        for panel in PANELS:
            if panel not in arranged.panels:
                arranged = layout.toggled(arranged, panel)
        return list(arranged.panels)

    def _list(self, chosen: str) -> None:
        """List all anew, with one of them chosen."""
        options: list[Option] = []
        for panel in self._panels():
            shown = panel in self._settings.layout.panels
            more = self._settings.layout.rows.get(panel, 0)
            rows = f"{more:+d} rows" if more else "as many rows as it needs"
            text = Text(f"{'■' if shown else '·'} {NAMES[panel]:<20}", no_wrap=True)
            text.append(rows if shown else "hidden", "" if shown else "dim")
            options.append(Option(text, id=f"panel-{panel}"))
        for name, word in WORDS.items():
            text = Text(f"  {word:<20}{self._value(name)}", no_wrap=True)
            options.append(Option(text, id=name))
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(options)
        listed.highlighted = next((number for number, option in enumerate(options) if option.id == chosen), 0)

    def _value(self, name: str) -> str:
        if name == "theme":
            return self.app.theme
        if name == "cell_ms":
            return cell_text(self._settings.cell_ms * NS_PER_MS)
        if name == "fold":
            return "folded at the start" if self._settings.fold else "unfolded at the start"
        return str(self._settings.frame_rate)

    @property
    def _chosen(self) -> str:
        option = self.query_one(OptionList).highlighted_option
        return (option.id or "") if option else ""

    def _change(self, settings: Settings) -> None:
        chosen = self._chosen
        if settings != self._settings:
            self._settings = settings
            self._put(settings)
            self._list(chosen)

    def _arrange(self, change: Callable[..., Any], *arguments: Any) -> None:
        arranged = change(self._settings.layout, *arguments)
        self._change(msgspec.structs.replace(self._settings, layout=arranged))

    # --- keys ---

    def action_step(self, by: int) -> None:
        """A row more or less for a panel; the next value of a setting."""
        chosen = self._chosen
        if chosen.startswith("panel-"):
            self._arrange(layout.resized, chosen.removeprefix("panel-"), by)
        elif chosen == "theme":
            self._change(msgspec.structs.replace(self._settings, theme=self._theme(by)))
        elif chosen == "cell_ms":
            after = beside(CELLS_MS, self._settings.cell_ms, by)
            self._change(msgspec.structs.replace(self._settings, cell_ms=after))
        elif chosen == "frame_rate":
            rate = beside(FRAME_RATES, self._settings.frame_rate, by)
            self._change(msgspec.structs.replace(self._settings, frame_rate=rate))
        elif chosen == "fold":
            self._change(msgspec.structs.replace(self._settings, fold=not self._settings.fold))

    def _theme(self, by: int) -> str:
        known = self.app.theme
        at = THEME_NAMES.index(known) if known in THEME_NAMES else 0
        return THEME_NAMES[(at + by) % len(THEME_NAMES)]

    def action_move(self, by: int) -> None:
        """A panel up or down."""
        if self._chosen.startswith("panel-"):
            self._arrange(layout.moved, self._chosen.removeprefix("panel-"), by)

    def action_show(self) -> None:
        """Show or hide a panel; the next value of a setting."""
        if self._chosen.startswith("panel-"):
            self._arrange(layout.toggled, self._chosen.removeprefix("panel-"))
        else:
            self.action_step(1)

    def on_option_list_option_selected(self) -> None:
        """Enter, or a click."""
        self.action_show()

    def action_defaults(self) -> None:
        """As if nothing had ever been set."""
        self._change(DEFAULTS)


def beside(values: Sequence[_T], value: _T, by: int) -> _T:
    """The value before or after one, as far as there is one; any other counts as the first."""
    at = values.index(value) if value in values else 0
    return values[max(0, min(at + by, len(values) - 1))]

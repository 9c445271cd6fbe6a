"""What both apps share: themes, ASCII-only terminals, and the settings that are remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from textual.driver import Driver
from textual.theme import Theme

from gilscope.errors import UsageError
from gilscope.settings import DEFAULTS, Settings
from gilscope.text import clean
from gilscope.views.ascii import to_ascii
from gilscope.views.standing import StandingApp
from gilscope.views.themes import EDGE_VARIABLE, MONOCHROME, THEMES, check_theme, edge_of

SAVE_AFTER_S = 0.5
"""Several changes in a row are written once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the screen looks, as the command line and the settings have it."""

    settings: Settings = DEFAULTS
    theme: str | None = None
    """For this once, in place of the settings' theme."""
    plain: bool = False
    """The terminal shows ASCII only."""
    problem: str = ""
    """Why the settings are not those of the user's file."""
    remember: Callable[[Settings], None] | None = None
    """Writes settings; None: nothing is remembered. May raise UsageError."""


class ScopeApp(StandingApp):
    """An app with our themes."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = DEFAULTS
        self.plain = False
        self._problem = ""
        self._remember: Callable[[Settings], None] | None = None
        self._unsaved = False
        self._theme_set = ""
        for theme in THEMES:
            self.register_theme(theme)
        self._put_theme(DEFAULTS.theme)

    def put_look(self, look: Look) -> None:
        """Look like this; to be called before `run`."""
        self.settings, self._remember, self._problem = look.settings, look.remember, look.problem
        try:
            self._put_theme(check_theme(look.theme or look.settings.theme))
        except UsageError as error:
            self._problem = self._problem or str(error)
        if look.plain:
            self.plain = True
            self.driver_class = plain_driver(self.driver_class)

    def _put_theme(self, name: str) -> None:
        self.theme = self._theme_set = MONOCHROME if self.no_color else name

    def on_mount(self) -> None:
        """Say what is wrong with the settings, and watch what is changed."""
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        if self._problem:
            self.notify(
                f"{clean(self._problem.replace(chr(10), ' '))} The defaults hold, and nothing is remembered.",
                title="Settings", severity="warning", timeout=10, markup=False,
            )  # fmt: skip

    def on_unmount(self) -> None:
        """What was changed last is remembered too."""
        self._save()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The colour of borders, where a theme does not say it."""
        theme = self.current_theme
        return {EDGE_VARIABLE: edge_of(theme, theme.to_color_system().generate())}

    # --- what is remembered ---

    def _theme_changed(self, theme: Theme) -> None:
        # Of two quick changes this is told after both: to go back to the first would call for the second
        # again, without an end.
        if theme.name == self.theme and theme.name != self._theme_set:
            self._theme_set = theme.name
            self.change(msgspec.structs.replace(self.settings, theme=theme.name))

    def change(self, settings: Settings) -> None:
        """Have other settings from now on, and remember them."""
        if settings == self.settings:
            return
        before, self.settings = self.settings, settings
        if settings.theme not in (before.theme, self.theme) and not self.no_color:
            self.theme = self._theme_set = settings.theme
        self.settings_changed(before)
        if self._remember is not None and not self._problem:
            if not self._unsaved:
                self.set_timer(SAVE_AFTER_S, self._save)
            self._unsaved = True

    def settings_changed(self, before: Settings) -> None:
        """Let other settings hold at once, where they are not of the start only."""

    def _save(self) -> None:
        if not self._unsaved or self._remember is None:
            return
        self._unsaved = False
        try:
            self._remember(self.settings)
        except UsageError as error:
            self._remember = None
            if self.is_running:
                self.notify(
                    clean(str(error).replace("\n", " ")),
                    title="Not remembered", severity="warning", markup=False,
                )  # fmt: skip


def plain_driver(kind: type[Driver]) -> type[Driver]:
    """A driver that writes ASCII only."""

    class PlainDriver(kind):  # type: ignore[misc, valid-type]
        def write(self, data: str) -> None:
            super().write(to_ascii(data))

    return PlainDriver

"""What arranges the panels: which are shown, in which order, how high; by key and on a screen of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec
from textual.binding import BindingType
from textual.containers import Grid

from gilscope.settings import PANELS, Layout, Settings
from gilscope.views import layout
from gilscope.views.keymap import key as _key
from gilscope.views.layout import Plan
from gilscope.views.scope_app import ScopeApp
from gilscope.views.screens.transport import TransportScreen

NAMES = {
    "gil": "GIL",
    "lanes": "Lanes",
    "cores": "Cores",
    "verdict": "Verdict",
    "output": "Output",
    "info": "Info",
}
"""Panels for people."""


BINDINGS: tuple[BindingType, ...] = (
    _key("L", "layout", "Layout and settings", name="layout", shown="L"),
    _key("ctrl+down", "panel_rows(1)", "The focused panel higher", name="panel-higher", shown="ctrl ↓"),
    _key("ctrl+up", "panel_rows(-1)", "The focused panel lower", name="panel-lower", shown="ctrl ↑"),
    _key("shift+down", "panel_move(1)", "The focused panel further down", name="panel-down", shown="shift ↓"),
    _key("shift+up", "panel_move(-1)", "The focused panel further up", name="panel-up", shown="shift ↑"),
    _key("X", "panel_hide", "Hide the focused panel; L shows it again", name="panel-hide", shown="X"),
)


class ArrangingScreen(TransportScreen, inherit_bindings=False):
    """A screen of panels that its user arranges."""

    full: str | None = None

    @property
    def scope_app(self) -> ScopeApp:
        """The app, which has the settings."""
        return cast("ScopeApp", self.app)

    @property
    def layout_now(self) -> Layout:
        """As the user arranged it."""
        return self.scope_app.settings.layout

    def rearrange(self) -> None:
        """Place the panels anew."""
        raise NotImplementedError

    def place(self, plan: Plan, grid: Grid) -> None:
        """Put the panels where a plan has them."""
        order = [panel for row in plan.rows for panel in row.panels]
        spans = {panel: 2 // len(row.panels) for row in plan.rows for panel in row.panels}
        for widget in grid.children:
            name = widget.id or ""
            widget.display = name in spans
            widget.styles.column_span = spans.get(name, 2)
        order += [panel for panel in PANELS if panel not in order]
        if [widget.id for widget in grid.children] != order:
            grid.sort_children(key=lambda widget: order.index(widget.id or ""))
        grid.styles.grid_rows = " ".join(str(row.height) for row in plan.rows)

    # --- keys ---

    def _change(self, change: Callable[[Layout], Layout]) -> bool:
        """Arrange it in another way; False: that changes nothing."""
        app = self.scope_app
        new = change(self.layout_now)
        if new == self.layout_now:
            return False
        app.change(msgspec.structs.replace(app.settings, layout=new))
        self.rearrange()
        return True

    def _focused_panel(self) -> str | None:
        name = self.focused.id if self.focused else None
        if name not in PANELS:
            self._say("First tab to a panel, or click one")
            return None
        if self.full:
            self._say("Escape shows all panels: then they can be arranged")
            return None
        return name

    def action_panel_move(self, by: int) -> None:
        """The focused panel up or down."""
        panel = self._focused_panel()
        if panel and not self._change(lambda now: layout.moved(now, panel, by)):
            self._say(f"{NAMES[panel]} stands {'last' if by > 0 else 'first'}")

    def action_panel_rows(self, by: int) -> None:
        """The focused panel higher or lower."""
        panel = self._focused_panel()
        if panel is None:
            return
        before, shown = self.layout_now, self.shown_rows(panel)
        self._change(lambda now: layout.resized(now, panel, by))
        if self.shown_rows(panel) == shown:
            # What cannot be seen is not remembered: the next step back would change nothing.
            self._change(lambda _: before)
            self._say(f"{NAMES[panel]} cannot be {'higher' if by > 0 else 'lower'} here")

    def shown_rows(self, panel: str) -> int:
        """How high a panel is."""
        raise NotImplementedError

    def action_panel_hide(self) -> None:
        """The focused panel away."""
        panel = self._focused_panel()
        if panel is None:
            return
        if self._change(lambda now: layout.without(now, panel)):
            self.set_focus(None)
            self._say(f"{NAMES[panel]} is hidden: L shows it again")
        else:
            self._say("The last panel stays")

    def action_layout(self) -> None:
        """All that can be arranged and set."""
        from gilscope.views.screens.settings import SettingsScreen  # noqa: PLC0415 - it shows our names

        before = self.scope_app.settings

        def put(settings: Settings) -> None:
            self.scope_app.change(settings)
            self.rearrange()

        self.app.push_screen(SettingsScreen(before, put))

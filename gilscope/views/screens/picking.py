"""Which lanes are shown: filtered as one types, sorted, pinned."""

from __future__ import annotations

from dataclasses import replace

from textual.widgets import Input

from gilscope.views.lane_rows import ORDERS, LaneOrder
from gilscope.views.screens.arranging import ArrangingScreen
from gilscope.views.widgets.lanes import LanesPanel


class FilterLine(Input):
    """What is typed to see some lanes only."""

    def __init__(self) -> None:
        super().__init__(
            placeholder="lanes with …   enter keeps it, escape shows all again", id="lanes-filter"
        )
        self.display = False


class PickingScreen(ArrangingScreen, inherit_bindings=False):
    """A screen with lanes."""

    lanes: LanesPanel
    filter_line: FilterLine

    def _order(self, order: LaneOrder) -> None:
        if self.viewing:
            self.viewing.order = order
            self.redraw()
            self._moved()

    def lanes_words(self) -> str:
        """How the lanes are picked, for the title."""
        if not self.viewing:
            return ""
        order = self.viewing.order
        words = [ORDERS[order.by], f"with “{order.only}”" if order.only else ""]
        return " ── ".join(word for word in words if word)

    def action_lanes_sort(self, step: int) -> None:
        """By the next thing, or the one before."""
        if self.viewing:
            known = list(ORDERS)
            by = known[(known.index(self.viewing.order.by) + step) % len(known)]
            self._order(replace(self.viewing.order, by=by))
            self._say(f"Lanes {ORDERS[by] or 'as they started'}")

    def action_lanes_filter(self) -> None:
        """Type what lanes must have in their name."""
        self._show_line(shown=True)
        self.filter_line.focus()

    def _show_line(self, *, shown: bool) -> None:
        self.filter_line.display = shown
        self.rearrange()

    def end_filter(self) -> bool:
        """Show all lanes again; False: all were shown."""
        if not self.filter_line.display:
            return False
        self._show_line(shown=False)
        self.filter_line.value = ""
        self.lanes.focus()
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """As it is typed."""
        if self.viewing and event.input is self.filter_line:
            self._order(replace(self.viewing.order, only=event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the lanes; the filter stays."""
        if event.input is self.filter_line:
            self._show_line(shown=bool(event.value.strip()))
            self.lanes.focus()

    def on_lanes_panel_pin(self, message: LanesPanel.Pin) -> None:
        """A lane is to stay on top, or no more."""
        if self.viewing:
            pinned = self.viewing.order.pinned
            if message.lane in pinned:
                rest = tuple(lane for lane in pinned if lane != message.lane)
            else:
                rest = (*pinned, message.lane)
            self._order(replace(self.viewing.order, pinned=rest))

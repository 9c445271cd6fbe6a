"""Text to read, which scrolls by arrows, by vim's keys and by the wheel."""

from __future__ import annotations

from textual.containers import VerticalScroll

from gilscope.views.keymap import key as _key


class Reading(VerticalScroll):
    """A column of text."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("up,k", "scroll_up", "Line up", name="reading.up", shown="↑ k"),
        _key("down,j", "scroll_down", "Line down", name="reading.down", shown="↓ j"),
        _key("pageup,ctrl+u", "page_up", "Page up", name="reading.page-up", shown="page up ctrl u"),
        _key("pagedown,ctrl+d", "page_down", "Page down", name="reading.page-down", shown="page down ctrl d"),
        _key("home,g", "scroll_home", "To the top", name="reading.top", shown="g home"),
        _key("end,G", "scroll_end", "To the bottom", name="reading.bottom", shown="G end"),
    ]

"""A terminal of a few characters: nothing is ever laid out on less than a floor.

Widgets, ours and Textual's, divide by their width and count down from it. None of them has to bear a terminal
of one column: below the floor the screens keep its size, unseen, and the terminal says that it is too small.
"""

from __future__ import annotations

from typing import Any

from rich.control import Control
from rich.segment import Segment, Segments
from textual import events
from textual.app import App
from textual.geometry import Size

FLOOR = Size(30, 8)
"""The least that a screen is laid out on."""
WORDS = ("Too small.", "Make it larger.")


def on_floor(size: Size) -> Size:
    """What a terminal of this size is laid out on."""
    return Size(max(size.width, FLOOR.width), max(size.height, FLOOR.height))


def too_small(size: Size) -> Segments:
    """What stands on a terminal below the floor, as much of it as fits."""
    lines = [line[: size.width] for line in WORDS[: size.height]]
    # No line feed: the last row would scroll.
    parts = [segment for row, line in enumerate(lines) for segment in (_at(row), Segment(line))]
    return Segments([Control.clear().segment, *parts])


def _at(row: int) -> Segment:
    return Control.move_to(0, row).segment


class FloorApp(App[None]):
    """An app that is laid out on the floor at least. Below it nothing is drawn but that it is too small."""

    def __init__(self) -> None:
        super().__init__()
        self._below: Size | None = None
        """The terminal, while it is below the floor."""
        self._told: Size | None = None

    @property
    def size(self) -> Size:
        """What the screens are laid out on: the terminal, or the floor."""
        return on_floor(super().size)

    def on_resize(self, event: events.Resize) -> None:
        """Textual's own handler comes after this one, and sees a terminal that is large enough."""
        real, event.size = event.size, on_floor(event.size)
        event.virtual_size = event.container_size = event.size
        was, self._below = self._below, real if real != event.size else None
        if self._below or was:
            # The size that Textual knows may be the same as before, and what is on the terminal is not.
            self._told = None
            self.screen.refresh()

    def _display(self, screen: Any, renderable: Any) -> None:
        if self._below is None:
            super()._display(screen, renderable)
        elif self._told != self._below and not self._batch_count:
            self._told = self._below
            super()._display(screen, too_small(self._below))

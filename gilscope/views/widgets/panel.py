"""A bordered part of the screen that is drawn from ready lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gilscope.views.render.palette import Palette


class Panel(Widget, can_focus=True):
    """Shows lines that somebody else rendered, and repaints only those that changed."""

    HELP: ClassVar[str] = ""
    """What the panel shows, for the help screen."""

    class Changed(Message):
        """The panel's size or scroll position changed: its lines have to be made anew."""

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.border_title = title
        self._strips: list[Strip] = []
        self._palette: Palette | None = None

    @property
    def palette(self) -> Palette:
        """Colours on the panel's background."""
        base = self.rich_style
        if self._palette is None or self._palette.base != base:
            self._palette = Palette(base)
        return self._palette

    def show(self, strips: Sequence[Strip], *, title: str | None = None, subtitle: str | None = None) -> None:
        """Show lines, of which there should be as many as the panel is high."""
        if title is not None and title != self.border_title:
            self.border_title = title
        if subtitle is not None and subtitle != self.border_subtitle:
            self.border_subtitle = subtitle
        before, self._strips = self._strips, list(strips)
        width = self.content_size.width
        regions: list[Region] = []
        for y, strip in enumerate(strips):
            if y < len(before) and (before[y] is strip or before[y] == strip):
                continue
            if regions and regions[-1].bottom == y:
                last = regions.pop()
                regions.append(Region(0, last.y, width, last.height + 1))
            else:
                regions.append(Region(0, y, width, 1))
        if len(before) > len(strips):
            self.refresh()
        elif regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """The line that was given for this row."""
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.content_size.width, self.rich_style)

    def on_resize(self) -> None:
        """Lines of the old size would be drawn wrong."""
        self._strips = []
        self.post_message(self.Changed())

    def notify_style_update(self) -> None:
        """A theme or the focus changed the colours."""
        super().notify_style_update()
        self._palette = None
        if self.is_mounted:
            self.post_message(self.Changed())

"""A bordered part of the screen that is drawn from ready lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual import events, on
from textual.geometry import Region, Size, Spacing
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gilscope.views.helping import ABOUT
from gilscope.views.render.palette import Palette
from gilscope.views.render.row import Row
from gilscope.views.themes import palette_of
from gilscope.views.words import word_at


class Panel(Widget, can_focus=True):
    """Shows lines that somebody else rendered, and repaints only those that changed.

    Textual draws the border once; between two borders a line goes to the screen as it is. That halves
    what a frame costs against `render_line`, which styles, pads and filters each line anew.
    """

    ALLOW_SELECT = False

    class Changed(Message):
        """The panel's size or scroll position changed: its lines have to be made anew."""

    class Chosen(Message):
        """The panel was clicked twice: it is to have the whole screen, or to let go of it."""

        def __init__(self, panel: str) -> None:
            self.panel = panel
            super().__init__()

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.border_title = title
        self._subtitle = ""
        self._strips: list[Strip] = []
        self._joined: list[Strip | None] = []
        """The same rows with what stands left and right of them, as far as they were drawn."""
        self._palette: Palette | None = None
        self._edges: tuple[Size, Strip, Strip] | None = None
        """For a size: what stands left and right of the content."""
        self._borders: dict[int, Strip] = {}
        """By row of the panel: the borders above and below, as drawn for `_borders_for`."""
        self._borders_for: tuple[object, ...] = ()

    @property
    def palette(self) -> Palette:
        """Colours on the panel's background."""
        if self._palette is None:  # asking Textual for the style each time would cost more than drawing
            app = self.app
            self._palette = palette_of(
                app.current_theme,
                self.rich_style,
                no_color=app.no_color,
                plain=getattr(app, "plain", False),
            )
        return self._palette

    def show(self, strips: Sequence[Strip], *, title: str | None = None, subtitle: str | None = None) -> None:
        """Show lines, of which there should be as many as the panel is high."""
        if title is not None and title != self.border_title:
            self.border_title = title
        if subtitle is not None and subtitle != self._subtitle:
            self._subtitle = self.border_subtitle = subtitle
        before, self._strips = self._strips, list(strips)
        joined, self._joined = self._joined, [None] * len(self._strips)
        # A whole row is cheaper than its middle: it need not be cut out.
        left, width = self.gutter.left, self.outer_size.width
        regions: list[Region] = []
        for y, strip in enumerate(strips):
            if y < len(before) and (before[y] is strip or before[y] == strip):
                if y < len(joined):
                    self._joined[y] = joined[y]
                continue
            if regions and regions[-1].bottom == y:
                last = regions.pop()
                regions.append(Region(-left, last.y, width, last.height + 1))
            else:
                regions.append(Region(-left, y, width, 1))
        if len(before) > len(strips):
            self.refresh()
        elif regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """The line that was given for this row of the content."""
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.content_size.width, self.rich_style)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows of the whole panel: borders as Textual draws them, between them the ready lines."""
        size, gutter = self.outer_size, self.gutter
        inside = size.width - gutter.left - gutter.right
        top, count = gutter.top, len(self._strips)
        if self._edges is None or self._edges[0] != size:
            self._joined = [None] * count
        strips: list[Strip] = []
        # Textual asks for all rows whenever any two of the screen changed: most are those of the last time.
        for y in range(crop.y, crop.bottom):
            if not 0 <= y - top < count or self._strips[y - top].cell_length != inside:
                strips += self._border(y, crop, size, gutter)
                continue
            strip = self._joined[y - top]
            if strip is None:
                strip = self._strips[y - top]
                left, right = self._sides(y, size, gutter) if gutter.left else ((), ())
                strip = self._joined[y - top] = Row([*left, *strip, *right], size.width)
            strips.append(strip if crop.width == size.width else strip.crop(crop.x, crop.right))
        return strips

    def _border(self, y: int, crop: Region, size: Size, gutter: Spacing) -> list[Strip]:
        """A row that is not of the content: the same until its words, the size or the colours change."""
        if gutter.top <= y < size.height - gutter.bottom or crop.width != size.width:
            return super().render_lines(Region(crop.x, y, crop.width, 1))
        drawn_for = (size, self.border_title, self.border_subtitle)
        if drawn_for != self._borders_for:
            self._borders, self._borders_for = {}, drawn_for
        strip = self._borders.get(y)
        if strip is None:
            strip = self._borders[y] = Row(
                list(super().render_lines(Region(0, y, size.width, 1))[0]), size.width
            )
        return [strip]

    def _sides(self, y: int, size: Size, gutter: Spacing) -> tuple[Strip, Strip]:
        if self._edges is None or self._edges[0] != size:
            row = super().render_lines(Region(0, y, size.width, 1))[0]
            self._edges = (size, row.crop(0, gutter.left), row.crop(size.width - gutter.right))
        return self._edges[1:]

    # --- words ---

    def copied(self) -> tuple[str, str]:
        """What `y` copies: what it is, in words such as "the row", and its text."""
        text = "\n".join(strip.text.rstrip() for strip in self._strips)
        return f"the panel {self.border_title}" if self.border_title else "the line", text.strip("\n")

    def told(self, x: int, y: int) -> str | None:
        """What is to be said of a place of the content, if anything."""
        if not 0 <= y < len(self._strips):
            return None
        line, column = self._strips[y].text, 0
        for index, character in enumerate(line):
            column += cell_len(character)
            if column > x:
                word = word_at(line, index)
                return None if word is None else str(word)
        return None

    def _told_of_border(self, x: int, y: int) -> str | None:
        """Of the title: what the panel is; below: what the word there means."""
        if y and self._subtitle:
            plain = Text.from_markup(self._subtitle).plain
            # At the right, before a space and the corner.
            index = x - (self.outer_size.width - 3 - cell_len(plain))
            word = word_at(plain, index) if 0 <= index < len(plain) else None
            return None if word is None else str(word)
        about = ABOUT.get(self.id or "")
        return f"{about.title}: {about.what}" if about is not None else None

    @property
    def tooltip(self) -> Text | None:
        """Made for the place under the mouse when it is to be shown, as what stands there changes."""
        if not self.is_mounted:
            return None
        x, y = (at - side for at, side in zip(self.app.mouse_position, self.region.offset, strict=True))
        left, top = self.gutter.left, self.gutter.top
        inside = 0 <= x - left < self.content_size.width and 0 <= y - top < self.content_size.height
        said = self.told(x - left, y - top) if inside else self._told_of_border(x, y)
        return Text(said) if said else None

    @tooltip.setter
    def tooltip(self, tooltip: object) -> None:
        """Textual's way to set one; a panel makes its own."""

    @on(events.Click)
    def clicked(self, event: events.Click) -> None:
        """Twice: the whole screen."""
        if event.chain == 2 and self.can_focus and event.button == 1:
            self.post_message(self.Chosen(self.id or ""))

    def on_resize(self) -> None:
        """Lines of the old size would be drawn wrong."""
        self._strips = []
        self.post_message(self.Changed())

    def on_focus(self) -> None:
        """What is selected shows only with the focus."""
        self.post_message(self.Changed())

    def on_blur(self) -> None:
        """Likewise."""
        self.post_message(self.Changed())

    def notify_style_update(self) -> None:
        """A theme or the focus changed the colours."""
        super().notify_style_update()
        before, self._palette, self._edges = self._palette, None, None
        self._borders_for = ()
        self._joined = [None] * len(self._strips)
        if self.is_mounted and before is not None and not before.looks_like(self.palette):
            self._strips = []
            self.post_message(self.Changed())

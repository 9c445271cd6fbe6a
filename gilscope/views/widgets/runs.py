"""The runs of a comparison: a title and lanes each, on one axis of time."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from gilscope.text import duration_text
from gilscope.views.axis import Axis
from gilscope.views.comparing import RULER, label_of, share_runs, title_facts
from gilscope.views.render.lines import blank, text_strip
from gilscope.views.render.palette import GLYPHS, MEANINGS, legend_markup
from gilscope.views.render.runs import (
    cells_left,
    render_axis,
    render_row,
    render_title,
    run_columns,
    stands_beside,
)
from gilscope.views.render.timeline import Columns
from gilscope.views.section import Section
from gilscope.views.widgets.panel import Panel


class RunsPanel(Panel):
    """All runs, or as many as there is room for. Its only state is which of them is on top."""

    class Zoom(Message):
        """The wheel was turned over the cells."""

        def __init__(self, steps: int, column: int) -> None:
            self.steps = steps
            self.column = column
            """The column of the cells that the pointer is on."""
            super().__init__()

    class Scroll(Message):
        """The wheel was turned over the cells with shift held."""

        def __init__(self, direction: int) -> None:
            self.direction = direction
            super().__init__()

    class ChosenSpan(Message):
        """The mouse was dragged over the cells, from one column to another."""

        def __init__(self, first: int, last: int) -> None:
            self.first, self.last = first, last
            super().__init__()

    class Whole(Message):
        """Two clicks on the cells: all of it again."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Runs", id=id)
        self.sections: Sequence[Section] = ()
        self.first = 0
        """The run on top."""
        self._labels = 10
        self._pressed: int | None = None
        """The column of the cells where the mouse was pressed."""
        self._shown: list[tuple[Section, int]] = []
        """The runs in sight, and the rows of lanes that each has."""

    def put(self, sections: Sequence[Section]) -> None:
        """Show these runs from now on."""
        self.sections = sections
        self._labels = max(
            (len(row.label) for one in sections for row in one.rows(1 << 30) if row.lane), default=10
        )

    @property
    def columns(self) -> Columns:
        """How a row is divided."""
        return run_columns(self.content_size.width, self._labels)

    @property
    def all_in_sight(self) -> bool:
        """Whether every run has a place."""
        return len(self._shown) == len(self.sections)

    @property
    def all_lanes_in_sight(self) -> bool:
        """Whether no run in sight has more lanes than rows."""
        return all(len(section.rows(fits)) <= fits for section, fits in self._shown)

    def lay_out(self) -> None:
        """Give each run its rows."""
        room = self.content_size.height - RULER
        wants = [section.wants for section in self.sections]
        count = len(share_runs(room, wants))
        self.first = max(0, min(self.first, len(wants) - count))
        rows = share_runs(room, wants[self.first : self.first + count])
        shown = self.sections[self.first : self.first + count]
        self._shown = [(section, max(0, n - 1)) for section, n in zip(shown, rows, strict=True)]
        for section, fits in self._shown:
            section.scroll(0, fits)

    def read(self, axis: Axis) -> bool:
        """Read some of what is missing in sight; whether more is still to come."""
        for section, _ in self._shown:
            section.read(axis)
        return any(section.more for section, _ in self._shown)

    def draw(self, axis: Axis) -> None:
        """Draw the runs in sight."""
        width, height = self.content_size
        columns, palette = self.columns, self.palette
        strips = [render_axis(axis, columns, width, palette)]
        used = sum(1 + max(fits, 1) for _, fits in self._shown)
        spare = height - RULER - used >= len(self._shown) - 1
        for number, (section, fits) in enumerate(self._shown):
            if number and spare:
                strips.append(blank(width, palette))
            strips += self._section(section, fits, axis, columns, width)
        strips = strips[:height] + [blank(width, palette)] * max(0, height - len(strips))
        lanes = sum(len(section.lanes) for section, _ in self._shown)
        shown = f"{lanes} lane{'' if lanes == 1 else 's'}"
        if not self.all_in_sight:
            last = self.first + len(self._shown)
            shown = f"runs {self.first + 1} – {last} of {len(self.sections)}"
        legend = legend_markup(width - len(shown) - 8, self.palette)
        self.show(
            strips,
            title=f"Runs ── {duration_text(axis.cell_ns)} a cell",
            subtitle=f"{legend} ── {shown}" if legend else shown,
        )

    def _section(self, section: Section, fits: int, axis: Axis, columns: Columns, width: int) -> list[Strip]:
        palette, end, ending = self.palette, section.end_column(axis), section.ending
        rows = section.rows(fits)
        in_sight = rows[section.top : section.top + fits]
        left_out = ""
        if len(in_sight) < len(rows):
            lanes = sum(row.lane is not None for row in in_sight)
            left_out = f"{lanes} of {len(section.lanes)} lanes"
        strips = [
            render_title(
                label_of(section.run.figures),
                title_facts(section.run.figures),
                left_out=left_out,
                ending=ending,
                end=end,
                columns=columns,
                width=width,
                palette=palette,
            )
        ]
        beside = ending is not None and stands_beside(ending, end, columns)
        for number, row in enumerate(in_sight):
            strips.append(
                render_row(
                    row,
                    section.cells(row, axis),
                    columns,
                    palette,
                    share=section.held_share.get(row.lane.key) if row.lane else None,
                    end=end,
                    ending=ending if beside and number == 0 else None,
                    width=width,
                )
            )
        if section.words:
            strips.append(text_strip("  " + section.words, width, palette.error, palette))
        return strips

    def move(self, rows: int) -> None:
        """Scroll the lanes of all runs in sight that have more of them than fit."""
        for section, fits in self._shown:
            section.scroll(rows, fits)

    def _section_at(self, y: int) -> tuple[Section, int] | None:
        at = RULER
        for section, fits in self._shown:
            at += 1 + fits
            if y < at:
                return section, fits
        return self._shown[-1] if self._shown else None

    def _wheel(self, event: events.MouseEvent, direction: int) -> None:
        event.stop()
        at = event.get_content_offset(self)
        column = -1 if at is None else at.x - cells_left(self.columns)
        if event.shift:
            self.post_message(self.Scroll(direction))
        elif column >= 0:
            self.post_message(self.Zoom(direction, column))
        elif at is not None and (found := self._section_at(at.y)):
            found[0].scroll(3 * direction, found[1])
            self.post_message(self.Changed())

    def _column(self, event: events.MouseEvent) -> int:
        """The column of the cells that the mouse is over; negative before the first."""
        return int(event.x) - self.gutter.left - cells_left(self.columns)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Over the cells, a span may be dragged from here."""
        if event.button == 1 and event.get_content_offset(self) is not None and self._column(event) >= 0:
            self._pressed = self._column(event)
            self.capture_mouse()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The span is chosen, if it was no click."""
        pressed, self._pressed = self._pressed, None
        self.release_mouse()
        if pressed is not None and pressed != self._column(event):
            self.post_message(self.ChosenSpan(pressed, self._column(event)))

    def on_click(self, event: events.Click) -> None:
        """Twice: all of it."""
        if event.chain == 2 and self._column(event) >= 0:
            self.post_message(self.Whole())

    def told(self, x: int, y: int) -> str | None:
        """Of a cell: which state."""
        said = super().told(x, y)
        glyph = self._strips[y].crop(x, x + 1).text if 0 <= y < len(self._strips) else ""
        if x >= cells_left(self.columns) and glyph.strip() and glyph in GLYPHS:
            word, meaning = MEANINGS[GLYPHS.index(glyph)]
            return f"{word}: {meaning}"
        return said

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Longer cells; over the names, further lanes; with shift, later."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """As scrolling down, the other way."""
        self._wheel(event, -1)

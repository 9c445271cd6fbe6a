"""The timeline: scrolls, selects, and turns clicks into moments."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from gilscope.text import cell_text, duration_text, fine_clock_text
from gilscope.views.cells import NO_DATA, Timeline
from gilscope.views.keymap import key as _key
from gilscope.views.present import LaneRow
from gilscope.views.render.lines import blank
from gilscope.views.render.palette import MEANINGS, legend_markup
from gilscope.views.render.timeline import Columns, columns_for, render_heading, render_lane, render_ruler
from gilscope.views.widgets.panel import Panel
from gilscope.views.words import WORDS

FOLD_COLUMNS = 2
"""The mark that shows whether a process is folded, at the left of its heading."""
RULER_FROM_HEIGHT = 5
"""With fewer rows the ruler's place goes to a lane."""


class LanesPanel(Panel):
    """One row a lane. Its only state is what is selected and how far it is scrolled."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("up,k", "move(-1)", "select", name="lanes.up", tooltip="The lane above", shown="↑ k"),
        _key("down,j", "move(1)", "The lane below", name="lanes.down", shown="↓ j"),
        _key("pageup,ctrl+u", "move(-10)", "Ten lanes up", name="lanes.page-up", shown="pgup ctrl u"),
        _key("pagedown,ctrl+d", "move(10)", "Ten lanes down", name="lanes.page-down", shown="pgdn ctrl d"),
        _key("x", "fold", "fold", name="lanes.fold", tooltip="Hide or show the threads of the row's process"),
    ]  # fmt: skip

    class Seek(Message):
        """A place in the timeline was clicked."""

        def __init__(self, column: int) -> None:
            self.column = column
            """The timeline cell's column on the screen."""
            super().__init__()

    class Select(Message):
        """The mouse was dragged over the cells, from one column to another."""

        def __init__(self, first: int, last: int) -> None:
            self.first, self.last = first, last
            super().__init__()

    class Zoom(Message):
        """The wheel was turned over the cells with ctrl held."""

        def __init__(self, steps: int, column: int | None) -> None:
            self.steps = steps
            self.column = column
            """The timeline cell's column that the pointer is on; None: it is on a name."""
            super().__init__()

    class Scrub(Message):
        """The wheel was turned over the cells."""

        def __init__(self, cells: int) -> None:
            self.cells = cells
            super().__init__()

    class Fold(Message):
        """The lanes of a process are to be hidden or shown."""

        def __init__(self, process: int) -> None:
            self.process = process
            super().__init__()

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Lanes", id=id)
        self.selected = 0
        self.top = 0
        self._rows: tuple[LaneRow, ...] = ()
        self._label_columns = self._n_lanes = 0
        self._drawn: tuple[Timeline, int, dict[int, float]] | None = None
        """Cells, the first in sight, and shares, as drawn last."""
        self._pressed: int | None = None
        """The column of the cells where the mouse was pressed."""
        self._dragged = False

    @property
    def room(self) -> int:
        """How many lanes fit."""
        height = self.content_size.height
        return height - 1 if height >= RULER_FROM_HEIGHT else height

    def columns(self, rows: tuple[LaneRow, ...]) -> Columns:
        """How a row is divided, with these lanes."""
        if rows is not self._rows:
            self._rows = rows
            self._n_lanes = sum(row.lane is not None for row in rows)
            self._label_columns = max((len(row.label) for row in rows if row.lane), default=10)
        return columns_for(self.content_size.width, self._label_columns)

    def draw(
        self,
        rows: tuple[LaneRow, ...],
        timeline: Timeline,
        *,
        first: int,
        cursor: int | None,
        shares: dict[int, float],
        holders: frozenset[int],
        chosen: tuple[int, int] | None = None,
        step: str = "",
    ) -> None:
        """Draw the rows in sight.

        Args:
            rows: all rows.
            timeline: cells, from `first` on.
            first: the cell in the left column; may be negative before the session is that old.
            cursor: the column of the position, if it is marked.
            shares: by lane, its share of the time that it held the GIL.
            holders: lanes that hold a GIL now.
            chosen: the columns of the selected span.
            step: by what one steps.
        """
        columns = self.columns(rows)
        self._drawn = (timeline, first, shares)
        width, room, palette, focused = self.content_size.width, self.room, self.palette, self.has_focus
        self.selected = max(0, min(self.selected, len(rows) - 1))
        self.top = max(0, min(self.top, len(rows) - room))
        strips: list[Strip] = []
        for number in range(self.top, min(self.top + room, len(rows))):
            row, lane = rows[number], rows[number].lane
            selected = focused and number == self.selected
            if lane is None:
                strips.append(render_heading(row, width, palette, selected=selected))
                continue
            strips.append(
                render_lane(
                    row,
                    timeline.row(lane, row.pid, first, columns.cells),
                    columns,
                    palette,
                    share=None if row.ended else shares.get(lane.key, 0.0),
                    holds=lane.key in holders,
                    selected=selected,
                    cursor=cursor,
                    chosen=chosen,
                )
            )
        strips += [blank(width, palette)] * (room - len(strips))
        if room < self.content_size.height:
            strips.append(render_ruler(first, timeline.cell_ns, columns, palette, cursor=cursor))
        shown = f"{self._n_lanes} lane{'' if self._n_lanes == 1 else 's'}"
        if len(rows) > room:
            shown = f"rows {self.top + 1} – {self.top + room} of {len(rows)}"
        legend = legend_markup(width - len(shown) - 8)
        subtitle = f"{legend} ── {shown}" if legend else shown
        title = f"Lanes ── {cell_text(timeline.cell_ns)} a cell"
        if step:
            title += f" ── , . a {step}"
        self.show(strips, title=title, subtitle=subtitle)

    def action_move(self, rows: int) -> None:
        """Select another row, and keep it in sight."""
        self.selected = max(0, min(self.selected + rows, len(self._rows) - 1))
        self.top = max(self.selected - self.room + 1, min(self.top, self.selected))
        self.post_message(self.Changed())

    def action_fold(self) -> None:
        """Hide or show the lanes of the selected row's process."""
        if self._rows:
            process = self._rows[self.selected].process
            headings = (n for n, row in enumerate(self._rows) if row.lane is None and row.process == process)
            self.selected = next(headings, self.selected)
            self.top = min(self.top, self.selected)
            self.post_message(self.Fold(process))

    def copied(self) -> tuple[str, str]:
        """The selected row: its name, share, process and thread."""
        if not self._rows:
            return "the row", ""
        row = self._rows[max(0, min(self.selected, len(self._rows) - 1))]
        if row.lane is None:
            return "the process", f"{row.label}\t{row.note}"
        share = self._drawn[2].get(row.lane.key, 0.0) if self._drawn else 0.0
        held = "ended" if row.ended else f"held {100 * share:.0f} %"
        return "the lane", f"{row.label}\t{held}\tpid {row.pid}\ttid {row.lane.tid}"

    def told(self, x: int, y: int) -> str | None:
        """Of a cell: which state, which thread, when and for how long."""
        columns = columns_for(self.content_size.width, self._label_columns)
        number = self.top + y
        if self._drawn is None or y >= self.room or number >= len(self._rows):
            return None
        row = self._rows[number]
        if row.lane is None:
            return f"{row.label}: {row.note.strip()}. A click on the mark, or x, folds it"
        if x < 2:
            return f"▶ holder: {WORDS['▶ holder']}" if self._strips[y].text.startswith("▶") else None
        if x < columns.before_cells:
            return f"{row.label}. % beside a lane: {WORDS['% beside a lane']}"
        timeline, first, _ = self._drawn
        cells, at = timeline.row(row.lane, row.pid, first, columns.cells), x - columns.before_cells
        if at >= len(cells):
            return None
        begin = end = at
        while begin > 0 and cells[begin - 1] == cells[at]:
            begin -= 1
        while end + 1 < len(cells) and cells[end + 1] == cells[at]:
            end += 1
        when = fine_clock_text(max(0, first + begin) * timeline.cell_ns)
        if cells[at] >= NO_DATA:
            return f"{row.label}: nothing was recorded at {when}"
        word, meaning = MEANINGS[cells[at]]
        long = duration_text((end + 1 - begin) * timeline.cell_ns)
        about = "" if begin and end + 1 < len(cells) else " or more"
        return f"{row.label}: {word} from {when} for {long}{about}. {word}: {meaning}"

    def _column(self, event: events.MouseEvent) -> int:
        """The column of the cells that the mouse is over; negative before the first."""
        before = columns_for(self.content_size.width, self._label_columns).before_cells
        return int(event.x) - self.gutter.left - before

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Over the cells, a span may be dragged from here."""
        self._dragged = False
        if event.button == 1 and event.get_content_offset(self) is not None and self._column(event) >= 0:
            self._pressed = self._column(event)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select from where the mouse was pressed to here."""
        if self._pressed is not None and (self._dragged or self._column(event) != self._pressed):
            self._dragged = True
            last = columns_for(self.content_size.width, self._label_columns).cells - 1
            self.post_message(self.Select(self._pressed, max(0, min(self._column(event), last))))

    def on_mouse_up(self) -> None:
        """The span is selected, or it was a click."""
        self._pressed = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Select the row; over the cells also go to that moment. On a process's mark: fold it."""
        at = event.get_content_offset(self)
        if at is None or self._dragged:
            return
        columns = columns_for(self.content_size.width, self._label_columns)
        if at.y < self.room and self.top + at.y < len(self._rows):
            self.selected = self.top + at.y
            if self._rows[self.selected].lane is None and at.x < FOLD_COLUMNS and event.chain == 1:
                self.action_fold()
        if at.x >= columns.before_cells:
            self.post_message(self.Seek(at.x - columns.before_cells))
        self.post_message(self.Changed())

    def _wheel(self, event: events.MouseEvent, direction: int) -> None:
        event.stop()
        if event.ctrl:
            column = self._column(event)
            self.post_message(self.Zoom(direction, column if column >= 0 else None))
        elif event.shift or len(self._rows) <= self.room:
            self.post_message(self.Scrub(direction * 2))
        else:
            self.top = max(0, min(self.top + 3 * direction, len(self._rows) - self.room))
            self.post_message(self.Changed())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll the lanes, or the time if all lanes are in sight; with ctrl, zoom."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """As scrolling down, the other way."""
        self._wheel(event, -1)

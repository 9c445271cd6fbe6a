"""The timeline: scrolls, selects, and turns clicks into moments."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from gilscope.text import cell_text, duration_text, fine_clock_text
from gilscope.views.cells import NO_DATA
from gilscope.views.keymap import key as _key
from gilscope.views.passing import HOLDER, Mark, Pass, marks_of
from gilscope.views.present import LaneRow
from gilscope.views.render.halves import HalfCells, fits
from gilscope.views.render.heat import fade_slots, heat, heat_styles
from gilscope.views.render.lines import blank, text_strip
from gilscope.views.render.palette import MEANINGS, Palette, legend_markup
from gilscope.views.render.timeline import (
    Columns,
    columns_for,
    join_lane,
    render_cells,
    render_head,
    render_heading,
    render_ruler,
)
from gilscope.views.timeline import Timeline
from gilscope.views.widgets.panel import Panel
from gilscope.views.words import WORDS

BOLD = Style(bold=True)
FOLD_COLUMNS = 2
"""The mark that shows whether a process is folded, at the left of its heading."""
HEADS_MOST = 2_000
"""So many left parts of rows are kept: each new share of a lane makes another one."""
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
        _key("o", "screen.lanes_sort(1)", "sort", name="lanes.sort", tooltip="Sort by the next thing"),
        _key("O", "screen.lanes_sort(-1)", "Sort by the thing before", name="lanes.sort-before"),
        _key(
            "slash", "screen.lanes_filter", "filter", name="lanes.filter", tooltip="Only lanes with a text",
            shown="/",
        ),
        _key("asterisk", "pin", "pin", name="lanes.pin", tooltip="Keep the lane on top, or not", shown="*"),
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

    class Pin(Message):
        """A lane is to stay on top, or no more."""

        def __init__(self, lane: int) -> None:
            self.lane = lane
            super().__init__()

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Lanes", id=id)
        self.selected = 0
        self.top = 0
        self._rows: tuple[LaneRow, ...] = ()
        self._label_columns = self._n_lanes = 0
        self._drawn: tuple[Timeline, int, Mapping[int, float]] | None = None
        """Cells, the first in sight, and shares, as drawn last."""
        self._pressed: int | None = None
        """The column of the cells where the mouse was pressed."""
        self._dragged = False
        self._halves = HalfCells(Palette())
        self._glow: tuple[Style, ...] = ()
        self._heads_for: tuple[tuple[LaneRow, ...], Columns | None] = ((), None)
        self._heads: dict[tuple[object, ...], list[Segment]] = {}
        """Left parts of rows that were drawn."""
        self._lines: dict[int, tuple[tuple[object, ...], Strip]] = {}
        """By lane: what its row was made of in the last frame, and the row."""

    @property
    def room(self) -> int:
        """How many lanes fit."""
        return self._room_in(self.content_size.height)

    @staticmethod
    def _room_in(height: int) -> int:
        return height - 1 if height >= RULER_FROM_HEIGHT else height

    def columns(self, rows: tuple[LaneRow, ...], width: int | None = None) -> Columns:
        """How a row is divided, with these lanes; `width`: of the content, if it is known."""
        if rows is not self._rows:
            self._rows = rows
            self._n_lanes = sum(row.lane is not None for row in rows)
            self._label_columns = max((len(row.label) for row in rows if row.lane), default=10)
        return columns_for(self.content_size.width if width is None else width, self._label_columns)

    def draw(
        self,
        rows: tuple[LaneRow, ...],
        timeline: Timeline,
        *,
        first: int,
        cursor: int | None,
        shares: Mapping[int, float],
        holders: frozenset[int],
        passes: tuple[Pass, ...] = (),
        now: int | None = None,
        speed: float = 1.0,
        chosen: tuple[int, int] | None = None,
        step: str = "",
        picked: str = "",
    ) -> None:
        """Draw the rows in sight.

        Args:
            rows: all rows.
            timeline: states, `self.slots` of them a cell.
            first: the cell in the left column; may be negative before the session is that old.
            cursor: the column of the position, if it is marked.
            shares: by lane, its share of the time that it held the GIL.
            holders: lanes that hold a GIL now.
            passes: GILs on their way from lane to lane.
            now: the slot behind the position; None: nothing glows.
            speed: of the picture: so fast does heat fade.
            chosen: the columns of the selected span.
            step: by what one steps.
            picked: how the lanes are sorted and filtered.
        """
        width, height = self.content_size
        columns, room = self.columns(rows, width), self._room_in(height)
        self._drawn = (timeline, first, shares)
        palette, focused = self.palette, self.has_focus
        self.selected = max(0, min(self.selected, len(rows) - 1))
        self.top = max(0, min(self.top, len(rows) - room))
        self._keep_heads(columns)
        slots, halves = self.slots, self._halves if self.slots > 1 else None
        end = min(self.top + room, len(rows))
        places = {row.lane.key: at for at, row in enumerate(rows[self.top : end]) if row.lane is not None}
        marks = marks_of(passes, holders, places)
        fade = fade_slots(speed, timeline.cell_ns)
        strips: list[Strip] = []
        lines: dict[int, tuple[tuple[object, ...], Strip]] = {}
        for at, row in enumerate(rows[self.top : end]):
            lane, selected = row.lane, focused and self.top + at == self.selected
            if lane is None:
                strips.append(render_heading(row, width, palette, selected=selected))
                continue
            cells = timeline.row(lane, row.pid, first * slots, columns.cells * slots)
            hot = -1 if now is None else heat(cells, now - first * slots, fade)
            share = None if row.ended else shares.get(lane.key, 0.0)
            head = self._head(row, columns, share, marks.get(at), hot, selected=selected)
            made_of = (palette, head, cells, cursor, chosen, halves)
            before = self._lines.get(lane.key)
            if before is None or before[0] != made_of:
                drawn = render_cells(cells, palette, cursor=cursor, chosen=chosen, halves=halves)
                before = made_of, join_lane(head, drawn, columns)
            lines[lane.key] = before
            strips.append(before[1])
        self._lines = lines
        strips += [blank(width, palette)] * (room - len(strips))
        cell_ns = timeline.cell_ns * slots
        if room < height:
            strips.append(render_ruler(first, cell_ns, columns, palette, cursor=cursor))
        shown = f"{self._n_lanes} lane{'' if self._n_lanes == 1 else 's'}"
        if len(rows) > room:
            shown = f"rows {self.top + 1} – {self.top + room} of {len(rows)}"
        legend = legend_markup(width - len(shown) - 8, self.palette)
        subtitle = f"{legend} ── {shown}" if legend else shown
        title = f"Lanes ── {cell_text(cell_ns)} a cell"
        if step:
            title += f" ── , . a {step}"
        if picked:
            title += " ── " + picked.replace("[", r"\[")
        if not rows and strips:
            none = "No lane has that in its name." if picked else "No thread has been seen yet."
            strips[0] = text_strip(none, width, palette.dim, palette)
        self.show(strips, title=title, subtitle=subtitle)

    @property
    def slots(self) -> int:
        """How many states a cell shows: two where halves of it can be told apart."""
        return 2 if fits(self.palette) else 1

    def _keep_heads(self, columns: Columns) -> None:
        """Forget what was made for other colours, lanes or sizes, and what is too much."""
        if self._halves.palette is not self.palette:
            self._halves, self._glow = HalfCells(self.palette), heat_styles(self.palette)
        elif (
            self._heads_for[0] is self._rows
            and self._heads_for[1] == columns
            and len(self._heads) < HEADS_MOST
        ):
            return
        self._heads_for = (self._rows, columns)
        self._heads.clear()

    def _head(
        self,
        row: LaneRow,
        columns: Columns,
        share: float | None,
        mark: Mark | None,
        hot: int,
        *,
        selected: bool,
    ) -> list[Segment]:
        """The left part of a row; most are as they were in the last frame."""
        key = (row.process, row.lane.key if row.lane else 0, share, mark, hot, selected)
        head = self._heads.get(key)
        if head is None:
            style = self.palette.base if hot < 0 else self._glow[hot]
            if mark is HOLDER:
                style = style + BOLD
            head = self._heads[key] = render_head(
                row, columns, self.palette, share=share, mark=mark, selected=selected, style=style
            )
        return head

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

    def action_pin(self) -> None:
        """Keep the selected lane on top, or let it go."""
        lane = self._rows[self.selected].lane if self._rows else None
        if lane is not None:
            self.post_message(self.Pin(lane.key))

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
        timeline, first = self._drawn[0], self._drawn[1] * self.slots
        cells = timeline.row(row.lane, row.pid, first, columns.cells * self.slots)
        at = (x - columns.before_cells) * self.slots
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

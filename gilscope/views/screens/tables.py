"""A table on a screen of its own: sortable by key and mouse, filtered as one types, kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import DataTable, Input, Static
from textual.worker import get_current_worker

from gilscope.errors import GilscopeError
from gilscope.recording.reader import RecordingReader
from gilscope.text import clean, clock_text
from gilscope.views.copying import copy
from gilscope.views.keymap import Place, hints
from gilscope.views.keymap import key as _key
from gilscope.views.standing import Modal
from gilscope.views.tables import TABLES, UNKNOWN, Table, cells
from gilscope.views.widgets.keys import KeysLine

SummaryOf = Callable[[RecordingReader, int], Mapping[str, Any]]
REFRESH_S = 1.0


class TableScreen(Modal[None]):
    """Threads or processes, all of the session up to a moment."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("o", "sort(1)", "sort", name="table.sort", tooltip="Sort by the next column"),
        _key("O", "sort(-1)", "Sort by the column before", name="table.sort-before"),
        _key("r", "turn", "turn", name="table.turn", tooltip="Turn the order round"),
        _key("slash", "filter", "filter", name="table.filter", tooltip="Only rows with some text", shown="/"),
        _key("y", "copy", "copy", name="table.copy", tooltip="Copy the row"),
        _key("j", "go('cursor_down')", "The next row", name="table.next"),
        _key("k", "go('cursor_up')", "The row before", name="table.before"),
        _key("g", "go('scroll_top')", "The first row", name="table.first"),
        _key("G", "go('scroll_bottom')", "The last row", name="table.last"),
        _key("ctrl+d", "go('page_down')", "A page on", name="table.page-down", shown="ctrl d"),
        _key("ctrl+u", "go('page_up')", "A page back", name="table.page-up", shown="ctrl u"),
        _key("question_mark,f1", "app.help", "help", name="table.help", tooltip="What it shows", shown="?"),
        _key("escape,q", "close", "close", name="table.close", tooltip="Close", shown="esc"),
    ]  # fmt: skip
    FOOTER: ClassVar = {
        "table.sort": Place(3),
        "table.turn": Place(5),
        "table.filter": Place(4),
        "table.copy": Place(6),
        "table.help": Place(2),
        "table.close": Place(1),
    }

    def __init__(self, kind: str, path: Path, until_ns: Callable[[], int], summary_of: SummaryOf) -> None:
        """A table without rows yet.

        Args:
            kind: a key of TABLES.
            path: the recording.
            until_ns: asked for the moment up to which all is counted.
            summary_of: makes the figures; called in a thread, with a reader of its own.
        """
        super().__init__()
        self.about = kind
        """Its key in ABOUT."""
        self.table: Table = TABLES[kind]
        self._path, self._until_ns, self._summary_of = path, until_ns, summary_of
        self._by, self._backwards = self.table.first_by, not self.table.columns[self.table.first_by].left
        self._only = ""
        self._summary: Mapping[str, Any] | None = None
        self._made_ns = -1
        self._shown: tuple[tuple[str, ...], ...] | None = None
        self._made_columns: tuple[list[str], list[int]] | None = None
        self.title_line = Static("", id="table-title", markup=False)
        self.grid: DataTable[Text] = DataTable(id="table", cursor_type="row", zebra_stripes=True)
        self.entry = Input(placeholder="only rows with …", id="table-filter")
        self.entry.display = False
        self.words_line = Static("", id="table-words", markup=False)
        self.keys = KeysLine(hints(self.BINDINGS, self.FOOTER), id="table-keys")

    def compose(self) -> ComposeResult:
        """Head, table, filter, and a line that explains the column."""
        with Vertical(classes="table"):
            yield self.title_line
            yield self.grid
            yield self.entry
            yield self.words_line
            yield self.keys

    def on_mount(self) -> None:
        """Begin."""
        if not self.is_attached:
            return  # closed before it was open
        self.grid.focus()
        self._head()
        self._look()
        self.set_interval(REFRESH_S, self._look)

    def _head(self) -> None:
        self._columns([])
        column = self.table.columns[self._by]
        self.words_line.update(f" {column.head}: {column.meaning}.")
        self._shown = None

    def _columns(self, rows: Sequence[Sequence[str]]) -> None:
        """As wide as what stands in them: left to itself the grid may measure before the rows are in."""
        heads = [
            column.head + ((" ▼" if self._backwards else " ▲") if number == self._by else "")
            for number, column in enumerate(self.table.columns)
        ]
        widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
        grid = self.grid
        if (heads, widths) == self._made_columns:
            grid.clear()
            return
        self._made_columns = (heads, widths)
        grid.clear(columns=True)
        for number, (head, width) in enumerate(zip(heads, widths, strict=True)):
            left = self.table.columns[number].left
            grid.add_column(Text(head, justify="left" if left else "right"), key=str(number), width=width)

    # --- figures ---

    def _look(self) -> None:
        until_ns = self._until_ns()
        if until_ns != self._made_ns:
            self.run_worker(
                lambda: self._make(until_ns), thread=True, group="table", exclusive=True, exit_on_error=False
            )

    def _make(self, until_ns: int) -> None:
        worker = get_current_worker()
        try:
            reader = RecordingReader(self._path, live=True)
            try:
                summary = self._summary_of(reader, until_ns)
            finally:
                reader.close()
        except GilscopeError:
            return  # the frames say what is wrong with the recording
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, summary, until_ns)

    def _show(self, summary: Mapping[str, Any], until_ns: int) -> None:
        self._summary, self._made_ns = summary, until_ns
        self._draw()

    def _draw(self) -> None:
        if self._summary is None or not self.is_mounted:
            return
        rows = cells(self.table, self._summary, by=self._by, backwards=self._backwards, only=self._only)
        self._draw_title(self._summary, len(rows))
        if rows == self._shown:
            return
        self._shown = rows
        grid = self.grid
        at, top = grid.cursor_row, grid.scroll_offset
        self._columns(rows)
        for row in rows:
            grid.add_row(
                *(
                    Text(cell, justify="left" if column.left else "right", no_wrap=True)
                    for cell, column in zip(row, self.table.columns, strict=True)
                )
            )
        grid.move_cursor(row=min(at, max(0, len(rows) - 1)), scroll=False)
        grid.scroll_to(*top, animate=False)

    def _draw_title(self, summary: Mapping[str, Any], rows: int) -> None:
        all_rows = len(self.table.rows(summary))
        some = f"{rows} of {all_rows}" if self._only else str(all_rows)
        if not self.table.looked_for(summary):
            some = UNKNOWN
        span = f", from the start to {clock_text(self._made_ns)}"
        self.title_line.update(f" {self.table.title}: {some}{span if rows else f'. {self._why_empty()}'}")

    def _why_empty(self) -> str:
        if self._only:
            return f"None has “{clean(self._only)}” in it: escape shows all"
        if self._summary is not None and not self.table.looked_for(self._summary):
            return "They were not looked for"
        return "None was seen until this moment"

    # --- keys ---

    def action_close(self) -> None:
        """The filter first, then the table."""
        entry = self.entry
        if entry.display:
            entry.display, entry.value, self._only = False, "", ""
            self.grid.focus()
            self._draw()
        else:
            self.dismiss()

    def action_sort(self, step: int) -> None:
        """By the next or previous column."""
        self._sort_by((self._by + step) % len(self.table.columns))

    def _sort_by(self, number: int) -> None:
        if number == self._by:
            self._backwards = not self._backwards
        else:
            self._by, self._backwards = number, not self.table.columns[number].left
        self._head()
        self._draw()

    def action_turn(self) -> None:
        """The other way round."""
        self._sort_by(self._by)

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a head sorts by it; another one turns it round."""
        self._sort_by(event.column_index)

    def action_filter(self) -> None:
        """Type what rows must have."""
        entry = self.entry
        entry.display = True
        entry.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """As it is typed."""
        self._only = event.value
        self._draw()

    def on_input_submitted(self) -> None:
        """Back to the rows; the filter stays."""
        self.grid.focus()

    def action_copy(self) -> None:
        """The row under the cursor, to the clipboard."""
        grid = self.grid
        if self._shown and 0 <= grid.cursor_row < len(self._shown):
            copy(self.app, "the row", "\t".join(self._shown[grid.cursor_row]))

    def action_go(self, move: str) -> None:
        """To another row: a method of the table."""
        grid = self.grid
        grid.focus()
        getattr(grid, f"action_{move}")()

    def on_panel_changed(self) -> None:
        """The line of keys has another width."""
        self.keys.draw()

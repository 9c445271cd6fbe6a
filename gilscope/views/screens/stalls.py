"""All stalls in a table, the stack of the one under the cursor below; enter goes to its moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import DataTable

from gilscope.recording.reader import RecordingReader
from gilscope.recording.schema import STALLS_SINCE
from gilscope.text import clean, duration_text, fine_clock_text
from gilscope.views.present import frame_text
from gilscope.views.render.lines import fill, fit_place, text_strip
from gilscope.views.screens.tables import TableScreen
from gilscope.views.tables import Row, picked, stall_rows
from gilscope.views.widgets.panel import Panel

GoTo = Callable[[int, int, str], None]
"""Told where a stall begins and ends, and what is to be said of it."""
FRAMES_SAID = 4
NOT_LOOKED_FOR = "Nobody looked for stalls here: an older gilscope, or py-spy."
STACK_FROM_HEIGHT = 18
"""On a lower screen the table has all the room."""


def stalls_of(reader: RecordingReader, until_ns: int) -> Mapping[str, Any]:
    """The stalls that began before a moment, as a table wants them; None where nobody looked for any."""
    # py-spy sees neither who waits nor when the GIL passes on.
    if reader.written_with < STALLS_SINCE or reader.session().source != "probe":
        return {"stalls": None}
    found = [stall for stall in reader.stalls() if stall.start_ns < until_ns]
    return {"stalls": stall_rows(found, reader.lanes(), reader.gils(), reader.processes())}


def frame_words(row: Row) -> list[str]:
    """The stack, innermost first: what the thread did comes before how it got there."""
    return [frame_text(frame) for frame in reversed(row["frames"])]


class StallsScreen(TableScreen):
    """Stalls of the whole session, as far as it is recorded."""

    def __init__(self, path: Path, until_ns: Callable[[], int], go: GoTo) -> None:
        """A table without rows yet.

        Args:
            path: the recording.
            until_ns: asked for the newest moment.
            go: told of the stall that is chosen.
        """
        super().__init__("stalls", path, until_ns, stalls_of)
        self._go = go
        self.stack = Panel("Stack", id="stack")
        self.stack.can_focus = False

    def compose(self) -> ComposeResult:
        """The table, then the stack."""
        with Vertical():
            yield from super().compose()
            yield self.stack

    def on_resize(self) -> None:
        """A low screen has no room for the stack."""
        self.stack.display = self.size.height >= STACK_FROM_HEIGHT

    def _chosen(self) -> Row | None:
        if self._summary is None:
            return None
        rows = picked(self.table, self._summary, by=self._by, backwards=self._backwards, only=self._only)
        at = self.query_one(DataTable).cursor_row
        return rows[at] if 0 <= at < len(rows) else None

    def _draw(self) -> None:
        super()._draw()
        self._draw_stack()

    def _none(self) -> str:
        if self._summary is None:
            return "Reading …"
        if not self.table.looked_for(self._summary):
            return NOT_LOOKED_FOR
        return "No thread held the GIL for long while others waited."

    def _draw_stack(self) -> None:
        (width, height), palette = self.stack.content_size, self.stack.palette
        row = self._chosen()
        if row is None:
            words = [self._none()]
        else:
            words = frame_words(row) or ["Nothing caught it: its stack is not known."]
        styles = [palette.bold if number == 0 and row else palette.dim for number in range(len(words))]
        strips = [
            text_strip(fit_place(line, width), width, style, palette)
            for line, style in zip(words, styles, strict=True)
        ]
        title = "Stack" if row is None else f"Stack ── {duration_text(row['held_ns'])} ── enter goes there"
        self.stack.show(fill(strips, width, height, palette), title=title)

    def on_panel_changed(self) -> None:
        """The stack's place changed."""
        self._draw_stack()

    def on_data_table_row_highlighted(self) -> None:
        """Another stall is under the cursor."""
        self._draw_stack()

    def on_data_table_row_selected(self) -> None:
        """Go to it."""
        row = self._chosen()
        if row is None:
            return
        name = clean(str(row["name"] or "an unknown thread"))
        waiting = "" if row["waiters"] is None else f", {row['waiters']:.1f} threads waited"
        held = f"held the GIL for {duration_text(row['held_ns'])}{waiting}."
        said = [f"{fine_clock_text(row['start_ns'])}: {name} {held}", *frame_words(row)[:FRAMES_SAID]]
        self.dismiss()
        self._go(row["start_ns"], row["end_ns"], "\n".join(said))

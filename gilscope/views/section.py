"""A run on the comparison's screen: what was read of its recording, and the cells in sight."""

from __future__ import annotations

import contextlib

from gilscope.errors import GilscopeError
from gilscope.model import Gil, Lane, Process, State, Tick
from gilscope.recording.reader import RecordingReader
from gilscope.text import clean
from gilscope.views.axis import Axis
from gilscope.views.cells import NO_DATA
from gilscope.views.comparing import ComparedRun, Ending, arrange, ending_of
from gilscope.views.present import LaneRow
from gilscope.views.reading import read_cells
from gilscope.views.timeline import Timeline

_IDLE = (State.BLOCKED, State.UNKNOWN)


class Section:
    """One run. A recording that cannot be read leaves words in the place of its lanes."""

    def __init__(self, run: ComparedRun) -> None:
        """Open the recording; whatever is wrong with it stands in `words` afterwards."""
        self.run = run
        self.words = ""
        """Why there are no lanes; "" if there are."""
        self.end_ns = 0
        """How long the run took."""
        self.ending: Ending | None = None
        self.lanes: tuple[Lane, ...] = ()
        self.held_share: dict[int, float] = {}
        """By lane: its share, 0 – 1, of the time its GIL was watched."""
        self.top = 0
        """The first row in sight."""
        self.more = False
        """Cells in sight are still to be read."""
        self._reader: RecordingReader | None = None
        self._processes: tuple[Process, ...] = ()
        self._busy: dict[int, int] = {}
        self._rows: tuple[int, tuple[LaneRow, ...]] = (-1, ())
        self._timeline = Timeline(1)
        self._tick_ns = self._rows_a_tick = self._head_ns = 1
        try:
            self._open()
        except GilscopeError as error:
            self._give_up(error)

    def _open(self) -> None:
        # Its pages have been checked when its figures were made.
        self._reader = RecordingReader(self.run.recording, live=True)
        session = self._reader.session()
        head_ns = self._reader.head_ns()
        self.end_ns = max(0, head_ns if session.ended_ns is None else session.ended_ns)
        self.ending = ending_of(session)
        self.lanes, self._processes = self._reader.lanes(), self._reader.processes()
        self._head_ns, self._tick_ns = head_ns, max(1, session.tick_ns)
        if not head_ns or not self.lanes:
            self.words = "Nothing was recorded: it ended before the first tick."
            return
        ticks = self._reader.coarse_ticks(head_ns)
        self._sum_up(ticks, self._reader.gils())
        self._rows_a_tick = 1 + len(self._busy) + session.cores

    def _sum_up(self, ticks: tuple[Tick, ...], gils: tuple[Gil, ...]) -> None:
        watched: dict[int, int] = {}
        held: dict[int, int] = {}
        for tick in ticks:
            for gil in tick.gils:
                watched[gil.gil] = watched.get(gil.gil, 0) + gil.watched_ns
            for row in tick.lanes:
                idle = sum(row.states[state] for state in _IDLE)
                self._busy[row.lane] = self._busy.get(row.lane, 0) + sum(row.states) - idle
                held[row.lane] = held.get(row.lane, 0) + row.held_ns
        of_process: dict[int, int] = {}
        for one in gils:
            of_process[one.process] = max(of_process.get(one.process, 0), watched.get(one.key, 0))
        for lane in self.lanes:
            if of_process.get(lane.process):
                self.held_share[lane.key] = min(1.0, held.get(lane.key, 0) / of_process[lane.process])

    def _give_up(self, error: GilscopeError) -> None:
        self.words = clean(" ".join(str(error).split("\n")))
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            with contextlib.suppress(GilscopeError):
                self._reader.close()
            self._reader = None

    @property
    def wants(self) -> int:
        """Rows with which all of it is in sight: its title, and its lanes or words."""
        return 1 + max(1, len(self.rows(1 << 30)))

    def rows(self, fits: int) -> tuple[LaneRow, ...]:
        """All rows, in the order for so much room. The same object until the room changes."""
        if self.words:
            return ()
        if self._rows[0] != fits:
            self._rows = fits, arrange(self._processes, self.lanes, self._busy, fits=fits)
        return self._rows[1]

    def scroll(self, rows: int, fits: int) -> None:
        """Move by rows, as far as there are any."""
        self.top = max(0, min(self.top + rows, len(self.rows(fits)) - fits))

    def read(self, axis: Axis) -> None:
        """Read a part of what is missing in sight; `more` tells whether some is still to come."""
        if self.words or self._reader is None:
            self.more = False
            return
        if self._timeline.cell_ns != axis.cell_ns:
            self._timeline = Timeline(axis.cell_ns)
        span = self._missing(axis)
        if span is not None:
            try:
                read_cells(
                    self._reader,
                    self._timeline,
                    span,
                    tick_ns=self._tick_ns,
                    rows_a_tick=self._rows_a_tick,
                )
            except GilscopeError as error:
                self._give_up(error)
                self.more = False
                return
        self.more = self._missing(axis) is not None
        self._timeline.trim(axis.first - 4 * axis.columns)

    def _missing(self, axis: Axis) -> tuple[int, int] | None:
        return self._timeline.missing(axis.first, axis.first + axis.columns, self._head_ns)

    def cells(self, row: LaneRow, axis: Axis) -> bytes:
        """The cells of a row in sight; no data behind the run's end."""
        if row.lane is None:
            return b""
        found = self._timeline.row(row.lane, row.pid, axis.first, axis.columns)
        end = self.end_column(axis)
        return (
            found
            if end >= len(found)
            else found[: max(0, end)] + bytes([NO_DATA]) * (len(found) - max(0, end))
        )

    def end_column(self, axis: Axis) -> int:
        """The column behind the last cell of the run: may be left or right of the screen."""
        return -(-self.end_ns // axis.cell_ns) - axis.first

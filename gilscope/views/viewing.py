"""A viewer's place in a recording, and what it has read of it: everything of the app but the screen.

It reads only what is new. Everything kept here can be thrown away and read again: what is drawn depends on
the recording, the position, the zoom and the size of the screen alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from gilscope.model import NS_PER_MS, NS_PER_S, Mark, Output, Process, Session, Window
from gilscope.views.cells import ZOOMS_NS
from gilscope.views.lane_rows import LaneOrder
from gilscope.views.panels import PanelReader, Panels, Room
from gilscope.views.passing import Pass, Turns
from gilscope.views.playback import Mode, Playback, scroll_edge
from gilscope.views.present import holders_now, present_gils
from gilscope.views.reading import read_cells
from gilscope.views.recent import RecentWindows
from gilscope.views.scrubbing import FarPlaces, Whole
from gilscope.views.timeline import Timeline
from gilscope.views.transport import Places, Unit, beside, just_after, over_idle, step_target

QUANTUM_NS = 200 * NS_PER_MS
"""While time passes, figures are folded anew this often: faster, nobody could read them."""
MANY_CORES = 64
MANY_CORES_QUANTUM_NS = 600 * NS_PER_MS
"""With more cores than MANY_CORES figures are folded less often: each fold reads a row a core and tick."""
SOON = 16
"""This part of the screen ahead of what is in sight, some frames, cells are read if there is time."""
SLOW_CELL_NS = NS_PER_MS
SLOW_FROM = 0.1
"""At this speed and slower, turns of a few milliseconds can be followed: cells become short enough."""


class AllPlaces(Places, FarPlaces, Protocol):
    """What is asked of a recording's `places`."""


class RecordingView(Protocol):
    """What the viewer needs of a recording; RecordingReader has it."""

    def session(self) -> Session: ...  # noqa: D102
    def head_ns(self) -> int: ...  # noqa: D102
    def window(self, start_ns: int, end_ns: int, *, ticks_from_ns: int = ...) -> Window: ...  # noqa: D102
    def output_until(self, at_ns: int, *, max_bytes: int = ...) -> tuple[Output, ...]: ...  # noqa: D102
    def output_size(self, at_ns: int) -> int: ...  # noqa: D102
    def first_ns(self) -> int: ...  # noqa: D102
    def marks(self) -> tuple[Mark, ...]: ...  # noqa: D102
    def processes(self) -> tuple[Process, ...]: ...  # noqa: D102
    def whole_ticks(self, start_ns: int, end_ns: int) -> tuple[int, int]: ...  # noqa: D102

    @property
    def places(self) -> AllPlaces: ...  # noqa: D102


class Viewing:
    """Position, zoom, and what is read at them."""

    def __init__(self, recording: RecordingView) -> None:
        self._recording = recording
        self.playback = Playback()
        self.session = recording.session()
        self.head_ns = recording.head_ns()
        self.first_ns = recording.first_ns()
        """The oldest moment that is kept."""
        self.unit = Unit.TICK
        """By what one steps."""
        self.skip_idle = False
        """Playing leaves out stretches in which the target only sleeps."""
        self._ask_idle_ns = 0
        """Until here there is nothing to leave out."""
        self._exact = False
        """The position is a moment that was jumped to, not a cell."""
        self.whole = Whole(recording, self.head_ns, self.first_ns)
        self.cell_ns = 5 * NS_PER_MS
        self.edge = 0
        """The timeline cell behind the last one on the screen."""
        self.slots = 1
        """How many states a cell of the screen shows, side by side: 1 or 2."""
        self.columns = 80
        """How many timeline cells the screen has."""
        self.fits = 1_000
        """How many lanes the screen has room for."""
        self.core_columns = 30
        self.output_lines = 200
        self.folded: set[int] = set()
        self.order = LaneOrder()
        self.more = False
        """Cells on the screen are still to be read."""
        self._zoom_before_slow: int | None = None
        self._timeline = Timeline(self.cell_ns)
        self._panels_key: tuple[object, ...] = ()
        self._panels: Panels | None = None
        self._panels_read = False
        """They were read for this frame."""
        self._turns: tuple[Window, Turns] | None = None
        self._recent = RecentWindows(recording, self.session.tick_ns)
        self._reader = PanelReader(recording, self._recent)
        if not self.growing:
            self.playback.mode = Mode.PLAYING
            self.playback.position_ns = self.first_ns
        else:
            self.playback.position_ns = self.head_ns

    @property
    def growing(self) -> bool:
        """More is to come: nobody has written that the watch is over."""
        return self.session.ended_ns is None

    def poll(self, *, session: bool) -> None:
        """Learn how far the recording has got; `session`: also what is said of it."""
        growing = self.growing
        if session and growing:
            self.session = self._recording.session()
        # After it: what was written between the two would be behind a head that is taken for the last one.
        if session or growing:
            self.head_ns = self._recording.head_ns()
        if session:
            self.first_ns = self._recording.first_ns()
            self.whole.poll()

    # --- the position ---

    def advance(self, passed_ns: int) -> None:
        """Let time pass."""
        self.playback.advance(passed_ns, self.head_ns, growing=self.growing)
        if self.skip_idle and self.playback.mode is Mode.PLAYING:
            self._over_idle()
        if not self.growing and self.playback.mode is Mode.FOLLOW:
            self.playback.mode = Mode.PAUSED
        self._scroll()

    @property
    def slot_ns(self) -> int:
        """The time that a state on the screen stands for."""
        return self.cell_ns // self.slots

    @property
    def cursor_cell(self) -> int:
        """The cell that ends at or holds the position."""
        return max(0, self.playback.position_ns - 1) // self.cell_ns

    @property
    def now_slot(self) -> int:
        """The slot behind the position."""
        return -(-self.playback.position_ns // self.slot_ns)

    @property
    def moment(self) -> int:
        """The position, as exactly as makes a difference to what is drawn."""
        at_ns, mode = self.playback.position_ns, self.playback.mode
        exact = mode is Mode.PAUSED or (mode is Mode.PLAYING and self.playback.speed < 1.0)
        return at_ns if exact else at_ns // min(self.slot_ns, QUANTUM_NS)

    @property
    def at_edge(self) -> bool:
        """The position is where new cells appear, so it needs no mark."""
        # While more is to come, only what follows stays at the edge.
        return self.playback.mode is Mode.FOLLOW or (
            not self.growing
            and self.playback.position_ns >= self.head_ns
            and self.cursor_cell + 1 == self.edge
        )

    def _scroll(self) -> None:
        follow = self.playback.mode is Mode.FOLLOW
        self.edge = scroll_edge(self.edge, self.cursor_cell + 1, self.columns, follow=follow)

    def begin_with(self, *, cell_ns: int, fold: bool) -> None:
        """Begin with cells of about this length, and processes folded or not."""
        self._set_cell(min(ZOOMS_NS, key=lambda zoom: abs(zoom - cell_ns)))
        self.order = replace(self.order, fold=fold)

    def begin_at(self, at_ns: int | None, speed: float) -> None:
        """Begin a replay somewhere, and at another speed."""
        self.playback.speed = speed
        if self.growing:
            if at_ns is None:
                return
            self.playback.mode = Mode.PLAYING
        if at_ns is not None:
            self.seek(at_ns)
        self._cells_for_speed()

    def pause(self) -> None:
        """Stand still."""
        self.playback.mode = Mode.PAUSED

    def _over_idle(self) -> None:
        at_ns = self.playback.position_ns
        if at_ns >= self._ask_idle_ns or self._ask_idle_ns - at_ns > NS_PER_S:
            to_ns, self._ask_idle_ns = over_idle(
                self._recording.places, at_ns, self.head_ns, growing=self.growing
            )
            self.playback.position_ns = max(at_ns, to_ns)

    def toggle(self) -> None:
        """Pause or go on."""
        if self.playback.mode is Mode.PAUSED and self.playback.position_ns >= self.head_ns:
            self.playback.toggle(self.head_ns, growing=self.growing)
            self.playback.position_ns = max(self.playback.position_ns, self.first_ns)
            return
        self.playback.toggle(self.head_ns, growing=self.growing)

    def follow(self) -> None:
        """To the head, and stay there."""
        self.playback.follow(self.head_ns, growing=self.growing)
        self._restore_zoom()
        self._scroll()

    def seek(self, position_ns: int) -> None:
        """To a moment."""
        self.playback.seek(max(position_ns, self.first_ns), self.head_ns)
        self._ask_idle_ns, self._exact = 0, False
        self._scroll()

    def step(self, direction: int) -> bool:
        """On (1) or back (-1) by the unit; False: there is nothing on that side."""
        at_ns = self.playback.position_ns
        return self._jump(
            step_target(self._recording.places, self.session.rate_hz, self.unit, at_ns, direction)
        )

    def jump(self, kind: str, direction: int) -> bool:
        """To the next (1) or previous (-1) "handoff", "stall", "mark" or "process"; False: there is none."""
        at_ns, places = self.playback.position_ns, self._recording.places
        if kind == "mark":
            return self._jump(beside([mark.at_ns for mark in self.whole.marks], at_ns, direction))
        if kind == "process":
            starts = [process.start_ns for process in self._recording.processes()]
            return self._jump(just_after(beside(starts, at_ns - 1, direction)))
        find = places.handoff_beside if kind == "handoff" else places.stall_beside
        return self._jump(just_after(find(at_ns - 1, direction)))

    def _jump(self, target_ns: int | None) -> bool:
        if target_ns is None or not self.first_ns <= target_ns <= self.head_ns:
            return False
        self.pause()  # who looks for a moment wants to look at it
        self.seek(target_ns)
        self._exact = True
        return True

    def whole_span(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """A span in whole ticks: of less there are no figures."""
        start_ns, end_ns = sorted((start_ns, end_ns))
        start_ns, end_ns = self._recording.whole_ticks(start_ns, max(end_ns, start_ns + 1))
        return max(self.first_ns, start_ns), min(end_ns, self.head_ns)

    def change_speed(self, steps: int) -> None:
        """Slower (negative) or faster."""
        self.playback.change_speed(steps, self.head_ns, growing=self.growing)
        self._cells_for_speed()

    def step_cells(self, cells: int) -> None:
        """Move by timeline cells, to the end of a cell."""
        self.seek((self.cursor_cell + 1 + cells) * self.cell_ns)

    def seek_column(self, column: int) -> None:
        """To the end of the cell that stands in a column of the timeline."""
        self.seek((self.edge - self.columns + column + 1) * self.cell_ns)

    def cycle_speed(self) -> None:
        """The next speed; slow motion brings cells that are short enough to see turns."""
        self.playback.cycle_speed(self.head_ns, growing=self.growing)
        self._cells_for_speed()

    def _cells_for_speed(self) -> None:
        if self.playback.speed >= 1.0:
            self._restore_zoom()
        elif self.playback.speed > SLOW_FROM:
            pass
        elif self._zoom_before_slow is None and self.cell_ns > SLOW_CELL_NS:
            self._zoom_before_slow = self.cell_ns
            self._set_cell(SLOW_CELL_NS)
        self._scroll()

    def _restore_zoom(self) -> None:
        if self._zoom_before_slow is not None:
            self._set_cell(self._zoom_before_slow)
            self._zoom_before_slow = None

    def zoom(self, steps: int, column: int | None = None) -> None:
        """To longer (positive) or shorter cells; the position keeps its column.

        With a `column` what stands there keeps its place instead, and the position moves only where it would
        be out of sight; what follows the newest moment keeps that in sight.
        """
        self._zoom_before_slow = None
        number = ZOOMS_NS.index(self.cell_ns) + steps
        under_ns = (
            None if column is None else (2 * (self.edge - self.columns + column) + 1) * self.cell_ns // 2
        )
        self._set_cell(ZOOMS_NS[max(0, min(number, len(ZOOMS_NS) - 1))])
        if column is None or under_ns is None or self.playback.mode is Mode.FOLLOW:
            return
        self.edge = max(1, under_ns // self.cell_ns - column + self.columns)
        left = self.edge - self.columns
        if not left <= self.cursor_cell < self.edge:
            at_ns = (left + 1 if self.cursor_cell < left else self.edge) * self.cell_ns
            self.playback.seek(max(at_ns, self.first_ns), self.head_ns)
        self._scroll()

    def _set_cell(self, cell_ns: int) -> None:
        if cell_ns != self.cell_ns:
            right_of_cursor = self.edge - self.cursor_cell
            self.cell_ns = cell_ns
            self.edge = self.cursor_cell + right_of_cursor
            self._scroll()

    # --- what to draw ---

    def timeline(self) -> Timeline:
        """The cells on the screen, as far as they are read: `more` tells whether some are still to come.

        A frame reads only so much, the newest first: a jump or a zoom fills the screen in a few frames
        instead of holding up the keys.
        """
        if self._timeline.cell_ns != self.slot_ns:
            self._timeline = Timeline(self.slot_ns)
        first, end = max(0, self.edge - self.columns) * self.slots, self.edge * self.slots
        span = self._timeline.missing(first, end, self.head_ns)
        if span is None and self.playback.mode is Mode.PLAYING and not self._panels_read:
            # Before they are in sight: else that may fall into a frame that has to read the panels as well.
            span = self._timeline.missing(first, end + self.columns * self.slots // SOON, self.head_ns)
        self._panels_read = False
        if span is not None:
            self._read_cells(*span)
            self._timeline.trim(first - 4 * self.columns * self.slots, first)
        self.more = self._timeline.missing(first, end, self.head_ns) is not None
        return self._timeline

    def _read_cells(self, first: int, end: int) -> None:
        active = len(self._panels.figures.active) if self._panels else 8
        rows = active + self.session.cores + 1
        read_cells(
            self._recent,
            self._timeline,
            (first, end),
            tick_ns=self.session.tick_ns,
            rows_a_tick=rows,
        )

    def panels(self) -> Panels:
        """What the other panels show. The same object until something of it changes."""
        position, mode = self.playback.position_ns, self.playback.mode
        step_ns = QUANTUM_NS if self.session.cores <= MANY_CORES else MANY_CORES_QUANTUM_NS
        quantum = position
        if mode is not Mode.PAUSED and position > step_ns:
            quantum = position // step_ns * step_ns
        slow = mode is Mode.PLAYING and self.playback.speed < 1.0
        # In slow motion the holder is shown to the nanosecond: holds are needed up to the next quantum.
        until = min(self.head_ns, quantum + step_ns) if slow else quantum
        cell = None
        if mode is Mode.PAUSED and self.cell_ns <= self.session.tick_ns and not self._exact:
            cell = (self.cursor_cell * self.cell_ns, (self.cursor_cell + 1) * self.cell_ns)
            until = max(until, min(self.head_ns, cell[1]))
        key = (
            quantum,
            until,
            self.core_columns,
            self.fits,
            self.output_lines,
            frozenset(self.folded),
            self.order,
        )
        panels = self._panels
        if panels is None or key != self._panels_key:
            panels = self._reader.read(self._room(), quantum, until, paused=mode is Mode.PAUSED)
            self._panels_key = key
            self._panels_read = True
        exact = position if slow or mode is Mode.PAUSED else None
        holders = holders_now(panels.window, panels.figures, exact_at_ns=exact, cell=cell)
        if mode is Mode.PLAYING:
            # Not with the quantum: in slow motion that would be minutes late.
            panels = self._with_output(panels, position)
        if holders != panels.holders or not panels.gils:
            gils = present_gils(panels.window, panels.figures, holders)
            panels = replace(panels, holders=holders, gils=gils)
        self._panels = panels
        return panels

    def passes(self) -> tuple[Pass, ...]:
        """GILs on their way from lane to lane: where turns can be followed, in slow motion or standing."""
        panels, playback = self._panels, self.playback
        slow = playback.mode is Mode.PLAYING and playback.speed <= SLOW_FROM
        if panels is None or not (slow or playback.mode is Mode.PAUSED):
            return ()
        if self._turns is None or self._turns[0] is not panels.window:
            self._turns = panels.window, Turns(panels.window.holds)
        return self._turns[1].at(playback.position_ns, playback.speed if slow else 0.0)

    def _room(self) -> Room:
        return Room(
            core_columns=self.core_columns,
            cores=self.session.cores,
            fits=self.fits,
            output_lines=self.output_lines,
            folded=frozenset(self.folded),
            order=self.order,
        )

    def _with_output(self, panels: Panels, at_ns: int) -> Panels:
        output = self._reader.output(self._room(), at_ns)
        return panels if output is panels.output else replace(panels, output=output)

"""What the panels beside the timeline show at a moment: read, and kept as long as it stays the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from gilscope.model import NS_PER_MS, NS_PER_S, Output, Tick, Window
from gilscope.views.figures import (
    FIGURES_NS,
    NO_FIGURES,
    Figures,
    fold_core_cells,
    fold_figures,
    fold_weights,
)
from gilscope.views.lane_rows import AS_STARTED, LaneOrder, ended_at, present_lanes
from gilscope.views.present import CoreRow, GilLine, LaneRow, present_cores
from gilscope.views.reading import Windows
from gilscope.views.terminal import OutputLine, lines_of

CORE_CELL_NS = 200 * NS_PER_MS
CORE_CELLS_MOST = 6_000
"""So many cells of history are read at once, over all cores."""
ORDER_NS = NS_PER_S
"""Lanes change their places at most this often."""
RECENT_NS = 2 * NS_PER_S
"""A lane that did anything in this span counts as active."""
OUTPUT_BYTES = 32_768


class PanelView(Protocol):
    """What the panels need of a recording; RecordingReader has it."""

    def output_until(self, at_ns: int, *, max_bytes: int = ...) -> tuple[Output, ...]: ...  # noqa: D102
    def output_size(self, at_ns: int) -> int: ...  # noqa: D102


class TicksOfWindows(Windows, Protocol):
    """What is read from; RecentWindows has it."""

    def ticks(self, start_ns: int, end_ns: int) -> tuple[tuple[Tick, ...], int]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much the screen has room for, and what is folded away."""

    core_columns: int
    cores: int
    fits: int
    """How many lanes."""
    output_lines: int
    folded: frozenset[int]
    order: LaneOrder = AS_STARTED


@dataclass(slots=True)
class Panels:
    """What the panels beside the timeline show, as of the last quantum."""

    window: Window
    figures: Figures
    holders: dict[int, int]
    """By GIL: the lane that holds it."""
    gils: tuple[GilLine, ...]
    rows: tuple[LaneRow, ...]
    cores: tuple[CoreRow, ...]
    output: tuple[OutputLine, ...]


class PanelReader:
    """Reads the panels. All that it keeps can be read again."""

    def __init__(self, recording: PanelView, windows: TicksOfWindows) -> None:
        self._recording = recording
        self._windows = windows
        self._order: tuple[object, ...] = ()
        self._active: frozenset[int] = frozenset()
        self._made_of: tuple[object, ...] = ()
        self._rows: tuple[LaneRow, ...] = ()
        self._core_cells: dict[int, dict[int, tuple[float, float] | None]] = {}
        self._cores_sure = 0
        self._output_key: tuple[int, int] = (-1, -1)
        self._output: tuple[OutputLine, ...] = ()

    def read(self, room: Room, at_ns: int, until_ns: int, *, paused: bool) -> Panels:
        """What stands there at a moment; holds up to a later one."""
        read = self._windows.window(max(0, at_ns - FIGURES_NS), max(at_ns, until_ns))
        window = replace(
            read, ticks=tuple(tick for tick in read.ticks if tick.start_ns < at_ns), end_ns=at_ns
        )
        figures = fold_figures(window) if window.ticks else NO_FIGURES
        return Panels(
            window=replace(window, ticks=read.ticks),
            figures=figures,
            holders={},
            gils=(),
            rows=self._lane_rows(room, window, paused=paused),
            cores=present_cores(window, figures, self._cores(room, at_ns)),
            output=self.output(room, at_ns),
        )

    def _lane_rows(self, room: Room, window: Window, *, paused: bool) -> tuple[LaneRow, ...]:
        second = window.end_ns // ORDER_NS
        key = (
            second,
            len(window.lanes),
            room.fits,
            room.folded,
            room.order,
            paused,
        )
        if key != self._order:
            sorted_by = room.order.by
            weighed = sorted_by not in ("start", "name")
            weights: dict[int, int] = {}
            if weighed or len(window.lanes) > room.fits:
                start = max(0, second * ORDER_NS - RECENT_NS)
                ticks, _ = self._windows.ticks(start, max(second * ORDER_NS, start + 1))
                self._active = frozenset(row.lane for tick in ticks for row in tick.lanes)
                weights = fold_weights(ticks, sorted_by) if weighed else {}
            self._order = key
            ended = ended_at(window)
            # What the rows are made of; with a thousand lanes that nothing has changed in they are kept.
            made_of = (
                window.processes, window.lanes, room.fits, room.folded, room.order, self._active, weights,
                ended,
            )  # fmt: skip
            if made_of != self._made_of:
                self._made_of = made_of
                self._rows = present_lanes(
                    window, self._active, room.folded, fits=room.fits, order=room.order, weights=weights
                )
        return self._rows

    def _cores(self, room: Room, at_ns: int) -> dict[int, tuple[tuple[float, float] | None, ...]]:
        """The history of each core up to a moment, oldest first."""
        count = max(1, min(room.core_columns, CORE_CELLS_MOST // max(1, room.cores)))
        end = -(-at_ns // CORE_CELL_NS)
        first = max(0, end - count)
        missing = [
            cell for cell in range(first, end) if cell not in self._core_cells or cell >= self._cores_sure
        ]
        if missing:
            begin, stop = missing[0], missing[-1] + 1
            ticks, head_ns = self._windows.ticks(begin * CORE_CELL_NS, stop * CORE_CELL_NS)
            cells = fold_core_cells(ticks, CORE_CELL_NS, begin, stop - begin)
            if len(self._core_cells) > 10 * count + 100:
                self._core_cells = {k: v for k, v in self._core_cells.items() if k >= first}
            for cell in range(begin, stop):
                self._core_cells[cell] = {core: row[cell - begin] for core, row in cells.items()}
            self._cores_sure = max(self._cores_sure, head_ns // CORE_CELL_NS)
        columns = [self._core_cells[cell] for cell in range(first, end)]
        known: set[int] = set().union(*columns)
        return {core: tuple([cells.get(core) for cells in columns]) for core in sorted(known)}

    def output(self, room: Room, at_ns: int) -> tuple[OutputLine, ...]:
        """The lines up to a moment."""
        key = (self._recording.output_size(at_ns), room.output_lines)
        if key != self._output_key:
            pieces = self._recording.output_until(at_ns, max_bytes=OUTPUT_BYTES) if key[0] else ()
            self._output = lines_of(pieces, last=room.output_lines)
            self._output_key = key
        return self._output

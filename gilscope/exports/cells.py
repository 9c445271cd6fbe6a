"""A recording in cells of equal length, one after the other: animations and timelines are made of them.

Cell n spans [n × cell_ns, (n + 1) × cell_ns). In cells shorter than a tick holds stand where they were;
longer ones take the sums of their ticks. Pure, and only the cells that a tick touches are in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gilscope.exports.spans import spans_of
from gilscope.model import N_STATES, Hold, Tick


@dataclass(slots=True)
class GilCell:
    """One GIL in one cell; nanoseconds, as fractions where a tick is shared out."""

    watched_ns: float = 0.0
    held_ns: float = 0.0
    waiter_ns: float = 0.0
    """Below zero: its source does not see who waits."""
    holder: int | None = None
    """The lane that held it last in the cell."""


@dataclass(slots=True)
class Cell:
    """All that was recorded of one stretch."""

    index: int
    covered_ns: float = 0.0
    """How much of it ticks cover."""
    lanes: dict[int, list[float]] = field(default_factory=dict)
    """By lane: nanoseconds by state; what is missing to `covered_ns`, it slept."""
    gils: dict[int, GilCell] = field(default_factory=dict)
    cores: dict[int, list[float]] = field(default_factory=dict)
    """By core: nanoseconds that it was busy, and those of the target."""


def cells_of(
    steps: Iterable[tuple[Tick, tuple[Hold, ...]]], cell_ns: int, *, longest_ns: int | None = None
) -> Iterator[Cell]:
    """The cells of a recording in order; those in which nothing was recorded are left out.

    Of a tick longer than `longest_ns`, as one is in which the watch stood still, only the end has cells.
    """
    coming: dict[int, Cell] = {}
    for tick, holds in steps:
        start_ns = tick.start_ns if longest_ns is None else max(tick.start_ns, tick.end_ns - longest_ns)
        first, last = start_ns // cell_ns, max(start_ns, tick.end_ns - 1) // cell_ns
        for index in sorted(index for index in coming if index < first):
            yield coming.pop(index)
        for index in range(first, last + 1):
            coming.setdefault(index, Cell(index))
        _add(coming, tick, holds, cell_ns, start_ns)
    for index in sorted(coming):
        yield coming[index]


def _parts(start_ns: int, end_ns: int, cell_ns: int) -> Iterator[tuple[int, int]]:
    """The cells that a span touches, and its nanoseconds in each."""
    at = start_ns
    while at < end_ns:
        index = at // cell_ns
        until = min(end_ns, (index + 1) * cell_ns)
        yield index, until - at
        at = until


def _add(cells: dict[int, Cell], tick: Tick, holds: tuple[Hold, ...], cell_ns: int, start_ns: int) -> None:
    length = tick.end_ns - tick.start_ns
    short = cell_ns < length
    parts = [(cells[index], ns, ns / length) for index, ns in _parts(start_ns, tick.end_ns, cell_ns)]
    for cell, ns, share in parts:
        cell.covered_ns += ns
        for core in tick.cores:
            load = cell.cores.setdefault(core.core, [0.0, 0.0])
            load[0] += core.busy_share * ns
            load[1] += core.target_share * ns
        for gil in tick.gils:
            of_gil = cell.gils.setdefault(gil.gil, GilCell())
            of_gil.watched_ns += gil.watched_ns * share
            of_gil.waiter_ns += gil.waiter_ns * share
            if not short:
                of_gil.held_ns += gil.held_ns * share
                of_gil.holder = gil.holder
        if not short:
            for row in tick.lanes:
                times = cell.lanes.setdefault(row.lane, [0.0] * N_STATES)
                for state, spent in enumerate(row.states):
                    if spent:
                        times[state] += spent * share
    if short:
        _add_exactly(cells, tick, holds, cell_ns, start_ns)


def _add_exactly(
    cells: dict[int, Cell], tick: Tick, holds: tuple[Hold, ...], cell_ns: int, start_ns: int
) -> None:
    for lane, state, start, end in spans_of(tick, holds):
        for index, ns in _parts(max(start, start_ns), min(end, tick.end_ns), cell_ns):
            cells[index].lanes.setdefault(lane, [0.0] * N_STATES)[state] += ns
    for hold in holds:
        start, end = max(hold.start_ns, start_ns), min(hold.end_ns, tick.end_ns)
        for index, ns in _parts(start, end, cell_ns):
            of_gil = cells[index].gils.get(hold.gil)
            if of_gil is not None:
                of_gil.held_ns += ns
                of_gil.holder = hold.lane

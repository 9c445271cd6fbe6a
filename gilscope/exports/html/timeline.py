"""The timeline of a report: shares by cell for the lanes that did most, the GILs and the cores.

So coarse that an hour of many threads stays small: the page holds all of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gilscope.exports.cells import Cell, cells_of
from gilscope.model import NS_PER_MS, NS_PER_S, Gap, Gil, Lane, Process, State
from gilscope.recording.streams import RecordingStreams
from gilscope.roles import pid_and_name
from gilscope.text import clean

LENGTHS_NS = (
    *(ms * NS_PER_MS for ms in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(s * NS_PER_S for s in (1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600)),
)
MOST_CELLS = 36_000
MOST_VALUES = 500_000
"""So many cells times rows."""
MOST_LANES, MOST_GILS, MOST_CORES = 64, 16, 64
MOST_EVENTS = 400
CELLS_A_TICK = 50
"""The shortest cell is 1 ms, a tick at least 50 of them but for the very first and last."""
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
"""A share of 0 – 1 is one of these; a blank is a cell of which nothing is known."""


@dataclass(slots=True)
class LaneSeries:
    """One lane's row."""

    lane: Lane
    process: Process | None
    states: dict[State, array[float]] = field(default_factory=dict)
    """Share of each cell, by state; those that never were are left out, and so is what it slept."""

    @property
    def pid(self) -> int | None:
        """Of its process."""
        return None if self.process is None else self.process.pid

    @property
    def group(self) -> str:
        """What stands above the lanes of its process, where there are several processes."""
        name = None if self.process is None else self.process.name
        return f"pid {pid_and_name(self.pid, name)}"


@dataclass(slots=True)
class GilSeries:
    """One GIL's row."""

    gil: Gil
    label: str
    held: array[float]
    waiters: array[float]
    """-1: not known."""


@dataclass(slots=True)
class CoreSeries:
    """One core's row."""

    core: int
    busy: array[float]
    target: array[float]


@dataclass(slots=True)
class Timeline:
    """All rows, and what happened when."""

    cell_ns: int
    first: int
    """Number of the first cell: the beginning of a long watch may have been let go."""
    count: int
    end_ns: int
    known: bytearray
    """By cell: 1 where something was recorded."""
    lanes: list[LaneSeries]
    lanes_left_out: int
    gils: list[GilSeries]
    cores: list[CoreSeries]
    events: list[tuple[int, str, str]] = field(default_factory=list)
    """Moment, kind, text."""
    gaps: Sequence[Gap] = ()

    def to_data(self) -> dict[str, Any]:
        """What the page's script draws from."""
        most = max([1.0, *(max(gil.waiters, default=0.0) for gil in self.gils)])
        return {
            "cell_s": self.cell_ns / NS_PER_S,
            "start_s": self.first * self.cell_ns / NS_PER_S,
            "cells": self.count,
            "end_s": self.end_ns / NS_PER_S,
            "digits": DIGITS,
            "waiters_max": round(most, 3),
            "lanes": [
                {
                    "name": clean(series.lane.label),
                    "pid": series.pid,
                    "group": series.group,
                    "start_s": series.lane.start_ns / NS_PER_S,
                    "end_s": (self.end_ns if series.lane.end_ns is None else series.lane.end_ns) / NS_PER_S,
                    "states": {
                        str(int(state)): self._text(values) for state, values in series.states.items()
                    },
                }
                for series in self.lanes
            ],
            "gils": [
                {
                    "name": gil.label,
                    "held": self._text(gil.held),
                    "waiters": self._text([value / most if value > 0 else value for value in gil.waiters]),
                }
                for gil in self.gils
            ],
            "cores": [
                {"core": core.core, "busy": self._text(core.busy), "target": self._text(core.target)}
                for core in self.cores
            ],
            "events": [[at / NS_PER_S, clean(kind), clean(text)[:200]] for at, kind, text in self.events],
            "gaps": [
                [gap.start_ns / NS_PER_S, gap.end_ns / NS_PER_S, clean(f"{gap.source}: {gap.reason}")[:200]]
                for gap in self.gaps[:MOST_EVENTS]
            ],
        }

    def _text(self, values: Iterable[float]) -> str:
        last = len(DIGITS) - 1
        return "".join(
            DIGITS[max(0, min(last, round(value * last)))] if known and value >= 0 else " "
            for value, known in zip(values, self.known, strict=True)
        )


def length_of_cells(end_ns: int, rows: int, ticks: int = MOST_CELLS) -> int:
    """The shortest cell with which the page stays small; few ticks need few cells, however long they are."""
    most = min(MOST_CELLS, MOST_VALUES // max(1, rows), 200 + CELLS_A_TICK * ticks)
    for cell_ns in LENGTHS_NS:
        if end_ns <= most * cell_ns:
            return cell_ns
    return -(-end_ns // most)


def fold(streams: RecordingStreams) -> Timeline:
    """A recording's timeline, in memory that does not grow with its length."""
    session, lanes = streams.session(), streams.lanes()
    chosen = _busiest(streams, lanes)
    gils = [gil for gil in streams.gils() if gil.kind != "disabled"][:MOST_GILS]
    cores = min(MOST_CORES, session.cores)
    kept_ns = streams.until_ns - streams.first_ns()
    cell_ns = length_of_cells(kept_ns, len(chosen) + 2 * len(gils) + 2 * cores, streams.tick_count())
    first = streams.first_ns() // cell_ns
    count = -(-streams.until_ns // cell_ns) - first
    processes = {process.key: process for process in streams.processes()}
    timeline = Timeline(
        cell_ns=cell_ns,
        first=first,
        count=count,
        end_ns=streams.until_ns,
        known=bytearray(count),
        lanes=[LaneSeries(lane, processes.get(lane.process)) for lane in chosen],
        lanes_left_out=len(lanes) - len(chosen),
        gils=[GilSeries(gil, _gil_label(gil, gils, processes), _zeros(count), _zeros(count)) for gil in gils],
        cores=[CoreSeries(core, _zeros(count), _zeros(count)) for core in range(cores)],
        gaps=streams.gaps(),
    )
    for cell in cells_of(streams.steps(), cell_ns):
        if first <= cell.index < first + count and cell.covered_ns > 0:
            _put(timeline, cell)
    for event in streams.each_event():
        if len(timeline.events) < MOST_EVENTS and event.kind != "swap-note":
            timeline.events.append((max(0, event.at_ns), event.kind, event.text))
    timeline.events += [(at_ns, "mark", text) for at_ns, text in streams.each_mark()][:MOST_EVENTS]
    timeline.events.sort()
    return timeline


def _put(timeline: Timeline, cell: Cell) -> None:
    index = cell.index - timeline.first
    timeline.known[index] = 1
    for series in timeline.lanes:
        times = cell.lanes.get(series.lane.key)
        if times is None:
            continue
        for state in State:
            if times[state] > 0 and state is not State.BLOCKED:
                values = series.states.get(state)
                if values is None:
                    values = series.states[state] = _zeros(timeline.count)
                values[index] = min(1.0, times[state] / cell.covered_ns)
    for gil in timeline.gils:
        of_gil = cell.gils.get(gil.gil.key)
        if of_gil is None or of_gil.watched_ns <= 0:
            gil.held[index] = gil.waiters[index] = -1.0
            continue
        gil.held[index] = min(1.0, of_gil.held_ns / of_gil.watched_ns)
        gil.waiters[index] = of_gil.waiter_ns / of_gil.watched_ns if of_gil.waiter_ns >= 0 else -1.0
    for core in timeline.cores:
        load = cell.cores.get(core.core)
        if load is None:
            core.busy[index] = core.target[index] = -1.0
        else:
            core.busy[index], core.target[index] = load[0] / cell.covered_ns, load[1] / cell.covered_ns


def _zeros(count: int) -> array[float]:
    return array("f", bytes(4 * count))


def _pid(processes: Mapping[int, Process], key: int) -> int | None:
    process = processes.get(key)
    return None if process is None else process.pid


def _gil_label(gil: Gil, gils: Sequence[Gil], processes: Mapping[int, Process]) -> str:
    several = sum(other.process == gil.process for other in gils) > 1
    pid = f" of {_pid(processes, gil.process)}" if len({other.process for other in gils}) > 1 else ""
    return f"GIL{pid}" + (f" #{gil.interpreter}" if several else "")


def _busiest(streams: RecordingStreams, lanes: Sequence[Lane]) -> list[Lane]:
    """The lanes that did most besides sleeping, in the order of their start."""
    done: dict[int, int] = {}
    for tick in streams.coarse_ticks(streams.until_ns):
        for row in tick.lanes:
            done[row.lane] = done.get(row.lane, 0) + sum(row.states) - row.states[State.BLOCKED]
    busiest = sorted(lanes, key=lambda lane: (-done.get(lane.key, 0), lane.key))[:MOST_LANES]
    return sorted(busiest, key=lambda lane: (lane.process, lane.key))

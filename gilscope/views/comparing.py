"""What the comparison's screen shows, from plain values. Pure: it sees the model and nothing else.

All text that leaves this module is cleaned for the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilscope.model import Lane, Process, Session
from gilscope.roles import pid_and_name, roles
from gilscope.text import clean
from gilscope.views.present import LaneRow, process_label

HEADER_AND_FOOTER = 2
BORDERS = 2
RULER = 1
RUN_LEAST = 2
"""Rows of a run: its title and a lane."""
RUNS_LEAST = BORDERS + RULER + 2 * RUN_LEAST
FOLDED_ROWS = 2
"""Rows of the comparison when its table is folded away: the advice in a sentence."""
ALONE = "alone"
"""The note of a lane that names its process itself: no heading stands above it."""
OPEN_FROM_HEIGHT = 30
"""From this height the table is open until somebody folds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """One run: where it is recorded, and its figures."""

    recording: Path
    figures: Mapping[str, Any]
    """As a way of the schema gilscope.compare/1, of this run alone; None is a figure that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTable:
    """The table and what to do about it, as they are printed too."""

    labels: tuple[str, ...] = ()
    """A way each."""
    rows: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """A figure each: its words, and its values in the order of the labels."""
    advice: tuple[str, ...] = ()
    """Sentences, the advice itself first."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    text: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Heights, with borders; 0: not shown."""

    runs: int
    table: int


def share_screen(height: int, *, table: int) -> Plan:
    """Share a screen of `height` rows: the table gets the rows it wants as far as the runs keep enough."""
    left = max(0, height - HEADER_AND_FOOTER)
    rows = min(table + BORDERS, left - RUNS_LEAST)
    if rows <= BORDERS:
        rows = 0
    return Plan(left - rows, rows)


def share_runs(room: int, wants: Sequence[int]) -> list[int]:
    """Rows for each run, of `room` in all: none more than it wants, the rest shared evenly.

    Runs that do not get RUN_LEAST are left out: the list is then shorter than `wants`.
    """
    count = min(len(wants), max(1, room // RUN_LEAST))
    rows = [0] * count
    open_ = list(range(count))
    while open_ and room > 0:
        each = max(1, room // len(open_))
        for number in list(open_):
            more = min(each, wants[number] - rows[number], room)
            rows[number] += more
            room -= more
            if rows[number] >= wants[number]:
                open_.remove(number)
    return rows


def arrange(
    processes: Sequence[Process], lanes: Sequence[Lane], busy: Mapping[int, int], *, fits: int
) -> tuple[LaneRow, ...]:
    """The rows of a run, grouped by process if there are several.

    While all rows fit they stand in the order of their start. Else there are no headings, which would take
    room: each lane names its process, and the busiest come first.

    Args:
        processes: all of the run.
        lanes: all of the run.
        busy: by lane, the nanoseconds in which it did anything but sleep.
        fits: how many rows there is room for.
    """
    of_process: dict[int, list[Lane]] = {process.key: [] for process in processes}
    for lane in lanes:
        of_process.setdefault(lane.process, []).append(lane)
    groups = {key: group for key, group in of_process.items() if group}
    by_key = {process.key: process for process in processes}
    several = len(groups) > 1
    known = roles(processes)

    def pid_of(lane: Lane) -> int | None:
        return by_key[lane.process].pid if lane.process in by_key else None

    def alone(lane: Lane) -> LaneRow:
        if not several:
            return LaneRow(clean(lane.label), lane, lane.process, pid_of(lane))
        name = by_key[lane.process].name if lane.process in by_key else None
        label = _lone_label(lane, pid_of(lane), name, only=len(groups[lane.process]) == 1)
        return LaneRow(label, lane, lane.process, pid_of(lane), note=ALONE)

    total = len(lanes) + (sum(len(group) > 1 for group in groups.values()) if several else 0)
    if total > fits:
        return tuple(alone(lane) for lane in sorted(lanes, key=lambda lane: -busy.get(lane.key, 0)))
    rows: list[LaneRow] = []
    for key, group in groups.items():
        if not several or len(group) == 1:
            # A heading over a single lane would only take its room.
            rows += map(alone, group)
            continue
        process = by_key.get(key)
        label = process_label(process, known.get(key)) if process else f"process {key}"
        pid = process.pid if process else None
        rows.append(LaneRow(label, None, key, pid, note=f"{len(group)} lanes"))
        rows += [LaneRow(clean(lane.label), lane, key, pid) for lane in group]
    return tuple(rows)


def _lone_label(lane: Lane, pid: int | None, name: str | None, *, only: bool) -> str:
    """What a lane without a heading is called; the only thread of a process is called as that is."""
    if only and lane.tid == pid:
        return f"pid {pid}" if name is None else pid_and_name(pid, name)
    return f"{'?' if pid is None else pid} {clean(lane.label)}"


def title_facts(figures: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The figures beside a run's label, the most important first, in words and in short.

    What is not known is a question mark.
    """

    def number(key: str, digits: int) -> str:
        value = figures.get(key)
        return "?" if value is None else f"{value:.{digits}f}"

    held, processes = figures.get("gil_held"), figures.get("processes")
    wall, speedup, cores = number("wall_s", 2), number("speedup", 2), number("cores_used", 1)
    share = "? %" if held is None else f"{100 * held:.0f} %"
    memory = f"{number('memory_peak_mb', 0)} MB"
    count = "1 process" if processes == 1 else f"{number('processes', 0)} processes"
    return (
        (f"{wall} s", f"{wall} s"),
        (f"{speedup} × as fast", f"{speedup} ×"),
        (f"{cores} cores used", f"{cores} cores"),
        (f"GIL held {share}", f"GIL {share}"),
        (memory, memory),
        (count, count),
    )


def label_of(figures: Mapping[str, Any]) -> str:
    """What a run is called."""
    return clean(str(figures.get("label", "?")))


def ending_of(session: Session) -> Ending:
    """How a run ended, in a word or two."""
    if session.exit_code is not None:
        return Ending(f"exit {session.exit_code}", session.exit_code != 0)
    return Ending("no end" if session.ended_ns is None else "exit ?", failed=False)

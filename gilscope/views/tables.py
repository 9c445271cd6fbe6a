"""Threads and processes as tables, from a summary. Pure: values in, cells of text out.

All text that leaves this module is cleaned for the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gilscope.model import Gil, Lane, Process, Stall
from gilscope.roles import roles_in, with_role
from gilscope.text import clean, duration_text, fine_clock_text
from gilscope.views.present import frame_text

Row = Mapping[str, Any]
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, what the head means, and how a cell comes of a row."""

    head: str
    meaning: str
    value: Callable[[Row], Any]
    """What it is sorted by; None is unknown, and comes last."""
    show: Callable[[Any], str]
    left: bool = False
    """Text stands to the left, figures to the right."""


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of table: its columns, and where its rows are in a summary."""

    title: str
    columns: tuple[Column, ...]
    rows: Callable[[Mapping[str, Any]], Sequence[Row]]
    first_by: int
    """The column it is sorted by until somebody says otherwise."""
    looked_for: Callable[[Mapping[str, Any]], bool] = lambda _summary: True
    """Whether anybody looked for rows: none that nobody looked for is no answer."""


def _key(name: str) -> Callable[[Row], Any]:
    return lambda row: row.get(name)


def _text(value: Any) -> str:
    return UNKNOWN if value is None else clean(str(value))


def _command(row: Row) -> Any:
    """What it is to multiprocessing, and its command line, the program without the folders it is in."""
    program, _, rest = str(row["command"]).partition(" ")
    return with_role(f"{program.rpartition('/')[2] or program} {rest}".rstrip(), row.get("role"))


def _seconds(value: Any) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _percent(value: Any) -> str:
    return UNKNOWN if value is None else f"{100 * value:.0f} %"


def _mb(value: Any) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def _waiters(value: Any) -> str:
    return f"{value:.1f}"


def _share(name: str) -> Callable[[Row], Any]:
    """A state's part of a lane's life."""

    def value(row: Row) -> Any:
        seconds = row.get(name)
        return None if seconds is None or not row["alive_s"] else seconds / row["alive_s"]

    return value


def _mean_wait(row: Row) -> Any:
    waits = row.get("waits")
    return waits["mean_ms"] if waits else None


def _wait(value: Any) -> str:
    return UNKNOWN if value is None else f"{value:.1f} ms"


STATES = (
    ("running", "executes Python"),
    ("holding", "holds its GIL while off the CPU"),
    ("waiting", "wants the GIL, does not have it"),
    ("native", "on a CPU without the GIL"),
    ("ready", "could run, no CPU is free"),
    ("blocked", "asleep: I/O, lock, sleep"),
    ("unknown", "could not be read"),
)

THREADS = Table(
    title="Threads",
    columns=(
        Column("thread", "its name in Python", _key("name"), _text, left=True),
        Column("pid", "its process", _key("pid"), _text),
        Column("tid", "its number in the kernel", _key("tid"), _text),
        Column("CPU s", "seconds of CPU time", _key("cpu_s"), _seconds),
        Column("holder", "part of the time in which it held its GIL", _key("held_share"), _percent),
        *(Column(word, meaning, _share(f"{word}_s"), _percent) for word, meaning in STATES),
        Column("a wait", "how long it waited for the GIL, each time, on average", _mean_wait, _wait),
        Column("alive s", "how long it was there", _key("alive_s"), _seconds),
    ),
    rows=lambda summary: summary["lanes"],
    first_by=3,
)


def _with_gils(summary: Mapping[str, Any]) -> Sequence[Row]:
    """Processes, each with the figures of its busiest GIL."""
    busiest: dict[int, Mapping[str, Any]] = {}
    for gil in summary["gils"]:
        known = busiest.get(gil["pid"])
        if known is None or (gil["utilisation"] or 0) > (known["utilisation"] or 0):
            busiest[gil["pid"]] = gil
    named = zip(summary["processes"], roles_in(summary["processes"]), strict=True)
    return [
        {
            **process,
            "role": role,
            "held": busiest[process["pid"]]["utilisation"] if process["pid"] in busiest else None,
            "contended": busiest[process["pid"]]["contention"] if process["pid"] in busiest else None,
            "has_gil": process["pid"] in busiest,
        }
        for process, role in named
    ]


PROCESSES = Table(
    title="Processes",
    columns=(
        Column("pid", "its place in the process table", _key("pid"), _text),
        Column("parent", "the process that started it", _key("ppid"), _text),
        Column(
            "state",
            "running; ended; zombie: ended, and its parent has not asked how; orphaned: outlived its parent",
            _key("state"),
            _text,
            left=True,
        ),
        Column("Python", "version; -: no Python", lambda row: row.get("python") or "-", _text, left=True),
        Column("CPU s", "seconds of CPU time", _key("cpu_s"), _seconds),
        Column("threads", "most at once", _key("threads_max"), _text),
        Column("RSS MB", "memory in RAM at most, shared pages included", _key("rss_max_mb"), _mb),
        Column(
            "PSS MB", "likewise, shared pages divided among those who share them", _key("pss_max_mb"), _mb
        ),
        Column("USS MB", "likewise, only what is its own", _key("uss_max_mb"), _mb),
        Column(
            "GIL held",
            "part of the time in which its busiest GIL was held",
            lambda row: row["held"] if row["has_gil"] else -1,
            lambda value: "none" if value == -1 else _percent(value),
        ),
        Column(
            "contended",
            "part of the time in which a thread waited for that GIL",
            lambda row: row["contended"] if row["has_gil"] else -1,
            lambda value: "-" if value == -1 else _percent(value),
        ),
        Column("start s", "since the session's start", _key("start_s"), _seconds),
        Column(
            "end s",
            "likewise; -: it runs",
            lambda row: row["end_s"] if row.get("end_s") is not None else float("inf"),
            lambda value: "-" if value == float("inf") else f"{value:.2f}",
        ),
        Column(
            "exit",
            "exit code, 128 + signal; ?: only its parent can know",
            lambda row: row.get("exit_code") if row.get("state") != "running" else -1,
            lambda value: "-" if value == -1 else _text(value),
        ),
        Column("command", "what multiprocessing calls it, and its command line", _command, _text, left=True),
    ),
    rows=_with_gils,
    first_by=4,
)


def stall_rows(
    stalls: Iterable[Stall], lanes: Iterable[Lane], gils: Iterable[Gil], processes: Iterable[Process]
) -> list[Row]:
    """A row for each stall."""
    lane_of = {lane.key: lane for lane in lanes}
    pid_of = {process.key: process.pid for process in processes}
    process_of = {gil.key: gil.process for gil in gils}
    rows: list[Row] = []
    for stall in stalls:
        lane = None if stall.lane is None else lane_of.get(stall.lane)
        # The line of Python that called what kept the GIL says more than the name of a C function.
        place = next((frame for frame in reversed(stall.frames) if frame.line), None)
        rows.append(
            {
                "start_ns": stall.start_ns,
                "end_ns": stall.end_ns,
                "held_ns": stall.end_ns - stall.start_ns,
                "pid": pid_of.get(process_of.get(stall.gil, -1)),
                "name": lane.label if lane else None,
                "waiters": stall.waiters_mean if stall.waiters_mean >= 0 else None,
                "waiters_max": stall.waiters_max if stall.waiters_max >= 0 else None,
                "function": frame_text(place or stall.frames[-1]) if stall.frames else None,
                "frames": stall.frames,
            }
        )
    return rows


STALLS = Table(
    title="Stalls",
    columns=(
        Column("when", "since the session's start", _key("start_ns"), fine_clock_text),
        Column("thread", "which held the GIL", _key("name"), _text, left=True),
        Column("pid", "its process", _key("pid"), _text),
        Column("held", "how long, without a handoff", _key("held_ns"), duration_text),
        Column("waiting", "threads that waited for it meanwhile, on average", _key("waiters"), _waiters),
        Column("at most", "likewise, at once", _key("waiters_max"), _text),
        Column("function", "where it was: the innermost line of Python", _key("function"), _text, left=True),
    ),
    rows=lambda summary: summary["stalls"] or (),
    first_by=3,
    looked_for=lambda summary: summary["stalls"] is not None,
)

TABLES: dict[str, Table] = {"threads": THREADS, "processes": PROCESSES, "stalls": STALLS}


def cells(
    table: Table, summary: Mapping[str, Any], *, by: int, backwards: bool, only: str = ""
) -> tuple[tuple[str, ...], ...]:
    """The table's cells, as `picked` has its rows."""
    rows = picked(table, summary, by=by, backwards=backwards, only=only)
    return tuple(_shown(table, row) for row in rows)


def _shown(table: Table, row: Row) -> tuple[str, ...]:
    return tuple(
        UNKNOWN if (value := column.value(row)) is None else column.show(value) for column in table.columns
    )


def picked(
    table: Table, summary: Mapping[str, Any], *, by: int, backwards: bool, only: str = ""
) -> tuple[Row, ...]:
    """The table's rows, sorted; unknown values come last either way.

    Args:
        table: which.
        summary: the figures.
        by: number of the column it is sorted by.
        backwards: the largest first.
        only: rows that have this text in a cell, whatever its case; empty: all.
    """
    key = table.columns[by].value
    rows = list(table.rows(summary))
    known = [row for row in rows if key(row) is not None]
    known.sort(key=key, reverse=backwards)
    ordered = known + [row for row in rows if key(row) is None]
    wanted = only.casefold()
    return tuple(
        row for row in ordered if not wanted or any(wanted in cell.casefold() for cell in _shown(table, row))
    )

"""Threads and processes as tables, from a summary. Pure: values in, cells of text out.

All text that leaves this module is cleaned for the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gilscope.text import clean

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


def _key(name: str) -> Callable[[Row], Any]:
    return lambda row: row.get(name)


def _text(value: Any) -> str:
    return UNKNOWN if value is None else clean(str(value))


def _command(row: Row) -> Any:
    """The command line, its program without the folders that it is in."""
    program, _, rest = str(row["command"]).partition(" ")
    return f"{program.rpartition('/')[2] or program} {rest}".rstrip()


def _seconds(value: Any) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _percent(value: Any) -> str:
    return UNKNOWN if value is None else f"{100 * value:.0f} %"


def _mb(value: Any) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


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
    return [
        {
            **process,
            "held": busiest[process["pid"]]["utilisation"] if process["pid"] in busiest else None,
            "contended": busiest[process["pid"]]["contention"] if process["pid"] in busiest else None,
            "has_gil": process["pid"] in busiest,
        }
        for process in summary["processes"]
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
        Column("command", "its command line", _command, _text, left=True),
    ),
    rows=_with_gils,
    first_by=4,
)

TABLES: dict[str, Table] = {"threads": THREADS, "processes": PROCESSES}


def cells(
    table: Table, summary: Mapping[str, Any], *, by: int, backwards: bool, only: str = ""
) -> tuple[tuple[str, ...], ...]:
    """The table's cells, sorted; unknown values come last either way.

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
    shown = (tuple(column.show(column.value(row)) for column in table.columns) for row in ordered)
    wanted = only.casefold()
    return tuple(row for row in shown if not wanted or any(wanted in cell.casefold() for cell in row))

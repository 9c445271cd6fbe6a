"""The tables of a recording, and how an older file becomes a newer one.

A recording is one SQLite file, open to anyone's queries: plain rows, whole nanoseconds since the
session's start. `MIGRATIONS[n]` takes a file from `user_version` n to n + 1; a new file runs them all, so
that a fresh file and a migrated one cannot differ. A migration and the number that records it are
written in one transaction.
"""

from __future__ import annotations

import functools
import sqlite3

APPLICATION_ID = 0x47494C53
"""The ASCII letters GILS, in SQLite's header: what makes a file one of ours."""

ROLLUPS: tuple[tuple[str, int], ...] = (("_1s", 1_000_000_000), ("_60s", 60_000_000_000))
"""Suffix and length in nanoseconds of the coarser copies of the tick tables."""

LANE_STATES = ("running", "holding", "waiting", "native", "ready", "blocked", "unknown")
"""Columns of lane_tick, in the order of model.State; each with the suffix _ns."""


def _tick_tables(suffix: str) -> str:
    states = ", ".join(f"{state}_ns INTEGER NOT NULL" for state in LANE_STATES)
    return f"""
CREATE TABLE tick{suffix} (
    idx INTEGER PRIMARY KEY, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL) STRICT;
CREATE TABLE gil_tick{suffix} (
    tick INTEGER NOT NULL, gil INTEGER NOT NULL,
    samples INTEGER NOT NULL, locked_samples INTEGER NOT NULL, watched_ns INTEGER NOT NULL,
    held_ns INTEGER NOT NULL, contended_ns INTEGER NOT NULL, waiter_ns INTEGER NOT NULL,
    waiters_max INTEGER NOT NULL, handoffs INTEGER NOT NULL, handoffs_seen INTEGER NOT NULL,
    longest_hold_ns INTEGER NOT NULL, holder INTEGER,
    PRIMARY KEY (tick, gil)) STRICT, WITHOUT ROWID;
CREATE TABLE lane_tick{suffix} (
    tick INTEGER NOT NULL, lane INTEGER NOT NULL, {states},
    held_ns INTEGER NOT NULL, core INTEGER,
    PRIMARY KEY (tick, lane)) STRICT, WITHOUT ROWID;
CREATE TABLE core_tick{suffix} (
    tick INTEGER NOT NULL, core INTEGER NOT NULL,
    busy_share REAL NOT NULL, lane INTEGER, target_share REAL NOT NULL,
    PRIMARY KEY (tick, core)) STRICT, WITHOUT ROWID;
"""


_FIRST = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE process (
    key INTEGER PRIMARY KEY, pid INTEGER NOT NULL, ppid INTEGER NOT NULL, command TEXT NOT NULL,
    python TEXT, start_ns INTEGER NOT NULL, end_ns INTEGER, exit_code INTEGER,
    cpu_ns INTEGER NOT NULL) STRICT;
CREATE TABLE interpreter (
    key INTEGER PRIMARY KEY, process INTEGER NOT NULL, interpreter INTEGER NOT NULL, kind TEXT NOT NULL,
    switch_interval_us INTEGER, source TEXT NOT NULL) STRICT;
CREATE TABLE thread (
    key INTEGER PRIMARY KEY, process INTEGER NOT NULL, tid INTEGER NOT NULL, kind TEXT NOT NULL,
    name TEXT, start_ns INTEGER NOT NULL, end_ns INTEGER, cpu_ns INTEGER NOT NULL) STRICT;
CREATE TABLE hold (
    gil INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, lane INTEGER,
    PRIMARY KEY (gil, start_ns)) STRICT, WITHOUT ROWID;
CREATE TABLE process_tick (
    at_ns INTEGER NOT NULL, process INTEGER NOT NULL, cpu_ns INTEGER NOT NULL, rss_bytes INTEGER NOT NULL,
    pss_bytes INTEGER, uss_bytes INTEGER, threads INTEGER NOT NULL,
    PRIMARY KEY (process, at_ns)) STRICT, WITHOUT ROWID;
CREATE TABLE frame (
    id INTEGER PRIMARY KEY, function TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
    UNIQUE (function, file, line)) STRICT;
CREATE TABLE stack (
    id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, frame INTEGER NOT NULL,
    UNIQUE (parent, frame)) STRICT;
CREATE TABLE stack_sample (
    id INTEGER PRIMARY KEY, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, lane INTEGER NOT NULL,
    stack INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
CREATE INDEX stack_sample_end ON stack_sample (end_ns);
CREATE TABLE output (id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE INDEX output_at ON output (at_ns);
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind TEXT NOT NULL, process INTEGER, lane INTEGER,
    text TEXT NOT NULL) STRICT;
CREATE TABLE gap (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, pid INTEGER, reason TEXT NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL) STRICT;
"""
    + _tick_tables("")
    + "".join(_tick_tables(suffix) for suffix, _ in ROLLUPS)
)

_SECOND = """
CREATE TABLE mark (id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
CREATE TABLE stall (
    id INTEGER PRIMARY KEY, gil INTEGER NOT NULL, lane INTEGER, start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL, waiters_mean REAL NOT NULL, waiters_max INTEGER NOT NULL,
    stack INTEGER) STRICT;
CREATE INDEX stall_start ON stall (start_ns);
CREATE TABLE waiting_stack (
    id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, lane INTEGER NOT NULL, stack INTEGER NOT NULL) STRICT;
CREATE INDEX waiting_stack_at ON waiting_stack (at_ns);
CREATE INDEX event_at ON event (at_ns);
DROP INDEX stack_sample_end;
CREATE INDEX stack_sample_span ON stack_sample (end_ns, start_ns);
"""
"""Marks that a user sets, stalls, where threads wait, and what makes a moment in an hour quick to find."""

_THIRD = """
CREATE TABLE process_before AS SELECT * FROM process;
DROP TABLE process;
CREATE TABLE process (
    key INTEGER PRIMARY KEY, pid INTEGER NOT NULL, ppid INTEGER NOT NULL, command TEXT NOT NULL,
    python TEXT, start_ns INTEGER NOT NULL, end_ns INTEGER, exit_code INTEGER,
    cpu_ns INTEGER NOT NULL, name TEXT) STRICT;
INSERT INTO process SELECT *, NULL FROM process_before;
DROP TABLE process_before;
"""
"""What multiprocessing calls a process that it forked.

Not by ALTER TABLE: SQLite keeps a table's text as it was typed, files are told by it, and its versions need
not agree on how they write a column into it.
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD)
VERSION = len(MIGRATIONS)
STALLS_SINCE = 2
"""The version from which on stalls are looked for."""


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version that a file says it has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, to: int | None = None) -> None:
    """Bring a file (or an empty one) to VERSION, or to an older one. The connection must autocommit."""
    for number in range(version_of(connection), VERSION if to is None else to):
        statements = ["BEGIN IMMEDIATE", *_statements(MIGRATIONS[number])]
        statements += [f"PRAGMA user_version = {number + 1}", "COMMIT"]
        try:
            for statement in statements:
                connection.execute(statement)
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _statements(script: str) -> list[str]:
    return [part.strip() for part in script.split(";") if part.strip()]


def objects(connection: sqlite3.Connection) -> dict[str, str]:
    """Name → SQL of all tables, indexes, views and triggers, white space folded, for comparison."""
    rows = connection.execute("SELECT type || ' ' || name, sql FROM sqlite_master ORDER BY name")
    return {name: " ".join(str(sql).split()) for name, sql in rows}


@functools.cache
def expected_objects(version: int | None = None) -> dict[str, str]:
    """What `objects` says of a file of today's version, or of an older one. Not to be changed."""
    with_schema = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(with_schema, version)
        return objects(with_schema)
    finally:
        with_schema.close()

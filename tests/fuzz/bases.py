"""Small recordings to begin with: of every schema, with all kinds of rows, in small pages."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

from gilscope.model import NS_PER_MS, Event, Frame, Mark, Output, StackSample, Stall
from gilscope.recording import schema
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write

PAGE_BYTES = 512
"""The smallest there is: as much of a file as can be is rows, not room."""


@functools.cache
def bases() -> tuple[bytes, ...]:
    """Files of all schema versions."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "base.gilscope"
        today = _packed(_made(path))
    return (today, *(_as_of(today, version) for version in range(1, schema.VERSION)))


@functools.cache
def loose(number: int) -> bytes:
    """`bases()[number]` whose tables take values of any type."""
    with contextlib.closing(_opened(bases()[number])) as db:
        _rewrite(db, " STRICT, WITHOUT ROWID", " WITHOUT ROWID")
        _rewrite(db, " STRICT", "")
        return db.serialize()


def strict(db: sqlite3.Connection, number: int) -> None:
    """Say again of a file made from `loose` that its tables are strict, whatever is in them."""
    db.execute("PRAGMA writable_schema = ON")
    with contextlib.closing(_opened(bases()[number])) as good:
        rows = good.execute("SELECT sql, type, name FROM sqlite_master").fetchall()
    db.executemany("UPDATE sqlite_master SET sql = ? WHERE type = ? AND name = ?", rows)


def _rewrite(db: sqlite3.Connection, old: str, new: str) -> None:
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table'", (old, new))
    db.execute("PRAGMA writable_schema = OFF")


def _opened(data: bytes) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.deserialize(data)
    return db


def _made(path: Path) -> Path:
    script = Script(seconds=0.3, processes=2, cpu=1, io=1, idle=1)
    made = ScriptedSession(script)
    writer = RecordingWriter(path, replace(made.session, ended_ns=300 * NS_PER_MS))
    write(made, writer)
    outer = Frame(function="main", file="/home/user/fib.py", line=3)
    inner = Frame(function="fib", file="/home/user/fib.py", line=7)
    writer.put_stacks(
        [
            StackSample(lane=2, start_ns=0, end_ns=250 * NS_PER_MS, count=3, frames=(outer, inner)),
            StackSample(lane=2, start_ns=0, end_ns=250 * NS_PER_MS, count=1, frames=(outer,)),
        ]
    )
    writer.put_stalls(
        [
            Stall(
                gil=1, lane=2, start_ns=NS_PER_MS, end_ns=150 * NS_PER_MS, waiters_mean=1.5,
                waiters_max=2, frames=(outer, inner),
            )
        ]
    )  # fmt: skip
    writer.put_marks([Mark(at_ns=200 * NS_PER_MS, text="here")])
    writer.put_output([Output(at_ns=10 * NS_PER_MS, data=b"\x1b[32mgreen\x1b[0m\r\n")])
    writer.put_events(
        [
            Event(at_ns=NS_PER_MS, kind="gil-enabled", process=1, lane=2, text="by an import"),
            Event(at_ns=NS_PER_MS, kind="swap-note", process=None, lane=None, text="not the same"),
        ]
    )
    writer.close()
    return path


def _packed(path: Path) -> bytes:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        db.execute("VACUUM")
    return path.read_bytes()


def _as_of(today: bytes, version: int) -> bytes:
    """The same rows in a file of an older schema."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        schema.migrate(db, version)
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        with contextlib.closing(_opened(today)) as source:
            names = [name for name in schema.expected_objects(version) if name.startswith("table ")]
            for table in (name.removeprefix("table ") for name in names):
                columns = ", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})"))
                rows = source.execute(f"SELECT {columns} FROM {table}").fetchall()
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        return db.serialize()

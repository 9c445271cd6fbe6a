"""Recordings made for tests, and what is done to them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from gilscope.exports import text
from gilscope.exports.read import summary_of
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write


def make(path: Path, *, seconds: float = 2.0) -> Path:
    """Record a scripted session."""
    session = ScriptedSession(Script(seconds=seconds))
    writer = RecordingWriter(path, session.session)
    write(session, writer)
    writer.close()
    return path


def read_all(path: Path) -> None:
    """All that viewers and reports read."""
    reader = RecordingReader(path)
    try:
        reader.session()
        head = reader.head_ns()
        list(reader.ticks())
        list(reader.output())
        reader.output_until(head)
        reader.output_size(head)
        reader.events()
        reader.marks()
        reader.stalls()
        for start, end in [(0, head), (0, 1), (head // 2, head // 2 + 10**8), (0, 10**13)]:
            reader.window(start, end)
        text.render(summary_of(reader))
    finally:
        reader.close()


def execute(*statements: str) -> Callable[[Path], None]:
    """A function that runs SQL on a file."""

    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    return spoil


def other_database(path: Path) -> None:
    """Put a database there that is no recording."""
    path.unlink()
    execute("CREATE TABLE session (x)", "INSERT INTO session VALUES (1)")(path)

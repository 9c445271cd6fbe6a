"""Opens recordings for reading. A recording is data from a stranger: it is checked before it is trusted.

A file of an older schema is held against that schema's own tables, and then brought up to date in a
private copy that has no name and ends with the reader; the file itself is never touched.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gilscope.errors import RecordingError
from gilscope.recording import schema, sense
from gilscope.text import clean

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError)
"""What it raises for a damaged file: its own message may quote bytes that are no text, moments that are too
far away cannot be asked for, and a length in a file may be any."""
NO_FIGURES = (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, MemoryError)
"""What comes of counting with values that were not checked: a text, many times itself, fills all memory."""
MOST_BYTES = 16_000_000
"""The largest row that is read."""
MOST_TEXT = 16_384
"""So many characters of a text are read."""


def text(column: str) -> str:
    """A column in a query, with as much of a text as is of use."""
    # By its bytes, and only then in part: SQLite's substr ends at a NUL.
    return f"iif(length(CAST({column} AS BLOB)) > {MOST_TEXT}, substr({column}, 1, {MOST_TEXT}), {column})"


class Rows:
    """An open recording's rows: what SQLite finds wrong with a file becomes an error of ours."""

    def __init__(self, path: Path, db: sqlite3.Connection, version: int = schema.VERSION) -> None:
        self.path = path
        self.version = version
        """The schema that it was written with."""
        self.db = db
        self.checked = False
        """Every page, and whether the rows make sense."""

    def each(self, sql: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of an answer, one by one."""
        try:
            # Not `yield from`, which would close a cursor that is left half read, maybe after its database.
            for row in self.db.execute(sql, values):  # noqa: UP028
                yield row
        except SQLITE_ERRORS as error:
            raise RecordingError(damaged(self.path, error)) from error

    def all(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The same at once, which is much faster where there are not very many."""
        try:
            return self.db.execute(sql, values).fetchall()
        except SQLITE_ERRORS as error:
            raise RecordingError(damaged(self.path, error)) from error

    def one(self, sql: str, values: tuple[object, ...] = ()) -> Any:
        """The first value of the first row; None where there is no row."""
        try:
            row = self.db.execute(sql, values).fetchone()
        except SQLITE_ERRORS as error:
            raise RecordingError(damaged(self.path, error)) from error
        return None if row is None else row[0]

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[None]:
        """All reads inside see the same state of the file."""
        self.all("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):
                self.db.execute("COMMIT")

    @contextlib.contextmanager
    def making_sense(self) -> Iterator[None]:
        """Where the rows were not checked, errors of counting with them are the file's fault."""
        try:
            yield
        except NO_FIGURES as error:
            if self.checked:
                raise
            raise RecordingError(f"{self.path} is damaged: its rows make no sense.") from error

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()


def open_recording(path: Path, *, live: bool, pages: bool = True) -> Rows:
    """Open and check a recording.

    Args:
        path: the recording.
        live: it is being written by a sampler of ours; skip the check of every page and row.
        pages: check every page, and so the types of all rows.

    Raises:
        RecordingError: it is no recording, a damaged one, or one of a newer gilscope.
    """
    try:
        db = _connect(path)
        with contextlib.ExitStack() as undo:
            undo.callback(db.close)
            rows = Rows(path, db)
            with rows.one_moment():
                version = _check(rows, pages=pages and not live, sane=not live)
                # The writer takes a new file through all schemas, and says then what the recording is of. A
                # copy of what it has by now would stand still for ever.
                if version != schema.VERSION and not rows.one("SELECT count(*) FROM meta"):
                    raise RecordingError(f"{path} is still being made.\nTry again in a moment.")
            if version == schema.VERSION:
                undo.pop_all()
            else:
                rows = Rows(path, _up_to_date(rows, version), version)
            rows.checked = pages and not live
            return rows
    except OSError as error:
        raise RecordingError(f"Cannot read {path}: {error.strerror}.") from error
    except SQLITE_ERRORS as error:
        raise RecordingError(damaged(path, error)) from error


def _connect(path: Path) -> sqlite3.Connection:
    """Open for reading; a file with a live WAL needs write access to its index, never to its rows."""
    quoted = path.absolute().as_posix().replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\x00":
            raise RecordingError(
                f"{path} is no recording of gilscope.\nRecordings end in .gilscope: gilscope recordings"
            )
    modes = ["mode=rw", "mode=ro", "immutable=1"]
    for number, mode in enumerate(modes):
        db = sqlite3.connect(f"file:{quoted}?{mode}", uri=True, isolation_level=None, timeout=5.0)
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
        try:
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA query_only = ON")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except SQLITE_ERRORS as error:
            db.close()
            if number == len(modes) - 1 or not isinstance(error, sqlite3.OperationalError):
                raise
        else:
            return db
    raise AssertionError  # the loop returns or raises


def _check(rows: Rows, *, pages: bool, sane: bool) -> int:
    """The file's schema version, once it is known to be a recording as gilscope makes them."""
    path = rows.path
    if rows.one("PRAGMA application_id") != schema.APPLICATION_ID:
        raise RecordingError(
            f"{path} is no recording of gilscope.\nRecordings end in .gilscope: gilscope recordings"
        )
    version = schema.version_of(rows.db)
    if version > schema.VERSION:
        raise RecordingError(
            f"{path} was made by a newer gilscope (schema {version}, this one reads up to "
            f"{schema.VERSION}).\nUpgrade gilscope to read it."
        )
    if version < 1:
        raise RecordingError(f"{path} is damaged: there is no schema {version}.")
    if schema.objects(rows.db) != schema.expected_objects(version):
        raise RecordingError(
            f"{path} has tables that gilscope did not make, so it is not trusted.\n"
            "Only a file that gilscope wrote can be replayed."
        )
    if pages and rows.one("PRAGMA quick_check(1)") != "ok":
        raise RecordingError(f"{path} is damaged: SQLite's check of its pages failed.")
    if sane:
        wrong = next((what for sql, what in sense.questions(version) if rows.one(sql)), None)
        if wrong is not None:
            raise RecordingError(f"{path} is damaged: {wrong}.")
    return version


def _up_to_date(rows: Rows, version: int) -> sqlite3.Connection:
    """A private copy of an older file, of today's schema."""
    # A database without a name is SQLite's own temporary file: nobody else can open it, it is in memory
    # while it is small, and it is gone when it is closed, even by a kill.
    copy = sqlite3.connect("", isolation_level=None)
    try:
        copy.execute("PRAGMA trusted_schema = OFF")
        rows.db.backup(copy)
        schema.migrate(copy)
        copy.execute("PRAGMA query_only = ON")
    except SQLITE_ERRORS as error:
        copy.close()
        said = clean(str(error).partition("\n")[0])[:100]
        raise RecordingError(
            f"{rows.path} is of schema {version} and cannot be brought up to date for reading: {said}.\n"
            "That is done on a copy, which needs room in the folder for temporary files (TMPDIR)."
        ) from error
    except BaseException:
        copy.close()
        raise
    return copy


def damaged(path: Path, error: Exception) -> str:
    """What is said of a file in which SQLite found something wrong."""
    # SQLite quotes the file, at length: of that, what a terminal can show.
    said = clean(str(error).partition("\n")[0])[:100]
    return f"{path} cannot be read as a recording: {said}."

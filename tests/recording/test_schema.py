"""The schema, and how an older recording is brought up to today's."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from gilscope.errors import RecordingError
from gilscope.model import Frame, Mark, Stall, WaitingStack
from gilscope.recording import schema
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from tests.recording.files import execute, make, read_all
from tests.recording.samples import SESSION
from tests.watched import open_descriptors

GOLDEN = Path(__file__).parents[1] / "recordings"


def test_the_schema_is_the_same_new_or_migrated() -> None:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        assert schema.version_of(db) == schema.VERSION
        assert schema.objects(db) == schema.expected_objects()
        schema.migrate(db)
        assert all(" STRICT" in sql for name, sql in schema.objects(db).items() if name.startswith("table"))


def test_a_migration_is_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE a (x); CREATE NONSENSE"))
    monkeypatch.setattr(schema, "VERSION", len(schema.MIGRATIONS))
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        with pytest.raises(sqlite3.Error):
            schema.migrate(db)
        assert schema.version_of(db) == schema.VERSION - 1
        assert "table a" not in schema.objects(db)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A recording of the first schema, in a folder of its own."""
    (tmp_path / "old").mkdir()
    return Path(shutil.copy(GOLDEN / "v1.gilscope", tmp_path / "old" / "v1.gilscope"))


def test_an_older_file_is_read_and_stays_as_it_is(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "temporary"))
    before, digest = open_descriptors(), hashlib.sha256(old.read_bytes()).digest()
    old.chmod(0o400)
    old.parent.chmod(0o500)
    try:
        for live in (False, True):
            reader = RecordingReader(old, live=live)
            assert schema.version_of(reader._db.db) == schema.VERSION
            assert schema.objects(reader._db.db) == schema.expected_objects()
            assert not reader.marks()
            assert not reader.stalls()
            assert reader.stack_samples()
            assert not reader.waiting_stacks()
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader._db.db.execute("DELETE FROM tick")
            reader.close()
        read_all(old)
    finally:
        old.parent.chmod(0o700)
    assert hashlib.sha256(old.read_bytes()).digest() == digest
    assert [file.name for file in old.parent.iterdir()] == [old.name]
    assert list((tmp_path / "temporary").iterdir()) == []
    assert open_descriptors() == before


def test_an_older_file_that_is_still_written(old: Path) -> None:
    """What is in its WAL file is read as well."""
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("INSERT INTO event (at_ns, kind, text) VALUES (7, 'word', 'in the WAL file')")
        reader = RecordingReader(old, live=True)
        assert "in the WAL file" in {event.text for event in reader.events()}
        reader.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM tick; END",
        "CREATE TABLE mark (id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, text TEXT NOT NULL) STRICT",
        "DROP INDEX stack_sample_end",
        "PRAGMA user_version = 2",
    ],
)
def test_an_older_file_is_held_against_its_own_schema(statement: str, old: Path) -> None:
    execute(statement)(old)
    with pytest.raises(RecordingError, match="did not make"):
        RecordingReader(old)


def test_a_new_file_is_not_one_of_an_older_schema(tmp_path: Path) -> None:
    path = make(tmp_path / "new.gilscope")
    execute("PRAGMA user_version = 1")(path)
    with pytest.raises(RecordingError, match="did not make"):
        RecordingReader(path)


def test_no_room_for_the_copy(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (schema.MIGRATIONS[0], "CREATE NONSENSE"))
    before = open_descriptors()
    with pytest.raises(RecordingError, match="schema 1") as caught:
        RecordingReader(old)
    assert "TMPDIR" in str(caught.value)
    del caught
    assert open_descriptors() == before
    assert [file.name for file in old.parent.iterdir()] == [old.name]


def test_where_threads_wait(path: Path) -> None:
    frames = (Frame(function="main", file="/a.py", line=1), Frame(function="f", file="/a.py", line=9))
    stacks = [
        WaitingStack(lane=2, at_ns=70, frames=frames),
        WaitingStack(lane=1, at_ns=30, frames=frames[:1]),
    ]
    writer = RecordingWriter(path, SESSION)
    writer.put_waiting_stacks([*stacks, WaitingStack(lane=1, at_ns=40, frames=())])
    writer.close()
    reader = RecordingReader(path)
    assert reader.waiting_stacks() == (stacks[1], stacks[0])
    assert reader.waiting_stacks(30, 70) == (stacks[1],)
    assert reader.waiting_stacks(31, 71) == (stacks[0],)
    assert reader.stack_samples() == ()
    reader.close()


def test_stalls_and_marks(path: Path) -> None:
    frames = (Frame(function="main", file="/a.py", line=1), Frame(function="f", file="/a.py", line=9))
    stalls = [
        Stall(gil=1, lane=2, start_ns=50, end_ns=90, waiters_mean=1.5, waiters_max=3, frames=frames),
        Stall(gil=1, lane=None, start_ns=10, end_ns=20, waiters_mean=1.0, waiters_max=1, frames=()),
    ]
    marks = [Mark(at_ns=70, text="here ü"), Mark(at_ns=5, text="")]
    writer = RecordingWriter(path, SESSION)
    writer.put_stalls(stalls)
    writer.put_marks(marks)
    writer.close()
    reader = RecordingReader(path)
    assert reader.stalls() == (stalls[1], stalls[0])
    assert reader.stalls(20, 50) == ()
    assert reader.stalls(19, 51) == (stalls[1], stalls[0])
    assert reader.marks() == (marks[1], marks[0])
    reader.close()

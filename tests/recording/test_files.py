"""Recordings as files: killed writers, other people's files, full disks, where they lie."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gilscope.errors import EXIT_USAGE, RecordingError
from gilscope.exports import text
from gilscope.exports.read import summary_of
from gilscope.recording import schema, store
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter, make_way
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.text import clean
from tests.recording.samples import SESSION, plain_holds, plain_ticks
from tests.watched import ROOT, open_descriptors, wait_for

WRITER = """
import sys, time
from pathlib import Path
from gilscope.recording.writer import RecordingWriter
from tests.recording.samples import GIL, SESSION, plain_holds, plain_ticks
writer = RecordingWriter(Path(sys.argv[1]), SESSION)
writer.put_gils([GIL])
for tick in plain_ticks(100_000):
    writer.put_tick(tick, plain_holds(tick))
    writer.commit()
    print(tick.end_ns, flush=True)
    time.sleep(0.002)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.gilscope"


def make(path: Path, *, seconds: float = 2.0) -> Path:
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
        for start, end in [(0, head), (0, 1), (head // 2, head // 2 + 10**8), (0, 10**13)]:
            reader.window(start, end)
        text.render(summary_of(reader))
    finally:
        reader.close()


def test_a_reader_sees_each_commit(path: Path) -> None:
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    for tick in plain_ticks(30):
        writer.put_tick(tick, plain_holds(tick))
        assert reader.head_ns() == tick.start_ns
        writer.commit()
        assert reader.head_ns() == tick.end_ns
        assert reader.window(0, tick.end_ns).ticks[-1] == tick
    writer.close()
    assert reader.head_ns() == plain_ticks(30)[-1].end_ns
    reader.close()


def test_a_reader_sees_one_moment(path: Path) -> None:
    """A commit between two reads of one window is in none of them."""
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    ticks = plain_ticks(3)
    writer.put_tick(ticks[0])
    writer.commit()
    with reader._one_moment():
        assert reader.head_ns() == ticks[0].end_ns
        writer.put_tick(ticks[1])
        writer.commit()
        assert reader.head_ns() == ticks[0].end_ns
    assert reader.head_ns() == ticks[1].end_ns
    reader.close()
    writer.close()


def test_killed_in_the_middle(path: Path) -> None:
    """All but the last 100 ms is there, whatever the moment, also for a second reader afterwards."""
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            for _ in range(random.randrange(20, 60)):
                assert process.stdout.readline()
            live = RecordingReader(path, live=True)
            assert live.head_ns() > 0
            process.kill()
            said = [int(line) for line in process.stdout.read().split(b"\n")[:-1] if line]
        live.close()
        for _ in range(2):
            reader = RecordingReader(path)
            head = reader.head_ns()
            if said:
                assert said[-1] <= head <= said[-1] + 100_000_000
            ticks = list(reader.ticks())
            assert [tick.index for tick in ticks] == list(range(len(ticks)))
            assert len(reader.window(0, head).holds) == len(ticks)
            assert reader.session() == SESSION
            reader.close()
        read_all(path)


def test_one_single_private_file(path: Path) -> None:
    before = open_descriptors()
    old = os.umask(0)
    try:
        make(path)
    finally:
        os.umask(old)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600
    read_all(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert open_descriptors() == before


def test_private_while_it_is_written(path: Path) -> None:
    old = os.umask(0)
    try:
        writer = RecordingWriter(path, SESSION)
        writer.put_tick(plain_ticks(1)[0])
        writer.commit()
    finally:
        os.umask(old)
    files = list(path.parent.iterdir())
    assert len(files) > 1
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    writer.discard()
    assert list(path.parent.iterdir()) == []


def test_closed_while_somebody_views(path: Path) -> None:
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    ticks = plain_ticks(25)
    for tick in ticks:
        writer.put_tick(tick)
    with reader._one_moment():
        assert reader.head_ns() == 0
        writer.close()
    assert reader.head_ns() == ticks[-1].end_ns
    reader.close()
    read_all(path)
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_a_file_that_may_only_be_read(path: Path) -> None:
    make(path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        read_all(path)
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("name", ["a b%41?#.gilscope", "ü你.gilscope", "-x.gilscope", "'\";.gilscope"])
def test_any_name(name: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    read_all(tmp_path / name)


def execute(*statements: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    return spoil


def _other_database(path: Path) -> None:
    path.unlink()
    execute("CREATE TABLE session (x)", "INSERT INTO session VALUES (1)")(path)


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "no recording"),
    "text": (lambda path: path.write_text("hello\n" * 1000), "no recording"),
    "elf": (lambda path: shutil.copy(sys.executable, path), "no recording"),
    "header only": (lambda path: path.write_bytes(path.read_bytes()[:100]), "."),
    "other database": (_other_database, "no recording"),
    "other application": (execute("PRAGMA application_id = 7"), "no recording"),
    "newer": (execute(f"PRAGMA user_version = {schema.VERSION + 1}"), "newer gilscope"),
    "older": (execute("PRAGMA user_version = 0"), "."),
    "negative": (execute("PRAGMA user_version = -1"), "."),
    "trigger": (
        execute("CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM tick; END"),
        "gilscope did not make",
    ),
    "view": (execute("CREATE VIEW v AS SELECT * FROM tick"), "did not make"),
    "view in place of a table": (
        execute("ALTER TABLE output RENAME TO other", "CREATE VIEW output AS SELECT * FROM other"),
        "did not make",
    ),
    "table": (execute("CREATE TABLE extra (x)"), "did not make"),
    "index": (execute("CREATE INDEX extra ON tick (end_ns)"), "did not make"),
    "column": (execute("ALTER TABLE tick ADD COLUMN x INTEGER"), "did not make"),
    "virtual table": (execute("CREATE VIRTUAL TABLE f USING fts5(x)"), "did not make"),
    "no description": (execute("DELETE FROM meta"), "lacks|damaged"),
    "half a description": (execute("DELETE FROM meta WHERE key = 'command'"), "lacks|damaged"),
    "half": (lambda path: os.truncate(path, path.stat().st_size // 2), "damaged|cannot be read"),
    "not quite": (lambda path: os.truncate(path, path.stat().st_size - 4096), "damaged|cannot be read"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_files_that_are_refused(kind: str, path: Path) -> None:
    spoil, message = FOREIGN[kind]
    spoil(make(path))
    before = open_descriptors()
    with pytest.raises(RecordingError, match=message) as caught:
        read_all(path)
    assert caught.value.exit_code == EXIT_USAGE
    assert 1 <= len(str(caught.value).splitlines()) <= 3
    assert str(path) in str(caught.value)
    del caught
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = 'x' WHERE key = 'cores'",
        "UPDATE meta SET value = NULL WHERE key = 'cores'",
        "UPDATE meta SET value = x'00ff' WHERE key = 'command'",
        "UPDATE meta SET value = 9e999 WHERE key = 'rate_hz'",
        "UPDATE meta SET value = 'x' WHERE key = 'tick_ns'",
        "UPDATE meta SET value = 'x' WHERE key = 'ended_ns'",
        "UPDATE meta SET value = -1 WHERE key = 'tick_ns'",
        "UPDATE meta SET value = 'x' WHERE key = 'started'",
        "UPDATE meta SET value = 5 WHERE key = 'python'",
        "UPDATE tick SET idx = 4611686018427387904 WHERE idx = (SELECT max(idx) FROM tick)",
        "UPDATE tick SET idx = -5 WHERE idx = 0",
        "UPDATE tick SET start_ns = -9223372036854775808, end_ns = 9223372036854775807",
        "UPDATE tick SET end_ns = start_ns",
        "UPDATE tick SET end_ns = 100 - idx",
        "UPDATE tick_1s SET end_ns = 0",
        "UPDATE gil_tick SET watched_ns = 0, held_ns = -5",
        "UPDATE gil_tick SET samples = 9223372036854775807",
        "UPDATE lane_tick SET running_ns = 9223372036854775807",
        "UPDATE lane_tick SET lane = 99 WHERE lane = 2",
        "UPDATE core_tick SET busy_share = 9e999",
        "UPDATE thread SET process = 99, end_ns = -1",
        "UPDATE thread SET name = CAST(x'ff80' AS TEXT)",
        "UPDATE process SET command = CAST(x'ff80' AS TEXT)",
        "UPDATE interpreter SET kind = CAST(x'ff80' AS TEXT)",
        "UPDATE stack SET parent = id",
        "UPDATE frame SET function = CAST(x'ff80' AS TEXT)",
        "UPDATE hold SET end_ns = start_ns - 5",
        "UPDATE gap SET reason = CAST(x'ff80' AS TEXT)",
        "UPDATE event SET text = CAST(x'1b5b324aff' AS TEXT)",
        "DELETE FROM process",
        "DELETE FROM thread",
        "DELETE FROM interpreter",
    ],
)
def test_rows_that_no_writer_wrote(statement: str, path: Path) -> None:
    """They are read as far as they make sense, or refused; nothing else, and at once."""
    make(path)
    execute(statement)(path)
    with contextlib.suppress(RecordingError):
        read_all(path)


def test_bit_flips(path: Path) -> None:
    """Any byte of the file can be wrong: the answer is a recording, or a RecordingError."""
    whole = bytearray(make(path).read_bytes())
    chance = random.Random(5)
    refused = []
    for _ in range(250):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 1, 1, 20])):
            damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            read_all(path)
        except RecordingError as error:
            refused.append(str(error))
    assert len(refused) > 20
    for message in refused:
        assert len(message.splitlines()) <= 3
        assert clean(message.replace("\n", "")) == message.replace("\n", "")


def test_what_is_no_recording_is_not_overwritten(path: Path) -> None:
    path.write_text("precious")
    for attempt in (lambda: RecordingWriter(path, SESSION), lambda: make_way(path)):
        with pytest.raises(RecordingError, match="not overwritten"):
            attempt()
    assert path.read_text() == "precious"
    _other_database(path)
    before = path.read_bytes()
    with pytest.raises(RecordingError, match="not overwritten"):
        RecordingWriter(path, SESSION)
    assert path.read_bytes() == before
    path.unlink()
    path.mkdir()
    with pytest.raises(RecordingError, match="Is a directory"):
        RecordingWriter(path, SESSION)


def test_a_recording_is_replaced(path: Path) -> None:
    make(path)
    RecordingWriter(path, SESSION).close()
    reader = RecordingReader(path)
    assert reader.session() == SESSION
    assert reader.head_ns() == 0
    reader.close()
    path.write_bytes(b"")  # such as mktemp makes
    RecordingWriter(path, SESSION).close()
    read_all(path)


@pytest.mark.parametrize("where", ["/nowhere/x.gilscope", "/proc/x.gilscope", "/dev/null/x"])
def test_where_nothing_can_be_written(where: str) -> None:
    before = open_descriptors()
    with pytest.raises(RecordingError, match="Cannot write the recording") as caught:
        RecordingWriter(Path(where), SESSION)
    assert "-o FILE" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2
    del caught
    assert open_descriptors() == before


def test_a_link_is_not_followed_to_something_else(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "x.gilscope"
    link.symlink_to(victim)
    with pytest.raises(RecordingError):
        RecordingWriter(link, SESSION)
    assert victim.read_text() == "precious"


FILLER = """
import resource, sys
from pathlib import Path
from gilscope.errors import RecordingError
from gilscope.recording.writer import RecordingWriter
from tests.recording.samples import SESSION, plain_holds, plain_ticks
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
writer = RecordingWriter(Path(sys.argv[1]), SESSION)
done = 0
try:
    for tick in plain_ticks(100_000):
        writer.put_tick(tick, plain_holds(tick))
        writer.commit()
        done = tick.end_ns
except RecordingError as error:
    print(done, error, sep="|")
    writer.close()
"""


def test_a_full_disk(path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", FILLER, path], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    done, _, said = answer.stdout.partition("|")
    assert int(done) > 0
    assert said.startswith(f"Cannot go on writing the recording {path}: ")
    reader = RecordingReader(path)
    assert int(done) - 100_000_000 <= reader.head_ns() <= int(done)
    reader.close()
    read_all(path)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "gilscope" / "recordings"


def test_where_recordings_lie(state: Path) -> None:
    assert store.directory() == state
    assert store.all_recordings() == []
    with pytest.raises(RecordingError, match="no recording yet"):
        store.find("last")
    first = make(store.new_path("fib.py"))
    assert first.parent == state
    assert state.stat().st_mode & 0o777 == 0o700
    assert first.name.endswith("-fib.py.gilscope")
    second = make(store.new_path("fib.py"))
    assert first != second
    os.utime(first, (1, 1))
    assert store.all_recordings() == [second, first]
    assert store.find("last") == second
    assert store.find(str(first)) == first
    store.remove(second)
    assert store.find("last") == first
    with pytest.raises(RecordingError, match="Cannot remove"):
        store.remove(second)


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("fib.py", "fib.py"), ("-c 'import os; x'", "c_import_os_x"), ("../../etc/passwd", "etc_passwd"),
        ("", "target"), ("…", "target"), ("ü\0\n\x1b[2J", "2J"), ("a" * 300, "a" * 40), (".hidden", "hidden"),
        ("-m http.server", "m_http.server"),
    ],
)  # fmt: skip
def test_names_of_recordings(title: str, word: str, state: Path) -> None:
    found = store.new_path(title)
    assert found.parent == state
    assert found.name.split("-", 5)[-1] == word + ".gilscope"


def test_the_oldest_go(state: Path) -> None:
    made = []
    for number in range(store.KEPT + 3):
        path = store.new_path(f"n{number}")
        path.write_bytes(b"x")
        path.with_name(path.name + "-wal").touch()
        for file in (path, path.with_name(path.name + "-wal")):
            os.utime(file, (number, number))
        made.append(path)
    assert store.all_recordings() == made[:2:-1]
    assert len(list(state.iterdir())) == 2 * store.KEPT
    # One that is written grows in its WAL file.
    os.utime(made[3].with_name(made[3].name + "-wal"))
    store.prune(keep=1)
    assert store.all_recordings() == [made[3]]


def test_find(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecordingError, match="There is no file"):
        store.find(str(tmp_path / "none"))
    with pytest.raises(RecordingError, match="is a directory"):
        store.find(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    make(store.new_path("x"))
    make(tmp_path / "last")
    assert store.find("last") == Path("last")
    assert state.exists()


def test_a_state_directory_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")
    with pytest.raises(RecordingError, match="Cannot make the folder"):
        store.new_path("x")


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


def test_the_writer_waits_for_no_viewer(path: Path) -> None:
    """A viewer in the middle of a long read delays no commit."""
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    with reader._one_moment():
        reader.head_ns()
        begin = time.monotonic()
        for tick in plain_ticks(50):
            writer.put_tick(tick)
            writer.commit()
        assert time.monotonic() - begin < 4
    writer.close()
    reader.close()


def test_interrupts_are_for_others(path: Path) -> None:
    """SIGXFSZ, which a full quota sends, is an error to the writer and no death."""
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
    wait_for(lambda: not path.exists(), "never")

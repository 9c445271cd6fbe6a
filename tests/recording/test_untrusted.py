"""Recordings that nobody can trust: other people's files, damaged rows, flipped bits."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gilscope.errors import EXIT_USAGE, RecordingError
from gilscope.recording import schema
from gilscope.text import clean
from tests.recording.files import execute, make, other_database, read_all
from tests.watched import open_descriptors

FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "no recording"),
    "text": (lambda path: path.write_text("hello\n" * 1000), "no recording"),
    "elf": (lambda path: shutil.copy(sys.executable, path), "no recording"),
    "header only": (lambda path: path.write_bytes(path.read_bytes()[:100]), "."),
    "other database": (other_database, "no recording"),
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
        "UPDATE process SET name = CAST(x'1b5b324aff' AS TEXT)",
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

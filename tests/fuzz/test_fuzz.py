"""A few hundred mutated recordings and memory images, and each one that was ever found to do harm."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from gilscope.cli.recordings import _described
from gilscope.errors import RecordingError
from gilscope.exports import firefox
from gilscope.exports.cast import pieces
from gilscope.exports.html.timeline import fold
from gilscope.exports.options import Options
from gilscope.exports.read import summary_of
from gilscope.model import Hold, LaneTick, Tick, Window
from gilscope.recording import sense
from gilscope.recording.opening import MOST_TEXT
from gilscope.recording.reader import RecordingReader
from gilscope.recording.streams import RecordingStreams
from gilscope.text import cut
from gilscope.views import cells
from tests.fuzz import bases, guard, memory, recordings
from tests.fuzz.outlets import OUTLETS
from tests.recording.samples import SESSION

SEED = int(os.environ.get("GILSCOPE_FUZZ_SEED", "20261123"))
CASES = int(os.environ.get("GILSCOPE_FUZZ_CASES", "150"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "r.gilscope"
    found.write_bytes(bases.bases()[0])
    return found


def change(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def test_mutated_recordings(tmp_path: Path) -> None:
    said = [recordings.run(SEED, number, tmp_path) for number in range(CASES)]
    wrong = [item for item in said if item[0] not in (recordings.ANSWERED, recordings.REFUSED)]
    assert not wrong, wrong[0]
    # Neither is all refused nor is nothing damaged.
    assert {item[0] for item in said} == {recordings.ANSWERED, recordings.REFUSED}


def test_mutated_memory(tmp_path: Path) -> None:
    said = [memory.run(SEED, number, tmp_path) for number in range(CASES)]
    wrong = [item for item in said if item[0] not in (recordings.ANSWERED, recordings.REFUSED)]
    assert not wrong, wrong[0]
    assert {item[0] for item in said} == {recordings.ANSWERED, recordings.REFUSED}


@pytest.mark.parametrize("number", range(len(bases.bases())))
@pytest.mark.parametrize("outlet", OUTLETS)
def test_what_is_mutated_is_good(outlet: str, number: int, tmp_path: Path) -> None:
    good = tmp_path / "r.gilscope"
    good.write_bytes(bases.bases()[number])
    assert recordings.outcome(good, outlet) == recordings.ANSWERED


def test_an_outlet_that_fails_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spins(_path: Path) -> None:
        while True:
            pass

    def fails(_path: Path) -> None:
        raise KeyError(5)

    monkeypatch.setattr(recordings, "limited", functools.partial(guard.limited, 0.1))
    monkeypatch.setitem(OUTLETS, "spins", spins)
    monkeypatch.setitem(OUTLETS, "fails", fails)
    assert recordings.outcome(path, "spins").startswith("too long")
    assert "KeyError" in recordings.outcome(path, "fails")


# Found by it, and mended.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tick SET end_ns = 9223372036854775807 WHERE idx = (SELECT max(idx) FROM tick)",
        "UPDATE tick SET end_ns = start_ns",
        "UPDATE tick SET start_ns = -5 WHERE idx = 0",
        "UPDATE tick SET idx = -1 WHERE idx = 0",
        "INSERT INTO tick_1s VALUES (0, 0, 0)",
        "UPDATE core_tick SET busy_share = 9e999 WHERE core = 0",
        "UPDATE core_tick SET core = 1000000 WHERE tick = 0 AND core = 0",
        "UPDATE hold SET end_ns = 9223372036854775807",
        "UPDATE process SET start_ns = -9223372036854775807",
        "UPDATE stall SET waiters_mean = 9e999",
        "UPDATE mark SET at_ns = 9223372036854775807",
        "INSERT INTO waiting_stack (at_ns, lane, stack) VALUES (-9223372036854775807, 2, 1)",
        "UPDATE stack_sample SET count = 9007199254740992",
        "UPDATE stack_sample SET count = -1",
    ],
)
def test_rows_that_make_no_sense_are_refused(statement: str, path: Path) -> None:
    change(path, statement)
    with pytest.raises(RecordingError, match="is damaged: ") as caught:
        RecordingReader(path)
    assert len(str(caught.value).splitlines()) <= 3


def test_more_threads_than_fit_into_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(
        path,
        "INSERT INTO thread WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        " SELECT i, 1, i, 'thread', NULL, 0, NULL, 0 FROM n",
    )
    reader = RecordingReader(path)
    assert len(reader.lanes()) > 2_900
    reader.close()
    monkeypatch.setattr(sense, "MOST_LANES", 2_900)
    with pytest.raises(RecordingError, match="more than 2900 threads"):
        RecordingReader(path)


def test_a_value_that_is_far_too_large(path: Path) -> None:
    """SQLite would make room for whatever length a row claims."""
    change(path, "UPDATE output SET data = zeroblob(20000000)")
    reader = RecordingReader(path)
    with pytest.raises(RecordingError, match="too big"):
        list(reader.output())
    reader.close()


def test_a_long_text_is_read_in_part(path: Path) -> None:
    change(
        path, f"UPDATE thread SET name = '{'x' * 100_000}'", f"UPDATE frame SET function = '{'y' * 100_000}'"
    )
    reader = RecordingReader(path)
    assert {len(lane.name or "") for lane in reader.lanes()} == {MOST_TEXT}
    assert {len(frame.function) for stack in reader.stack_samples() for frame in stack.frames} == {MOST_TEXT}
    reader.close()


@pytest.mark.parametrize(("column", "value"), [("busy_share", "'x'"), ("target_share", "x'00'")])
def test_wrong_types_that_nobody_checked(column: str, value: str, path: Path) -> None:
    """A text times a number of nanoseconds is a text that fills all memory."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(bases.loose(0))
        db.execute(f"UPDATE core_tick SET {column} = {value}")
        db.execute(f"UPDATE core_tick_1s SET {column} = {value}")
        bases.strict(db, 0)
        path.write_bytes(db.serialize())
    reader = RecordingReader(path, live=True)
    with pytest.raises(RecordingError, match="make no sense"):
        summary_of(reader)
    reader.close()
    with pytest.raises(RecordingError):
        RecordingReader(path)


def test_an_error_of_ours_is_no_fault_of_a_checked_file(path: Path) -> None:
    reader = RecordingReader(path)
    with pytest.raises(TypeError), reader.making_sense():
        raise TypeError
    reader.close()


@pytest.mark.parametrize("error", [TypeError, AttributeError, KeyError, MemoryError, ZeroDivisionError])
def test_what_comes_of_a_file_that_was_not_checked(error: type[Exception], path: Path) -> None:
    """A text that is missing where one must be has no parts, for one."""
    reader = RecordingReader(path, pages=False)
    with pytest.raises(RecordingError, match="make no sense"), reader.making_sense():
        raise error
    reader.close()


def test_a_damaged_file_is_listed_as_such(path: Path) -> None:
    change(path, "UPDATE tick SET end_ns = 5")
    assert "damaged" in _described(path)
    assert "damaged" in _described(path.with_name("gone.gilscope"))
    path.write_bytes(bases.bases()[0])
    change(path, "UPDATE meta SET value = '0001-01-01T00:00:00+00:00' WHERE key = 'started'")
    assert "fib.py" in _described(path)


def test_a_watch_that_stood_still_for_a_year(path: Path) -> None:
    """Its one long tick has no more cells than others, in each kind of picture."""
    year = 365 * 24 * 3_600 * 10**9
    change(path, f"UPDATE tick SET end_ns = end_ns + {year} WHERE idx = (SELECT max(idx) FROM tick)")
    streams = RecordingStreams(path)
    assert sum(1 for _ in pieces(streams, Options())) < 1_000
    assert fold(streams).count < 1_000
    streams.close()
    length, hold = 10**15, Hold(gil=1, lane=1, start_ns=5, end_ns=10**14)
    row = LaneTick(lane=1, states=(length // 2, 0, length // 2, 0, 0, 0, 0), held_ns=length // 2, core=0)
    window = Window(
        session=replace(SESSION, tick_ns=length), start_ns=0, end_ns=length, head_ns=length,
        ticks=(Tick(index=0, start_ns=0, end_ns=length, lanes=(row,)),), holds=(hold,),
    )  # fmt: skip
    found = cells.fold(window, 10**6, 10**8 - 50, 100)
    assert len(found.base) == 100


def test_stacks_that_share_their_frames_are_read_once(path: Path) -> None:
    """A small file can hold a chain of stacks, each of which is the one before and a frame more."""
    change(
        path,
        "DELETE FROM stack",
        "INSERT INTO stack WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        " SELECT i, i - 1, 1 FROM n",
        "INSERT INTO stack_sample (start_ns, end_ns, lane, stack, count) SELECT 0, 9, 2, id, 1 FROM stack",
    )
    reader = RecordingReader(path)
    asked: list[str] = []
    reader._db.db.set_trace_callback(asked.append)
    depths = [len(sample.frames) for sample in reader.stack_samples()]
    reader._db.db.set_trace_callback(None)
    reader.close()
    assert set(range(1, 501)) <= set(depths)
    assert len(asked) < 600


def test_times_below_zero_have_no_cells(path: Path) -> None:
    change(path, "UPDATE lane_tick SET running_ns = -5, waiting_ns = -9223372036854775807, ready_ns = 7")
    for outlet in ("screen", "cast", "html", "summary"):
        assert recordings.outcome(path, outlet) in (recordings.ANSWERED, recordings.REFUSED)


def test_a_text_without_an_end_is_cut_at_once() -> None:
    assert cut("你" * 10_000_000, 5) == "你你…"
    assert len(cut("a" + "\u0301" * 10_000_000, 5)) < 200


@pytest.mark.parametrize("held", ["", "UPDATE lane_tick SET held_ns = 0"])
def test_a_stack_that_was_seen_a_million_times(held: str, path: Path) -> None:
    """The profile has some samples of it, each of which weighs more: the sum is as it was."""
    streams = RecordingStreams(path)
    before = json.loads("".join(firefox.pieces(streams, Options())))
    streams.close()
    change(path, f"UPDATE stack_sample SET count = {sense.MOST_TIMES} WHERE lane = 2", *[held] * bool(held))
    streams = RecordingStreams(path)
    profile = json.loads("".join(firefox.pieces(streams, Options())))
    streams.close()
    was, now = (found["threads"][1]["samples"] for found in (before, profile))
    assert now["length"] == len(now["weight"]) == 2 * firefox.MOST_SAMPLES
    if held:
        assert (sum(now["weight"]), now["weightType"]) == (2 * sense.MOST_TIMES, "samples")
    else:
        assert sum(now["weight"]) == pytest.approx(sum(was["weight"]), rel=1e-6)


def test_a_recording_without_a_tick(path: Path) -> None:
    change(
        path,
        *(
            f"DELETE FROM {table}{suffix}"
            for table in ("tick", "lane_tick", "gil_tick", "core_tick")
            for suffix in ("", "_1s", "_60s")
        ),
    )
    for outlet in OUTLETS:
        assert recordings.outcome(path, outlet) == recordings.ANSWERED, outlet


def test_a_gil_that_was_held_for_less_than_no_time(path: Path) -> None:
    """Its bar of so many characters was as long as all memory."""
    change(path, "UPDATE gil_tick SET held_ns = -9000000000000000, watched_ns = 1")
    for outlet in ("cast", "screen", "html", "summary"):
        assert recordings.outcome(path, outlet) == recordings.ANSWERED, outlet


def test_figures_of_wrong_types_are_no_text(path: Path) -> None:
    """What is written out of a file that was not checked is nonsense in it, too."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(bases.loose(0))
        db.execute("UPDATE process_tick SET threads = x'1b5b'")
        bases.strict(db, 0)
        path.write_bytes(db.serialize())
    assert recordings.outcome(path, "unchecked") == recordings.REFUSED

"""The CSV export, read back with Python's csv and with nothing of gilscope's."""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.exports.options import Options
from gilscope.exports.read import summary_of
from gilscope.exports.tables import bytes_of, cell, text_of, write_folder
from gilscope.recording.reader import RecordingReader
from gilscope.recording.streams import RecordingStreams
from tests.exports.samples import rows_of

Exported = Callable[..., bytes]


def tables_in(data: bytes) -> dict[str, list[list[str]]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {
            name.removesuffix(".csv"): list(csv.reader(io.StringIO(archive.read(name).decode(), newline="")))
            for name in archive.namelist()
        }


def as_stored(read: str, stored: object) -> object:
    """A cell as a value of the type that is stored."""
    if stored is None:
        return None if read == "" else read
    if isinstance(stored, str):
        return text_of(read)
    if isinstance(stored, bytes):
        return bytes_of(read)
    return float(read) if isinstance(stored, float) else int(read)


def test_reads_back_as_the_database(recording: Path, exported: Exported) -> None:
    tables = tables_in(exported(recording, "csv", Options(with_output=True)))
    names = [row[0] for row in rows_of(recording, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert sorted(tables) == sorted(names)
    for name, (header, *rows) in tables.items():
        assert header == [row[1] for row in rows_of(recording, f"PRAGMA table_info({name})")]
        stored = rows_of(recording, f"SELECT * FROM {name}")
        assert len(rows) == len(stored), name
        for read, row in zip(rows, stored, strict=True):
            assert tuple(map(as_stored, read, row)) == row, name


def test_output_only_when_asked_for(harmful: Path, exported: Exported) -> None:
    assert "output" not in tables_in(exported(harmful, "csv"))


def test_no_cell_is_a_formula(harmful: Path, exported: Exported) -> None:
    for name, (_, *rows) in tables_in(exported(harmful, "csv", Options(with_output=True))).items():
        for row in rows:
            for read in row:
                dangerous = read[:1] in ("=", "+", "@", "\t", "\r") or (
                    read[:1] == "-" and not is_number(read)
                )
                assert not dangerous, (name, read)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(st.text(max_size=20) | st.sampled_from(["=1", "'=1", "''=1", "'", "", "-", "\r=", '"', "a\n,b"]))
def test_texts_come_back(text: str) -> None:
    stored = text.encode("utf-8", "replace").decode()
    [[read]] = csv.reader(io.StringIO(cell(stored) + "\n", newline="")) if stored else [[""]]
    assert text_of(read) == stored
    assert not read.startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.binary(max_size=30))
def test_bytes_come_back(data: bytes) -> None:
    [[read]] = csv.reader(io.StringIO(cell(data) + "\n", newline="")) if data else [[""]]
    assert bytes_of(read) == data
    assert read.isprintable()


def test_a_folder_is_the_same_and_private(recording: Path, exported: Exported, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    streams = RecordingStreams(recording)
    write_folder(streams, folder, Options())
    streams.close()
    with zipfile.ZipFile(io.BytesIO(exported(recording, "csv"))) as archive:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            name: archive.read(name) for name in archive.namelist()
        }
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_sqlite_can_import_it(real: Path, exported: Exported) -> None:
    """Somebody who loads the files into a database of their own gets the same sums."""
    tables = tables_in(exported(real, "csv"))
    db = sqlite3.connect(":memory:")
    for name, (header, *rows) in tables.items():
        db.execute(f"CREATE TABLE {name} ({', '.join(header)})")
        db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(header))})", rows)
    sql = "SELECT sum(held_ns), sum(running_ns), count(*) FROM lane_tick"
    assert db.execute(sql).fetchone() == rows_of(real, sql)[0]
    db.close()


def test_figures_of_the_export_are_the_summary(recording: Path, exported: Exported) -> None:
    """Held time a thread and handoffs, from the files alone, are what the live summary says."""
    tables = tables_in(exported(recording, "csv"))

    def rows(name: str) -> list[dict[str, Any]]:
        header, *found = tables[name]
        return [dict(zip(header, row, strict=True)) for row in found]

    reader = RecordingReader(recording)
    summary = summary_of(reader)
    reader.close()
    held: dict[str, int] = {}
    for row in rows("lane_tick"):
        held[row["lane"]] = held.get(row["lane"], 0) + int(row["running_ns"]) + int(row["holding_ns"])
    threads = rows("thread")
    assert len(threads) == len(summary["lanes"])
    for thread, lane in zip(threads, summary["lanes"], strict=True):
        assert int(thread["tid"]) == lane["tid"]
        seconds = lane["running_s"] + lane["holding_s"]
        assert held.get(thread["key"], 0) / 1e9 == pytest.approx(seconds, abs=2e-6)
    watched = {gil["key"]: 0 for gil in rows("interpreter")}
    handoffs = dict(watched)
    for row in rows("gil_tick"):
        handoffs[row["gil"]] += int(row["handoffs"])
        watched[row["gil"]] += int(row["held_ns"])
    assert list(handoffs.values()) == [gil["handoffs"] for gil in summary["gils"]]
    assert sum(watched.values()) / 1e9 == pytest.approx(summary["totals"]["held_s"], abs=2e-6)

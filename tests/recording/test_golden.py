"""Recordings of all schema versions that were ever released are read, and say what they said then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gilscope.exports import text
from gilscope.exports.read import summary_of
from gilscope.recording import schema
from gilscope.recording.reader import RecordingReader
from tests.watched import ROOT

FOLDER = Path(__file__).parents[1] / "recordings"
FILES = sorted(FOLDER.glob("v*.gilscope"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy: whatever is done to it, the golden file stays."""
    return Path(shutil.copy(request.param, tmp_path))


def assert_says(found: Any, expected: Any, where: str = "summary") -> None:
    """All that it said then it says now; what newer versions find in an old recording may come to it."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in found, f"{where}.{key}"
            assert_says(found[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_says(one, other, f"{where}[{number}]")
    else:
        assert found == expected, where


def test_the_summary_is_what_it_was(path: Path) -> None:
    reader = RecordingReader(path)
    expected = json.loads((FOLDER / f"{path.stem}.json").read_text())
    found = json.loads(json.dumps(summary_of(reader)))
    # A verdict's words may become better, and stacks are weighted otherwise since they were written.
    verdict, functions = expected.pop("verdict"), expected.pop("functions")
    assert_says(found, expected)
    assert found["verdict"].keys() >= verdict.keys()
    assert {row["function"] for row in found["functions"]} >= {row["function"] for row in functions}
    assert text.render(found)
    reader.close()


def test_what_the_session_was(path: Path) -> None:
    reader = RecordingReader(path)
    session = reader.session()
    assert session.command == "golden.py"
    assert session.exit_code == 0
    assert session.ended_ns is not None
    assert {lane.name for lane in reader.lanes()} >= {"MainThread", "cpu-0", "cpu-1", "sleeper"}
    assert len(reader.processes()) == len(reader.gils()) == 2
    # Recorded since the third version; before, the child was none of multiprocessing's.
    assert [process.name for process in reader.processes()] == [
        None,
        None if path.stem in ("v1", "v2") else "counter",
    ]
    window = reader.window(0, 1_000_000_000)
    assert 10 <= len(window.ticks) <= 20  # longer ones where the budget asked for that
    assert window.holds
    assert window.events
    assert reader.stack_samples()
    assert len(reader.marks()) == (0 if path.stem == "v1" else 1)
    assert b"".join(piece.data for piece in reader.output()) == b""  # headless: the terminal has it
    assert sum(tick.end_ns - tick.start_ns for tick in reader.ticks()) == reader.head_ns()
    reader.close()


def test_there_is_one_of_each_version() -> None:
    assert [path.stem for path in FILES] == [f"v{number}" for number in range(1, schema.VERSION + 1)]


def test_they_are_small_and_name_no_machine() -> None:
    for path in FILES:
        data = path.read_bytes()
        assert len(data) < 500_000
        for place in (ROOT, Path.home()):
            assert bytes(place) not in data

"""The speedscope export against its published schema, typed anew, and against the recording's figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gilscope.errors import UsageError
from gilscope.exports.speedscope import SCHEMA as NAME
from gilscope.recording.streams import RecordingStreams
from gilscope.recording.writer import RecordingWriter
from tests.exports.samples import rows_of
from tests.recording.samples import SESSION

Exported = Callable[..., bytes]

SCHEMA = {
    "type": "object",
    "required": ["$schema", "shared", "profiles"],
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "name": {"type": "string"},
        "exporter": {"type": "string"},
        "activeProfileIndex": {"type": "integer", "minimum": 0},
        "shared": {
            "type": "object",
            "required": ["frames"],
            "properties": {
                "frames": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string"},
                            "file": {"type": "string"},
                            "line": {"type": "number", "minimum": 1},
                            "col": {"type": "number"},
                        },
                        "additionalProperties": False,
                    },
                }
            },
        },
        "profiles": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
                "properties": {
                    "type": {"const": "sampled"},
                    "name": {"type": "string"},
                    "unit": {
                        "enum": ["none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]
                    },
                    "startValue": {"type": "number"},
                    "endValue": {"type": "number"},
                    "samples": {
                        "type": "array",
                        "items": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                    },
                    "weights": {"type": "array", "items": {"type": "number", "minimum": 0}},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


@pytest.fixture
def profile(recording: Path, exported: Exported) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(exported(recording, "speedscope"))
    return found


def test_is_of_the_schema(profile: dict[str, Any]) -> None:
    jsonschema.validate(profile, SCHEMA)
    assert profile["$schema"] == NAME
    frames = len(profile["shared"]["frames"])
    for each in profile["profiles"]:
        assert len(each["samples"]) == len(each["weights"]) > 0
        assert all(0 <= index < frames for stack in each["samples"] for index in stack)
        assert each["endValue"] == sum(each["weights"]) >= each["startValue"] == 0


def test_weights_are_held_time(harmful: Path, exported: Exported) -> None:
    """Where stacks cover all ticks in which a thread held the GIL, its profile is as long as it held it."""
    profile = json.loads(exported(harmful, "speedscope"))
    [mine] = [p for p in profile["profiles"] if p["name"].startswith("cpu-1 ")]
    spans = rows_of(
        harmful,
        "SELECT DISTINCT s.start_ns, s.end_ns FROM stack_sample s JOIN thread ON key = lane"
        " WHERE name = 'cpu-1'",
    )
    held = sum(
        rows_of(
            harmful,
            "SELECT sum(held_ns) FROM lane_tick JOIN tick ON idx = tick JOIN thread ON key = lane"
            " WHERE name = 'cpu-1' AND tick.start_ns >= ? AND tick.end_ns <= ?",
            *span,
        )[0][0]
        for span in spans
    )
    assert held > 0
    assert mine["endValue"] == pytest.approx(held, abs=len(mine["weights"]))


def test_a_span_is_shared_by_counts(harmful: Path) -> None:
    streams = RecordingStreams(harmful)
    rows = [row for row in streams.weights_of(2) if row[0] < 10**9]
    held = streams.held_between(0, 10**9)[2]
    streams.close()
    # Of lane 2: one span of a tick, from the script, and one of a second with counts of 3 and 1.
    second = [row for row in rows if row[1] > 10**8]
    assert [row[3] for row in second] == pytest.approx([held * 3 / 4, held / 4])
    assert [(row[0], row[1]) for row in second] == [(0, 750_000_000), (750_000_000, 250_000_000)]


def test_stacks_are_whole(real: Path, exported: Exported) -> None:
    profile = json.loads(exported(real, "speedscope"))
    frames = [frame["name"] for frame in profile["shared"]["frames"]]
    assert frames == [row[0] for row in rows_of(real, "SELECT function FROM frame ORDER BY id")]
    found = {tuple(stack) for each in profile["profiles"] for stack in each["samples"]}
    expected = set()
    parents = {row[0]: row[1:] for row in rows_of(real, "SELECT id, parent, frame FROM stack")}
    for (stack,) in rows_of(real, "SELECT DISTINCT stack FROM stack_sample"):
        walked: list[int] = []
        at = stack
        while at:
            at, frame = parents[at]
            walked.insert(0, frame - 1)
        expected.add(tuple(walked))
    assert found == expected


def test_nothing_to_show_is_said(tmp_path: Path, exported: Exported) -> None:
    path = tmp_path / "empty.gilscope"
    RecordingWriter(path, SESSION).close()
    with pytest.raises(UsageError, match="no stacks"):
        exported(path, "speedscope")

"""The speedscope export against its published schema, typed anew, and against the recording's figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.errors import UsageError
from gilscope.exports.speedscope import SCHEMA as NAME
from gilscope.model import Frame, Lane, StackSample
from gilscope.recording.streams import RecordingStreams
from gilscope.recording.weights import StackWeights, uncovered
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
    rows = [row for row in StackWeights(streams).of(2) if row.start_ns < 10**9]
    held = streams.held_between(0, 10**9)[2]
    streams.close()
    # Of lane 2: a span of a second with counts of 3 and 1, and in it one of a tick, which does not count.
    assert [row.weight_ns for row in rows] == pytest.approx([held * 3 / 4, held / 4])
    assert [row[:2] for row in rows] == [(0, 750_000_000), (750_000_000, 250_000_000)]


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda s: (s[0], s[0] + s[1])), max_size=12
    )
)
def test_each_moment_counts_once_for_the_longest_span(spans: list[tuple[int, int]]) -> None:
    free = uncovered(set(spans))
    for moment in range(121):
        over = [span for span in set(spans) if span[0] <= moment < span[1]]
        counting = [span for span, parts in free.items() if any(s <= moment < e for s, e in parts)]
        assert len(counting) == bool(over)
        if over:
            assert counting[0][1] - counting[0][0] == max(end - start for start, end in over)


def test_where_nobody_measured_samples_count(tmp_path: Path, exported: Exported) -> None:
    path = tmp_path / "x.gilscope"
    writer = RecordingWriter(path, SESSION)
    writer.put_lanes([Lane(key=1, process=1, tid=5, kind="thread", name="one", start_ns=0)])
    frame = Frame(function="f", file="f.py", line=1)
    writer.put_stacks([StackSample(lane=1, start_ns=0, end_ns=10**9, count=7, frames=(frame,))])
    writer.close()
    [profile] = json.loads(exported(path, "speedscope"))["profiles"]
    assert (profile["unit"], profile["weights"]) == ("none", [7])


def test_stacks_are_whole(real: Path, exported: Exported) -> None:
    profile = json.loads(exported(real, "speedscope"))
    frames = [frame["name"] for frame in profile["shared"]["frames"]]
    assert frames == [row[0] for row in rows_of(real, "SELECT function FROM frame ORDER BY id")]
    found = {tuple(stack) for each in profile["profiles"] for stack in each["samples"]}
    expected = set()
    parents = {row[0]: row[1:] for row in rows_of(real, "SELECT id, parent, frame FROM stack")}
    longest = "SELECT DISTINCT stack FROM stack_sample WHERE end_ns - start_ns > 1e9"
    for (stack,) in rows_of(real, longest):
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

"""The Firefox Profiler export against the rules of its format, version 70, read by a parser of its own.

The rules are those of the profiler's published types and of its changelog of formats: which columns a table
has, that all of them are as long as it says, and where each index points to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gilscope.exports.options import Options
from tests.exports.samples import SECRET, rows_of

Exported = Callable[..., bytes]
Table = dict[str, Any]

SHARED = {
    "stackTable": {"frame", "prefixOffset"},
    "frameTable": {
        "address", "lib", "inlineDepth", "category", "subcategory", "func", "nativeSymbol", "innerWindowID",
        "line", "column", "originalLocation",
    },
    "funcTable": {
        "name", "isJS", "relevantForJS", "resource", "source", "lineNumber", "columnNumber",
        "originalLocation",
    },
    "resourceTable": {"name", "host", "type"},
    "nativeSymbols": {"libIndex", "address", "name", "functionSize"},
    "sources": {"id", "filename", "startLine", "startColumn", "sourceMapURL", "content"},
    "sourceLocationTable": {"source", "line", "column"},
}  # fmt: skip
META = {
    "interval", "startTime", "processType", "product", "stackwalk", "version", "preprocessedProfileVersion",
    "categories", "markerSchema",
}  # fmt: skip
THREAD = {
    "processType", "processStartupTime", "processShutdownTime", "registerTime", "unregisterTime",
    "pausedRanges", "name", "isMainThread", "pid", "tid", "samples", "markers",
}  # fmt: skip
COLOURS = {
    "transparent", "purple", "green", "orange", "yellow", "lightblue", "blue", "brown", "magenta", "red",
    "lightred", "darkgrey", "grey",
}  # fmt: skip
FORMATS = {"string", "integer", "decimal", "duration", "time", "milliseconds", "tid", "pid", "unique-string"}
PLACES = {"marker-chart", "marker-table", "timeline-overview", "timeline-memory", "stack-chart"}
MARKER_COLUMNS = {"data", "name", "startTime", "endTime", "phase", "category"}
INSTANT, INTERVAL = 0, 1


def check_table(table: Table, columns: set[str]) -> int:
    assert table.keys() == columns | {"length"}
    length = table["length"]
    assert all(len(table[column]) == length for column in columns), {c: len(table[c]) for c in columns}
    return int(length)


@pytest.fixture
def profile(recording: Path, exported: Exported) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(exported(recording, "firefox"))
    return found


def test_meta(profile: dict[str, Any]) -> None:
    meta = profile["meta"]
    assert meta.keys() >= META
    assert (meta["preprocessedProfileVersion"], meta["version"]) == (70, 36)
    assert profile.keys() == {"meta", "libs", "shared", "threads"}
    for category in meta["categories"]:
        assert category["color"] in COLOURS
        assert category["subcategories"][0] == "Other"
    assert any(category["color"] == "grey" for category in meta["categories"]), "a default category"
    for schema in meta["markerSchema"]:
        assert set(schema["display"]) <= PLACES
        for field in schema["fields"]:
            assert field.keys() >= {"key", "format"}
            assert field["format"] in FORMATS


def test_shared_tables(profile: dict[str, Any]) -> None:
    shared = profile["shared"]
    assert shared.keys() == SHARED.keys() | {"stringArray"}
    lengths = {name: check_table(shared[name], columns) for name, columns in SHARED.items()}
    strings = shared["stringArray"]
    assert len(set(strings)) == len(strings)
    assert all(isinstance(text, str) for text in strings)
    stacks = shared["stackTable"]
    assert lengths["stackTable"] > 0
    for index, (frame, offset) in enumerate(zip(stacks["frame"], stacks["prefixOffset"], strict=True)):
        assert 0 <= frame < lengths["frameTable"]
        assert 0 <= offset <= index, "a parent comes before its children"
    frames = shared["frameTable"]
    assert all(0 <= func < lengths["funcTable"] for func in frames["func"])
    assert set(frames["address"]) | set(frames["lib"]) == {-1}
    assert all(line is None or line > 0 for line in frames["line"])
    assert all(0 <= c < len(profile["meta"]["categories"]) for c in frames["category"])
    funcs = shared["funcTable"]
    assert all(0 <= name < len(strings) for name in funcs["name"])
    assert all(0 <= source < lengths["sources"] for source in funcs["source"])
    assert all(0 <= name < len(strings) for name in shared["sources"]["filename"])


def test_threads(profile: dict[str, Any]) -> None:
    ids = [(thread["pid"], thread["tid"]) for thread in profile["threads"]]
    assert len(set(ids)) == len(ids)
    assert len({thread["tid"] for thread in profile["threads"]}) == len(ids)
    strings, schemas = profile["shared"]["stringArray"], {s["name"] for s in profile["meta"]["markerSchema"]}
    for thread in profile["threads"]:
        assert thread.keys() >= THREAD
        assert isinstance(thread["pid"], str)
        check_samples(thread["samples"], profile["shared"]["stackTable"]["length"])
        markers = thread["markers"]
        check_table(markers, MARKER_COLUMNS)
        for name, data, start, end, phase, category in zip(
            *(markers[c] for c in ("name", "data", "startTime", "endTime", "phase", "category")), strict=True
        ):
            assert 0 <= name < len(strings)
            assert data["type"] in schemas
            assert phase in (INSTANT, INTERVAL)
            assert (end is None) == (phase == INSTANT)
            assert start >= 0
            assert end is None or end >= start
            assert 0 <= category < len(profile["meta"]["categories"])


def check_samples(samples: Table, stacks: int) -> None:
    assert samples.keys() == {"stack", "time", "weight", "weightType", "length"}
    for column in ("stack", "time"):
        assert len(samples[column]) == samples["length"]
    assert samples["time"] == sorted(samples["time"])
    assert all(stack is None or 0 <= stack < stacks for stack in samples["stack"])
    if samples["weight"] is None:
        assert samples["weightType"] == "samples"
    else:
        assert samples["weightType"] == "tracing-ms"
        assert len(samples["weight"]) == samples["length"]
        assert min(samples["weight"]) >= 0


def call_stack(profile: dict[str, Any], stack: int) -> list[str]:
    shared = profile["shared"]
    names: list[str] = []
    while True:
        func = shared["frameTable"]["func"][shared["stackTable"]["frame"][stack]]
        names.insert(0, shared["stringArray"][shared["funcTable"]["name"][func]])
        offset = shared["stackTable"]["prefixOffset"][stack]
        if not offset:
            return names
        stack -= offset


def test_samples_are_the_stacks(real: Path, exported: Exported) -> None:
    profile = json.loads(exported(real, "firefox"))
    found = {
        tuple(call_stack(profile, stack))
        for thread in profile["threads"]
        for stack in thread["samples"]["stack"]
    }
    parents = {row[0]: row[1:] for row in rows_of(real, "SELECT id, parent, frame FROM stack")}
    names = dict(rows_of(real, "SELECT id, function FROM frame"))
    expected = set()
    longest = "SELECT DISTINCT stack FROM stack_sample WHERE end_ns - start_ns > 1e9"
    for (stack,) in rows_of(real, longest):
        walked: list[str] = []
        at = stack
        while at:
            at, frame = parents[at]
            walked.insert(0, names[frame])
        expected.add(tuple(walked))
    assert found == expected


def test_a_sample_for_each_that_was_taken(harmful: Path, exported: Exported) -> None:
    profile = json.loads(exported(harmful, "firefox"))
    # Looks in the middle of a longer record of the same process do not count.
    taken = dict(
        rows_of(
            harmful,
            "SELECT tid, sum(count) FROM stack_sample JOIN thread ON key = lane"
            " WHERE key < 7 AND stack_sample.end_ns >= 1e9 GROUP BY 1",
        )
    )
    threads = {thread["tid"]: thread["samples"] for thread in profile["threads"]}
    assert {tid: threads[tid]["length"] for tid in taken} == taken
    held = rows_of(harmful, "SELECT sum(held_ns) FROM lane_tick WHERE lane = 2 AND tick < 20")[0][0] / 1e6
    first = threads[rows_of(harmful, "SELECT tid FROM thread WHERE key = 2")[0][0]]
    weights = [w for w, at in zip(first["weight"], first["time"], strict=True) if at < 1000]
    assert sum(weights) == pytest.approx(held, rel=1e-4)


def test_holds_are_markers(recording: Path, profile: dict[str, Any]) -> None:
    strings = profile["shared"]["stringArray"]
    found: dict[str, list[float]] = {}
    for thread in profile["threads"]:
        markers = thread["markers"]
        for number, data in enumerate(markers["data"]):
            if data["type"] == "hold":
                length = markers["endTime"][number] - markers["startTime"][number]
                found.setdefault(strings[markers["name"][number]], []).append(length)
    rows = rows_of(
        recording,
        "SELECT coalesce(name, CASE WHEN key IS NULL THEN 'unknown thread' ELSE 'thread ' || tid END),"
        " count(*), sum(hold.end_ns - hold.start_ns) FROM hold LEFT JOIN thread ON key = lane GROUP BY 1",
    )
    assert {name: len(lengths) for name, lengths in found.items()} == {name: count for name, count, _ in rows}
    for name, _, ns in rows:
        assert sum(found[name]) == pytest.approx(ns / 1e6, rel=1e-6)


def test_events_gaps_and_output(harmful: Path, exported: Exported) -> None:
    profile = json.loads(exported(harmful, "firefox"))
    kinds = [data["type"] for thread in profile["threads"] for data in thread["markers"]["data"]]
    assert kinds.count("event") == rows_of(harmful, "SELECT count(*) FROM event")[0][0]
    assert kinds.count("gap") == 2
    assert "output" not in kinds
    assert SECRET.encode() not in exported(harmful, "firefox")
    assert SECRET.encode() in exported(harmful, "firefox", Options(with_output=True))

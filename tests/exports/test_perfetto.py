"""The Perfetto export against the format's published rules, read by a parser of its own.

Rules: the Trace Event Format's document (slices of a thread nest, every phase has its fields, times in
microseconds) and Perfetto's of how flows bind (each end to the slice that encloses it on its thread).
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gilscope.exports.options import Options
from tests.exports.samples import SECRET, rows_of

Exported = Callable[..., bytes]
Event = dict[str, Any]
Track = tuple[int, int]
NEEDED = {
    "M": {"name", "pid", "tid", "args"},
    "X": {"name", "cat", "pid", "tid", "ts", "dur"},
    "C": {"name", "pid", "ts", "args"},
    "i": {"name", "pid", "tid", "ts", "s"},
    "s": {"name", "cat", "id", "pid", "tid", "ts"},
    "f": {"name", "cat", "id", "pid", "tid", "ts", "bp"},
    "b": {"name", "cat", "id", "pid", "ts"},
    "e": {"name", "cat", "id", "pid", "ts"},
}


def ns(us: Decimal | int) -> int:
    value = Decimal(us) * 1000
    assert value == value.to_integral_value(), "times are exact to the nanosecond"
    return int(value)


class Trace:
    """A trace, checked as it is read."""

    def __init__(self, data: bytes) -> None:
        parsed = json.loads(data, parse_float=Decimal)
        self.events: list[Event] = parsed["traceEvents"]
        self.by_phase: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            assert NEEDED[event["ph"]] <= event.keys(), event
            self.by_phase[event["ph"]].append(event)
            if "ts" in event:
                assert ns(event["ts"]) >= 0
        self.slices: dict[Track, list[tuple[int, int, str, str]]] = defaultdict(list)
        for event in self.by_phase["X"]:
            start, length = ns(event["ts"]), ns(event["dur"])
            assert length > 0
            self.slices[event["pid"], event["tid"]].append(
                (start, start + length, event["cat"], event["name"])
            )
        for found in self.slices.values():
            found.sort(key=lambda s: (s[0], -s[1]))
        self.names: dict[Track, str] = {}
        self.process_names: dict[int, str] = {}
        for event in self.by_phase["M"]:
            if event["name"] == "thread_name":
                assert (event["pid"], event["tid"]) not in self.names, "two threads with one number"
                self.names[event["pid"], event["tid"]] = event["args"]["name"]
            if event["name"] == "process_name":
                assert event["pid"] not in self.process_names, "two processes with one number"
                self.process_names[event["pid"]] = event["args"]["name"]

    def enclosing(self, track: Track, at_ns: int) -> tuple[int, int, str, str] | None:
        found = self.slices[track]
        index = bisect_right(found, at_ns, key=lambda s: s[0]) - 1
        return found[index] if index >= 0 and found[index][1] > at_ns else None


@pytest.fixture
def trace(recording: Path, exported: Exported) -> Trace:
    return Trace(exported(recording, "perfetto"))


def test_slices_of_a_track_nest(trace: Trace) -> None:
    assert trace.slices
    for track, found in trace.slices.items():
        open_ends: list[int] = []
        for start, end, _, name in found:
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            assert not open_ends or end <= open_ends[-1], (track, name, start)
            open_ends.append(end)


def test_slices_nest_for_readers_that_add_floats(trace: Trace) -> None:
    """Most readers have no decimals: start and length are doubles, in microseconds, and so is their sum."""
    tracks: dict[Track, list[tuple[float, float]]] = defaultdict(list)
    for event in trace.by_phase["X"]:
        tracks[event["pid"], event["tid"]].append((float(event["ts"]), float(event["dur"])))
    for found in tracks.values():
        found.sort()
        for (start, length), (following, _) in pairwise(found):
            assert start + length < following


def test_all_tracks_have_names(trace: Trace) -> None:
    for event in trace.events:
        if event["ph"] in "XisfC":
            assert event["pid"] in trace.process_names
        if event["ph"] in "Xsf":
            assert (event["pid"], event["tid"]) in trace.names


def test_every_arrow_binds(trace: Trace) -> None:
    starts = {event["id"]: event for event in trace.by_phase["s"]}
    ends = {event["id"]: event for event in trace.by_phase["f"]}
    assert len(starts) == len(trace.by_phase["s"]) == len(ends) == len(trace.by_phase["f"]) > 0
    assert starts.keys() == ends.keys()
    for number, start in starts.items():
        end = ends[number]
        assert ns(start["ts"]) <= ns(end["ts"])
        for event in (start, end):
            found = trace.enclosing((event["pid"], event["tid"]), ns(event["ts"]))
            assert found is not None, event
            assert found[2:] in {("state", "running"), ("state", "holding")}, (event, found)


def test_an_arrow_a_handoff(recording: Path, trace: Trace) -> None:
    expected = 0
    for (gil,) in rows_of(recording, "SELECT key FROM interpreter"):
        lanes = [
            r[0] for r in rows_of(recording, "SELECT lane FROM hold WHERE gil = ? ORDER BY start_ns", gil)
        ]
        expected += sum(a is not None and b is not None and a != b for a, b in pairwise(lanes))
    assert len(trace.by_phase["s"]) == expected


def test_the_gil_track_has_all_holds(recording: Path, trace: Trace) -> None:
    held = rows_of(recording, "SELECT sum(end_ns - start_ns), count(*) FROM hold WHERE end_ns > start_ns")
    found = [s for track in trace.slices.values() for s in track if s[2] == "hold"]
    assert len(found) == held[0][1]
    # A slice is a nanosecond shorter, for readers that add floats.
    assert 0 <= held[0][0] - sum(end - start for start, end, _, _ in found) <= len(found)


def test_states_add_up(recording: Path, trace: Trace) -> None:
    """Native and ready are laid out whole; running and holding are where holds were."""
    for state in ("native", "ready"):
        drawn = sum(e - s for t in trace.slices.values() for s, e, cat, name in t if name == state)
        recorded = rows_of(recording, f"SELECT sum({state}_ns) FROM lane_tick")[0][0]
        assert drawn == pytest.approx(recorded, rel=0.05, abs=2_000_000), state


def test_counters_and_spans(recording: Path, trace: Trace) -> None:
    last: dict[tuple[int, str], int] = {}
    for event in trace.by_phase["C"]:
        key = (event["pid"], event["name"])
        assert ns(event["ts"]) >= last.get(key, 0)
        last[key] = ns(event["ts"])
        assert all(isinstance(value, int | Decimal) for value in event["args"].values())
    cores = {name for _, name in last if name.startswith("core ")}
    assert len(cores) == 2 * rows_of(recording, "SELECT count(DISTINCT core) FROM core_tick")[0][0]
    begins = {(e["cat"], e["id"], e["pid"]): ns(e["ts"]) for e in trace.by_phase["b"]}
    ends = {(e["cat"], e["id"], e["pid"]): ns(e["ts"]) for e in trace.by_phase["e"]}
    assert begins.keys() == ends.keys()
    assert len(begins) == len(trace.by_phase["b"]) >= rows_of(recording, "SELECT count(*) FROM gap")[0][0]
    assert all(begins[key] <= ends[key] for key in begins)


def test_events_and_names(recording: Path, trace: Trace) -> None:
    kinds = sorted(event["name"] for event in trace.by_phase["i"] if event["cat"] == "event")
    assert kinds == sorted(row[0] for row in rows_of(recording, "SELECT kind FROM event"))
    names = {row[0] for row in rows_of(recording, "SELECT name FROM thread WHERE name IS NOT NULL")}
    assert names <= set(trace.names.values())
    assert {event["s"] for event in trace.by_phase["i"]} <= {"g", "p", "t"}


def test_output_only_when_asked_for(harmful: Path, exported: Exported) -> None:
    assert SECRET.encode() not in exported(harmful, "perfetto")
    assert SECRET.encode() in exported(harmful, "perfetto", Options(with_output=True))

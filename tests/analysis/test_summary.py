"""A session in figures: the keys people rely on, and sums that are right."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gilscope.analysis.summary import SCHEMA, share_error, summarise
from gilscope.analysis.verdict import judge, verdict_fields
from gilscope.analysis.verdict.facts import facts_of
from gilscope.model import (
    NS_PER_S,
    WAITS_NOT_KNOWN,
    Event,
    Frame,
    Gap,
    Gil,
    Lane,
    LaneTick,
    Process,
    ProcessTick,
    Session,
    StackSample,
    Stall,
    State,
    Tick,
)
from tests.recording import samples
from tests.recording.samples import GIL, SESSION, plain_ticks

KEYS: dict[str, Any] = {
    "schema": None,
    "gilscope": {
        "version": None, "rate_hz": {"asked": None, "achieved": None}, "tick_ms": None, "source": None,
        "cost": {"cpu_s": None, "share_of_core": None},
        "gaps": [{"source": None, "pid": None, "reason": None, "seconds": None}],
        "disagreements": None, "not_known": None,
    },
    "target": dict.fromkeys(
        ["command", "mode", "workers", "python", "implementation", "pid", "exit_code", "wall_s", "started"]
    ),
    "machine": dict.fromkeys(["cores", "cores_usable", "platform"]),
    "gils": [dict.fromkeys(
        ["pid", "interpreter", "kind", "utilisation", "ci95", "contention", "waiters_mean", "waiters_max",
         "handoffs", "handoffs_seen", "samples", "longest_hold_ms", "switch_interval_us"]
    )],
    "lanes": [dict.fromkeys(
        ["pid", "tid", "kind", "name", "alive_s", "cpu_s", "held_share", "running_s", "holding_s",
         "waiting_s", "native_s", "ready_s", "blocked_s", "unknown_s", "waiting_ci95", "waits"]
    )],
    "processes": [dict.fromkeys(
        ["pid", "ppid", "command", "name", "python", "cpu_s", "rss_max_mb", "pss_max_mb", "uss_max_mb",
         "threads_max", "start_s", "end_s", "exit_code", "state"]
    )],
    "cores": [dict.fromkeys(["core", "busy_mean", "target_share"])],
    "totals": dict.fromkeys(
        ["cores_used_mean", "held_s", "waiting_s", "native_s", "cpu_s", "memory_peak_mb", "threads_created",
         "threads_started", "processes_started"]
    ),
    "stalls": [dict.fromkeys(
        ["at_s", "pid", "tid", "name", "held_ms", "waiters", "waiters_max", "stack"]
    )],
    "stalls_total": None,
    "functions": [dict.fromkeys(
        ["function", "file", "line", "held_share", "total_share", "waiting_share", "samples",
         "waiting_samples"]
    )],
    "functions_rest_on": dict.fromkeys(["stacks", "held_share", "waiting_stacks", "waiting_share"]),
    "notes": [dict.fromkeys(["at_s", "text", "times"])],
    "verdict": {
        "kind": None, "headline": None, "evidence": None, "advice": None, "also": None,
        "speedup_bound": {"processes": None}, "also_kinds": None,
        "confidence": {"level": None, "reason": None}, "would_change": None, "limits": None,
    },
}  # fmt: skip
"""DESIGN, section 8."""

LANES = [
    Lane(key=1, process=1, tid=77, kind="thread", name="MainThread", start_ns=0, cpu_ns=10),
    Lane(key=2, process=1, tid=78, kind="thread", name=None, start_ns=500_000_000, end_ns=1_500_000_000),
]
PROCESS = Process(key=1, pid=77, ppid=1, command="python x", python="3.11.7", start_ns=0)


def summary_of(**changes: Any) -> dict[str, Any]:
    session: Session = changes.pop("session", dataclasses.replace(SESSION, ended_ns=2 * NS_PER_S))
    given_values: dict[str, Any] = {
        "processes": [PROCESS], "lanes": LANES, "gils": [GIL], "ticks": plain_ticks(40),
    }  # fmt: skip
    return summarise(session=session, **(given_values | changes))


def shape(value: object, model: object, path: str = "") -> None:
    if isinstance(model, dict):
        assert isinstance(value, dict), path
        assert list(value) == list(model), path
        for key in model:
            shape(value[key], model[key], f"{path}.{key}")
    elif isinstance(model, list):
        assert isinstance(value, list), path
        assert value, path
        for row in value:
            shape(row, model[0], f"{path}[]")


def test_the_keys_are_stable() -> None:
    frame = Frame(function="f", file="x.py", line=3)
    summary = summary_of(
        gaps=[Gap(source="gil", pid=1, reason="x", start_ns=0, end_ns=NS_PER_S)],
        stacks=[StackSample(lane=1, start_ns=0, end_ns=1, count=3, frames=(frame,))],
        stalls=[Stall(gil=1, lane=1, start_ns=0, end_ns=9, waiters_mean=1.0, waiters_max=1, frames=(frame,))],
        events=[Event(at_ns=at, kind="swap-note", process=1, lane=None, text="x") for at in (5, NS_PER_S)],
    )
    assert summary["notes"] == [{"at_s": 0.0, "text": "x", "times": 2}]
    summary["verdict"] = verdict_fields(judge(summary))
    shape(summary, KEYS)
    assert summary["schema"] == SCHEMA == "gilscope.summary/1"


def test_figures_of_a_known_session() -> None:
    tick_ns = 50_000_000
    summary = summary_of()
    (gil,) = summary["gils"]
    assert gil["pid"] == 77
    assert gil["samples"] == 2000
    assert gil["utilisation"] == pytest.approx(1 - sum(range(40)) / (40 * tick_ns), abs=1e-6)
    assert gil["waiters_mean"] == pytest.approx(9 / tick_ns, abs=1e-6)
    assert gil["contention"] == pytest.approx(7 / tick_ns, abs=1e-6)
    assert (gil["handoffs"], gil["handoffs_seen"], gil["waiters_max"]) == (120, 80, 2)
    assert gil["longest_hold_ms"] == pytest.approx(39e-6)
    main, other = summary["lanes"]
    assert main["held_share"] == pytest.approx(1, abs=1e-6)
    assert main["alive_s"] == 2
    assert other["name"] == "thread 78"
    assert other["alive_s"] == 1
    assert summary["gilscope"]["rate_hz"] == {"asked": 1000, "achieved": 1000}
    assert summary["target"]["wall_s"] == 2
    assert summary["cores"] == [{"core": 0, "busy_mean": 0.5, "target_share": 0.25}]
    assert summary["totals"]["held_s"] == pytest.approx(2, abs=1e-5)


def test_time_without_rows_is_time_asleep() -> None:
    summary = summary_of(ticks=plain_ticks(10), lanes=LANES[:1])
    (main,) = summary["lanes"]
    assert main["running_s"] == pytest.approx(0.5, abs=1e-6)
    assert main["blocked_s"] == pytest.approx(1.5, abs=1e-6)


@given(st.lists(st.tuples(*[st.integers(0, 7_000_000)] * 7), max_size=40), st.integers(0, 3))
def test_the_states_of_each_lane_sum_to_its_life(rows: list[tuple[int, ...]], pause: int) -> None:
    ticks = []
    for index, row in enumerate(rows):
        running, holding, waiting, native, ready, _, unknown = row
        blocked = 50_000_000 - sum(row[:5]) - unknown
        states = (running, holding, waiting, native, ready, blocked, unknown)
        lanes = (
            () if pause and index % (pause + 1) else (LaneTick(lane=1, states=states, held_ns=0, core=None),)
        )
        ticks.append(
            Tick(index=index, start_ns=index * 50_000_000, end_ns=(index + 1) * 50_000_000, lanes=lanes)
        )
    session = dataclasses.replace(SESSION, ended_ns=len(rows) * 50_000_000)
    (lane,) = summary_of(session=session, ticks=ticks, lanes=LANES[:1])["lanes"]
    total = sum(lane[f"{state.word}_s"] for state in State)
    assert total == pytest.approx(lane["alive_s"], abs=1e-5)
    assert min(lane[f"{state.word}_s"] for state in State) >= 0


def test_nothing_was_read() -> None:
    """None, never zero."""
    summary = summary_of(ticks=[], session=SESSION)
    (gil,) = summary["gils"]
    assert gil["utilisation"] is gil["ci95"] is gil["contention"] is gil["waiters_mean"] is None
    assert summary["gilscope"]["rate_hz"]["achieved"] is None
    assert summary["gilscope"]["cost"]["share_of_core"] is None
    assert summary["totals"]["cores_used_mean"] is None
    assert summary["totals"]["memory_peak_mb"] is None
    assert summary["totals"]["threads_created"] is None
    assert summary["lanes"][0]["held_share"] is None
    assert summary["processes"][0]["end_s"] is None


def test_memory_is_the_most_at_one_moment() -> None:
    def tick(process: int, at_ns: int, mb: int, pss: int | None = None) -> ProcessTick:
        return ProcessTick(
            process=process, at_ns=at_ns, cpu_ns=0, rss_bytes=mb * 10**6,
            pss_bytes=None if pss is None else pss * 10**6, uss_bytes=None, threads=3,
        )  # fmt: skip

    summary = summary_of(
        processes=[PROCESS, dataclasses.replace(PROCESS, key=2, pid=99)],
        process_ticks=[tick(1, 1, 10), tick(2, 1, 20), tick(1, 2, 25), tick(1, 3, 1), tick(2, 3, 5)],
    )
    assert summary["totals"]["memory_peak_mb"] == 30
    assert [row["rss_max_mb"] for row in summary["processes"]] == [25, 20]
    assert [row["threads_max"] for row in summary["processes"]] == [3, 3]
    assert summary["processes"][0]["pss_max_mb"] is None
    assert summary["totals"]["processes_started"] == 1


def test_functions_by_who_holds_the_gil() -> None:
    def stack(function: str, line: int, count: int) -> StackSample:
        inner = Frame(function=function, file="x.py", line=line)
        outer = Frame(function="<module>", file="x.py", line=1)
        return StackSample(lane=1, start_ns=0, end_ns=1, count=count, frames=(outer, inner))

    rows = summary_of(stacks=[stack("f", 3, 5), stack("g", 9, 2), stack("f", 4, 13)])["functions"]
    assert [(row["function"], row["line"], row["samples"]) for row in rows] == [
        ("f", 4, 18), ("g", 9, 2), ("<module>", 1, 0),
    ]  # fmt: skip
    assert [row["held_share"] for row in rows] == [0.9, 0.1, 0.0]
    assert [row["total_share"] for row in rows] == [0.9, 0.1, 1.0]


@pytest.mark.parametrize(
    ("share", "count", "expected"),
    [(0.5, 100, 0.0962), (0.5, 10_000, 0.0098), (0.0, 100, 0.0185), (1.0, 100, 0.0185), (0.25, 1000, 0.0268)],
)
def test_the_error_of_a_share(share: float, count: int, expected: float) -> None:
    error = share_error(share, count)
    assert error is not None
    assert error == pytest.approx(expected, abs=2e-4)


@given(st.floats(0, 1), st.integers(-5, 10**9))
def test_errors_are_errors(share: float, count: int) -> None:
    error = share_error(share, count)
    if count <= 0:
        assert error is None
        return
    assert error is not None
    assert 0 < error <= 0.5
    more = share_error(share, 4 * count)
    assert more is not None
    assert more < error


@settings(max_examples=50)
@given(
    samples.tick_runs(), st.lists(samples.lanes, max_size=5), st.lists(samples.gils, max_size=3),
    st.lists(samples.processes, max_size=3), st.lists(samples.process_ticks, max_size=5),
    st.lists(samples.stacks, max_size=3), st.none() | st.integers(0, 10**12),
)  # fmt: skip
def test_a_verdict_on_anything(
    ticks: list[Tick],
    lanes: list[Lane],
    gils: list[Gil],
    processes: list[Process],
    process_ticks: list[ProcessTick],
    stacks: list[StackSample],
    ended_ns: int | None,
) -> None:
    summary = summarise(
        session=dataclasses.replace(SESSION, ended_ns=ended_ns), processes=processes, lanes=lanes, gils=gils,
        ticks=ticks, process_ticks=process_ticks, stacks=stacks,
    )  # fmt: skip
    verdict = judge(summary)
    assert verdict.kind
    assert verdict.headline
    assert "\n" not in verdict.headline
    bound = verdict.speedup_bound_processes
    assert bound is None or (bound >= 1 and math.isfinite(bound))
    summary["verdict"] = verdict_fields(verdict)
    shape(summary["verdict"], KEYS["verdict"])


@pytest.mark.parametrize(("hidden_ns", "is_known"), [(1_000_000, True), (20_000_000, False)])
def test_what_was_not_seen_of_waiting_is_not_zero(hidden_ns: int, is_known: bool) -> None:
    """Much of it hidden: unknown. A little: in the error. What GILs count of it is known in any case."""
    told = Event(at_ns=0, kind=WAITS_NOT_KNOWN, process=1, lane=None, text="who waits")
    ticks = [dataclasses.replace(tick, lanes=_hidden(tick.lanes, hidden_ns)) for tick in plain_ticks(40)]
    swept = dataclasses.replace(SESSION, ended_ns=2 * NS_PER_S, sweeps=200)
    before = summary_of(session=swept, ticks=ticks)
    summary = summary_of(session=swept, ticks=ticks, events=[told])
    assert summary["gilscope"]["not_known"] == ["who waits"]
    first, was = summary["lanes"][0], before["lanes"][0]
    waiting_s = summary["totals"]["waiting_s"]
    if is_known:
        assert first["waiting_s"] == was["waiting_s"]
        assert first["waiting_ci95"] == pytest.approx(was["waiting_ci95"] + 0.02)
        assert waiting_s == before["totals"]["waiting_s"]
    else:
        assert first["waiting_s"] is first["waiting_ci95"] is first["waits"] is None
        assert waiting_s == round(sum(gil.waiter_ns for tick in ticks for gil in tick.gils) / NS_PER_S, 6)
    assert facts_of(summary).waiting_s == waiting_s
    uncounted = [
        dataclasses.replace(tick, gils=tuple(dataclasses.replace(gil, waiter_ns=-1) for gil in tick.gils))
        for tick in ticks
    ]
    total = summary_of(ticks=uncounted, events=[told])["totals"]["waiting_s"]
    assert (total is not None) == is_known


def _hidden(lanes: Sequence[LaneTick], ns: int) -> tuple[LaneTick, ...]:
    """So much of the first lane's time was not read."""
    running, *states, unknown = lanes[0].states
    first = dataclasses.replace(lanes[0], states=(running - ns, *states, unknown + ns))  # type: ignore[arg-type]
    return (first, *lanes[1:])

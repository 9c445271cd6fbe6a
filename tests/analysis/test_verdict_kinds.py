"""Verdicts beside each other, how sure they are, and what would change them."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.free_threaded import modules_that_turned_it_on
from gilscope.analysis.verdict import KINDS, THRESHOLDS, Thresholds, judge, verdict_fields, verdict_from
from gilscope.analysis.verdict.registry import BESIDE, RULES
from gilscope.model import Event
from tests.analysis.test_verdict import BEAT, BUSY, CPU_THREADS, PROGRAMS, event, lane, summary
from tests.watched import ROOT

PAGE = (ROOT / "docs" / "verdicts.md").read_text()


def stall(held_ms: float, name: str = "MainThread", **changes: Any) -> dict[str, Any]:
    frames = ["<module> (job.py:9)", "parse (job.py:4)", "sre_umatch (_sre.so)"]
    return {
        "at_s": 1.0,
        "pid": 1,
        "tid": 1,
        "name": name,
        "held_ms": held_ms,
        "waiters": 1,
        "stack": frames,
    } | changes


def test_a_convoy_behind_two_is_beside_gil_bound() -> None:
    two = [lane(f"cpu-{n}", cpu=4.8, running=4.8, waiting=4.9) for n in range(2)]
    verdict = judge(summary(*two, BEAT, utilisation=0.98, contention=0.98, waiters=1.5))
    assert (verdict.kind, verdict.also_kinds) == ("gil-bound", ("convoy",))
    assert any("beat waits for the GIL behind busy threads" in words for words in verdict.also)
    alone = judge(summary(BUSY, BEAT, utilisation=0.98, contention=0.5))
    assert (alone.kind, alone.also_kinds) == ("convoy", ())
    assert "behind busy" in alone.headline


def test_a_convoy_says_how_long_each_wait_is() -> None:
    verdict = judge(summary(BUSY, BEAT, utilisation=0.98, contention=0.5, handoffs=1_900))
    assert "That is about 5.3 ms for each of some 950 waits." in verdict.evidence


def test_behind_one_busy_thread_only_its_own_turns_count() -> None:
    # 200 waits of 38 ms each, behind a sort. The turns of the other, over at once, do not halve that.
    beat = lane("heartbeat", cpu=0.01, running=0.01, waiting=7.6, blocked=2.3)
    busy = lane("MainThread", cpu=9.9, running=9.9)
    figures = summary(busy, beat, utilisation=1.0, contention=0.76, waiters=0.76, handoffs=400)
    assert judge(figures).kind == "gil-hog"


def test_equal_threads_are_no_convoy_however_many() -> None:
    many = [lane(f"cpu-{n}", cpu=0.5, running=0.5, waiting=9.5) for n in range(20)]
    verdict = judge(summary(*many, utilisation=1.0, contention=1.0, waiters=19.0))
    assert (verdict.kind, verdict.also_kinds) == ("gil-bound", ())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"waiting_s": 10 * THRESHOLDS.convoy_waiting_share}, True),
        ({"waiting_s": 10 * THRESHOLDS.convoy_waiting_share - 0.01}, False),
        ({"running_s": 5.0 / THRESHOLDS.convoy_waiting_per_held}, True),
        ({"running_s": 5.0 / THRESHOLDS.convoy_waiting_per_held + 0.01}, False),
    ],
)
def test_who_is_in_a_convoy(changes: dict[str, float], found: bool) -> None:
    verdict = judge(summary(BUSY, BEAT | changes, utilisation=0.97, contention=0.35))
    assert (verdict.kind == "convoy") is found


def test_a_hog_is_named_with_function_and_line() -> None:
    hog = dict(PROGRAMS["gil-hog"], stalls=[stall(310.0), stall(2_900.0), stall(5_000.0, pid=7)])
    verdict = judge(hog)
    assert verdict.kind == "gil-hog"
    assert "in parse (job.py:4)" in verdict.headline
    assert any("2 long holds with a waiter took 3.2 s" in words for words in verdict.evidence)


def test_few_long_holds_among_short_turns_are_seen_by_stalls_only() -> None:
    rows = summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0)
    assert judge(rows).kind == "gil-bound"
    assert judge(rows | {"stalls": [stall(300.0)] * 6}).kind == "gil-bound"  # 1.8 of 10 s: not the main thing
    verdict = judge(rows | {"stalls": [stall(300.0)] * 7})
    assert (verdict.kind, verdict.also_kinds[0]) == ("gil-hog", "gil-bound")


def test_a_long_hold_without_a_waiter_is_none() -> None:
    alone = summary(BUSY, utilisation=0.98, handoffs=0)
    alone["gils"][0]["longest_hold_ms"] = 9_500.0
    assert judge(alone).kind == "single-threaded"


def test_what_a_source_does_not_see_is_in_no_verdict() -> None:
    blind = summary(BUSY, BEAT | {"waiting_s": None}, utilisation=0.98)
    blind["gils"][0] |= {"contention": None, "waiters_mean": None, "handoffs": None}
    blind["gilscope"]["source"] = "py-spy"
    verdict = judge(blind)
    assert verdict.kind == "single-threaded"
    assert verdict.confidence != "high"


def test_starved_says_what_the_interval_has_to_do_with_it() -> None:
    assert "sys.setswitchinterval" in judge(PROGRAMS["starved"]).advice[0]
    hogged = judge(
        dict(PROGRAMS["starved"], gils=[PROGRAMS["starved"]["gils"][0] | {"switch_interval_us": 5_000}])
    )
    assert (hogged.kind, hogged.also_kinds[0]) == ("gil-hog", "starved")


def test_a_crowd_on_a_busy_machine_is_none() -> None:
    """Two processes that get half a core each: it is not they who are too many."""
    rows = [lane(f"p-{n}", pid=-n, cpu=5.0, running=5.0, holding=5.0) for n in range(2)]
    verdict = judge(summary(*rows, utilisation=0.99, processes=(5.0, 5.0), cores=2))
    assert verdict.kind == "process-parallel"


def test_threads_in_a_run_queue_stay_what_they_are() -> None:
    """Measured while a machine had five times as much to do as cores."""
    python = [lane(f"py-{n}", cpu=0.8, running=0.8, holding=1.5, ready=3.0, waiting=4.5) for n in range(4)]
    assert judge(summary(*python, utilisation=0.92, contention=0.6, cores=2)).kind == "gil-bound"
    native = [lane(f"c-{n}", cpu=1.0, running=0.4, holding=0.2, native=0.6, ready=7.0) for n in range(2)]
    assert judge(summary(*native, utilisation=0.2, contention=0.02, cores=2)).kind == "native-parallel"


def test_a_thread_that_gets_half_a_core_is_not_idle() -> None:
    rows = summary(lane("MainThread", cpu=3.0, running=3.0, holding=6.5), utilisation=0.95, cores=2)
    rows["cores"] = [{"core": 0, "busy_mean": 1.0, "target_share": 0.3}]
    verdict = judge(rows)
    assert verdict.kind == "single-threaded"
    assert "Other programs" in verdict.confidence_reason or "near the limit" in verdict.confidence_reason


def test_crowded_processes_are_also_parallel() -> None:
    verdict = judge(PROGRAMS["oversubscribed"])
    assert verdict.also_kinds == ("process-parallel",)
    assert "8 processes want to compute" in verdict.headline
    assert "2" in verdict.advice[0]


def test_threads_that_never_started() -> None:
    verdict = judge(PROGRAMS["never-started"])
    assert "4 threads were created, and none was started" in verdict.headline
    assert verdict.confidence == "high"
    told = Event(
        at_ns=0, kind="never-started", process=1, lane=None,
        text="4 threads were created and never started: script.py:12",
    )  # fmt: skip
    assert (
        "4 threads were created and never started: script.py:12."
        in judge(PROGRAMS["never-started"], [told]).evidence
    )
    # One of many is said beside what the others do; while it runs, it may still be started.
    one = summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0, threads=(8, 7))
    assert (judge(one).kind, judge(one).also_kinds) == ("gil-bound", ("never-started",))
    one["target"]["exit_code"] = None
    assert judge(one).also_kinds == ()
    assert judge(one, [told]).also_kinds == ("never-started",)


@pytest.mark.parametrize(
    "text",
    [
        "Warning: The global interpreter lock (GIL) has been enabled to load module 'fast._core', which",
        "x\r\nThe global interpreter lock (GIL) has been enabled to load\r\nmodule 'fast._core', which",
    ],
)
def test_the_import_that_turned_the_gil_on_is_named(text: str) -> None:
    assert modules_that_turned_it_on(text + text) == ["fast._core"]
    verdict = judge(
        PROGRAMS["gil-bound"], [event(1.0, "gil-enabled", "the GIL of process 5 was turned on")], text
    )
    assert "The import of fast._core turned the GIL on, Python says." in verdict.evidence
    assert "(fast._core)" in verdict.also[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_each_verdict_says_how_sure_it_is_and_what_would_change_it(kind: str) -> None:
    fields = verdict_fields(judge(PROGRAMS[kind]))
    assert fields["confidence"]["level"] in ("low", "medium", "high")
    assert fields["confidence"]["reason"].endswith(".")
    assert fields["would_change"]
    assert all(words.endswith(".") for words in fields["would_change"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_verdict_comes_back_from_its_fields(kind: str) -> None:
    verdict = judge(PROGRAMS[kind])
    bound = verdict.speedup_bound_processes
    rounded = dataclasses.replace(verdict, speedup_bound_processes=None if bound is None else round(bound, 2))
    assert verdict_from(verdict_fields(verdict)) == rounded


def test_confidence() -> None:
    clear = summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0)
    assert judge(clear).confidence == "high"
    near = summary(*CPU_THREADS, utilisation=0.99, contention=THRESHOLDS.contended * 1.05, waiters=3.0)
    assert judge(near).confidence == "low"
    assert "32 % is near the limit of 30 %" in judge(near).confidence_reason
    nearish = summary(*CPU_THREADS, utilisation=0.99, contention=THRESHOLDS.contended * 1.2, waiters=3.0)
    assert judge(nearish).confidence == "medium"
    few = summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0, samples=150)
    assert (judge(few).confidence, judge(few).confidence_reason) == ("low", "It rests on 150 samples only.")
    unread = summary(
        *[row | {"unknown_s": 2.0} for row in CPU_THREADS], utilisation=0.99, contention=0.99, waiters=3.0
    )
    assert judge(unread).confidence == "medium"


def test_what_would_change_it_names_the_figure_nearest_to_its_limit() -> None:
    near = summary(*CPU_THREADS, utilisation=0.99, contention=0.32, waiters=3.0)
    assert any("32 %; under 30 % this would not be gil-bound" in words for words in judge(near).would_change)


def test_a_kind_stays_within_the_slack_only() -> None:
    rows = summary(*CPU_THREADS, utilisation=0.9, contention=0.28, waiters=0.3)
    assert judge(rows).kind != "gil-bound"
    assert judge(rows, stay="gil-bound", slack=0.1).kind == "gil-bound"
    assert judge(rows, stay="gil-bound", slack=0.05).kind != "gil-bound"


seconds = st.floats(0, 10)
lanes = st.builds(
    lambda number, cpu, states: lane(f"t-{number}", cpu=cpu, **states),
    st.integers(0, 20),
    seconds,
    st.fixed_dictionaries(
        dict.fromkeys(("running", "holding", "waiting", "native", "ready", "blocked", "unknown"), seconds)
    ),
)


@given(
    st.lists(lanes, max_size=6), st.floats(0, 1), st.none() | st.floats(0, 1),
    st.none() | st.integers(0, 10**6), st.integers(0, 5_000),
    st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
)  # fmt: skip
def test_there_is_a_verdict_on_any_figures(
    rows: list[dict[str, Any]],
    utilisation: float,
    contention: float | None,
    handoffs: int | None,
    samples: int,
    threads: tuple[int, int] | None,
) -> None:
    made = summary(*rows, utilisation=utilisation, samples=samples, handoffs=handoffs, threads=threads)
    made["gils"][0]["contention"] = contention
    verdict = judge(made)
    assert verdict.kind in KINDS
    assert verdict.kind not in verdict.also_kinds
    assert verdict.confidence in ("low", "medium", "high")
    assert verdict == judge(made)


def test_the_page_has_every_kind_and_every_threshold() -> None:
    for kind in KINDS:
        assert re.search(rf"^### {kind}$", PAGE, re.MULTILINE), kind
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert {name: float(value) for name, value in rows.items()} == dataclasses.asdict(THRESHOLDS)
    assert list(rows) == [field.name for field in dataclasses.fields(Thresholds)]


def test_the_registry() -> None:
    assert len(set(KINDS)) == len(RULES)
    assert {rule.kind for rule in BESIDE} <= set(KINDS)
    for rule in BESIDE:
        assert rule.beside <= set(KINDS)
        assert rule.beside, rule.kind

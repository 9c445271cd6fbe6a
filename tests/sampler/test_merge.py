"""Samples and sweeps added up: tables and properties."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, State, StateTimes
from gilscope.sampler.merge import (
    FREE,
    GAP_NS,
    MAX_DEBT_NS,
    TOLERANCE_NS,
    UNKNOWN_HOLDER,
    GilFold,
    GilSums,
    HoldSpan,
    LaneDebt,
    LaneReading,
    merge_lanes,
)

TICK_NS = 50 * NS_PER_MS
MS = NS_PER_MS


@dataclass(frozen=True)
class S:
    """A sample."""

    at_ns: int
    tid: int
    switch_number: int
    waiters: int = 0


def fold(samples: Sequence[S], tick_ns: int = TICK_NS, *, use_again: bool = False) -> list[GilSums]:
    """All ticks of these samples, finished as the loop does it; the last one ends with the last sample."""
    end_ns = tick_ns
    gil = GilFold(end_ns)
    ticks = []
    last: S | None = None
    for sample in samples:
        same = last is not None and replace(sample, at_ns=0) == replace(last, at_ns=0)
        if same and use_again:
            gil.again(sample.at_ns)
        else:
            gil.add(sample.at_ns, sample.tid, sample.switch_number, sample.waiters)
        last = sample
        while sample.at_ns >= end_ns:
            end_ns += tick_ns
            ticks.append(gil.finish(end_ns))
    return [*ticks, gil.finish(end_ns + tick_ns)]


def total(ticks: Sequence[GilSums]) -> dict[str, object]:
    names = ("samples", "watched_ns", "held_ns", "contended_ns", "waiter_ns", "handoffs", "handoffs_seen")
    by_tid: Counter[int] = Counter()
    for tick in ticks:
        by_tid.update(tick.held_by_tid)
    return {name: sum(getattr(tick, name) for tick in ticks) for name in names} | {"by_tid": by_tid}


def holds_of(ticks: Sequence[GilSums]) -> list[HoldSpan]:
    """As a recording has them: a hold that goes on is written again, longer."""
    found: dict[int, HoldSpan] = {}
    for tick in ticks:
        for hold in tick.holds:
            found[hold.start_ns] = hold
    return [found[start] for start in sorted(found)]


@st.composite
def runs(draw: st.DrawFn, *, gaps: bool = False) -> list[S]:
    """Samples of a GIL that real threads could have: the counter moves when the holder does."""
    steps = st.integers(1, 40 * MS) if not gaps else st.integers(1, 40 * MS) | st.integers(GAP_NS, 4 * GAP_NS)
    at_ns, number, holder = (
        draw(st.integers(0, 2 * TICK_NS)),
        draw(st.integers(0, 2**63)),
        draw(st.integers(1, 4)),
    )
    samples = []
    for _ in range(draw(st.integers(1, 40))):
        tid = draw(st.sampled_from([holder, holder, FREE, 1, 2, 3, UNKNOWN_HOLDER]))
        if tid not in (FREE, holder):
            number += draw(st.integers(1, 5))
            holder = tid
        elif draw(st.booleans()):
            number += draw(st.sampled_from([0, 0, 2, 4]))
        samples.append(S(at_ns, tid, number, draw(st.integers(-1, 5))))
        at_ns += draw(steps)
    return samples


@given(runs(), st.integers(5 * MS, 200 * MS))
def test_nothing_is_lost_and_nothing_is_counted_twice(samples: list[S], tick_ns: int) -> None:
    ticks = fold(samples, tick_ns)
    sums = total(ticks)
    assert sums["watched_ns"] == samples[-1].at_ns - samples[0].at_ns
    assert sums["samples"] == len(samples)
    assert sums["handoffs"] == samples[-1].switch_number - samples[0].switch_number
    for tick in ticks:
        assert 0 <= tick.held_ns <= tick.watched_ns <= tick_ns
        assert sum(tick.held_by_tid.values()) == tick.held_ns
        assert FREE not in tick.held_by_tid
        assert all(ns > 0 for ns in tick.held_by_tid.values())
        assert 0 <= tick.contended_ns <= tick.watched_ns
        assert tick.waiter_ns <= tick.watched_ns * max(0, tick.waiters_max)
        assert 0 <= tick.locked_samples <= tick.samples
        assert not tick.gaps


@given(runs(gaps=True), st.integers(5 * MS, 200 * MS))
def test_many_ticks_sum_up_to_a_single_one(samples: list[S], tick_ns: int) -> None:
    many, one = fold(samples, tick_ns), fold(samples, samples[-1].at_ns + 1)
    assert total(many) == total(one)
    assert holds_of(many) == holds_of(one)
    assert max(tick.longest_hold_ns for tick in many) == max(tick.longest_hold_ns for tick in one)


@given(runs(gaps=True))
def test_gaps_are_in_no_sum(samples: list[S]) -> None:
    ticks = fold(samples)
    steps = [after.at_ns - before.at_ns for before, after in itertools.pairwise(samples)]
    sums = total(ticks)
    assert sums["watched_ns"] == sum(step for step in steps if step <= GAP_NS)
    assert sums["handoffs"] == samples[-1].switch_number - samples[0].switch_number
    gaps = {
        (before.at_ns, after.at_ns)
        for before, after in itertools.pairwise(samples)
        if after.at_ns - before.at_ns > GAP_NS
    }
    assert {gap for tick in ticks for gap in tick.gaps} == gaps
    for hold in holds_of(ticks):
        assert not any(hold.start_ns < end and hold.end_ns > start for start, end in gaps)


def test_two_pauses_in_a_long_tick_are_two() -> None:
    """Of a GIL at rest a tick may be made longer: each pause in it is named."""
    made = GilFold(50 * MS)
    for at_ms in (0, 10, 600, 610, 1_300):
        made.add(at_ms * MS, FREE, 0, 0)
    made.extend(1_300 * MS)
    assert made.finish(1_350 * MS).gaps == [(10 * MS, 600 * MS), (610 * MS, 1_300 * MS)]


@given(runs(gaps=True), st.integers(5 * MS, 200 * MS))
def test_holds_are_in_order_and_apart(samples: list[S], tick_ns: int) -> None:
    holds = holds_of(fold(samples, tick_ns))
    assert all(hold.start_ns < hold.end_ns for hold in holds)
    assert all(before.end_ns <= after.start_ns for before, after in itertools.pairwise(holds))
    if holds:
        assert samples[0].at_ns <= holds[0].start_ns
        assert holds[-1].end_ns <= samples[-1].at_ns
    assert all(hold.tid != FREE for hold in holds)
    assert sum(hold.end_ns - hold.start_ns for hold in holds) == sum(
        tick.held_ns for tick in fold(samples, tick_ns)
    )


@given(runs(gaps=True), st.integers(5 * MS, 200 * MS))
def test_again_is_a_cheap_add(samples: list[S], tick_ns: int) -> None:
    plain, cheap = fold(samples, tick_ns), fold(samples, tick_ns, use_again=True)
    assert total(plain) == total(cheap)
    assert holds_of(plain) == holds_of(cheap)
    # Which tick gets the half of a span that was cut at its end may differ by no more than that span.
    for one, other in zip(plain, cheap, strict=True):
        assert one.samples == other.samples
        assert one.watched_ns == other.watched_ns
        assert one.held_by_tid == other.held_by_tid


@given(st.lists(st.integers(1, MS), min_size=1, max_size=40), st.integers(0, 3))
def test_again_with_a_count_is_that_many(steps: list[int], waiters: int) -> None:
    one, many = GilFold(TICK_NS), GilFold(TICK_NS)
    for gil in (one, many):
        gil.add(10, 7, 100, waiters)
    at_ns = 10
    for step in steps:
        at_ns += step
        one.add(at_ns, 7, 100, waiters)
    many.again(at_ns, len(steps))
    for gil in (one, many):
        gil.add(at_ns + MS, 8, 101, 0)
        gil.add(TICK_NS + MS, 8, 101, 0)
    assert one.finish(2 * TICK_NS) == many.finish(2 * TICK_NS)
    assert one.finish(3 * TICK_NS) == many.finish(3 * TICK_NS)


def test_a_span_belongs_half_to_each() -> None:
    ticks = fold(
        [
            S(0, 1, 5, 2),
            S(10 * NS_PER_MS, 2, 6, 1),
            S(20 * MS, 2, 6, 1),
            S(30 * MS, FREE, 6),
            S(60 * MS, FREE, 6),
        ]
    )
    first, rest = ticks
    assert first.held_by_tid == {1: 5 * MS, 2: 20 * MS}
    assert first.watched_ns == 50 * MS
    assert first.contended_ns == 25 * MS
    assert first.waiter_ns == 30 * MS
    assert first.waiters_max == 2
    assert first.handoffs == first.handoffs_seen == 1
    assert first.holder == 2
    assert first.longest_hold_ns == 20 * MS
    assert first.holds == [HoldSpan(1, 0, 5 * MS), HoldSpan(2, 5 * MS, 25 * MS)]
    assert first.locked_samples == 2
    assert first.samples == 4
    assert rest.watched_ns == 10 * NS_PER_MS
    assert rest.holder is None
    assert rest.held_ns == 0


def test_handoffs_that_no_sample_saw() -> None:
    (tick,) = fold([S(0, 1, 5), S(MS, 1, 25), S(2 * MS, 1, 25)])
    assert tick.handoffs == 20
    assert tick.handoffs_seen == 0
    assert [hold.tid for hold in tick.holds] == [1, 1]


def test_a_hold_grows_from_tick_to_tick() -> None:
    ticks = fold([S(at * 10 * NS_PER_MS, 4, 9, 1) for at in range(20)])
    assert [tick.holds[-1].start_ns for tick in ticks] == [0, 0, 0, 0]
    assert [tick.longest_hold_ns // MS for tick in ticks] == [50, 100, 150, 190]


def test_a_counter_that_goes_back_is_no_handoff() -> None:
    """A torn read, or an interpreter that was finalised."""
    (tick,) = fold([S(0, 1, 5), S(MS, 1, 3), S(2 * MS, 1, 6)])
    assert 0 <= tick.handoffs <= 3


@pytest.mark.parametrize(("waiters", "contended"), [(-1, 0), (0, 0), (1, 20 * NS_PER_MS), (7, 20 * MS)])
def test_waiters(waiters: int, contended: int) -> None:
    (tick,) = fold([S(0, 1, 5, waiters), S(20 * MS, 1, 5, waiters)])
    assert tick.contended_ns == contended
    assert tick.waiter_ns == max(0, waiters) * 20 * MS
    assert tick.waiters_max == max(0, waiters)


def test_no_samples_at_all() -> None:
    gil = GilFold(TICK_NS)
    assert gil.finish(2 * TICK_NS) == GilSums()


READING = LaneReading(
    length_ns=TICK_NS,
    python=True,
    watched_ns=TICK_NS,
    held_ns=0,
    cpu_ns=0,
    queue_ns=0,
    sweep_error_ns=0,
    gil=1,
)


def merged(
    reading: LaneReading, *, ticks: int = 1, waiter_ns: int | None = None, debt: LaneDebt | None = None
) -> dict[str, float]:
    """Milliseconds a tick of each state that a lane has, on average over some ticks."""
    debt = debt or LaneDebt()
    sums = [0] * len(State)
    for _ in range(ticks):
        (states,) = merge_lanes([reading], [debt], {} if waiter_ns is None else {1: waiter_ns}, {})
        assert sum(states) == reading.length_ns
        sums = [before + ns for before, ns in zip(sums, states, strict=True)]
    return {State(i).word: ns / MS / ticks for i, ns in enumerate(sums) if ns > 0.2 * MS * ticks}


def test_what_a_human_expects() -> None:
    whole = TICK_NS
    assert merged(replace(READING, held_ns=whole, cpu_ns=whole, on_cpu_sweeps=3)) == {"running": 50}
    assert merged(replace(READING, asleep_sweeps=3)) == {"blocked": 50}
    assert merged(replace(READING, waiting_sweeps=3)) == {"waiting": 50}
    assert merged(replace(READING, waiting_sweeps=3), waiter_ns=whole) == {"waiting": 50}
    assert merged(replace(READING, waiting_sweeps=3), waiter_ns=0) == {"blocked": 50}
    assert merged(replace(READING, unreadable_sweeps=3)) == {"unknown": 50}
    assert merged(replace(READING, watched_ns=0, on_cpu_sweeps=1, cpu_ns=whole)) == {"unknown": 50}
    assert merged(replace(READING, watched_ns=0, asleep_sweeps=1)) == {"blocked": 50}
    assert merged(replace(READING, python=False, cpu_ns=whole, on_cpu_sweeps=1)) == {"native": 50}
    assert merged(replace(READING, python=False, cpu_ns=20 * MS, queue_ns=10 * NS_PER_MS)) == {
        "native": 20, "ready": 10, "blocked": 20,
    }  # fmt: skip


def test_what_a_human_expects_over_some_time() -> None:
    """The first milliseconds are below the tolerance; in the long run they are not lost."""
    native = merged(replace(READING, cpu_ns=TICK_NS, on_cpu_sweeps=3), ticks=100)
    assert native["native"] == pytest.approx(50, abs=0.1)
    holding = merged(replace(READING, held_ns=TICK_NS, asleep_sweeps=3), ticks=100)
    assert holding["holding"] == pytest.approx(50, abs=0.1)
    both = merged(replace(READING, held_ns=30 * MS, cpu_ns=10 * NS_PER_MS, asleep_sweeps=3), ticks=100)
    assert both["holding"] == pytest.approx(20, abs=0.1)
    assert both["running"] == pytest.approx(10, abs=0.1)
    assert both["blocked"] == pytest.approx(20, abs=0.1)
    queued = merged(
        replace(READING, held_ns=30 * MS, cpu_ns=10 * NS_PER_MS, queue_ns=20 * NS_PER_MS), ticks=100
    )
    assert queued["holding"] == pytest.approx(20, abs=0.1)  # descheduled with the GIL, not merely ready
    assert "ready" not in queued
    turns = merged(
        replace(READING, held_ns=20 * MS, cpu_ns=20 * MS, queue_ns=5 * MS, waiting_sweeps=3),
        waiter_ns=25 * MS,
    )
    assert turns == {"running": 20, "waiting": 25, "ready": 5}


def test_waiting_time_is_shared_out() -> None:
    """Three wait by turns; the samples say how long all of them waited."""
    lanes = [replace(READING, waiting_sweeps=2, on_cpu_sweeps=1, held_ns=10 * NS_PER_MS, cpu_ns=10 * MS)] * 3
    rows = merge_lanes(lanes, [LaneDebt() for _ in lanes], {1: 90 * MS}, {})
    assert [row[State.WAITING] for row in rows] == [30 * MS] * 3
    assert [row[State.BLOCKED] for row in rows] == [10 * NS_PER_MS] * 3
    # Another GIL's waiters are none of its business; without a count, sweeps alone tell.
    lanes = [replace(READING, waiting_sweeps=2), replace(READING, waiting_sweeps=1, asleep_sweeps=1, gil=2)]
    rows = merge_lanes(lanes, [LaneDebt() for _ in lanes], {1: 10 * NS_PER_MS}, {})
    assert [row[State.WAITING] for row in rows] == [10 * NS_PER_MS, 25 * MS]


times = st.integers(0, 2 * TICK_NS)
few = st.integers(0, 4)
readings = st.builds(
    LaneReading,
    length_ns=st.integers(-5, TICK_NS) | st.just(TICK_NS),
    python=st.booleans(),
    watched_ns=st.sampled_from([0, TICK_NS]) | st.integers(-5, 2 * TICK_NS),
    held_ns=times,
    cpu_ns=times,
    queue_ns=times,
    sweep_error_ns=st.integers(-5 * MS, 5 * MS),
    waiting_sweeps=few,
    asleep_sweeps=few,
    on_cpu_sweeps=few,
    unreadable_sweeps=few,
    gil=st.none() | st.integers(1, 2),
)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(readings, st.integers(-(10**9), 10**9)), max_size=6),
    st.dictionaries(st.integers(1, 2), st.integers(0, 10**9)),
)
def test_the_states_of_each_lane_sum_to_its_length(
    lanes: list[tuple[LaneReading, int]], waiter_ns: dict[int, int]
) -> None:
    rows = merge_lanes([lane for lane, _ in lanes], [LaneDebt(ns) for _, ns in lanes], waiter_ns, {})
    waited: Counter[int] = Counter()
    for (reading, _), states in zip(lanes, rows, strict=True):
        assert sum(states) == max(0, reading.length_ns)
        assert min(states) >= 0
        if not reading.python:
            assert states[State.UNKNOWN] == 0
        if reading.gil is not None:
            waited[reading.gil] += states[State.WAITING]
    for gil, total_ns in waiter_ns.items():
        assert waited[gil] <= total_ns


@given(
    st.lists(
        st.tuples(st.integers(0, TICK_NS), st.integers(0, TICK_NS), st.integers(-MS, MS)),
        min_size=1, max_size=60,
    )
)  # fmt: skip
def test_time_below_the_tolerance_is_not_lost(ticks: list[tuple[int, int, int]]) -> None:
    """Over many ticks: all held time is running or holding, all CPU time running or native, but a rest."""
    debt = LaneDebt()
    rows: list[StateTimes] = []
    for held, cpu, error in ticks:
        reading = replace(READING, held_ns=held, cpu_ns=cpu, sweep_error_ns=error, on_cpu_sweeps=1)
        rows += merge_lanes([reading], [debt], {}, {})
    sums = [sum(column) for column in zip(*rows, strict=True)]
    assert sums[State.RUNNING] + sums[State.HOLDING] == sum(held for held, _, _ in ticks)
    on_cpu = sums[State.RUNNING] + sums[State.NATIVE]
    assert on_cpu + debt.ns == sum(cpu for _, cpu, _ in ticks) or abs(debt.ns) == MAX_DEBT_NS


def test_a_sweep_that_comes_late_makes_nobody_run_who_had_no_cpu() -> None:
    """GIVEN a tick of holding with little CPU time, read long after its end THEN it held off the CPU."""
    reading = replace(READING, held_ns=TICK_NS, cpu_ns=4 * MS, on_cpu_sweeps=1)
    late = merged(replace(reading, sweep_error_ns=60 * MS))
    assert late["running"] <= 6
    early = merged(replace(reading, sweep_error_ns=-60 * MS))  # what came behind the sweep may be CPU time
    assert early["running"] == TICK_NS / MS


def test_cpu_time_read_late_may_be_of_the_next_tick() -> None:
    reading = replace(READING, held_ns=TICK_NS, cpu_ns=TICK_NS, on_cpu_sweeps=1)
    debt = LaneDebt()
    first = merged(replace(reading, held_ns=0, cpu_ns=30 * MS, sweep_error_ns=30 * MS), debt=debt)
    assert "native" not in first
    assert merged(replace(reading, cpu_ns=TICK_NS - 30 * MS), debt=debt)["running"] == TICK_NS / MS


def test_a_debt_stays_small_where_samples_and_kernel_agree() -> None:
    debt = LaneDebt()
    for number in range(1000):
        wobble = MS if number % 2 else -MS
        (states,) = merge_lanes(
            [replace(READING, held_ns=25 * MS, cpu_ns=25 * MS + wobble, on_cpu_sweeps=1)], [debt], {}, {}
        )
        assert states[State.RUNNING] == 25 * MS
        assert states[State.NATIVE] == states[State.HOLDING] == 0
    assert abs(debt.ns) <= TOLERANCE_NS


def test_cpu_time_from_before_a_lane_was_watched_is_not_booked_later() -> None:
    debt = LaneDebt()
    merge_lanes([replace(READING, cpu_ns=20 * TICK_NS, on_cpu_sweeps=1)], [debt], {}, {})
    asleep = merged(replace(READING, asleep_sweeps=1), ticks=20, debt=debt)
    assert asleep["blocked"] > 49


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=40),
    st.integers(0, 40),
)
def test_all_waiting_that_samples_saw_is_some_lanes_in_the_end(
    sweeps: list[tuple[int, int, int]], share: int
) -> None:
    """GIVEN ticks whose few sweeps see a waiter or not THEN over time lanes wait as the samples say."""
    debts, owed_ns = [LaneDebt(), LaneDebt()], {1: 0}
    waited = total = 0
    for waiting, asleep, on_cpu in [*sweeps, *[(1, 0, 0)] * 60]:
        first = replace(READING, gil=1, waiting_sweeps=waiting, asleep_sweeps=asleep, on_cpu_sweeps=on_cpu)
        readings = [first, replace(READING, gil=1, waiting_sweeps=1)]
        rows = merge_lanes(readings, debts, {1: share * MS}, owed_ns)
        total += share * MS
        waited += sum(row[State.WAITING] for row in rows)
        assert waited + owed_ns[1] == total
    assert owed_ns[1] <= 2 * MS


def test_a_handoff_with_a_free_moment_between_is_seen() -> None:
    """GIVEN samples so fast that they see the GIL free between two holders THEN the handoff was seen once."""
    fold = GilFold(end_ns=10 * NS_PER_MS)
    for number, (tid, switches) in enumerate(
        [(7, 1), (0, 1), (8, 2), (0, 2), (8, 2), (-1, 2), (8, 2), (7, 3)]
    ):
        fold.add((number + 1) * NS_PER_MS, tid, switches, 0)
    sums = fold.finish(20 * NS_PER_MS)
    assert sums.handoffs == 2
    assert sums.handoffs_seen == 2

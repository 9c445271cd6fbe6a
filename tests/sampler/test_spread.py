"""How long threads held a GIL in a second, spread over its ticks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, StateTimes
from gilscope.sampler.merge import LaneReading
from gilscope.sampler.spread import SLACK_NS_MAX, Cell, slack_ns, spread_held, variance_ns2
from gilscope.sampler.tracedwatch import hide_waiting

MS = NS_PER_MS
TICK = 50 * MS
TIDS = st.integers(1, 5)
CELLS = st.lists(
    st.builds(Cell, st.integers(0, TICK), st.dictionaries(TIDS, st.integers(0, 2 * TICK))), max_size=12
)
HELD = st.dictionaries(TIDS, st.integers(0, 12 * TICK))


@given(CELLS, HELD, st.dictionaries(TIDS, st.integers(0, TICK)))
def test_no_tick_holds_more_than_it_has_and_no_thread_more_than_it_held(
    cells: list[Cell], held: dict[int, int], slack: dict[int, int]
) -> None:
    spread = spread_held(cells, held, slack)
    for cell, by_tid in zip(cells, spread, strict=True):
        assert sum(by_tid.values()) <= cell.length_ns
        assert all(ns > 0 for ns in by_tid.values())
    for tid, ns in held.items():
        assert sum(by_tid.get(tid, 0) for by_tid in spread) <= ns
    room = sum(cell.length_ns for cell in cells)
    assert sum(sum(by_tid.values()) for by_tid in spread) == min(room, sum(held.values()))


def test_threads_that_take_turns_hold_it_where_they_used_the_cpu() -> None:
    cells = [Cell(TICK, {1: 30 * MS, 2: 20 * MS}), Cell(TICK, {1: 10 * MS, 2: 40 * MS})]
    assert spread_held(cells, {1: 40 * MS, 2: 60 * MS}, {}) == [
        {1: 30 * MS, 2: 20 * MS},
        {1: 10 * MS, 2: 40 * MS},
    ]


def test_who_has_no_choice_comes_first() -> None:
    """Thread 1 also ran C code without the GIL in the first tick: thread 2 ran nowhere else."""
    cells = [Cell(TICK, {1: TICK, 2: TICK}), Cell(TICK, {1: TICK})]
    assert spread_held(cells, {1: TICK, 2: TICK}, {}) == [{2: TICK}, {1: TICK}]


def test_chance_stays_where_the_thread_was_active_and_sleep_with_the_gil_does_not() -> None:
    cells = [Cell(TICK, {1: 40 * MS}), Cell(TICK, {})]
    assert spread_held(cells, {1: 45 * MS}, {1: 5 * MS}) == [{1: 45 * MS}, {}]
    kept = spread_held(cells, {1: 100 * MS}, {1: 5 * MS})
    assert [by_tid[1] for by_tid in kept] == [TICK, TICK]


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_sampling_error_is_never_nothing(count: int, samples: int) -> None:
    variance = variance_ns2(min(count, samples), samples, 1_000 * MS)
    assert 0 < slack_ns(variance) <= SLACK_NS_MAX


def reading(*, cpu_ns: int, asleep: int = 1) -> LaneReading:
    return LaneReading(
        length_ns=TICK, python=True, watched_ns=TICK, held_ns=0, cpu_ns=cpu_ns, queue_ns=0,
        sweep_error_ns=0, asleep_sweeps=asleep,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("times", "cpu_ns", "others", "unnamed", "expected"),
    [
        # A sleeper that used no CPU did not wait for the GIL.
        ((0, 0, 0, 0, 0, 50, 0), 0, 50, 0, (0, 0, 0, 0, 0, 50, 0)),
        # One that used some may have, as long as another thread held it.
        ((20, 0, 0, 0, 0, 30, 0), 20, 25, 0, (20, 0, 0, 0, 0, 5, 25)),
        ((20, 0, 0, 0, 0, 30, 0), 20, 0, 0, (20, 0, 0, 0, 0, 30, 0)),
        # CPU time while a thread held the GIL that nobody could name is no native code.
        ((0, 0, 0, 40, 0, 10, 0), 40, 30, 30, (0, 0, 0, 10, 0, 0, 40)),
    ],
)
def test_what_may_have_been_waiting_is_unknown(
    times: StateTimes, cpu_ns: int, others: int, unnamed: int, expected: StateTimes
) -> None:
    assert hide_waiting(times, reading(cpu_ns=cpu_ns), others, unnamed) == expected
    assert sum(expected) == sum(times)

"""Threads without a GIL: their states from sweeps and the kernel's times, and the spans the world stood."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, State
from gilscope.sampler.freemerge import AttachedSweeps, Stop, StoppedWorld, merge_free
from gilscope.sampler.merge import GAP_NS, TOLERANCE_NS, LaneReading

MS = NS_PER_MS
TICK_NS = 50 * MS


def reading(**changes: Any) -> LaneReading:
    made = LaneReading(
        length_ns=TICK_NS, python=True, watched_ns=TICK_NS, held_ns=0, cpu_ns=0, queue_ns=0, sweep_error_ns=0
    )
    return dataclasses.replace(made, **changes)


def in_ms(read: LaneReading, sweeps: AttachedSweeps | None = None) -> dict[str, float]:
    """The states that are not zero, in milliseconds."""
    times = merge_free(read, sweeps if sweeps is not None else AttachedSweeps())
    return {state.word: times[state] / MS for state in State if times[state]}


@pytest.mark.parametrize(
    ("read", "sweeps", "expected"),
    [
        (reading(cpu_ns=50 * MS, on_cpu_sweeps=2), AttachedSweeps(attached=2), {"running": 50}),
        (reading(cpu_ns=50 * MS, on_cpu_sweeps=2), AttachedSweeps(detached=2), {"native": 50}),
        (
            reading(cpu_ns=40 * MS, on_cpu_sweeps=4, asleep_sweeps=1),
            AttachedSweeps(attached=3, detached=1),
            {"running": 30, "native": 10, "blocked": 10},
        ),
        # Attached and off the CPU: nobody holds anything, the kernel's word counts.
        (
            reading(cpu_ns=30 * MS, queue_ns=15 * MS, on_cpu_sweeps=2),
            AttachedSweeps(attached=2),
            {"running": 30, "ready": 15, "blocked": 5},
        ),
        (reading(asleep_sweeps=2), AttachedSweeps(), {"blocked": 50}),
        # It used a CPU, but never when a sweep looked: in Python or in C is not known.
        (reading(cpu_ns=2 * MS, asleep_sweeps=2), AttachedSweeps(), {"unknown": 2, "blocked": 48}),
        # The world stood for half of the sweeps.
        (
            reading(cpu_ns=20 * MS, on_cpu_sweeps=1, asleep_sweeps=1),
            AttachedSweeps(attached=1, stopped=1),
            {"running": 20, "waiting": 30},
        ),
        # The GIL was turned on in this tick: held time is running for certain, and a futex is waiting.
        (
            reading(cpu_ns=20 * MS, held_ns=15 * MS, on_cpu_sweeps=1, waiting_sweeps=1),
            AttachedSweeps(detached=1),
            {"running": 15, "native": 5, "waiting": 30},
        ),
        (reading(watched_ns=0, cpu_ns=10 * MS, on_cpu_sweeps=1), AttachedSweeps(attached=1), {"unknown": 50}),
        (reading(watched_ns=0, asleep_sweeps=1), AttachedSweeps(), {"blocked": 50}),
        (reading(cpu_ns=0, unreadable_sweeps=2), AttachedSweeps(), {"unknown": 50}),
        (reading(length_ns=0, cpu_ns=5 * MS), AttachedSweeps(attached=1), {}),
    ],
)
def test_states(read: LaneReading, sweeps: AttachedSweeps, expected: dict[str, float]) -> None:
    assert in_ms(read, sweeps) == expected


def test_two_threads_run_in_full_at_the_same_time() -> None:
    """What a GIL makes impossible: two lanes that are running all of the tick."""
    both = [in_ms(reading(cpu_ns=TICK_NS), AttachedSweeps(attached=1)) for _ in range(2)]
    assert both == [{"running": 50}] * 2


def test_a_late_sweep_loses_no_cpu_time() -> None:
    """The kernel's times are read a little after the tick's end: what came after it is the next tick's."""
    sweeps = AttachedSweeps(attached=1)
    assert in_ms(reading(cpu_ns=51 * MS), sweeps) == {"running": 50}
    assert in_ms(reading(cpu_ns=49 * MS), sweeps) == {"running": 50}
    for _ in range(100):
        merge_free(reading(cpu_ns=60 * MS), sweeps)
    assert sweeps.owed_ns <= TOLERANCE_NS


def test_who_wants_to_go_on_while_the_world_stands() -> None:
    worker, sleeper, native = AttachedSweeps(), AttachedSweeps(), AttachedSweeps()
    worker.see(on_cpu=True, attached=True, suspended=False)
    sleeper.see(on_cpu=False, attached=False, suspended=False)
    for sweeps in (worker, sleeper):
        sweeps.see(on_cpu=False, attached=False, suspended=True)
        sweeps.see(on_cpu=False, attached=False, suspended=True)
    native.see(on_cpu=True, attached=False, suspended=True)
    assert (worker.attached, worker.stopped) == (1, 2)
    assert (sleeper.detached, sleeper.stopped) == (0, 0)
    assert (native.attached, native.detached, native.stopped) == (0, 1, 0)
    worker.end_tick()
    assert (worker.attached, worker.stopped, worker.was_attached) == (0.5, 0, True)


small = st.integers(-10 * MS, 100 * MS)
counts = st.integers(0, 5)


@given(
    st.builds(
        LaneReading, length_ns=small, python=st.booleans(), watched_ns=small, held_ns=small, cpu_ns=small,
        queue_ns=small, sweep_error_ns=small, on_cpu_sweeps=counts, waiting_sweeps=counts,
        asleep_sweeps=counts, unreadable_sweeps=counts,
    ),
    st.builds(
        AttachedSweeps, attached=st.floats(0, 9), detached=st.floats(0, 9), stopped=counts,
        owed_ns=st.integers(0, 5 * MS),
    ),
)  # fmt: skip
def test_states_sum_to_the_length(read: LaneReading, sweeps: AttachedSweeps) -> None:
    times = merge_free(read, sweeps)
    assert min(times) >= 0
    assert sum(times) == max(0, read.length_ns)
    assert times[State.HOLDING] == 0
    assert sweeps.owed_ns >= 0


def spans(*seen: tuple[int, int], end_ms: int | None = None) -> list[Stop]:
    """What sweeps at these milliseconds, with so many suspended threads, amount to."""
    world = StoppedWorld()
    found = [world.see(at * MS, count) for at, count in seen]
    if end_ms is not None:
        found.append(world.end(end_ms * MS))
    return [stop for stop in found if stop is not None]


GAP_MS = GAP_NS // MS


@pytest.mark.parametrize(
    ("seen", "end_ms", "expected"),
    [
        ([(0, 0), (10, 0), (20, 0)], 30, []),
        ([(0, 0), (10, 3), (20, 0)], None, [(5, 15, 20, 3)]),
        # Sweeps in a row that see it are one span, with the most that were suspended at once.
        ([(0, 0), (10, 2), (20, 4), (30, 1), (40, 0)], 50, [(5, 35, 40, 4)]),
        ([(0, 0), (10, 2), (20, 0), (30, 1), (40, 0)], None, [(5, 15, 20, 2), (25, 35, 20, 1)]),
        # It goes on when the watch ends.
        ([(0, 0), (10, 2), (20, 2)], 30, [(5, 25, 30, 2)]),
        ([(10, 2), (20, 0)], None, [(10, 15, 10, 2)]),
        # What was between two sweeps that lie far apart is not known.
        ([(0, 0), (10, 2), (11 + GAP_MS, 2), (21 + GAP_MS, 0)], None,
         [(5, 10, 11 + GAP_MS, 2), (11 + GAP_MS, 16 + GAP_MS, 10, 2)]),
        ([(0, 0), (1 + GAP_MS, 2), (11 + GAP_MS, 0)], None, [(1 + GAP_MS, 6 + GAP_MS, 10, 2)]),
    ],
)  # fmt: skip
def test_the_world_stood(
    seen: list[tuple[int, int]], end_ms: int | None, expected: list[tuple[int, int, int, int]]
) -> None:
    found = spans(*seen, end_ms=end_ms)
    assert [(s.start_ns // MS, s.end_ns // MS, s.most_ns // MS, s.threads) for s in found] == expected


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 3)), max_size=40))
def test_spans_are_in_order_and_apart(steps: list[tuple[int, int]]) -> None:
    at, seen = 0, []
    for step, count in steps:
        at += step
        seen.append((at, count))
    found = spans(*seen, end_ms=at + 1)
    assert all(stop.start_ns <= stop.end_ns and stop.end_ns - stop.start_ns <= stop.most_ns for stop in found)
    assert all(before.end_ns <= after.start_ns for before, after in itertools.pairwise(found))
    assert bool(found) == any(count for _, count in seen)

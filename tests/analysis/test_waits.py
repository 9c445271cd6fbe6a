"""How long threads waited for each acquisition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.waits import BOUNDS_MS, waits
from gilscope.model import NS_PER_MS as MS
from gilscope.model import GilTick, Hold, LaneTick, Tick

TICK = 50 * MS


def tick(number: int, **waiting_ms: float) -> Tick:
    """A tick in which lanes 1, 2 … (l1, l2 …) waited for so long."""
    lanes = tuple(
        LaneTick(
            lane=int(name[1:]),
            states=(0, 0, round(ms * MS), 0, 0, TICK - round(ms * MS), 0),
            held_ns=0,
            core=None,
        )
        for name, ms in waiting_ms.items()
    )
    start = number * TICK
    return Tick(index=number, start_ns=start, end_ns=start + TICK, gils=(), lanes=lanes, cores=())


def hold(lane: int, start_ms: float, end_ms: float) -> Hold:
    return Hold(gil=1, lane=lane, start_ns=round(start_ms * MS), end_ns=round(end_ms * MS))


def test_two_threads_that_take_turns() -> None:
    """GIVEN turns of 5 ms, all the rest spent waiting THEN each acquisition took 5 ms."""
    holds = [hold(1 + turn % 2, 5 * turn, 5 * turn + 5) for turn in range(20)]
    steps = [
        (tick(n, l1=25, l2=25), [h for h in holds if n * TICK <= h.start_ns < (n + 1) * TICK]) for n in (0, 1)
    ]
    found = waits(steps, {})
    assert found[1].count == found[2].count == 10
    # The first acquisition of the session had nothing before it.
    assert found[1].waiting_ns == pytest.approx(9 * 5 * MS)
    assert found[2].waiting_ns == pytest.approx(10 * 5 * MS)
    assert found[2].fields()["mean_ms"] == pytest.approx(5)
    assert found[2].fields()["histogram"][BOUNDS_MS.index(5)] == {"up_to_ms": 5, "count": 10}


def test_a_wait_over_several_ticks() -> None:
    """GIVEN a thread that waits for two and a half ticks THEN this is one wait of 125 ms."""
    steps = [
        (tick(0, l1=50), []),
        (tick(1, l1=50), []),
        (tick(2, l1=25), [hold(1, 125, 150)]),
    ]
    (found,) = waits(steps, {}).values()
    assert found.count == 1
    assert found.longest_ns == pytest.approx(125 * MS)
    assert found.classes[BOUNDS_MS.index(200)] == 1


def test_a_hold_that_goes_on_is_taken_once() -> None:
    held = hold(1, 10, 90)
    found = waits([(tick(0, l1=10), [held]), (tick(1), [held])], {})
    assert found[1].count == 1


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.lists(st.integers(0, 50), min_size=2, max_size=12, unique=True)),
        min_size=1,
        max_size=8,
    )
)
def test_no_waiting_is_lost_or_made_up(ticks: list[tuple[float, list[int]]]) -> None:
    """Waits that ended, and the one that is still to end, are all that the ticks have."""
    steps, total = [], 0.0
    for number, (part, edges) in enumerate(ticks):
        edges.sort()
        pairs = list(zip(edges[::2], edges[1::2], strict=False))
        holds = [hold(1, 50 * number + a, 50 * number + b) for a, b in pairs]
        outside_ms = 50 - sum(b - a for a, b in pairs)
        steps.append((tick(number, l1=part * outside_ms), holds))
        total += round(part * outside_ms * MS)
    found = waits(steps, {}).get(1)
    if found is None:
        assert total == 0
        return
    assert found.waiting_ns + found.pending_ns == pytest.approx(total, abs=10)
    assert sum(found.classes) == found.count == sum(len(holds) for _, holds in steps)
    assert found.longest_ns <= found.waiting_ns + 1


def with_gil(of: Tick, handoffs: int, seen: int) -> Tick:
    gil = GilTick(
        gil=1, samples=50, locked_samples=50, watched_ns=TICK, held_ns=TICK, contended_ns=TICK,
        waiter_ns=TICK,
        waiters_max=1, handoffs=handoffs, handoffs_seen=seen, longest_hold_ns=TICK, holder=2,
    )  # fmt: skip
    return replace(of, gils=(gil,))


def test_holds_too_short_to_be_seen_are_counted_by_handoffs() -> None:
    """GIVEN a thread that waits 5 ms for each of nine short holds a tick THEN so it says, seen or not."""
    steps = [
        (with_gil(tick(number, l1=45), handoffs=18, seen=0), [hold(2, 0, 1_000)]) for number in range(20)
    ]
    found = waits(steps, {1: 1, 2: 1})
    assert found[1].count == 180
    assert found[1].fields()["mean_ms"] == pytest.approx(5, rel=0.05)
    assert found[1].waiting_ns + found[1].pending_ns == pytest.approx(20 * 45 * MS)
    assert found[2].count == 1


def test_what_nobody_saw_goes_to_those_who_waited() -> None:
    steps: list[tuple[Tick, list[Hold]]] = [(with_gil(tick(0, l1=30, l3=10), handoffs=8, seen=0), [])]
    found = waits(steps, {1: 1, 3: 1, 4: 1})
    assert (found[1].count, found[3].count) == (3, 1)
    assert 4 not in found

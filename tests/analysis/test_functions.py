"""Stacks weighted by held time: what is exact, and what rests on their number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.flames import DEPTH, flame, flames
from gilscope.analysis.functions import functions, rest_on
from gilscope.analysis.weights import (
    LaneTimes,
    WeightedStack,
    waiting_times,
    weigh,
    weigh_waiting,
    weighted_waiting,
)
from gilscope.model import (
    NO_TIME,
    NS_PER_S,
    Flame,
    Frame,
    Lane,
    LaneTick,
    StackSample,
    State,
    Tick,
    WaitingStack,
)

S = NS_PER_S


def frames(*names: str) -> tuple[Frame, ...]:
    return tuple(Frame(function=name, file="/a/b.py", line=10 + number) for number, name in enumerate(names))


def sample(lane: int, start_s: float, end_s: float, count: int, *names: str) -> StackSample:
    return StackSample(
        lane=lane, start_ns=round(start_s * S), end_ns=round(end_s * S), count=count, frames=frames(*names)
    )


def ticks(*held: dict[int, float], length_ns: int = S) -> list[Tick]:
    """Ticks of a second each: for each, how many seconds each lane held the GIL."""
    return [
        Tick(
            index=index,
            start_ns=index * length_ns,
            end_ns=(index + 1) * length_ns,
            lanes=tuple(
                LaneTick(lane=lane, states=NO_TIME, held_ns=round(s * S), core=None)
                for lane, s in row.items()
            ),
        )
        for index, row in enumerate(held)
    ]


def held_times(rows: list[Tick], *lanes: int) -> LaneTimes:
    times = LaneTimes(lanes)
    for tick in rows:
        times.add(tick)
    return times


def shares(stacks: list[WeightedStack]) -> dict[str, float]:
    return {row["function"]: row["held_share"] for row in functions(stacks) if row["samples"]}


def test_the_probe_decides_between_threads() -> None:
    """py-spy saw both as often, but the probe knows that one held the GIL three times as long."""
    held = held_times(ticks({1: 0.75, 2: 0.25}, {1: 0.75, 2: 0.25}), 1, 2)
    stacks = weigh([sample(1, 0, 2, 10, "main", "f"), sample(2, 0, 2, 10, "main", "g")], held, {1: 1, 2: 1})
    assert shares(stacks) == {"f": pytest.approx(0.75), "g": pytest.approx(0.25)}
    assert rest_on(stacks, 2 * S) == {
        "stacks": 20, "held_share": 1.0, "waiting_stacks": 0, "waiting_share": None,
    }  # fmt: skip


def test_stacks_decide_within_a_thread() -> None:
    held = held_times(ticks({1: 1.0}), 1)
    stacks = weigh([sample(1, 0, 1, 7, "f"), sample(1, 0, 1, 3, "g")], held, {1: 1})
    assert shares(stacks) == {"f": pytest.approx(0.7), "g": pytest.approx(0.3)}


def test_the_probe_decides_between_spans() -> None:
    """The thread was busy while it was in f, and nearly idle while it was in g."""
    held = held_times(ticks({1: 0.9}, {1: 0.1}), 1)
    stacks = weigh([sample(1, 0, 1, 5, "f"), sample(1, 1, 2, 5, "g")], held, {1: 1})
    assert shares(stacks) == {"f": pytest.approx(0.9), "g": pytest.approx(0.1)}


def test_a_look_within_a_record_counts_nothing() -> None:
    held = held_times(ticks({1: 1.0}, {1: 1.0}), 1, 2)
    looks = [sample(1, 0.1, 0.2, 1, "start"), sample(1, 1.5, 1.7, 1, "late")]
    stacks = weigh([*looks, sample(1, 0, 1.6, 4, "f")], held, {1: 1, 2: 2})
    assert shares(stacks) == {
        "f": pytest.approx(1.6 / 1.7, abs=1e-5),
        "late": pytest.approx(0.1 / 1.7, abs=1e-5),
    }
    # That of another process is another matter.
    other = weigh(
        [sample(1, 0, 1, 1, "f"), sample(2, 0, 1, 1, "g")],
        held_times(ticks({1: 1, 2: 1}), 1, 2),
        {1: 1, 2: 2},
    )
    assert shares(other) == {"f": 0.5, "g": 0.5}


def test_nobody_measured() -> None:
    stacks = weigh([sample(1, 0, 1, 3, "f"), sample(1, 0, 1, 1, "g")], held_times([], 1), {1: 1})
    assert shares(stacks) == {"f": 0.75, "g": 0.25}
    assert functions([]) == []
    nothing = {"stacks": 0, "held_share": None, "waiting_stacks": 0, "waiting_share": None}
    assert rest_on([], 0) == nothing
    assert rest_on([], 0, [], S) == nothing | {"waiting_share": 0.0}


def test_self_and_total_and_lines() -> None:
    stacks = [
        WeightedStack(1, frames("main", "f", "f", "g"), 2, 6.0),
        WeightedStack(1, (*frames("main"), Frame(function="f", file="/a/b.py", line=99)), 1, 4.0),
    ]
    rows = {row["function"]: row for row in functions(stacks)}
    assert [row["function"] for row in functions(stacks)] == ["g", "f", "main"]
    assert (rows["g"]["held_share"], rows["g"]["total_share"]) == (0.6, 0.6)
    assert (rows["f"]["held_share"], rows["f"]["total_share"], rows["f"]["line"]) == (0.4, 1.0, 12)
    assert (rows["main"]["held_share"], rows["main"]["total_share"], rows["main"]["samples"]) == (0.0, 1.0, 0)


def check_tree(node: Flame) -> None:
    assert node.time_ns == pytest.approx(node.own_ns + sum(child.time_ns for child in node.children), abs=5)
    assert list(node.children) == sorted(node.children, key=lambda child: -child.time_ns)
    for child in node.children:
        check_tree(child)


names = st.lists(st.sampled_from("abcd"), min_size=1, max_size=6)
stack_lists = st.lists(
    st.builds(
        lambda lane, path, count, ns: WeightedStack(lane, frames(*path), count, float(ns)),
        st.integers(1, 3), names, st.integers(1, 9), st.integers(0, 10**9),
    ),
    max_size=20,
)  # fmt: skip


@given(stack_lists)
def test_the_tree_holds_all(stacks: list[WeightedStack]) -> None:
    tree = flame(stacks)
    check_tree(tree)
    assert tree.time_ns == pytest.approx(sum(stack.weight_ns for stack in stacks), abs=5)
    assert tree.samples == sum(stack.count for stack in stacks)
    parts = [flame(stacks, {lane}).time_ns for lane in (1, 2, 3)]
    assert sum(parts) == pytest.approx(tree.time_ns, abs=5)


@given(stack_lists)
def test_shares_are_shares(stacks: list[WeightedStack]) -> None:
    rows = functions(stacks)
    if rows:
        assert sum(row["held_share"] for row in rows) == pytest.approx(1, abs=1e-4)
    for row in rows:
        assert 0 <= row["held_share"] <= row["total_share"] + 1e-6 <= 1 + 1e-5


def test_deep_stacks() -> None:
    """Recursion is folded, and functions that call each other end at a depth."""
    same = WeightedStack(1, frames("main", *["f"] * 5_000), 1, 1e9)
    tree = flame([same])
    assert [child.frame.function for child in tree.children[0].children] == ["f"]
    assert tree.children[0].children[0].own_ns == 10**9
    each_other = WeightedStack(1, frames(*["f", "g"] * 5_000), 1, 1e9)
    node, depth = flame([each_other]), 0
    while node.children:
        node, depth = node.children[0], depth + 1
    assert depth == DEPTH
    assert node.own_ns == 10**9


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 50), st.integers(1, 5)), max_size=12))
def test_no_moment_counts_twice(spans: list[tuple[int, int, int]]) -> None:
    rows = ticks(*({1: 1.0} for _ in range(160)))
    samples = [sample(1, start, start + length, count, "f") for start, length, count in spans]
    stacks = weigh(samples, held_times(rows, 1), {1: 1})
    covered = {second for start, length, _ in spans for second in range(start, start + length)}
    assert sum(stack.weight_ns for stack in stacks) == pytest.approx(len(covered) * S, rel=1e-6)


# --- waiting ---


def waits(*waited: dict[int, float]) -> list[Tick]:
    """Ticks of a second each: for each, how many seconds each lane waited."""
    return [
        Tick(
            index=index,
            start_ns=index * S,
            end_ns=(index + 1) * S,
            lanes=tuple(
                LaneTick(lane=lane, states=waiting_for(round(s * S)), held_ns=0, core=None)
                for lane, s in row.items()
            ),
        )
        for index, row in enumerate(waited)
    ]


def waiting_for(ns: int) -> tuple[int, int, int, int, int, int, int]:
    states = [0] * len(NO_TIME)
    states[State.WAITING] = ns
    return (*states,)  # type: ignore[return-value]


def caught(lane: int, at_s: float, *names: str) -> WaitingStack:
    return WaitingStack(lane=lane, at_ns=round(at_s * S), frames=frames(*names))


def waiting_shares(stacks: list[WeightedStack]) -> dict[str, float]:
    return {row["function"]: row["waiting_share"] for row in functions((), stacks) if row["waiting_samples"]}


def test_waiting_times_decide_between_threads() -> None:
    """One thread was caught three times, the other once, but waited as long."""
    rows = waits({1: 0.8, 2: 0.8}, {1: 0.8, 2: 0.8})
    stacks = [*(caught(1, at, "main", "f") for at in (0.2, 0.9, 1.7)), caught(2, 1.0, "main", "g")]
    assert waiting_shares(weighted_waiting(stacks, rows)) == {"f": 0.5, "g": 0.5}


def test_a_stack_stands_for_the_time_around_it() -> None:
    rows = waits({1: 0.9}, {1: 0.0}, {1: 0.1}, {1: 0.0})
    stacks = weighted_waiting([caught(1, 2.5, "g"), caught(1, 0.5, "f")], rows)
    assert waiting_shares(stacks) == {"f": pytest.approx(0.9), "g": pytest.approx(0.1)}


def test_who_was_never_caught_waiting_counts_for_nothing() -> None:
    rows = waits({1: 0.5, 2: 0.5})
    stacks = weighted_waiting([caught(1, 0.5, "main", "f")], rows)
    assert waiting_shares(stacks) == {"f": 1.0}
    assert rest_on([], 0, stacks, S)["waiting_share"] == 0.5
    assert rest_on([], 0, stacks, S)["waiting_stacks"] == 1


def test_both_kinds_of_time_in_one_table() -> None:
    held = weigh([sample(1, 0, 1, 4, "main", "f")], held_times(ticks({1: 1.0}), 1), {1: 1})
    rows = functions(held, weighted_waiting([caught(2, 0.5, "main", "g")], waits({2: 0.5})))
    found = {row["function"]: (row["held_share"], row["waiting_share"]) for row in rows}
    assert found == {"f": (1.0, 0.0), "g": (0.0, 1.0), "main": (0.0, 0.0)}
    assert [row["function"] for row in rows] == ["f", "g", "main"]
    assert all(row["waiting_share"] is None for row in functions(held))
    alone = functions([], weighted_waiting([caught(2, 0.5, "main", "g")], waits({2: 0.5})))
    assert [(row["held_share"], row["total_share"]) for row in alone] == [(None, None)] * 2
    assert functions([], weighted_waiting([caught(2, 0.5, "g")], waits({2: 0}))) == []


@given(
    st.lists(st.tuples(st.integers(1, 3), st.floats(0, 12)), max_size=12),
    st.lists(st.dictionaries(st.integers(1, 3), st.floats(0, 1)), max_size=10),
)
def test_all_waiting_of_who_was_caught_and_no_other(
    moments: list[tuple[int, float]], rows: list[dict[int, float]]
) -> None:
    made = waits(*rows)
    times = waiting_times({1, 2, 3})
    for tick in made:
        times.add(tick)
    stacks = weigh_waiting([caught(lane, at, "f") for lane, at in moments], times)
    caught_ones = {lane for lane, _ in moments}
    expected = sum(round(s * S) for row in rows for lane, s in row.items() if lane in caught_ones)
    assert sum(stack.weight_ns for stack in stacks) == pytest.approx(expected, abs=1)
    assert all(stack.weight_ns >= 0 for stack in stacks)


def test_flames_of_waiting_are_beside_the_others() -> None:
    lanes = [Lane(key=key, process=1, tid=key, kind="thread", name="same", start_ns=0) for key in (1, 2)]
    held = weigh([sample(1, 0, 1, 4, "f")], held_times(ticks({1: 1.0}), 1), {1: 1, 2: 1})
    waited = weighted_waiting([caught(1, 0.5, "f"), caught(2, 0.5, "g")], waits({1: 0.2, 2: 0.5}))
    both = flames(held, lanes, waited)
    assert [name for name, _ in both.threads] == ["same"]
    assert both.waiting is not None
    assert [name for name, _ in both.waiting.threads] == ["same 2", "same 1"]
    assert both.waiting.whole.time_ns == round(0.7 * S)
    assert flames(held, lanes).waiting is None

"""Where in a tick a lane did what, and cells made of it: sums are kept, nothing overlaps."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.exports.cells import cells_of
from gilscope.exports.names import Names, process_title
from gilscope.exports.spans import Joined, spans_of
from gilscope.model import N_STATES, Gil, Hold, Lane, LaneTick, Process, State, Tick
from gilscope.recording.streams import with_holds

LENGTH = 50_000_000


@st.composite
def ticks(draw: st.DrawFn) -> tuple[Tick, tuple[Hold, ...]]:
    """A tick of one lane, whose holds may begin before it and go on behind it."""
    cuts = sorted(draw(st.lists(st.integers(-10_000_000, LENGTH + 10_000_000), max_size=8, unique=True)))
    holds = tuple(
        Hold(gil=1, lane=1, start_ns=LENGTH + begin, end_ns=LENGTH + end)
        for begin, end in zip(cuts[::2], cuts[1::2], strict=False)
        if end > 0 and begin < LENGTH
    )
    held = sum(min(h.end_ns, 2 * LENGTH) - max(h.start_ns, LENGTH) for h in holds)
    holding = draw(st.integers(0, held))
    left = LENGTH - held
    states = [held - holding, holding, 0, 0, 0, 0, 0]
    for state in (State.WAITING, State.NATIVE, State.READY, State.UNKNOWN):
        states[state] = draw(st.integers(0, left) | st.just(0) | st.just(left))
        left -= states[state]
    states[State.BLOCKED] = draw(st.sampled_from([0, left]))
    row = LaneTick(lane=1, states=tuple(states), held_ns=held, core=None)  # type: ignore[arg-type]
    return Tick(index=1, start_ns=LENGTH, end_ns=2 * LENGTH, lanes=(row,)), holds


@given(ticks())
def test_spans_fill_the_tick(made: tuple[Tick, tuple[Hold, ...]]) -> None:
    tick, holds = made
    at = tick.start_ns
    sums = [0] * N_STATES
    for lane, state, start, end in spans_of(tick, holds):
        assert lane == 1
        assert at <= start < end <= tick.end_ns
        assert state is not State.BLOCKED
        sums[state] += end - start
        at = end
    recorded = tick.lanes[0].states
    held = recorded[State.RUNNING] + recorded[State.HOLDING]
    assert sums[State.RUNNING] + sums[State.HOLDING] == held
    longest = max((h.end_ns - h.start_ns for h in holds), default=0)
    assert abs(sums[State.HOLDING] - recorded[State.HOLDING]) <= longest
    for state in (State.WAITING, State.NATIVE, State.READY, State.UNKNOWN):
        assert sums[state] == pytest.approx(recorded[state], abs=10)


def test_without_holds_the_sums_are_laid_out() -> None:
    row = LaneTick(lane=1, states=(10, 0, 20, 30, 0, 40, 0), held_ns=10, core=None)
    tick = Tick(index=0, start_ns=0, end_ns=100, lanes=(row,))
    assert list(spans_of(tick, ())) == [
        (1, State.NATIVE, 40, 70), (1, State.RUNNING, 70, 80), (1, State.WAITING, 80, 100)
    ]  # fmt: skip


def test_waiting_stands_before_the_hold() -> None:
    row = LaneTick(lane=1, states=(10, 0, 20, 0, 0, 70, 0), held_ns=10, core=None)
    tick = Tick(index=0, start_ns=0, end_ns=100, lanes=(row,))
    holds = (Hold(gil=1, lane=1, start_ns=50, end_ns=60), Hold(gil=1, lane=None, start_ns=0, end_ns=9))
    assert list(spans_of(tick, holds)) == [(1, State.WAITING, 30, 50), (1, State.RUNNING, 50, 60)]


def test_spans_join_over_ticks() -> None:
    joined = Joined()
    assert joined.add((1, State.WAITING, 0, 10)) is None
    assert joined.add((1, State.WAITING, 10, 20)) is None
    assert joined.add((2, State.WAITING, 10, 20)) is None
    assert joined.add((1, State.RUNNING, 20, 30)) == (1, State.WAITING, 0, 20)
    assert joined.add((1, State.RUNNING, 31, 40)) == (1, State.RUNNING, 20, 30)
    assert list(joined.rest()) == [(1, State.RUNNING, 31, 40), (2, State.WAITING, 10, 20)]


def test_holds_come_with_each_tick_they_touch() -> None:
    made = [Tick(index=n, start_ns=10 * n, end_ns=10 * n + 10) for n in range(3)]
    holds = [Hold(gil=1, lane=1, start_ns=s, end_ns=e) for s, e in ((0, 5), (8, 22), (22, 23), (40, 41))]
    found = [[(h.start_ns, h.end_ns) for h in held] for _, held in with_holds(made, holds)]
    assert found == [[(0, 5), (8, 22)], [(8, 22)], [(8, 22), (22, 23)]]


@given(st.lists(ticks(), min_size=1, max_size=1), st.integers(1_000_000, 130_000_000))
def test_cells_keep_the_time(steps: list[tuple[Tick, tuple[Hold, ...]]], cell_ns: int) -> None:
    cells = list(cells_of(steps, cell_ns))
    assert [cell.index for cell in cells] == sorted({cell.index for cell in cells})
    assert sum(cell.covered_ns for cell in cells) == pytest.approx(LENGTH)
    for cell in cells:
        assert sum(cell.lanes.get(1, [])) <= cell.covered_ns + 10
    recorded = steps[0][0].lanes[0].states
    drawn = sum(cell.lanes[1][s] for cell in cells if 1 in cell.lanes for s in (State.RUNNING, State.HOLDING))
    assert drawn == pytest.approx(recorded[State.RUNNING] + recorded[State.HOLDING], abs=10)


def test_numbers_are_given_once() -> None:
    processes = [Process(key=k, pid=7, ppid=1, command="", python=None, start_ns=0) for k in (1, 2)]
    lanes = [Lane(key=k, process=p, tid=t, kind="thread", name=None, start_ns=0) for k, p, t in
             ((1, 1, 7), (2, 1, 8), (3, 2, 7), (4, 2, 8), (5, 99, 9))]  # fmt: skip
    gils = [Gil(key=k, process=1, interpreter=k, kind="own") for k in (0, 1)]
    names = Names.of(processes, lanes, gils)
    assert names.pids[1] == names.tids[1] == 7
    assert names.pids[2] == names.tids[3] != 7
    assert 5 not in names.tids
    numbers = [*names.tids.values(), *names.gil_tids.values()]
    assert len(set(numbers)) == len(numbers)
    assert names.gil_name(1) == "GIL of interpreter 1"


def test_a_process_is_called_by_its_name_first() -> None:
    process = Process(key=1, pid=7, ppid=1, command="python a.py", python=None, start_ns=0)
    assert process_title(process) == "python a.py"
    assert process_title(dataclasses.replace(process, command="")) == "pid 7"
    assert process_title(dataclasses.replace(process, name="resizer")) == "resizer: python a.py"

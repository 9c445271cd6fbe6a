"""Lanes filtered, sorted and pinned."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import Lane, LaneTick, Process, Session, State, Tick, Window
from gilscope.sources.scripted import Script, ScriptedSession
from gilscope.views.figures import fold_weights
from gilscope.views.lane_rows import ORDERS, LaneOrder, present_lanes
from tests.views.conftest import ready, record, replay, settled, text_of, viewing

SESSION: Session = ScriptedSession(Script(seconds=1)).session


def window(*names: tuple[int, str]) -> Window:
    """Lanes by process and name."""
    pids = sorted({process for process, _ in names})
    return Window(
        session=SESSION, start_ns=0, end_ns=1_000, head_ns=1_000,
        processes=tuple(
            Process(key=pid, pid=pid, ppid=1, command=f"python p{pid}.py", python="3.11.7", start_ns=0)
            for pid in pids
        ),
        lanes=tuple(
            Lane(key=number, process=pid, tid=100 + number, kind="thread", name=name, start_ns=0)
            for number, (pid, name) in enumerate(names, 1)
        ),
    )  # fmt: skip


ONE = window((7, "main"), (7, "worker-10"), (7, "worker-2"), (7, "IO"))
TWO = window((7, "main"), (7, "cpu"), (8, "main"), (8, "io"))


def labels(view: Window, order: LaneOrder, *, folded: set[int] | None = None, **weights: int) -> list[str]:
    by_key = {int(key[1:]): weight for key, weight in weights.items()}
    rows = present_lanes(view, (), folded or set(), fits=100, order=order, weights=by_key)
    return [row.label.removeprefix("python ") for row in rows]


def test_sorted_by_name_as_people_count() -> None:
    assert labels(ONE, LaneOrder(by="name")) == ["IO", "main", "worker-2", "worker-10"]


@pytest.mark.parametrize("by", ["activity", "held", "waiting"])
def test_sorted_by_weight_with_the_rest_as_they_started(by: str) -> None:
    assert labels(ONE, LaneOrder(by=by), k4=5, k2=9) == ["worker-10", "IO", "main", "worker-2"]


def test_processes_are_sorted_by_what_their_lanes_come_to() -> None:
    found = labels(TWO, LaneOrder(by="held"), k3=5, k4=6, k2=9)
    assert found == ["pid 8 python p8.py", "io", "main", "pid 7 python p7.py", "cpu", "main"]


def test_a_filter_takes_names_processes_and_numbers() -> None:
    assert labels(ONE, LaneOrder(only="WORKER")) == ["worker-10", "worker-2"]
    assert labels(TWO, LaneOrder(only="p8")) == ["pid 8 python p8.py", "main", "io"]
    assert labels(ONE, LaneOrder(only="104")) == ["IO"]
    assert labels(ONE, LaneOrder(only="nobody")) == []


def test_a_process_is_called_and_found_by_its_name() -> None:
    named = dataclasses.replace(TWO.processes[1], name="Resizer-1\x1b[2J")
    view = dataclasses.replace(TWO, processes=(TWO.processes[0], named))
    rows = ["pid 8 Resizer-1\N{REPLACEMENT CHARACTER}[2J: python p8.py", "main", "io"]
    assert labels(view, LaneOrder())[3:] == rows
    assert labels(view, LaneOrder(only="resizer")) == rows


def test_what_is_pinned_stays_on_top_whatever_the_filter() -> None:
    assert labels(ONE, LaneOrder(pinned=(4, 2), only="main")) == ["▪ IO", "▪ worker-10", "main"]
    assert labels(TWO, LaneOrder(pinned=(4,)))[0] == "▪ 8 io", "of several processes"
    assert labels(ONE, LaneOrder(pinned=(99,))) == ["main", "worker-10", "worker-2", "IO"]


def test_folded_from_the_start_but_for_those_that_were_opened() -> None:
    assert labels(TWO, LaneOrder(fold=True)) == ["pid 7 python p7.py", "pid 8 python p8.py"]
    assert labels(TWO, LaneOrder(fold=True), folded={8})[-2:] == ["main", "io"]


@given(
    st.sampled_from(list(ORDERS)), st.text(max_size=3), st.lists(st.integers(1, 6), unique=True),
    st.dictionaries(st.integers(1, 6), st.integers(0, 9)), st.integers(1, 9),
)  # fmt: skip
def test_a_lane_has_one_row_or_none(
    by: str, only: str, pinned: list[int], weights: dict[int, int], fits: int
) -> None:
    order = LaneOrder(by=by, only=only, pinned=tuple(pinned))
    rows = present_lanes(TWO, (), set(), fits=fits, order=order, weights=weights)
    keys = [row.lane.key for row in rows if row.lane]
    assert len(set(keys)) == len(keys)
    assert {key for key in pinned if key <= 4} <= set(keys)
    assert only or sorted(keys) == [1, 2, 3, 4]


def test_weights() -> None:
    def row(lane: int, held_ns: int, **spent: int) -> LaneTick:
        states = tuple(spent.get(state.word, 0) for state in State)
        return LaneTick(lane=lane, states=states, held_ns=held_ns, core=None)  # type: ignore[arg-type]

    rows = (row(1, 3, running=3, waiting=4, blocked=50), row(2, 0, unknown=9))
    ticks = [Tick(index=n, start_ns=n, end_ns=n + 1, lanes=rows) for n in range(2)]
    assert fold_weights(ticks, "held") == {1: 6, 2: 0}
    assert fold_weights(ticks, "waiting") == {1: 8, 2: 0}
    assert fold_weights(ticks, "activity") == {1: 14, 2: 0}


async def test_keys_pick_lanes(tmp_path: Path) -> None:
    path = tmp_path / "two.gilscope"
    record(path, Script(seconds=2, processes=2, idle=3)).close()
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", "2", "o")
        await settled(pilot, app)
        assert viewing(app).order.by == "activity"
        assert "by activity" in str(app.dashboard.lanes.border_title)
        await pilot.press("down", "asterisk")
        await settled(pilot, app)
        first = text_of(app, "lanes").splitlines()[0]
        assert "▪ 5108 cpu-0" in first
        await pilot.press("slash", *"idle")
        await settled(pilot, app)
        shown = text_of(app, "lanes")
        assert shown.splitlines()[0][2:] == first[2:], "but for the mark of the holder"
        assert shown.count("idle-") == 6
        assert "cpu-" not in shown.partition("\n")[2]
        assert app.dashboard.lanes.outer_size.height + 1 == 36 - 2 - 2, "the line that is typed has a row"
        await pilot.press("z", "z")
        await settled(pilot, app)
        assert text_of(app, "lanes").count("\n") == len(text_of(app, "lanes").splitlines()) - 1
        await pilot.press("backspace", "backspace", "enter")
        assert app.focused is app.dashboard.lanes
        assert viewing(app).order.only == "idle"
        await pilot.press("escape")
        await settled(pilot, app)
        assert viewing(app).order.only == ""
        assert app.dashboard.full == "lanes"
        await pilot.press("up", "up", "up", "up", "asterisk", "O")
        assert viewing(app).order == LaneOrder()


async def test_nothing_found_says_so(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("2", "slash", *"[/b]")
        await settled(pilot, app)
        assert "No lane has that in its name." in text_of(app, "lanes")
        assert r"with “\[/b]”" in str(app.dashboard.lanes.border_title)

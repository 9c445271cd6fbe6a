"""Cells: what fills a stretch of time, and that what is past never changes."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gilscope.model import (
    NS_PER_MS,
    Gap,
    Hold,
    Lane,
    LaneTick,
    Process,
    State,
    StateTimes,
    Tick,
    Window,
)
from gilscope.recording.reader import RecordingReader
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.cells import NO_DATA, ZOOMS_NS, apportion, fold
from gilscope.views.timeline import Timeline
from gilscope.views.viewing import Viewing
from tests.views.conftest import record

MS = NS_PER_MS
LANE = Lane(key=1, process=1, tid=10, kind="thread", name="a", start_ns=0)
SESSION = ScriptedSession().session


def window(
    *ticks: tuple[int, int, StateTimes | None],
    holds: tuple[tuple[int, int], ...] = (),
    gaps: tuple[Gap, ...] = (),
) -> Window:
    """Ticks as (start ms, end ms, states in ms of lane 1)."""
    return Window(
        session=SESSION,
        start_ns=0,
        end_ns=10**9,
        head_ns=10**9,
        processes=(Process(key=1, pid=7, ppid=1, command="x", python=None, start_ns=0),),
        lanes=(LANE,),
        ticks=tuple(
            Tick(
                index=number,
                start_ns=start * MS,
                end_ns=end * MS,
                lanes=()
                if states is None
                else (LaneTick(lane=1, states=in_ns(states), held_ns=(states[0] + states[1]) * MS, core=0),),
            )
            for number, (start, end, states) in enumerate(ticks)
        ),
        holds=tuple(Hold(gil=1, lane=1, start_ns=a * MS, end_ns=b * MS) for a, b in holds),
        gaps=gaps,
    )


def in_ns(states: StateTimes) -> StateTimes:
    a, b, c, d, e, f, g = (state * MS for state in states)
    return (a, b, c, d, e, f, g)


def cells(view: Window, cell_ms: int, count: int) -> str:
    """Lane 1 as digits."""
    timeline = Timeline(cell_ms * MS)
    timeline.put(fold(view, cell_ms * MS, 0, count), view.head_ns)
    return "".join(str(state) for state in timeline.row(LANE, 7, 0, count))


@pytest.mark.parametrize(
    ("ticks", "holds", "cell_ms", "expected"),
    [
        pytest.param([(0, 50, (10, 0, 40, 0, 0, 0, 0))], [(20, 30)], 10, "22022", id="a hold stands where it was"),
        pytest.param([(0, 50, (2, 8, 40, 0, 0, 0, 0))], [(20, 30)], 10, "22122", id="held off the CPU"),
        pytest.param([(0, 50, (10, 0, 20, 0, 0, 20, 0))], [(20, 30)], 10, "22055", id="waits before it holds"),
        pytest.param([(0, 50, (10, 0, 10, 0, 0, 30, 0))], [(20, 30)], 10, "52055", id="sleeps before it waits"),
        pytest.param([(0, 50, (0, 0, 0, 40, 10, 0, 0))], [], 10, "43333", id="shares by proportion"),
        pytest.param([(0, 50, None)], [], 10, "55555", id="no row: blocked all the tick"),
        pytest.param([(0, 50, (50, 0, 0, 0, 0, 0, 0))], [], 10, "00000", id="no holds read: by its times"),
        pytest.param([(0, 50, (30, 0, 20, 0, 0, 0, 0)), (50, 100, (0, 0, 50, 0, 0, 0, 0))], [], 100, "2", id="most of two ticks"),
        pytest.param([(0, 50, (50, 0, 0, 0, 0, 0, 0)), (50, 100, None), (100, 150, None)], [], 150, "5", id="slept ticks count"),
        pytest.param([(0, 50, (50, 0, 0, 0, 0, 0, 0))], [], 200, "0", id="time not recorded yet does not"),
        pytest.param([(50, 100, (50, 0, 0, 0, 0, 0, 0))], [(50, 100)], 25, "770077", id="no tick: no data"),
        pytest.param([(0, 50, (50, 0, 0, 0, 0, 0, 0))], [(0, 50)], 20, "007", id="cells that do not divide a tick"),
    ],
)  # fmt: skip
def test_cells(
    ticks: list[tuple[int, int, StateTimes | None]], holds: list[tuple[int, int]], cell_ms: int, expected: str
) -> None:
    assert cells(window(*ticks, holds=tuple(holds)), cell_ms, len(expected)) == expected


def whole(viewing: Viewing) -> Timeline:
    """All cells on the screen, however many frames it takes."""
    timeline = viewing.timeline()
    for _ in range(100):
        if not viewing.more:
            return timeline
        timeline = viewing.timeline()
    raise AssertionError("there is always more to read")


@pytest.mark.parametrize(
    ("source", "pid", "expected"),
    [("gil", 7, "5665"), ("gil", None, "5665"), ("gil", 8, "5555"), ("pyspy", 7, "5555")],
)
def test_a_gap_is_unknown_never_sleep(source: str, pid: int | None, expected: str) -> None:
    gap = Gap(source=source, pid=pid, reason="no", start_ns=10 * MS, end_ns=30 * MS)
    assert cells(window((0, 40, None), gaps=(gap,)), 10, 4) == expected


def test_outside_of_its_life_a_lane_has_no_data() -> None:
    timeline = Timeline(10 * MS)
    timeline.put(fold(window((0, 50, None)), 10 * MS, 0, 5), 50 * MS)
    lane = Lane(key=2, process=1, tid=11, kind="thread", name=None, start_ns=10 * MS, end_ns=30 * MS)
    assert timeline.row(lane, 7, -1, 7) == bytes([NO_DATA, NO_DATA, 5, 5, NO_DATA, NO_DATA, NO_DATA])


@given(
    times=st.dictionaries(st.sampled_from(list(State)), st.integers(1, 10**9), min_size=1),
    count=st.integers(0, 60),
)
def test_apportioned_cells_are_all_given_and_fair(times: dict[State, int], count: int) -> None:
    given_out = apportion(times, count)
    assert len(given_out) == count
    for state, time in times.items():
        assert abs(given_out.count(state) - time * count / sum(times.values())) < 1


@settings(max_examples=25, deadline=None)
@given(zoom=st.sampled_from(ZOOMS_NS[:10]), stops=st.lists(st.integers(1, 59), min_size=1, max_size=6))
def test_cells_do_not_depend_on_how_they_were_read(
    tmp_path_factory: pytest.TempPathFactory, zoom: int, stops: list[int]
) -> None:
    """GIVEN a recording that grows WHEN it is watched at any moments THEN its cells are those of one look."""
    path = tmp_path_factory.mktemp("growing") / "a.gilscope"
    session = ScriptedSession(Script(seconds=3, native=1))
    writer = record(path, session.script, ticks=1)
    reader = RecordingReader(path, live=True)
    watcher = Viewing(reader)
    watcher.cell_ns, watcher._timeline = zoom, Timeline(zoom)
    done = 1
    for stop in [*sorted(set(stops)), 60]:
        if stop > done:
            write(session, writer, first=done, last=stop)
            done = stop
        watcher.poll(session=False)
        watcher.follow()
        grown = whole(watcher)
    fresh = Viewing(reader)
    fresh.cell_ns, fresh._timeline = zoom, Timeline(zoom)
    fresh.advance(0)
    at_once = whole(fresh)
    first = fresh.edge - fresh.columns
    for lane in session.lanes:
        assert grown.row(lane, 5098, first, 80) == at_once.row(lane, 5098, first, 80)
    reader.close()
    writer.close()


def test_scrubbing_back_gives_the_same_cells_as_a_jump(finished: Path) -> None:
    reader = RecordingReader(finished)
    walker, jumper = Viewing(reader), Viewing(reader)
    walker.seek(3_000_000_000)
    for _ in range(20):
        whole(walker)
        walker.step_cells(-17)
    jumper.edge = walker.edge
    jumper.seek(walker.playback.position_ns)
    first = walker.edge - walker.columns
    for lane in reader.lanes():
        assert whole(walker).row(lane, 5098, first, 80) == whole(jumper).row(lane, 5098, first, 80)
    reader.close()


def test_memory_stays_flat(finished: Path) -> None:
    reader = RecordingReader(finished)
    viewing = Viewing(reader)
    viewing.columns = 20
    for at in range(0, 4_000, 50):
        viewing.seek(at * MS)
        timeline = whole(viewing)
    assert timeline.end - timeline.first <= 6 * viewing.columns
    reader.close()


def test_a_hold_without_a_cpu_for_a_part_shows_that_part() -> None:
    one = window((0, 10, (6, 4, 0, 0, 0, 0, 0)), holds=((0, 10),))
    assert cells(one, 1, 10) == "0000001111"
    cut = window((0, 10, (4, 2, 0, 0, 0, 4, 0)), holds=((0, 3), (7, 10)))
    assert cells(cut, 1, 10) == "0005555" + "011"

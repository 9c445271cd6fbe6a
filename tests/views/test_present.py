"""Position, figures and view-models: tables."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest

from gilscope.model import (
    NS_PER_MS,
    NS_PER_S,
    CoreTick,
    Frame,
    GilTick,
    Hold,
    Lane,
    LaneTick,
    Process,
    StackSample,
    Tick,
    Window,
)
from gilscope.recording.reader import RecordingReader
from gilscope.sources.scripted import Script, ScriptedSession
from gilscope.views import present
from gilscope.views.figures import (
    NO_FIGURES,
    CoreFigures,
    fold_core_cells,
    fold_figures,
    holder_at,
    top_frames,
)
from gilscope.views.lane_rows import present_lanes
from gilscope.views.playback import SLOW_START_NS, Mode, Playback, scroll_edge
from gilscope.views.present import holders_now, present_cores, present_gils, present_header
from gilscope.views.viewing import Viewing
from tests.views.conftest import record

S = NS_PER_S
SESSION = ScriptedSession()


def window(**values: object) -> Window:
    start: dict[str, object] = {
        "session": SESSION.session, "start_ns": 0, "end_ns": S, "head_ns": S,
        "processes": tuple(SESSION.processes), "lanes": tuple(SESSION.lanes), "gils": tuple(SESSION.gils),
    }  # fmt: skip
    return Window(**{**start, **values})  # type: ignore[arg-type]


def seconds(count: int) -> tuple[Tick, ...]:
    return tuple(SESSION.step(index).tick for index in range(20 * count))


# --- position ---


def test_following_is_the_head() -> None:
    playback = Playback()
    playback.advance(1, 5 * S, growing=True)
    assert playback.position_ns == 5 * S


def test_pause_holds_while_the_recording_grows_and_play_goes_on_from_there() -> None:
    playback = Playback(position_ns=3 * S)
    playback.toggle(3 * S, growing=True)
    playback.advance(S, 9 * S, growing=True)
    assert (playback.mode, playback.position_ns) == (Mode.PAUSED, 3 * S)
    playback.toggle(9 * S, growing=True)
    playback.advance(S, 9 * S, growing=True)
    assert (playback.mode, playback.position_ns) == (Mode.PLAYING, 4 * S)


def test_play_stops_at_the_end_and_starts_anew_from_there() -> None:
    playback = Playback(mode=Mode.PLAYING, position_ns=3 * S)
    playback.advance(2 * S, 4 * S, growing=False)
    assert (playback.mode, playback.position_ns) == (Mode.PAUSED, 4 * S)
    playback.toggle(4 * S, growing=False)
    assert (playback.mode, playback.position_ns) == (Mode.PLAYING, 0)


def test_play_that_reaches_the_head_follows_it() -> None:
    playback = Playback(mode=Mode.PLAYING, position_ns=3 * S)
    playback.advance(2 * S, 4 * S, growing=True)
    assert playback.mode is Mode.FOLLOW


def test_slow_motion_starts_before_the_head_and_full_speed_follows_again() -> None:
    playback = Playback(position_ns=5 * S)
    playback.cycle_speed(5 * S, growing=True)
    assert (playback.speed, playback.position_ns) == (0.1, 5 * S - SLOW_START_NS)
    playback.advance(S, 6 * S, growing=True)
    assert playback.position_ns == 5 * S - SLOW_START_NS + S // 10
    for expected in (0.02, 0.005, 1.0):
        playback.cycle_speed(6 * S, growing=True)
        assert playback.speed == expected
    assert (playback.mode, playback.position_ns) == (Mode.FOLLOW, 6 * S)


def test_slow_steps_lose_no_time() -> None:
    playback = Playback(mode=Mode.PLAYING, speed=0.005)
    for _ in range(1000):
        playback.advance(33, S, growing=True)
    assert playback.position_ns == 165


@pytest.mark.parametrize("to", [-5, 0, 3 * S, 99 * S])
def test_seek_stays_within_the_recording(to: int) -> None:
    playback = Playback(position_ns=S)
    playback.seek(to, 4 * S)
    assert playback.position_ns == max(0, min(to, 4 * S))
    assert playback.mode is Mode.PAUSED


@pytest.mark.parametrize(
    ("edge", "position", "follow", "expected"),
    [
        (100, 120, True, 120),
        (100, 90, False, 100),
        (100, 120, False, 120),
        (100, 10, False, 49),
        (0, 7, False, 7),
    ],
)
def test_the_picture_moves_only_as_far_as_it_must(
    edge: int, position: int, follow: bool, expected: int
) -> None:
    assert scroll_edge(edge, position, 40, follow=follow) == expected


# --- figures ---


def test_shares_of_a_scripted_second() -> None:
    figures = fold_figures(window(ticks=seconds(1)))
    gil = figures.gils[1]
    assert gil.held_share == pytest.approx(0.995, abs=0.006)
    assert gil.waiters_mean == pytest.approx(2.0)
    assert gil.handoffs_per_s == pytest.approx(200, rel=0.05)
    assert sum(figures.held_share.values()) == pytest.approx(gil.held_share)
    assert figures.held_share[2] == pytest.approx(0.33, abs=0.02)
    assert 1 not in figures.active


def test_an_unwatched_gil_is_unknown() -> None:
    tick = Tick(index=0, start_ns=0, end_ns=50 * NS_PER_MS)
    gil = fold_figures(window(ticks=(tick,))).gils[1]
    assert (gil.held_share, gil.contended_share, gil.handoffs_per_s) == (None, None, None)
    line = present_gils(window(ticks=(tick,)), fold_figures(window(ticks=(tick,))), {})[0]
    assert line.facts == (("held", "?"),)


def test_a_share_is_of_watched_time() -> None:
    gil = GilTick(
        gil=1, samples=5, locked_samples=5, watched_ns=10, held_ns=10, contended_ns=0, waiter_ns=0,
        waiters_max=0, handoffs=0, handoffs_seen=0, longest_hold_ns=10, holder=2,
    )  # fmt: skip
    row = LaneTick(lane=2, states=(10, 0, 0, 0, 0, 0, 40), held_ns=10, core=0)
    figures = fold_figures(window(ticks=(Tick(index=0, start_ns=0, end_ns=50, gils=(gil,), lanes=(row,)),)))
    assert (figures.held_share[2], figures.gils[1].held_share) == (1.0, 1.0)


def test_holder_at_a_moment() -> None:
    holds = (Hold(gil=1, lane=2, start_ns=0, end_ns=5), Hold(gil=1, lane=3, start_ns=6, end_ns=9))
    assert [holder_at(holds, 1, at) for at in (1, 5, 6, 7, 10)] == [2, 2, None, 3, None]
    view = window(holds=holds)
    assert holders_now(view, NO_FIGURES, exact_at_ns=7) == {1: 3}


def test_the_function_is_the_innermost_that_was_counted_most() -> None:
    outer = Frame(function="m", file="m.py", line=1)
    a, b = (Frame(function=name, file="/x/f.py", line=5) for name in "ab")
    stacks = tuple(
        StackSample(lane=2, start_ns=0, end_ns=1, count=count, frames=(outer, frame))
        for count, frame in ((2, a), (3, b), (2, a))
    )
    assert top_frames(stacks) == {2: a}
    line = present_gils(window(stacks=stacks), NO_FIGURES, {1: 2})[0]
    assert (line.holder, line.function) == ("cpu-0", "a (f.py:5)")


def test_core_cells_are_means_and_nothing_is_no_zero() -> None:
    cells = fold_core_cells(seconds(1), 500 * NS_PER_MS, 0, 3)
    assert cells[0][0] is not None
    assert cells[0][0][0] == pytest.approx(1.0, abs=0.01)
    assert cells[0][2] is None


# --- rows ---


def labels(view: Window, active: set[int], fits: int, folded: set[int] | None = None) -> list[str]:
    return [row.label for row in present_lanes(view, active, folded or set(), fits=fits)]


def test_lanes_that_fit_never_move() -> None:
    names = ["MainThread", "cpu-0", "cpu-1", "cpu-2", "io"]
    assert labels(window(), {3}, 10) == labels(window(), {5, 2}, 5) == names


def test_else_the_active_come_first_and_the_ended_last() -> None:
    lanes = list(SESSION.lanes)
    lanes[0] = replace(lanes[0], end_ns=5)
    assert labels(window(lanes=tuple(lanes)), {4, 5}, 3) == ["cpu-2", "io", "cpu-0", "cpu-1", "MainThread"]


def test_several_processes_group_their_lanes_and_fold() -> None:
    other = Process(
        key=2, pid=9, ppid=5098, command="sh\x1b[2J", python=None, start_ns=0, end_ns=5, exit_code=3
    )
    lane = Lane(key=9, process=2, tid=9, kind="process", name=None, start_ns=0, end_ns=5)
    view = window(processes=(*SESSION.processes, other), lanes=(*SESSION.lanes, lane))
    rows = present_lanes(view, set(), {1}, fits=20)
    assert [row.label for row in rows] == ["pid 5098 python fib.py", "pid 9 sh�[2J", "process 9"]
    assert [row.note for row in rows] == ["5 lanes", "ended, exit 3", ""]


# --- header ---


@pytest.mark.parametrize(
    ("mode", "speed", "ended", "live", "lost", "expected"),
    [
        (Mode.FOLLOW, 1.0, False, True, False, "● LIVE 00:12.4"),
        (Mode.FOLLOW, 1.0, False, True, True, "■ SAMPLER LOST 00:12.4"),
        (Mode.PAUSED, 1.0, False, True, False, "‖ PAUSED 00:12.400 −2.0 s"),
        (Mode.PAUSED, 1.0, True, False, False, "‖ PAUSED 00:12.400"),
        (Mode.PLAYING, 1.0, True, False, False, "▶ REPLAY 00:12.4"),
        (Mode.PLAYING, 0.02, False, True, False, "▶ 0.02 × 00:12.400 −2.0 s"),
    ],
)
def test_header_states(mode: Mode, speed: float, ended: bool, live: bool, lost: bool, expected: str) -> None:
    head = 14_400_000_000
    at = head if mode is Mode.FOLLOW else head - 2 * S
    session = replace(SESSION.session, ended_ns=head if ended else None)
    header = present_header(
        session, title="fib.py", mode=mode, speed=speed, position_ns=at, head_ns=head, live=live, lost=lost
    )
    assert header.state == expected.replace("00:12.4", "00:14.4" if at == head else "00:12.4")


def test_header_at_the_end_tells_the_exit_code_and_the_costs() -> None:
    session = replace(
        SESSION.session, ended_ns=S, exit_code=130, samples_asked=100, samples_taken=90, cost_cpu_ns=S // 50
    )
    header = present_header(
        session, title="x", mode=Mode.PAUSED, speed=1.0, position_ns=S, head_ns=S, live=True
    )
    assert header.state == "■ ENDED 00:01.0 exit 130"
    assert header.costs == ("900 Hz", "cost 2.0 %")


# --- a place in a recording ---


def test_figures_stand_still_between_quanta_but_not_when_paused(tmp_path: Path) -> None:
    path = tmp_path / "a.gilscope"
    record(path, Script(seconds=3)).close()
    reader = RecordingReader(path)
    viewing = Viewing(reader)
    viewing.seek(2 * S)
    figures = viewing.panels().figures
    viewing.advance(50 * NS_PER_MS)
    assert viewing.panels().figures is figures
    viewing.toggle()
    viewing.seek(1 * S)
    assert viewing.panels().figures is not figures
    assert [line.text for line in viewing.panels().output] == ["fib(20) = 135300", "fib(21) = 142065"]
    reader.close()


def test_in_slow_motion_the_holder_passes_from_lane_to_lane(tmp_path: Path) -> None:
    path = tmp_path / "a.gilscope"
    record(path, Script(seconds=3)).close()
    reader = RecordingReader(path)
    viewing = Viewing(reader)
    viewing.seek(S)
    viewing.cycle_speed()
    assert viewing.cell_ns == NS_PER_MS
    seen = []
    for _ in range(20):
        viewing.advance(10 * NS_PER_MS)
        seen.append(viewing.panels().holders.get(1))
    assert {2, 3, 4} <= set(seen)
    while viewing.playback.speed != 1.0:
        viewing.cycle_speed()
    assert viewing.cell_ns == 5 * NS_PER_MS
    reader.close()


def test_zoom_keeps_the_position(tmp_path: Path) -> None:
    path = tmp_path / "a.gilscope"
    record(path, Script(seconds=3)).close()
    reader = RecordingReader(path)
    viewing = Viewing(reader)
    viewing.seek(2 * S)
    for steps in (-9, 99, -1, -3):
        viewing.zoom(steps)
        assert viewing.playback.position_ns == 2 * S
        assert viewing.edge - viewing.columns <= viewing.cursor_cell < viewing.edge
    reader.close()


def test_the_mark_of_a_cell_is_the_lane_that_the_cell_is_drawn_for() -> None:
    holds = (Hold(gil=1, start_ns=0, end_ns=8, lane=3), Hold(gil=1, start_ns=8, end_ns=20, lane=4))
    view = window(holds=holds)
    assert holders_now(view, NO_FIGURES, exact_at_ns=10) == {1: 4}
    assert holders_now(view, NO_FIGURES, exact_at_ns=10, cell=(0, 10)) == {1: 3}
    assert holders_now(view, NO_FIGURES, exact_at_ns=20, cell=(10, 20)) == {1: 4}
    assert holders_now(view, NO_FIGURES, exact_at_ns=10, cell=(7, 100)) == {1: 4}, "no lane has half of it"


def test_gils_that_ended_long_ago_cost_a_frame_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of hours has had thousands of processes; each frame looks for the holders of now."""
    gils = tuple(dataclasses.replace(SESSION.gils[0], key=key) for key in range(1, 2_000))
    view = window(gils=gils, holds=(Hold(gil=7, lane=3, start_ns=0, end_ns=20),))
    asked: list[int] = []

    def holder_at(_holds: object, gil: int, _at_ns: int) -> int:
        asked.append(gil)
        return 3

    monkeypatch.setattr(present, "holder_at", holder_at)
    assert holders_now(view, NO_FIGURES, exact_at_ns=10) == {7: 3}
    assert asked == [7]


def test_beside_a_gil_stands_what_its_process_is_called() -> None:
    processes = tuple(
        Process(key=key, pid=70 + key, ppid=1, command="x", python="3.11.7", start_ns=0, name=name)
        for key, name in ((1, None), (2, "a-resizer-of-large-pictures"))
    )
    gils = tuple(replace(SESSION.gils[0], key=key, process=key) for key in (1, 2))
    lines = present_gils(window(processes=processes, gils=gils), NO_FIGURES, {})
    assert [line.process for line in lines] == ["pid 71", "pid 72 a-resizer-of-la…"]


def test_beside_a_core_stands_the_process_if_there_are_several() -> None:
    cores = tuple(CoreTick(core=core, busy_share=1.0, lane=core + 1, target_share=1.0) for core in (0, 1))
    ticks = (Tick(index=0, start_ns=0, end_ns=S, gils=(), lanes=(), cores=cores),)
    processes = tuple(
        Process(key=key, pid=pid, ppid=1, command="x", python=None, start_ns=0, end_ns=None)
        for key, pid in ((1, 70), (2, 80))
    )
    lanes = (
        Lane(key=1, process=1, tid=70, kind="thread", name="MainThread", start_ns=0),
        Lane(key=2, process=2, tid=81, kind="thread", name="io", start_ns=0),
    )

    def labels(view: Window) -> list[str]:
        return [row.label for row in present_cores(view, fold_figures(view), {})]

    assert labels(window(ticks=ticks, processes=processes, lanes=lanes)) == ["pid 70", "80 io"]
    named = tuple(replace(process, name=f"resizer\x1b[2J-{process.key}") for process in processes)
    assert labels(window(ticks=ticks, processes=named, lanes=lanes)) == ["resizer�[2J-1", "80 io"]
    twice = tuple(replace(process, name="resizer") for process in processes)
    assert labels(window(ticks=ticks, processes=twice, lanes=lanes)) == ["70 resizer", "80 io"]
    one = window(ticks=ticks, processes=processes[:1], lanes=(lanes[0], replace(lanes[1], process=1)))
    assert labels(one) == ["MainThread", "io"]


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        (((1.0, 0.3), (1.0, 0.8)), ["a + other", "b"]),
        (((1.0, 0.3), (0.5, 1.0)), ["a", "b"]),  # the target is busy enough for both: it was misplaced
        (((0.9, 0.0), (0.9, 0.9)), ["other", "b"]),
    ],
)
def test_a_core_that_others_load_more_says_so(
    loads: tuple[tuple[float, float], ...], expected: list[str]
) -> None:
    figures = replace(
        NO_FIGURES,
        cores={
            core: CoreFigures(busy_share=busy, target_share=target, lane=core + 1)
            for core, (busy, target) in enumerate(loads)
        },
    )
    lanes = tuple(
        Lane(key=key, process=1, tid=key, kind="thread", name=name, start_ns=0)
        for key, name in ((1, "a"), (2, "b"))
    )
    assert [row.label for row in present_cores(window(lanes=lanes), figures, {})] == expected


def test_the_mode_is_named_only_if_it_changes_the_program() -> None:
    def facts(mode: str) -> tuple[str, ...]:
        session = replace(SESSION.session, mode=mode)
        return present_header(
            session, title="x", mode=Mode.FOLLOW, speed=1.0, position_ns=0, head_ns=0, live=True
        ).facts

    assert "asis" not in facts("asis")
    assert facts("threads")[0] == "threads"

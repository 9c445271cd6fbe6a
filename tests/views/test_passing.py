"""The mark of a GIL on its way from lane to lane, and what glows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, NS_PER_S, Hold, State
from gilscope.views.passing import HOLDER, Pass, Turns, marks_of
from gilscope.views.render.heat import LEVELS, fade_slots, heat, heat_styles
from gilscope.views.render.palette import Palette

MS = NS_PER_MS
HOLDS = [Hold(gil=1, lane=lane, start_ns=a * MS, end_ns=b * MS) for lane, a, b in ((1, 0, 5), (4, 5, 10))]


def test_the_mark_leaves_one_lane_and_comes_to_the_other() -> None:
    turns, speed = Turns(HOLDS), 0.02
    assert turns.at(4 * MS, speed) == ()
    (begin,) = turns.at(5 * MS + 1, speed)
    assert (begin.source, begin.target) == (1, 4)
    assert begin.way < 0.01
    (half,) = turns.at(5 * MS + 1_500_000, speed)
    assert half.way == pytest.approx(0.5)
    (there,) = turns.at(9 * MS, speed)
    assert there.way == 1.0
    assert 0 < there.freshness < half.freshness
    assert turns.at(5 * MS + 20 * MS, speed) == ()


def test_a_lane_that_takes_it_again_makes_no_pass() -> None:
    again = [*HOLDS, Hold(gil=1, lane=4, start_ns=11 * MS, end_ns=12 * MS)]
    (one,) = Turns(again).at(12 * MS, 0.0)
    assert (one.source, one.target, one.way) == (1, 4, 1.0)


def drawn(way: float, *, holder: int = 4) -> str:
    """The marks of five rows, the lanes 0 – 4 in them."""
    marks = marks_of([Pass(1, 4, way, 1.0)], [holder], {lane: lane for lane in range(5)})
    return "".join(marks[row].glyph if row in marks else " " for row in range(5))


@pytest.mark.parametrize(("way", "rows"), [(0.0, " ▶   "), (0.34, " ╷▶  "), (0.67, " ╷│▶ "), (1.0, " ╷││▶")])
def test_marks(way: float, rows: str) -> None:
    assert drawn(way) == rows


def test_a_pass_to_a_lane_that_let_go_is_not_shown() -> None:
    assert drawn(1.0, holder=2) == "  ▶  "


def test_a_lane_out_of_sight_has_no_trail() -> None:
    assert marks_of([Pass(1, 9, 0.5, 1.0)], [9], {1: 0}) == {}


@given(
    lanes=st.lists(st.integers(1, 5), min_size=2, max_size=30),
    at_ms=st.integers(0, 400),
    speed=st.sampled_from([0.0, 0.005, 0.02, 0.1]),
)
def test_a_picture_depends_on_the_moment_alone(lanes: list[int], at_ms: int, speed: float) -> None:
    holds = [
        Hold(gil=1, lane=lane, start_ns=n * 10 * MS, end_ns=(n * 10 + 9) * MS) for n, lane in enumerate(lanes)
    ]
    asked, fresh = Turns(holds), Turns(reversed(holds))
    for moment in (0, 333, 17):
        asked.at(moment * MS, speed)
    found = asked.at(at_ms * MS, speed)
    assert found == fresh.at(at_ms * MS, speed)
    for one in found:
        assert 0 <= one.way <= 1
        assert 0 < one.freshness <= 1
        assert one.source != one.target


def test_heat_fades() -> None:
    cells = bytes([State.BLOCKED] * 10 + [State.RUNNING] * 5 + [State.WAITING] * 85)
    levels = [heat(cells, until, 50) for until in range(11, 100)]
    assert levels[0] == LEVELS - 1
    assert levels[4:] == sorted(levels[4:], reverse=True)
    assert set(levels) == set(range(LEVELS))
    assert heat(cells, 10, 50) == 0, "what is to come does not glow"


def test_heat_fades_in_the_viewers_time() -> None:
    assert fade_slots(1.0, 5 * MS) == 200
    assert fade_slots(0.02, MS) == 20
    assert fade_slots(10.0, NS_PER_S) == 1


@pytest.mark.parametrize("palette", [Palette(), Palette(colours=False)])
def test_there_is_a_style_for_each_level(palette: Palette) -> None:
    assert len(heat_styles(palette)) == LEVELS
    assert HOLDER.glyph == "▶"

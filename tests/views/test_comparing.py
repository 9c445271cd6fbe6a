"""The comparison's screen, its pure parts: the axis, who gets which rows, and exact lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, NS_PER_S, Lane, Process
from gilscope.views.axis import Axis
from gilscope.views.cells import ZOOMS_NS
from gilscope.views.comparing import (
    RUN_LEAST,
    RUNS_LEAST,
    ComparedTable,
    Ending,
    arrange,
    share_runs,
    share_screen,
    title_facts,
)
from gilscope.views.present import LaneRow
from gilscope.views.render.compared import cut_lines, render_compared, ways_shown
from gilscope.views.render.palette import Palette
from gilscope.views.render.runs import render_axis, render_row, render_title
from gilscope.views.render.timeline import Columns
from gilscope.views.screens.compare_keys import hints, key_list
from tests.views.test_render import FORBIDDEN, HOSTILE

S = NS_PER_S
PALETTE = Palette()
OK, FAILED = Ending("exit 0", failed=False), Ending("exit 3", failed=True)
TABLE = ComparedTable(
    labels=("threads", "processes"),
    rows=(("wall time", ("4.00 s", "2.20 s")), ("times as fast", ("1.00 ×", "1.82 ×"))),
    advice=("Use processes: 2.20 s instead of 4.00 s, 1.82 times as fast.", "4 processes took 72 MB."),
)
FIGURES: Mapping[str, Any] = {
    "label": "threads", "wall_s": 4.0, "speedup": 1.0, "cores_used": 1.04, "gil_held": 0.987,
    "memory_peak_mb": 18.4, "processes": 1,
}  # fmt: skip


def lane(key: int, process: int = 1, name: str | None = None, tid: int | None = None) -> Lane:
    return Lane(
        key=key, process=process, tid=key if tid is None else tid, kind="thread", name=name, start_ns=0
    )


def process(key: int, pid: int, name: str | None = None) -> Process:
    return Process(
        key=key, pid=pid, ppid=1, command="/usr/bin/python a.py", python=None, start_ns=0, name=name
    )


# --- the axis ---


def axis(longest_ns: int = 4 * S, columns: int = 100) -> Axis:
    made = Axis(longest_ns)
    made.resize(columns)
    return made


@given(st.integers(1, 10**14), st.integers(1, 400))
def test_the_whole_of_the_longest_run_is_just_in_sight(longest_ns: int, columns: int) -> None:
    made = axis(longest_ns, columns)
    assert made.first == 0
    assert (made.end_ns, made.cells <= columns) == (longest_ns, True)
    # Shorter cells would not do.
    assert made.cell_ns == 1 or (made.cell_ns - 1) * columns < longest_ns


def test_a_whole_view_stays_whole_in_another_size_and_a_closer_one_keeps_its_cells() -> None:
    made = axis()
    made.resize(50)
    assert made.cell_ns == 80 * NS_PER_MS
    made.zoom(-1)
    made.scroll(3)
    assert (made.cell_ns, made.whole) == (50 * NS_PER_MS, False)
    first = made.first
    made.resize(60)
    assert (made.cell_ns, made.first) == (50 * NS_PER_MS, first)
    made.resize(100)
    assert (made.cell_ns, made.whole, made.first) == (40 * NS_PER_MS, True, 0)


def test_zoom_keeps_the_moment_under_the_pointer_and_ends_at_both_ends() -> None:
    made = axis()
    made.zoom(-1, column=75)
    assert made.cell_ns == 20 * NS_PER_MS
    assert (made.first + 75) * made.cell_ns <= 3.02 * S <= (made.first + 76) * made.cell_ns
    for _ in range(30):
        made.zoom(-1)
    assert made.cell_ns == ZOOMS_NS[0]
    for _ in range(30):
        made.zoom(1)
    assert (made.cell_ns, made.first, made.whole) == (40 * NS_PER_MS, 0, True)


def test_the_first_step_is_one_that_is_seen() -> None:
    made = axis(columns=79)
    made.zoom(-1)
    assert (made.fit_ns > 50 * NS_PER_MS, made.cell_ns) == (True, 20 * NS_PER_MS)


@given(st.integers(1, 10**13), st.integers(1, 300), st.lists(st.integers(-500, 500), max_size=20))
def test_wherever_one_goes_something_is_in_sight(longest_ns: int, columns: int, moves: list[int]) -> None:
    made = axis(longest_ns, columns)
    for move in moves:
        made.scroll(move) if move % 3 else made.zoom(1 if move > 0 else -1, column=abs(move))
        assert 0 <= made.first <= max(0, made.cells - columns)
        assert 0 <= made.start_ns < made.end_ns <= longest_ns


# --- who gets which rows ---


@given(st.integers(0, 80), st.lists(st.integers(2, 60), min_size=1, max_size=12))
def test_rows_are_shared(room: int, wants: list[int]) -> None:
    rows = share_runs(room, wants)
    assert 1 <= len(rows) <= len(wants)
    assert sum(rows) == min(room, sum(wants[: len(rows)]))
    assert all(row <= want for row, want in zip(rows, wants, strict=False))
    if room >= RUN_LEAST * len(wants):
        assert len(rows) == len(wants)
        assert min(rows) >= RUN_LEAST


def test_what_one_run_does_not_need_goes_to_the_others() -> None:
    assert share_runs(20, [3, 40, 40]) == [3, 9, 8]


@pytest.mark.parametrize(
    ("height", "table", "runs", "below"), [(36, 11, 21, 13), (20, 11, 7, 11), (10, 11, 8, 0), (8, 1, 6, 0)]
)
def test_the_table_leaves_the_runs_enough(height: int, table: int, runs: int, below: int) -> None:
    plan = share_screen(height, table=table)
    assert (plan.runs, plan.table) == (runs, below)
    assert plan.runs >= RUNS_LEAST or not plan.table


def test_lanes_stand_in_the_order_of_their_start_while_they_fit() -> None:
    lanes = [lane(1, name="MainThread"), lane(2, name="a"), lane(3, name="b")]
    assert [row.label for row in arrange([process(1, 7)], lanes, {3: 5, 2: 1}, fits=3)] == [
        "MainThread",
        "a",
        "b",
    ]
    assert [row.label for row in arrange([process(1, 7)], lanes, {3: 5, 2: 1}, fits=2)] == [
        "b",
        "a",
        "MainThread",
    ]


def test_several_processes_are_grouped_and_without_room_each_lane_names_its_own() -> None:
    processes = [process(1, 7), process(2, 8)]
    lanes = [lane(1, name="MainThread", tid=7), lane(2, name="a"), lane(3, 2, "MainThread", tid=8)]
    rows = arrange(processes, lanes, {3: 5, 2: 9}, fits=4)
    assert [(row.label, row.lane is None) for row in rows] == [
        ("pid 7 python a.py", True),
        ("MainThread", False),
        ("a", False),
        ("pid 8", False),
    ]
    rows = arrange(processes, lanes, {3: 5, 2: 9}, fits=3)
    assert [row.label for row in rows] == ["7 a", "pid 8", "7 MainThread"]
    processes = [process(1, 7, "first\x07"), process(2, 8, "second")]
    rows = arrange(processes, lanes, {3: 5, 2: 9}, fits=4)
    assert [row.label for row in rows if row.lane is None or row.lane.key == 3] == [
        "pid 7 first\N{REPLACEMENT CHARACTER}: python a.py",
        "8 second",
    ]


def test_a_lane_of_a_process_that_is_not_listed() -> None:
    rows = arrange([process(1, 7)], [lane(1), lane(2, 9), lane(3, 9)], {}, fits=9)
    assert [row.label for row in rows] == ["7 thread 1", "process 9", "thread 2", "thread 3"]


# --- lines ---


def test_what_is_not_known_of_a_run_is_a_question_mark() -> None:
    assert [long for long, _ in title_facts(FIGURES)] == [
        "4.00 s", "1.00 × as fast", "1.0 cores used", "GIL held 99 %", "18 MB", "1 process",
    ]  # fmt: skip
    assert [short for _, short in title_facts({"processes": 3})] == [
        "? s", "? ×", "? cores", "GIL ? %", "? MB", "3 processes",
    ]  # fmt: skip


def title(end: int, width: int = 100, ending: Ending | None = OK, left_out: str = "") -> str:
    columns = Columns(6, width - 17)
    made = render_title(
        "threads",
        title_facts(FIGURES),
        left_out=left_out,
        ending=ending,
        end=end,
        columns=columns,
        width=width,
        palette=PALETTE,
    )
    assert made.cell_length == width
    return made.text


def test_the_end_of_a_run_stands_over_its_bar_if_there_is_no_room_beside_it() -> None:
    assert title(83).endswith("   exit 0 ┐")
    assert title(80).endswith("exit 0 ┐   ")
    assert title(84).endswith("exit 0 →")
    assert title(-1).endswith("← exit 0")
    assert "exit" not in title(40)
    assert "exit" not in title(84, ending=None)


def test_a_narrow_title_shortens_its_figures_and_then_drops_the_last() -> None:
    assert title(40).startswith(
        "threads · 4.00 s · 1.00 × as fast · 1.0 cores used · GIL held 99 % · 18 MB ·"
    )
    assert title(40, 80, left_out="2 of 9 lanes").startswith(
        "threads · 4.00 s · 1.00 × · 1.0 cores · GIL 99 % · 18 MB "
    )
    assert title(10, 40, left_out="2 of 9 lanes").split("  ")[0] == "threads · 4.00 s · 1.00 ×"


def row(end: int, ending: Ending | None = None, cells: bytes = bytes(10)) -> str:
    made = render_row(
        LaneRow("cpu-0", lane(1), 1, 7),
        cells,
        Columns(6, 10),
        PALETTE,
        share=0.33,
        end=end,
        ending=ending,
        width=27,
    )
    assert made.cell_length == 27
    return made.text


def test_a_row_ends_with_its_run() -> None:
    assert row(10) == "  cpu-0   33 %  ██████████│"
    assert row(2, OK) == "  cpu-0   33 %  ██│ exit 0 "
    assert row(0, cells=bytes([7] * 10)) == "  cpu-0   33 %  │          "
    assert row(11) == "  cpu-0   33 %  ██████████ "
    assert row(-3, cells=bytes([7] * 10)) == "  cpu-0   33 %             "


def test_the_ruler_stands_at_round_moments_with_cells_of_any_length() -> None:
    made = axis(4 * S, 97)
    line = render_axis(made, Columns(6, 97), 114, PALETTE).text
    cells = line[16:]
    for text in ("00:00.0", "00:01.5", "00:03.5"):
        at_ns = round(float(text[3:]) * S)
        assert cells.index("╷" + text) == at_ns // made.cell_ns


@pytest.mark.parametrize("longest_ns", [1, NS_PER_MS, 3_600 * S, 10**15])
def test_a_ruler_of_any_run(longest_ns: int) -> None:
    assert "╷00:00" in render_axis(axis(longest_ns, 60), Columns(6, 60), 77, PALETTE).text


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("width", [20, 56, 76, 116, 196])
def test_table_and_advice_fit_their_width(width: int, opened: bool) -> None:
    lines = render_compared(TABLE, width, PALETTE, opened=opened)
    assert {line.cell_length for line in lines} == {width}
    text = " ".join(" ".join(line.text.split()) for line in lines)
    assert "→ Use processes" in text
    assert ("wall time 4.00 s" in text) is opened


def test_advice_stands_beside_the_table_where_it_is_wide() -> None:
    lines = [line.text.rstrip() for line in render_compared(TABLE, 120, PALETTE, opened=True)]
    assert lines[0].endswith("processes   → Use processes: 2.20 s instead of 4.00 s, 1.82 times as fast.")
    assert len(lines) == 3


def test_ways_without_room_are_counted() -> None:
    many = ComparedTable(labels=tuple(f"way {n}" for n in range(9)), rows=(("wall time", ("1.00 s",) * 9),))
    assert ways_shown(many, 60) == 5
    assert "way 5" not in render_compared(many, 60, PALETTE, opened=True)[0].text


def test_lines_that_are_cut_say_so() -> None:
    lines = render_compared(TABLE, 40, PALETTE, opened=True)
    assert cut_lines(lines, 40, 3, PALETTE)[-1].text.rstrip().endswith(" …")
    assert cut_lines(lines, 40, len(lines), PALETTE) == lines


def test_no_text_of_a_stranger_reaches_the_terminal_raw() -> None:
    table = ComparedTable(labels=(HOSTILE,), rows=(("x", (HOSTILE,)),), advice=(HOSTILE, HOSTILE))
    lines = [line.text for line in render_compared(table, 90, PALETTE, opened=True)]
    lines += [row.label for row in arrange([], [lane(1, name=HOSTILE)], {}, fits=1)]
    assert not any(FORBIDDEN.search(line) for line in lines)


def test_the_footer_names_keys_only_where_they_do_something() -> None:
    assert [hint.word for hint in hints(lanes=False, runs=False)] == [
        "scroll", "zoom", "whole", "table", "help", "quit",
    ]  # fmt: skip
    assert {"lanes", "run"} <= {hint.word for hint in hints()}
    assert len(key_list()) == len({key for key, _ in key_list()})

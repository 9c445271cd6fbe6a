"""Two states in a cell: nothing is lost, and what is kept is what would be made anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from gilscope.model import NS_PER_MS, State, StateTimes
from gilscope.recording.reader import RecordingReader
from gilscope.sources.scripted import Script
from gilscope.views.cells import NO_DATA, fold
from gilscope.views.recent import RecentWindows
from gilscope.views.render.halves import LEFT, RIGHT, HalfCells, fits
from gilscope.views.render.palette import GLYPHS, Palette
from gilscope.views.render.timeline import render_cells
from gilscope.views.timeline import Timeline
from tests.views.conftest import record
from tests.views.test_cells import LANE, window

MS = NS_PER_MS
BASE = Style(color="#e0e0e0", bgcolor="#101010")
states = st.lists(st.integers(0, NO_DATA), min_size=2, max_size=40).map(
    lambda row: bytes(row[: len(row) // 2 * 2])
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordingReader]:
    path = tmp_path_factory.mktemp("halves") / "three.gilscope"
    record(path, Script(seconds=3, native=1)).close()
    found = RecordingReader(path)
    yield found
    found.close()


def test_halves_need_colours() -> None:
    assert fits(Palette(BASE))
    assert not fits(Palette(BASE, colours=False))


def test_both_halves_have_the_colour_of_their_state() -> None:
    halves = HalfCells(Palette(BASE))
    one, two, three = halves.cells(
        bytes([State.RUNNING, State.HOLDING, State.RUNNING, State.BLOCKED, NO_DATA, State.RUNNING])
    )
    running, holding = (halves.palette.states[state].color for state in (State.RUNNING, State.HOLDING))
    assert one.style is not None
    assert two.style is not None
    assert three.style is not None
    assert (one.text, one.style.color, one.style.bgcolor) == (LEFT, running, holding)
    assert (two.text, two.style.color, two.style.bgcolor) == (LEFT, running, BASE.bgcolor)
    assert (three.text, three.style.color) == (RIGHT, running)


@given(row=states)
def test_equal_halves_are_whole_cells(row: bytes) -> None:
    halves = HalfCells(Palette(BASE))
    doubled = bytes(state for state in row for _ in range(2))
    assert halves.cells(doubled) == halves.palette.cells(row)


@given(
    row=states,
    cursor=st.none() | st.integers(-3, 25),
    span=st.tuples(st.integers(-5, 25), st.integers(-5, 25)),
)
def test_kept_pieces_are_those_made_anew(row: bytes, cursor: int | None, span: tuple[int, int]) -> None:
    palette = Palette(BASE)
    kept, chosen = HalfCells(palette), (min(span), max(span))
    kept.cells(bytes(reversed(row)))
    for _ in range(2):
        drawn = render_cells(row, palette, cursor=cursor, chosen=chosen, halves=kept)
        fresh_palette = Palette(BASE)
        fresh = render_cells(
            row, fresh_palette, cursor=cursor, chosen=chosen, halves=HalfCells(fresh_palette)
        )
        assert drawn == fresh
        assert sum(len(segment.text) for segment in drawn) == len(row) // 2
    plain = "".join(segment.text for segment in render_cells(row[::2], palette, cursor=cursor, chosen=chosen))
    assert all(glyph in GLYPHS + "│" for glyph in plain)


@given(
    times=st.lists(st.integers(0, 30), min_size=7, max_size=7).filter(any), slot_ms=st.sampled_from([1, 2, 5])
)
def test_slots_hold_all_of_a_tick(times: list[int], slot_ms: int) -> None:
    """GIVEN a tick's times THEN its slots, added up, give each state's time but for less than a slot."""
    length = sum(times) * slot_ms
    a, b, c, d, e, f, g = (time * slot_ms for time in times)
    spent: StateTimes = (a, b, c, d, e, f, g)
    view = window((0, length, spent))
    row = fold(view, slot_ms * MS, 0, length // slot_ms).rows[LANE.key]
    assert len(row) * slot_ms == length
    for state, time in enumerate(spent):
        assert abs(row.count(state) * slot_ms - time) < max(slot_ms, 1)


@settings(max_examples=15, deadline=None)
@given(looks=st.lists(st.tuples(st.integers(0, 2900), st.integers(1, 600)), min_size=2, max_size=6))
def test_windows_that_are_kept_are_those_of_the_recording(
    reader: RecordingReader, looks: list[tuple[int, int]]
) -> None:
    recent = RecentWindows(reader, reader.session().tick_ns)
    for start, length in looks:
        span = start * MS, (start + length) * MS
        assert recent.window(*span) == reader.window(*span)
        later = start * MS + length * MS // 2, span[1]
        ticks, known_ns = recent.ticks(*later)
        assert ticks == reader.window(*later).ticks
        assert known_ns >= min(span[1], reader.head_ns())


@settings(max_examples=15, deadline=None)
@given(
    looks=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 90)), min_size=1, max_size=8),
    slot_ms=st.sampled_from([1, 5, 25, 100]),
)
def test_a_timeline_filled_in_any_order_is_one_made_at_once(
    reader: RecordingReader, looks: list[tuple[int, int]], slot_ms: int
) -> None:
    head_ns = reader.head_ns()
    whole = fold(reader.window(0, head_ns), slot_ms * MS, 0, head_ns // (slot_ms * MS))
    kept = Timeline(slot_ms * MS)
    for first, count in looks:
        while (span := kept.missing(first, first + count, head_ns)) is not None:
            begin, end = span
            margin = 50 * MS
            view = reader.window(begin * slot_ms * MS - margin, end * slot_ms * MS + margin)
            kept.put(fold(view, slot_ms * MS, begin, end - begin), head_ns)
        for lane in reader.lanes():
            row = kept.row(lane, 5098, first, count)
            at_once = whole.rows.get(lane.key) or whole.base
            expected = at_once[first : first + count]
            assert row == expected + bytes([NO_DATA]) * (count - len(expected))
        kept.trim(first - 100)

"""A row is a strip that is quicker to make and to write: what comes of it is the same."""

from __future__ import annotations

import gc
import io

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.views.render import row as row_module
from gilscope.views.render.row import KEPT_MOST, Row

SEGMENTS = [
    Segment("▶ ", Style(color="#f0e442", bold=True)),
    Segment("cpu-0  ", Style(bgcolor="#101010")),
    Segment("plain "),
    Segment("漢字", Style(color="red", underline=True)),
]
WIDTH = 19


def console(colours: str) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=colours)  # type: ignore[arg-type]


@pytest.fixture(params=[True, False], ids=["lazy", "as any strip"])
def row(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Row:
    monkeypatch.setattr(row_module, "LAZY", request.param)
    return Row(list(SEGMENTS), WIDTH)


def test_textual_still_has_the_names_that_make_rows_quick() -> None:
    assert row_module.LAZY


@pytest.mark.parametrize("colours", ["truecolor", "256", "standard"])
def test_it_is_written_as_a_strip_is(row: Row, colours: str) -> None:
    on = console(colours)
    assert row.render(on) == row.render(on) == Strip(SEGMENTS, WIDTH).render(on)


def test_pieces_that_are_forgotten_are_written_right_again() -> None:
    on = console("truecolor")
    for number in range(KEPT_MOST + 10):
        segments = [Segment(str(number), SEGMENTS[0].style)]
        assert Row(segments, 5).render(on) == Strip(segments).render(on)


def test_it_does_all_that_a_strip_does(row: Row) -> None:
    strip = Strip(SEGMENTS, WIDTH)
    assert row == strip
    assert (row.text, row.cell_length, row.cell_count) == (strip.text, strip.cell_length, strip.cell_count)
    assert row.crop(2, 9) == strip.crop(2, 9)
    assert row.divide([3, 12, WIDTH]) == strip.divide([3, 12, WIDTH])
    assert row.divide([WIDTH]) == [strip]
    assert row.simplify() == strip.simplify()
    assert Strip.join([row, row]) == Strip.join([strip, strip])
    assert row.adjust_cell_length(30) == strip.adjust_cell_length(30)
    with pytest.raises(AttributeError):
        row.nothing  # noqa: B018 - asking is the test


def test_it_goes_without_the_collector() -> None:
    def left_by(kind: type[Strip]) -> int:
        gc.collect()
        for _ in range(50):
            row = kind(list(SEGMENTS), WIDTH)
            row.divide([WIDTH])
            row.render(console("truecolor"))
        del row
        return gc.collect()

    # Each strip is a ring, of itself and its caches.
    assert left_by(Strip) >= 50 > left_by(Row)

"""Cores: a history each where there is room, a patch each where there is not, a list on the whole screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from gilscope.sources.scripted import Script
from gilscope.views.present import CoreRow
from gilscope.views.render.cores import FADE_CELLS, lines_to_scroll, render_cores, warmth
from gilscope.views.render.palette import Palette
from tests.views.conftest import ready, record, replay, settled

COLOURS = Palette(Style(color="#e0e0e0", bgcolor="#101010"))
MONO = Palette(colours=False)


def cores(count: int, *, busy: int = 8) -> list[CoreRow]:
    """The first `busy` run the target."""
    return [
        CoreRow(n, 1.0, f"cpu-{n}", ((1.0, 1.0),) * 20)
        if n < busy
        else CoreRow(n, 0.0, "", ((0.0, 0.0),) * 20)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("loads", "warm"),
    [([1], 1.0), ([1, 0], 0.8), ([1, 0, 0, 0, 0], 0.2), ([1, 0, 0, 0, 0, 0], 0.0), ([0.5, 0.9], 0.9)],
)
def test_a_core_cools_within_a_second(loads: list[float], warm: float) -> None:
    assert warmth([(load, load) for load in loads]) == pytest.approx(warm)


def test_what_was_not_read_is_not_cold() -> None:
    assert warmth([None] * FADE_CELLS) is None
    assert warmth([]) is None
    unread = [CoreRow(n, None, "", (None,) * 20) for n in range(256)]
    assert "?" in render_cores(unread, 60, 4, COLOURS)[0].text


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 256),
    width=st.integers(20, 400),
    height=st.integers(1, 110),
    top=st.none() | st.integers(0, 300),
)
def test_it_fills_its_place(count: int, width: int, height: int, top: int | None) -> None:
    for palette in (COLOURS, MONO):
        strips = render_cores(cores(count), width, height, palette, top=top)
        assert len(strips) == height
        assert all(cell_len(strip.text) == width for strip in strips)


def test_patches_tell_by_colour_or_by_glyph() -> None:
    first = render_cores(cores(256), 90, 5, COLOURS)[0]
    segments = [segment for segment in first if "█" in segment.text]
    assert [segment.text for segment in segments] == ["█" * 8, "█" * 48]
    assert segments[0].style != segments[1].style
    assert render_cores(cores(256), 130, 5, COLOURS)[0].text.count("█▌") == 56, "wide enough for gaps"
    assert render_cores(cores(256), 90, 5, MONO)[0].text.startswith("  0  " + "█" * 8 + "▁" * 48)


def test_each_core_is_once_in_the_list() -> None:
    width, height = 120, 34
    lines = lines_to_scroll(256, width, height)
    assert lines > height
    seen = []
    for top in range(0, lines, height):
        for strip in render_cores(cores(256, busy=256), width, height, COLOURS, top=top):
            seen += [int(word[4:]) for word in strip.text.split() if word.startswith("cpu-")]
    assert set(seen) == set(range(256))


async def test_the_list_scrolls(tmp_path: Path) -> None:
    path = tmp_path / "many.gilscope"
    record(path, Script(seconds=1, cores=256)).close()
    app = replay(path)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", "3")
        await settled(pilot, app)
        panel = app.dashboard.cores
        before = [strip.text for strip in panel._strips]
        await pilot.press("pagedown", "down")
        assert panel.core == 10
        assert panel.top == 0, "it is in sight"
        assert "core 10" in str(panel.border_subtitle)
        for _ in range(25):
            await pilot.press("pagedown")
        assert panel.core == 255
        assert panel.top == lines_to_scroll(256, *panel.content_size) - panel.content_size.height
        assert [strip.text for strip in panel._strips] != before
        for _ in range(26):
            await pilot.press("pageup")
        assert panel.top == 0
        assert [strip.text for strip in panel._strips] == before

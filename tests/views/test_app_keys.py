"""Every key of the dashboard, and the mouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilscope.clock import FakeClock
from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.sources.scripted import Script
from gilscope.views.playback import Mode
from gilscope.views.screens.help import HelpScreen
from tests.views.conftest import ready, record, replay, settled, text_of, viewing, wait

S = NS_PER_S


@pytest.mark.parametrize(
    ("keys", "position_ms"),
    [
        (["home"], 0),
        (["f"], 4000),
        (["end"], 4000),
        (["f", "left"], 3995),
        (["f", "left", "left", "right"], 3995),
        (["f", "shift+left"], 3950),
        (["f", "ctrl+left", "ctrl+right"], 4000),
        (["f", "[", "["], 2000),
        (["f", "{", "]"], 1000),
        (["home", "}"], 4000),
    ],
    ids=str,
)
async def test_keys_that_move(finished: Path, keys: list[str], position_ms: int) -> None:
    app = replay(finished)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*keys)
        assert viewing(app).playback.position_ns == position_ms * NS_PER_MS


async def test_space_pauses_and_plays(finished: Path) -> None:
    clock = FakeClock()
    app = replay(finished, clock)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert viewing(app).playback.mode is Mode.PLAYING
        clock.advance(S)
        await wait(pilot, lambda: viewing(app).playback.position_ns == S)
        await pilot.press("space")
        clock.advance(S)
        await settled(pilot, app)
        assert viewing(app).playback.position_ns == S
        assert "‖ PAUSED 00:01.0" in text_of(app, "header")
        await pilot.press("space")
        assert viewing(app).playback.mode is Mode.PLAYING


async def test_plus_minus_zoom_and_s_slows(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        lengths = []
        for key in ("+", "=", "-", "-", "-"):
            await pilot.press(key)
            lengths.append(viewing(app).cell_ns // NS_PER_MS)
        assert lengths == [2, 1, 2, 5, 10]
        speeds = []
        for _ in range(4):
            await pilot.press("s")
            speeds.append(viewing(app).playback.speed)
        assert speeds == [0.1, 0.02, 0.005, 1.0]


async def test_tab_focuses_enter_fills_the_screen_escape_returns(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        seen = []
        for _ in range(5):
            await pilot.press("tab")
            assert app.focused is not None
            seen.append(app.focused.id)
        assert seen == ["gil", "lanes", "cores", "verdict", "output"]
        await pilot.press("enter")
        await wait(pilot, lambda: app.dashboard.output.content_size.height == 30)
        assert not app.dashboard.lanes.display
        await pilot.press("escape")
        await wait(
            pilot, lambda: app.dashboard.lanes.display and app.dashboard.output.content_size.height < 20
        )


async def test_lanes_scroll_and_fold(tmp_path: Path) -> None:
    path = tmp_path / "many.gilscope"
    record(path, Script(seconds=1, processes=2, idle=2000)).close()
    app = replay(path)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", "tab", "tab", *["pagedown"] * 3)
        assert app.dashboard.lanes.selected == 30
        assert app.dashboard.lanes.top > 0
        await pilot.press("x")
        await settled(pilot, app)
        assert "▸ pid 5098" in text_of(app, "lanes")


async def test_output_scrolls_back(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", *["tab"] * 5, "up", "up")
        await settled(pilot, app)
        assert "fib(27)" not in text_of(app, "output")
        assert "fib(25)" in text_of(app, "output")


async def test_a_click_in_the_timeline_goes_to_that_moment(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await settled(pilot, app)
        await pilot.click("#lanes", offset=(60, 2))
        await wait(pilot, lambda: viewing(app).playback.position_ns < 4 * S)
        first = viewing(app).edge - viewing(app).columns
        columns = app.dashboard.lanes.columns(viewing(app).panels().rows)
        assert viewing(app).cursor_cell - first == 60 - 2 - columns.before_cells


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_lists_every_state(finished: Path, key: str) -> None:
    app = replay(finished)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(key)
        await wait(pilot, lambda: isinstance(app.screen, HelpScreen))
        shown = app.screen._text().plain  # type: ignore[attr-defined]
        assert "holding" in shown
        assert "Slow motion" in shown
        await pilot.press("escape")
        await wait(pilot, lambda: app.screen is app.dashboard)


async def test_the_palette_offers_the_same_actions(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Follow the newest moment", "Slow motion", "Quit", "Theme"} <= titles

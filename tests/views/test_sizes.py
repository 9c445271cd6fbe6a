"""Every screen at every size: something that can be read, or a line that says what is needed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.geometry import Size

from gilscope.cli.common import figures_until
from gilscope.views.app import GilscopeApp
from gilscope.views.floor import FLOOR, too_small
from gilscope.views.screens.dialogs import InputScreen, MarksScreen
from gilscope.views.screens.functions import FunctionsScreen
from gilscope.views.screens.help import HelpScreen
from gilscope.views.screens.lesson import LessonDashboard
from gilscope.views.screens.tables import TableScreen
from gilscope.views.standing import Palette
from gilscope.views.widgets.panel import Panel
from gilscope.views.widgets.small import Small
from tests.views.conftest import ready, replay, wait
from tests.views.test_compare_app import A, B, app_of
from tests.views.test_flame import FLAMES
from tests.views.test_lesson import TEXT
from tests.views.test_transport import path  # noqa: F401 - a fixture

SIZES = [
    (60, 20), (61, 20), (75, 21), (76, 22), (80, 24), (90, 29), (109, 30), (110, 31), (120, 36), (200, 60),
    (400, 120), (400, 20), (60, 120),
]  # fmt: skip
FEW = [(60, 20), (80, 24), (110, 31), (200, 60)]
SMALL = [(59, 20), (60, 19), (40, 10), (1, 1)]
SCREENS: dict[str, type[Any] | None] = {
    "": None,
    "2": None,
    "6": TableScreen,
    "7": TableScreen,
    "8": FunctionsScreen,
    "M": MarksScreen,
    "m": InputScreen,
    "question_mark": HelpScreen,
}


def shown(app: App[Any]) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def fits(app: App[Any], width: int, height: int) -> None:
    """The picture is as large as the terminal, and each panel has lines of its own size."""
    lines = shown(app)
    assert len(lines) == height
    assert any(line.strip() for line in lines)
    for panel in app.screen.query(Panel):
        if panel.display and panel.content_size.width and panel._strips:
            assert {strip.cell_length for strip in panel._strips} == {panel.content_size.width}, panel
            assert panel.region.right <= width


@pytest.fixture
def app(path: Path) -> GilscopeApp:  # noqa: F811
    found = replay(path)
    figures: list[Any] = []

    def summary_of(reader: Any, _at_ns: int) -> Any:
        if not figures:
            figures.append(figures_until(reader, reader.head_ns()))
        return figures[0]

    found.summary_of, found.flames_of = summary_of, lambda _reader, _end: FLAMES
    return found


async def at_sizes(
    pilot: Any, app: App[Any], drawn: Callable[[], bool], sizes: Sequence[tuple[int, int]] = FEW
) -> None:
    for width, height in sizes:
        await pilot.resize_terminal(width, height)
        # The screen has its size before what is on it is laid out.
        await wait(pilot, lambda: len(shown(app)) == height and drawn())  # noqa: B023
        await pilot.pause(0)
        fits(app, width, height)


@pytest.mark.parametrize("key", SCREENS)
async def test_screens_over_the_dashboard(app: GilscopeApp, key: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        app.dashboard.jump_to(2_000_000_000)
        if key:
            await pilot.press(key)
            screen = SCREENS[key]
            await wait(pilot, lambda: screen is None or isinstance(app.screen, screen))

        def drawn() -> bool:
            app.dashboard.frame(0)
            return not app.dashboard._dirty

        await at_sizes(pilot, app, drawn, FEW if key else SIZES)


async def test_a_lesson_and_a_comparison(app: GilscopeApp, tmp_path: Path) -> None:
    app.dashboard = LessonDashboard("x", live=False, text=TEXT, step=lambda _by: None)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await at_sizes(pilot, app, lambda: not app.dashboard._dirty)
    compare = app_of(tmp_path, A, B)
    async with compare.run_test(size=(100, 30)) as pilot:
        screen = compare.comparison
        await at_sizes(pilot, compare, lambda: not screen.pending and not screen._asked)


@pytest.mark.parametrize("size", [Size(1, 1), Size(0, 0), Size(29, 7), Size(4, 200), Size(200, 1)])
def test_below_the_floor_nothing_is_written_beyond_the_terminal(size: Size) -> None:
    words = [segment.text for segment in too_small(size).segments if not segment.control]
    assert len(words) <= size.height
    assert all(len(word) <= size.width for word in words)
    assert "\n" not in "".join(words)


def test_textual_still_has_what_the_floor_is_built_on() -> None:
    """Private names: a Textual without them would draw a terminal below the floor as any other."""
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
    assert "_batch_count" in vars(GilscopeApp(Path("x"), control=None, title=""))


async def test_what_is_too_small_says_so(app: GilscopeApp, tmp_path: Path) -> None:
    async with app.run_test(size=(59, 20)) as pilot:
        await ready(pilot, app)
        assert "gilscope needs 60 × 20" in "\n".join(shown(app))
        for width, height in SMALL:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert app.screen.query_one(Small).display
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert not app.screen.query_one(Small).display
        assert "Lanes" in "\n".join(shown(app))
        await pilot.press("ctrl+p")
        await wait(pilot, lambda: isinstance(app.screen, Palette))
        for width, height in ((1, 1), (2, 40), (0, 0), (200, 1), (100, 30)):
            await pilot.resize_terminal(width, height)
            assert app.size == (max(width, FLOOR.width), max(height, FLOOR.height))
        await wait(pilot, lambda: len(shown(app)) == 30)
        await pilot.press("escape")
        await wait(pilot, lambda: app.screen is app.dashboard)
        await pilot.resize_terminal(20, 5)
        await pilot.press("q")
        assert app._exit
    compare = app_of(tmp_path, A)
    async with compare.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        assert "This terminal has 40 × 20" in "\n".join(shown(compare))

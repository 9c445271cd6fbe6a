"""The palette has every key of every screen; help and footer begin with what has the focus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App
from textual.command import CommandList
from textual.screen import Screen
from textual.widgets import Input

from gilscope.model import NS_PER_S
from gilscope.sources.scripted import Script
from gilscope.views.app import GilscopeApp
from gilscope.views.commands import commands
from gilscope.views.compare_app import CompareApp
from gilscope.views.helping import ABOUT
from gilscope.views.keymap import declared, keys_of, name_of
from gilscope.views.screens.dialogs import MarksScreen, QuitScreen
from gilscope.views.screens.functions import FunctionsScreen
from gilscope.views.screens.help import HelpScreen
from gilscope.views.screens.tables import TableScreen
from tests.views.conftest import ready, viewing, wait
from tests.views.test_compare_app import app_of
from tests.views.test_every_key import anew, app_on, path  # noqa: F401 - a fixture

S = NS_PER_S


# --- the palette ---


def all_rows(app: App[Any], screen: Screen[Any]) -> set[str]:
    """The ids of all keys of a screen, its panels and the app."""
    things = [app, screen, *(widget for widget in screen.query("*") if widget.display and widget.can_focus)]
    return {str(row.id) for thing in things for row in declared(thing)}


def offered(app: App[Any]) -> set[str]:
    return {str(command.binding.id) for command in commands(app, app.screen)}


async def test_the_palette_has_every_key_of_every_screen(path: Path, tmp_path: Path) -> None:  # noqa: F811
    app = app_on(path)
    seen = set()
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        for key in ("", "6", "7", "8", "M", "m", "question_mark"):
            await anew(pilot, app, [])
            if key:
                await pilot.press(key)
                await wait(pilot, lambda: app.screen is not app.dashboard)
            # What only the app has beside the same of the screen need not stand there twice.
            assert all_rows(app, app.screen) - {"app.quit"} <= offered(app), key
            for command in commands(app, app.screen):
                assert command.title.strip()
                assert keys_of(command.binding) in command.help
            seen.add(type(app.screen).__name__)
        titles = {command.title: command.help for command in app.get_system_commands(app.dashboard)}
        assert len(titles) == len(list(app.get_system_commands(app.dashboard))), "no two have the same name"
        assert titles["Slow motion"] == "key s · 0.1, 0.02, 0.005, 1 ×"
        assert titles["Lanes: The lane below"] == "key ↓ j"
    assert len(seen) == 6
    compare = app_of(tmp_path, Script(seconds=0.3), Script(seconds=0.3))
    async with compare.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert all_rows(compare, compare.comparison) - {"app.quit"} <= offered(compare)


async def test_a_command_runs_where_its_key_would(path: Path) -> None:  # noqa: F811
    app = app_on(path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await anew(pilot, app, [])
        await pilot.press("ctrl+p")
        await pilot.press(*"lane below")
        await wait(pilot, lambda: app.screen.query_one(CommandList).option_count == 1)
        await pilot.press("enter")
        await wait(pilot, lambda: app.dashboard.lanes.selected == 1)
        assert app.dashboard.focused is app.dashboard.lanes
        await pilot.press("8")
        await wait(pilot, lambda: isinstance(app.screen, FunctionsScreen))
        command = next(one for one in app.get_system_commands(app.screen) if one.title == "Close")
        await command.callback()
        await wait(pilot, lambda: app.screen is app.dashboard)


# --- help and footer ---


async def test_a_palette_that_closes_searches_no_more(path: Path) -> None:  # noqa: F811
    app = app_on(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("ctrl+p")
        palette = app.screen
        await wait(pilot, lambda: bool(palette.query(CommandList)))
        searches: list[str] = []
        palette._gather_commands = searches.append  # type: ignore[attr-defined]
        typed = Input.Changed(palette.query_one(Input), "a")
        palette.dismiss()
        await palette._dispatch_message(typed)  # it was on its way
        await wait(pilot, lambda: app.screen is app.dashboard)
        assert not searches


async def test_help_begins_with_what_has_the_focus(path: Path) -> None:  # noqa: F811
    app = app_on(path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        for panel in ("gil", "lanes", "cores", "verdict", "output"):
            app.dashboard.query_one(f"#{panel}").focus()
            await pilot.press("question_mark")
            await wait(pilot, lambda: isinstance(app.screen, HelpScreen))
            shown = app.screen._text().plain  # type: ignore[attr-defined]
            assert shown.startswith(f"{ABOUT[panel].title}\n  {ABOUT[panel].what}\n")
            for row in declared(app.dashboard.query_one(f"#{panel}")):
                assert name_of(row) in shown
            await pilot.press("escape")
            await wait(pilot, lambda: app.screen is app.dashboard)
        for key, about in (("6", "threads"), ("7", "processes"), ("8", "flame")):
            await pilot.press(key)
            await wait(pilot, lambda: app.screen is not app.dashboard)
            await pilot.press("question_mark")
            await wait(pilot, lambda: isinstance(app.screen, HelpScreen))
            assert app.screen._text().plain.startswith(f"{ABOUT[about].title}\n")  # type: ignore[attr-defined]
            await pilot.press("escape", "escape")
            await wait(pilot, lambda: app.screen is app.dashboard)


async def test_the_footer_fits_the_focused_panel(path: Path) -> None:  # noqa: F811
    app = app_on(path)
    async with app.run_test(size=(160, 40)) as pilot:
        await ready(pilot, app)
        words = {}
        for panel in ("", "gil", "lanes", "cores", "output"):
            app.dashboard.set_focus(app.dashboard.query_one(f"#{panel}") if panel else None)
            await pilot.pause()
            words[panel] = [hint.word for hint in app.dashboard.keys.hints]
        assert words["lanes"][:2] == ["select", "fold"]
        assert words["cores"][0] == "core"
        assert words["output"][0] == "scroll"
        assert "copy" in words["gil"]
        assert "copy" not in words[""]
        app.dashboard.show_full("lanes")
        await pilot.pause()
        assert "all panels" in [hint.word for hint in app.dashboard.keys.hints]


async def test_all_keys_of_a_row_do_the_same(path: Path) -> None:  # noqa: F811
    app = app_on(path)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        bound: Any
        for thing in (app.dashboard, app.dashboard.lanes, app.dashboard.cores, app.dashboard.output):
            for row in declared(thing):
                for key in row.key.split(","):
                    (bound,) = thing._bindings.get_bindings_for_key(key)
                    assert bound.action == row.action, key
        await anew(pilot, app, [])
        for key, keys in (("h", "left"), ("l", "right"), ("g", "home"), ("G", "end")):
            places = []
            for one in (key, keys):
                await anew(pilot, app, [one])
                places.append(viewing(app).playback.position_ns)
            assert places[0] == places[1] != 2 * S


def test_no_key_twice_on_a_screen() -> None:
    from gilscope.views.screens import compare_keys, keys

    screens: list[Any] = [
        keys,
        compare_keys,
        TableScreen,
        FunctionsScreen,
        HelpScreen,
        MarksScreen,
        QuitScreen,
    ]
    for screen in screens:
        names = [key for row in screen.BINDINGS for key in row.key.split(",")]
        assert len(names) == len(set(names)), screen
    assert CompareApp.BINDINGS == GilscopeApp.BINDINGS

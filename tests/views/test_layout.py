"""Panels that the user arranges: heights, and what keys and the settings' screen do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import OptionList

from gilscope.errors import UsageError
from gilscope.settings import DEFAULTS, PANELS, Layout, Settings
from gilscope.views.app import GilscopeApp
from gilscope.views.layout import moved, plan, resized, toggled, without
from gilscope.views.scope_app import Look
from gilscope.views.screens.settings import SettingsScreen, beside
from tests.views.conftest import ready, replay, settled, text_of, viewing, wait

layouts = st.builds(
    Layout,
    panels=st.lists(st.sampled_from(PANELS), unique=True, min_size=1).map(tuple),
    rows=st.dictionaries(st.sampled_from(PANELS), st.integers(-100, 100)),
)


@given(
    layouts, st.integers(20, 300), st.integers(3, 120), st.integers(0, 70), st.integers(1, 500),
    st.integers(1, 256),
)  # fmt: skip
def test_any_layout_has_the_whole_height(
    layout: Layout, width: int, height: int, gils: int, lanes: int, cores: int
) -> None:
    shared = plan(width, height, gils=gils, lanes=lanes, cores=cores, layout=layout)
    shown = [panel for row in shared.rows for panel in row.panels]
    assert sum(row.height for row in shared.rows) == height - 2 - shared.scrub
    assert [panel for panel in layout.panels if panel in shown] == shown
    assert len(shared.rows) == 1 or all(row.height >= 3 for row in shared.rows)
    if height >= 30 and width >= 76:
        assert shown == list(layout.panels)


@given(layouts, st.sampled_from(PANELS), st.sampled_from([-1, 1]), st.integers(-9, 9))
def test_what_is_changed_is_a_layout_again(layout: Layout, panel: str, by: int, rows: int) -> None:
    for changed in (moved(layout, panel, by), toggled(layout, panel), resized(layout, panel, rows)):
        assert msgspec.convert(msgspec.to_builtins(changed), Layout) == changed
        assert changed.panels
        assert len(set(changed.panels)) == len(changed.panels)
    assert panel not in without(layout, panel).panels or layout.panels == (panel,)
    assert resized(resized(layout, panel, 1), panel, -1).rows.get(panel, 0) in (
        layout.rows.get(panel, 0), 99,
    )  # fmt: skip


def test_a_taller_panel_takes_rows_from_others() -> None:
    def heights(**rows: int) -> dict[str, int]:
        shared = plan(120, 36, gils=1, lanes=5, cores=2, layout=Layout(rows=rows))
        return {panel: shared.height_of(panel) for panel in PANELS}

    before = heights()
    assert heights(gil=3)["gil"] == before["gil"] + 3
    assert heights(lanes=-2)["lanes"] == before["lanes"] - 2
    assert heights(output=5)["output"] == before["output"] + 5
    assert heights(cores=4)["verdict"] == before["verdict"] + 4, "they share a row"
    assert heights()["info"] == 0


def test_cores_and_verdict_part_and_meet() -> None:
    def rows(*panels: str, width: int = 120) -> list[tuple[str, ...]]:
        shared = plan(width, 40, gils=1, lanes=5, cores=2, layout=Layout(panels=panels))
        return [row.panels for row in shared.rows]

    assert rows("cores", "verdict", "lanes") == [("cores", "verdict"), ("lanes",)]
    assert rows("verdict", "cores") == [("verdict", "cores")]
    assert rows("cores", "lanes", "verdict") == [("cores",), ("lanes",), ("verdict",)]
    assert rows("cores", "verdict", width=60) == [("verdict",)]
    assert moved(Layout(), "lanes", 1).panels == ("gil", "cores", "verdict", "lanes", "output")
    assert moved(Layout(), "output", -1).panels == ("gil", "lanes", "output", "cores", "verdict")


@pytest.mark.parametrize(("value", "by", "expected"), [(5, 1, 10), (60, 1, 60), (5, -1, 5), (7, 1, 10)])
def test_the_value_beside(value: int, by: int, expected: int) -> None:
    assert beside((5, 10, 60), value, by) == expected


# --- in the app ---


def look(app: GilscopeApp, settings: Settings = DEFAULTS) -> list[Settings]:
    """Have an app remember into a list."""
    remembered: list[Settings] = []
    app.put_look(Look(settings=settings, remember=remembered.append))
    return remembered


def order(app: GilscopeApp) -> list[str]:
    shown = [widget for widget in app.dashboard.grid.children if widget.display]
    return [str(widget.id) for widget in sorted(shown, key=lambda widget: (widget.region.y, widget.region.x))]


async def test_keys_arrange_the_focused_panel_and_it_is_remembered(finished: Path) -> None:
    app = replay(finished)
    remembered = look(app)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("shift+down")
        assert app.settings == DEFAULTS, "without a focused panel there is nothing to move"
        app.dashboard.gil.focus()
        await pilot.press("shift+down", "ctrl+down", "ctrl+down")
        await settled(pilot, app)
        assert order(app) == ["lanes", "gil", "cores", "verdict", "output"]
        assert app.settings.layout.rows == {"gil": 2}
        assert app.dashboard.gil.outer_size.height == 6
        await pilot.press(*["ctrl+up"] * 9)
        assert app.dashboard.gil.outer_size.height == 3
        await pilot.press("ctrl+down")
        await settled(pilot, app)
        assert app.dashboard.gil.outer_size.height == 4, "steps that could not be seen were not counted"
        await pilot.press("X")
        await settled(pilot, app)
        assert order(app) == ["lanes", "cores", "verdict", "output"]
    assert remembered[-1].layout.panels == ("lanes", "cores", "verdict", "output")


async def test_the_settings_screen(finished: Path) -> None:
    app = replay(finished)
    remembered = look(app)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("L")
        await wait(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("enter", "down", "shift+down", "right")
        assert app.settings.layout == Layout(
            panels=("cores", "verdict", "lanes", "output"), rows={"lanes": 1}
        )
        listed = app.screen.query_one(OptionList)
        listed.highlighted = 6
        await pilot.press("right")
        assert app.theme == app.settings.theme == "light"
        await pilot.press("left", "left")
        assert app.theme == "ansi-light", "from the first one round to the last"
        await pilot.press("right", "down", "right", "down", "left", "down", "space")
        assert (app.settings.cell_ms, app.settings.frame_rate, app.settings.fold) == (10, 20, True)
        assert app._timer is not None
        assert app._timer._interval == 1 / 20
        await pilot.press("r")
        assert app.settings == DEFAULTS
        await pilot.press("enter", "escape")
        await settled(pilot, app)
        assert order(app) == ["gil", "lanes", "cores", "verdict", "output"]
    assert remembered


async def test_settings_hold_from_the_start(finished: Path) -> None:
    app = replay(finished)
    settings = Settings(theme="high-contrast", cell_ms=20, fold=True, layout=Layout(panels=("info", "lanes")))
    look(app, settings)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        assert app.theme == "high-contrast"
        assert viewing(app).cell_ns == 20_000_000
        assert viewing(app).order.fold
        assert order(app) == ["info", "lanes"]
        assert app.dashboard.wants_quality


async def test_a_theme_for_this_once_is_not_remembered(finished: Path) -> None:
    app = replay(finished)
    remembered: list[Settings] = []
    app.put_look(Look(theme="light", remember=remembered.append))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        app.dashboard.gil.focus()
        await pilot.press("X")
        await settled(pilot, app)
        assert app.theme == "light"
    assert remembered == [msgspec.structs.replace(DEFAULTS, layout=without(Layout(), "gil"))]


async def test_a_theme_from_the_palette_is_remembered(finished: Path) -> None:
    app = replay(finished)
    remembered = look(app)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        app.theme = "nord"
        await settled(pilot, app)
        assert app.settings.theme == "nord"
    assert [settings.theme for settings in remembered] == ["nord"]


async def test_what_is_wrong_with_the_settings_is_said_and_stops_nothing(finished: Path) -> None:
    app = replay(finished)
    remembered: list[Settings] = []
    app.put_look(Look(problem="config.toml: theme: \x1b[2Jwrong.", remember=remembered.append))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot, app)
        (said,) = app._notifications
        assert "config.toml: theme: \ufffd[2Jwrong. The defaults hold" in said.message
        app.theme = "light"
        await settled(pilot, app)
        assert "cpu-0" in text_of(app, "lanes")
    assert remembered == []


async def test_a_theme_that_is_gone_is_said(finished: Path) -> None:
    app = replay(finished)
    app.put_look(Look(settings=Settings(theme="drak")))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot, app)
        assert app.theme == "dark"
        assert "Did you mean dark?" in next(iter(app._notifications)).message


async def test_two_quick_changes_of_the_theme_do_not_chase_each_other(finished: Path) -> None:
    """GIVEN the first change is told only after the second THEN the second stays."""
    app = replay(finished)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        told: list[str] = []
        app.theme_changed_signal.subscribe(app.dashboard, lambda theme: told.append(theme.name))
        for name in ("light", "high-contrast"):
            app.change(msgspec.structs.replace(app.settings, theme=name))
        await wait(pilot, lambda: len(told) >= 2)
        app.dashboard.redraw()
        await pilot.pause(0.2)
        assert told == ["light", "high-contrast"]
        assert app.theme == app.settings.theme == "high-contrast"


async def test_what_cannot_be_remembered_is_said_once(finished: Path) -> None:
    def refuse(_: Settings) -> None:
        raise UsageError("config.toml: cannot be written: No space left on device.")

    app = replay(finished)
    app.put_look(Look(remember=refuse))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot, app)
        app.theme = "light"
        await wait(pilot, lambda: len(app._notifications))
        assert "No space left" in next(iter(app._notifications)).message
        app.theme = "dark"
        await pilot.pause(0.6)
        assert len(app._notifications) == 1

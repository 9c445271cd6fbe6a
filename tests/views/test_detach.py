"""The app over a process that was there before it: it can only let go."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilscope.clock import FakeClock
from gilscope.sources.scripted import Script
from gilscope.views.app import GilscopeApp
from gilscope.views.screens.detach import DetachScreen
from tests.views.conftest import VERDICT, Control, ready, record, settled, text_of, wait


@pytest.fixture
def attached(tmp_path: Path) -> tuple[GilscopeApp, Control]:
    """A session that goes on."""
    path = tmp_path / "r.gilscope"
    record(path, Script(seconds=4, mode="attach"), ticks=40)
    control = Control()
    app = GilscopeApp(
        path, control=control, title="server.py", clock=FakeClock(), verdict_of=lambda _r, _at: VERDICT,
        attached=True,
    )  # fmt: skip
    return app, control


@pytest.mark.parametrize("quit_key", ["q", "ctrl+c", "ctrl+q"])
async def test_quitting_lets_go_and_offers_nothing_else(
    quit_key: str, attached: tuple[GilscopeApp, Control]
) -> None:
    app, control = attached
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press(quit_key)
        await wait(pilot, lambda: isinstance(app.screen, DetachScreen))
        # The keys of the other question, which would stop a target or leave it running, do nothing here.
        await pilot.press("s", "l")
        assert isinstance(app.screen, DetachScreen)
        await pilot.press("escape")
        await wait(pilot, lambda: app.screen is app.dashboard)
        await pilot.press(quit_key)
        await wait(pilot, lambda: isinstance(app.screen, DetachScreen))
        await pilot.press("d")
        await wait(pilot, lambda: not app.is_running)
    assert ("stop",) in control.told
    assert ("leave",) not in control.told


@pytest.mark.parametrize(("button", "ends"), [("stop", True), ("stay", False)])
async def test_the_buttons(button: str, attached: tuple[GilscopeApp, Control], *, ends: bool) -> None:
    app, control = attached
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("q")
        await wait(pilot, lambda: isinstance(app.screen, DetachScreen))
        await pilot.click(f"#{button}")
        await wait(pilot, lambda: not app.is_running if ends else app.screen is app.dashboard)
        assert (("stop",) in control.told) == ends


async def test_its_terminal_is_not_ours(attached: tuple[GilscopeApp, Control]) -> None:
    app, control = attached
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        viewing = app.dashboard.viewing
        assert viewing is not None
        assert viewing.session.attached
        await pilot.press("t")
        await settled(pilot, app)
        assert app.screen is app.dashboard
        app.dashboard.output.foreign = True
        app.dashboard.output.draw((), 0)
        assert "was there before gilscope" in text_of(app, "output")
    assert not [told for told in control.told if told[0] in ("size", "input")]

"""The app on a recording, in pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from gilscope.sources.scripted import Script
from tests.views.conftest import ready, record, replay, settled


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_dashboard(finished: Path, svg: SnapshotAssertion, size: tuple[int, int]) -> None:
    app = replay(finished)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await settled(pilot, app)
        assert app.export_screenshot() == svg


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5"])
async def test_panel(finished: Path, svg: SnapshotAssertion, key: str) -> None:
    app = replay(finished)
    async with app.run_test(size=(100, 20)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", key)
        await settled(pilot, app)
        assert app.export_screenshot() == svg


async def test_paused_in_the_middle(finished: Path, svg: SnapshotAssertion) -> None:
    app = replay(finished)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", "[", "left", "shift+left", "tab", "tab")
        await settled(pilot, app)
        assert app.export_screenshot() == svg


async def test_many_processes_and_cores(tmp_path: Path, svg: SnapshotAssertion) -> None:
    path = tmp_path / "many.gilscope"
    record(path, Script(seconds=2, processes=4, cores=64, idle=3)).close()
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await settled(pilot, app)
        assert app.export_screenshot() == svg


async def test_without_colours_the_glyphs_tell(
    finished: Path, svg: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = replay(finished)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await settled(pilot, app)
        assert app.export_screenshot() == svg

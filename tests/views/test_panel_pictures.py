"""Every panel, at three sizes and in two themes, in pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from textual.widgets import DataTable

from gilscope.cli.common import figures_until, flames_of, quality_of, verdict_of
from gilscope.clock import FakeClock
from gilscope.model import NS_PER_MS, Frame, Mark, Stall
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.screens.functions import FunctionsScreen
from tests.views.conftest import ready, viewing, wait

SIZES = ((80, 24), (120, 36), (200, 60))
THEMES = ("dark", "light")
PANELS: dict[str, tuple[str, ...]] = {
    "dashboard": (),
    "gil": ("1",),
    "lanes": ("2",),
    "lanes-picked": ("2", "down", "down", "asterisk", "o", "slash", "c", "p", "u", "enter"),
    "cores": ("3",),
    "verdict": ("4",),
    "output": ("5",),
    "threads": ("6",),
    "processes": ("7",),
    "functions": ("8",),
    "stalls": ("9",),
    "info": ("i",),
    "layout": ("L",),
}
"""Keys that lead to each."""
STALLS = tuple(
    Stall(
        gil=1, lane=lane, start_ns=at_ms * NS_PER_MS, end_ns=(at_ms + held_ms) * NS_PER_MS,
        waiters_mean=2.5, waiters_max=3,
        frames=(
            Frame(function="<module>", file="/x/fib.py", line=30),
            Frame(function="load", file="/x/fib.py", line=12),
            Frame(function="PyZlib_compress", file="/lib/zlib.so", line=0),
        )[: 3 if lane == 2 else 0],
    )
    for lane, at_ms, held_ms in ((2, 500, 240), (3, 1_700, 130))
)  # fmt: skip


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "all.gilscope"
    session = ScriptedSession(Script(seconds=3, processes=2, native=1, idle=2, cores=8))
    writer = RecordingWriter(path, session.session)
    write(session, writer)
    writer.put_stalls(STALLS)
    writer.put_marks([Mark(at_ns=1_000 * NS_PER_MS, text="here")])
    writer.close()
    return path


async def shown(pilot: Pilot[None], app: GilscopeApp, panel: str) -> None:
    """Wait until a panel has what it shows."""
    screen = app.screen
    if panel in ("threads", "processes", "stalls"):
        await wait(pilot, lambda: screen.query_one(DataTable).row_count)
    elif isinstance(screen, FunctionsScreen):
        await wait(pilot, lambda: screen.flame)
    elif panel == "info":
        await wait(pilot, lambda: app.dashboard.quality)
    await pilot.pause()
    app.dashboard.redraw()
    app.dashboard.frame(0)
    assert not viewing(app).more
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_panel(recording: Path, svg: SnapshotAssertion, size: tuple[int, int]) -> None:
    """One app for all: what differs is collected, so that one look shows all of it."""
    app = GilscopeApp(
        recording, control=None, title="fib.py", clock=FakeClock(), verdict_of=verdict_of,
        quality_of=quality_of, summary_of=figures_until, flames_of=flames_of, at_ns=2_600 * NS_PER_MS,
    )  # fmt: skip
    different = []
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        for panel, keys in PANELS.items():
            await pilot.press(*keys)
            for theme in THEMES:
                app.theme = theme
                await shown(pilot, app, panel)
                if svg(name=f"{panel}-{theme}") != app.export_screenshot(title=panel):
                    different.append(f"{panel} in {theme}")
            await back(pilot, app)
    assert not different


async def back(pilot: Pilot[None], app: GilscopeApp) -> None:
    """To the dashboard as it was."""
    if app.screen is not app.dashboard:
        await pilot.press("escape")
        await wait(pilot, lambda: app.screen is app.dashboard)
        return
    picked = bool(app.dashboard.lanes_words())
    if picked:
        await pilot.press("escape", "O", "asterisk")
    app.dashboard.lanes.selected = 0
    while app.dashboard.full or app.dashboard.focused is not None:
        await pilot.press("escape")

"""Every key of every screen and panel does something that can be seen.

The keys come from the screens' own tables, so none can be forgotten here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.keys import _character_to_key as character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import DataTable

from gilscope.cli.common import figures_until
from gilscope.clock import FakeClock
from gilscope.model import NS_PER_MS, NS_PER_S, Mark, Stall
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.keymap import declared
from gilscope.views.playback import Mode
from gilscope.views.screens.dialogs import InputScreen, MarksScreen, QuitScreen
from gilscope.views.screens.functions import FunctionsScreen
from gilscope.views.screens.help import HelpScreen
from gilscope.views.screens.lesson import LESSON_KEYS, LessonDashboard
from gilscope.views.screens.tables import TableScreen
from gilscope.views.transport import Unit
from tests.monkey import CHARACTERS
from tests.views.conftest import VERDICT, Control, ready, viewing, wait
from tests.views.test_compare_app import app_of
from tests.views.test_flame import FLAMES
from tests.views.test_lesson import TEXT

S, MS = NS_PER_S, NS_PER_MS
LONG = replace(TEXT, paragraphs=(("", "\n\n".join(["words " * 40] * 9)),))


def picture(app: App[Any]) -> object:
    """All that can be seen: letters, colours, messages; and what cannot: the clipboard, that it ended."""
    strips = app.screen._compositor.render_strips() if app.screen.is_running else []
    lines = [[(segment.text, segment.style) for segment in strip] for strip in strips]
    notes = [note.message for note in app._notifications]
    return app._exit, len(app.screen_stack), type(app.screen), lines, notes, app.clipboard


def send(app: App[Any], *keys: str) -> None:
    """Keys as the terminal sends them; unlike the pilot's `press` it does not wait until all is idle."""
    assert app._driver is not None
    for key in keys:
        character = _character(key)
        event = events.Key(character_to_key(key) if len(key) == 1 else key, character)
        event.set_sender(app)
        app._driver.send_message(event)


def _character(key: str) -> str | None:
    if len(key) == 1:
        return key
    return CHARACTERS.get(key)


async def still(pilot: Pilot[None], app: App[Any]) -> object:
    """The picture, once it stays the same."""
    before: object = None
    for _ in range(500):
        await pilot.pause(0.002)
        if isinstance(app, GilscopeApp) and app.dashboard.is_mounted and not app._exit:
            app.dashboard.frame(0)
        await pilot.pause(0)
        now = picture(app)
        if now == before:
            return now
        before = now
    pytest.fail("the picture does not come to rest")


async def changes(pilot: Pilot[None], app: App[Any], before: object, *, within_s: float = 5.0) -> bool:
    """Whether there is another picture soon."""
    deadline = asyncio.get_running_loop().time() + within_s
    while asyncio.get_running_loop().time() < deadline:
        if app._exit or picture(app) != before:
            return True
        if isinstance(app, GilscopeApp) and app.dashboard.is_mounted:
            app.dashboard.frame(0)
        await pilot.pause(0.002)
    return False


# --- apps ---


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four seconds of two processes, with stalls and marks, over."""
    session = ScriptedSession(Script(seconds=4, cpu=4, idle=20))
    writer = RecordingWriter(tmp_path / "x.gilscope", session.session)
    write(session, writer)
    reader = RecordingReader(writer.path, live=True)
    (process,) = reader.processes()
    reader.close()
    starts = (700 * MS, 3 * S)
    writer.put_processes(
        [replace(process, key=9 + n, pid=90 + n, start_ns=at) for n, at in enumerate(starts)]
    )
    writer.put_stalls(
        Stall(gil=1, lane=2, start_ns=at, end_ns=at + 150 * MS, waiters_mean=1.0, waiters_max=2, frames=())
        for at in (500 * MS, 2500 * MS)
    )
    writer.put_marks(
        [Mark(at_ns=1 * S, text="one"), Mark(at_ns=3 * S, text="two"), Mark(at_ns=3500 * MS, text="")]
    )
    writer.close()
    return writer.path


def app_on(path: Path, control: Control | None = None) -> GilscopeApp:
    figures: list[Any] = []

    def summary_of(reader: RecordingReader, _end_ns: int) -> Any:
        # All of it once: what the keys do to the table does not depend on the moment.
        if not figures:
            figures.append(figures_until(reader, reader.head_ns()))
        return figures[0]

    return GilscopeApp(
        path,
        control=control,
        title="fib.py",
        clock=FakeClock(),
        verdict_of=lambda _r, _at: VERDICT,
        summary_of=summary_of,
        flames_of=lambda _r, _at: FLAMES,
    )


async def anew(pilot: Pilot[None], app: GilscopeApp, keys: Sequence[str]) -> object:
    """The dashboard at two seconds, nothing chosen; then some keys. What it looks like."""
    while app.screen is not app.dashboard:
        app.pop_screen()
    view, dashboard = viewing(app), app.dashboard
    dashboard.show_full(None)
    dashboard.set_focus(None)
    view.playback.mode, view.playback.speed, view.unit = Mode.PAUSED, 1.0, Unit.TICK
    view.whole.select(None)
    view.whole.begin_ns = None
    dashboard.lanes.selected, dashboard.cores.core, dashboard.output.back = 0, None, 0
    view._set_cell(5 * MS)
    view.seek(2 * S)
    app.sought = ""
    dashboard.redraw()
    await pilot.pause(0)
    send(app, *keys)
    app.clear_notifications()
    app._clipboard = ""
    return await still(pilot, app)


DASHBOARD_BEFORE: dict[str, list[str]] = {
    "faster": ["space"],
    "slower": ["space"],
    "end-selection": ["left_parenthesis", "right"],
    "unselect": ["a"],
    "all": ["2"],
    "lanes.up": ["tab", "tab", "j", "j"],
    "lanes.page-up": ["tab", "tab", *["j"] * 12],
    "cores.down": ["tab"] * 3 + ["j"],
    "cores.page-down": ["tab"] * 3 + ["j"],
    "cores.up": ["tab"] * 3 + ["j", "j"],
    "cores.page-up": ["tab"] * 3 + ["j", "j"],
    "output.down": ["tab"] * 5 + ["k", "k"],
    "output.page-down": ["tab"] * 5 + ["k", "k"],
}
"""By id: keys that make a place where it has an effect."""
TABS = {"lanes": 2, "cores": 3, "output": 5}


def keys_before(row: Binding) -> list[str]:
    name = str(row.id)
    panel = name.partition(".")[0]
    return DASHBOARD_BEFORE.get(name, ["tab"] * TABS.get(panel, 0) if "." in name else [])


async def test_every_key_of_the_dashboard_and_its_panels(path: Path) -> None:
    app = app_on(path)
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await ready(pilot, app)
        dashboard = app.dashboard
        rows = [
            row for thing in (dashboard.lanes, dashboard.cores, dashboard.output) for row in declared(thing)
        ]
        rows += declared(dashboard)
        assert len(rows) > 60
        assert len({row.id for row in rows}) == len(rows)
        idle = []
        for row in rows:
            if row.id == "quit":
                continue
            before = await anew(pilot, app, keys_before(row))
            send(app, row.key.split(",")[0])
            if not await changes(pilot, app, before):
                idle.append(row.id)
        assert not idle
        # A key that is none changes nothing: the pictures above did not change by themselves.
        before = await anew(pilot, app, [])
        await pilot.press("f12")
        assert not await changes(pilot, app, before, within_s=0.3)
        await pilot.press("q")
        assert app._exit


@asynccontextmanager
async def on_screen(
    app: GilscopeApp, key: str, screen: type[Screen[Any]], *, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[Pilot[None], Callable[[], Any]]]:
    """The app, and what opens a fresh screen of that class."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)

        async def fresh() -> None:
            await anew(pilot, app, [])
            send(app, key)
            await wait(pilot, lambda: isinstance(app.screen, screen))
            await pilot.pause(0)

        yield pilot, fresh


async def every_key(
    app: GilscopeApp,
    key: str,
    screen: type[Screen[Any]],
    *,
    before: dict[str, list[str]] | None = None,
    filled: Callable[[Any], object] = lambda _screen: True,
) -> None:
    """Each key of a screen that another key opens."""
    async with on_screen(app, key, screen) as (pilot, fresh):
        idle = []
        await fresh()
        rows = [row for widget in app.screen.query("*") for row in declared(widget)] + declared(app.screen)
        assert rows
        for row in rows:
            await fresh()
            await wait(pilot, lambda: filled(app.screen))
            send(app, *(before or {}).get(str(row.id), []))
            app.clear_notifications()
            app._clipboard = ""
            shown = await still(pilot, app)
            send(app, row.key.split(",")[0])
            if not await changes(pilot, app, shown):
                idle.append(row.id)
        assert not idle


async def test_every_key_of_a_table(path: Path) -> None:
    down = ["down", "down"]
    before = {"table.before": down, "table.first": down, "table.page-up": down}
    await every_key(
        app_on(path),
        "6",
        TableScreen,
        before=before,
        filled=lambda screen: screen.query_one(DataTable).row_count > 3,
    )


async def test_every_key_of_the_functions(path: Path) -> None:
    inside = ["down", "down"]
    before = {
        "functions.left": [*inside, "right"],
        "functions.right": inside,
        "functions.up": inside,
        "functions.zoom": inside,
        "functions.out": [*inside, "enter"],
        "functions.whole": inside,
    }
    await every_key(app_on(path), "8", FunctionsScreen, before=before, filled=lambda screen: screen._rows)


async def test_every_key_of_marks_input_and_help(path: Path) -> None:
    first, last = ["home"], ["end"]
    before = {"marks.before": last, "marks.first": last, "marks.next": first, "marks.last": first}
    await every_key(app_on(path), "M", MarksScreen, before=before)
    await every_key(app_on(path), "m", InputScreen)
    end = ["end"]
    back = {"reading.up": end, "reading.page-up": end, "reading.top": end}
    await every_key(app_on(path), "question_mark", HelpScreen, before=back)


async def test_every_key_of_the_question_at_the_end(tmp_path: Path) -> None:
    session = ScriptedSession(Script(seconds=2))
    writer = RecordingWriter(tmp_path / "x.gilscope", session.session)
    write(session, writer, last=20)
    told: dict[str, list[tuple[object, ...]]] = {}
    for key in ("s", "l", "escape", "q", "left", "right"):
        control = Control()
        app = app_on(writer.path, control)
        async with app.run_test(size=(80, 24)) as pilot:
            await ready(pilot, app)
            await pilot.press("q")
            await wait(pilot, lambda: isinstance(app.screen, QuitScreen))  # noqa: B023
            focused = app.screen.focused
            await pilot.press(key)
            if key in ("left", "right"):
                assert app.screen.focused is not focused
            elif key in ("escape", "q"):
                await wait(pilot, lambda: app.screen is app.dashboard)  # noqa: B023
            else:
                await wait(pilot, lambda: app._exit)  # noqa: B023
        told[key] = [words for words in control.told if words[0] != "size"]
    assert {row.id for row in declared(QuitScreen())} == {
        "quit.stop", "quit.leave", "quit.stay", "quit.left", "quit.right",
    }  # fmt: skip
    assert told == {"s": [("stop",)], "l": [("leave",)], "escape": [], "q": [], "left": [], "right": []}
    writer.close()


async def test_every_key_of_a_lesson(path: Path) -> None:
    app = app_on(path)
    steps: list[int] = []
    app.dashboard = dashboard = LessonDashboard("x", live=False, text=LONG, step=steps.append)
    assert {row.id for row in declared(dashboard)} >= {row.id for row in LESSON_KEYS}
    async with app.run_test(size=(62, 20), notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f2", "f3")
        assert steps == [-1, 1]
        await pilot.press("f4")
        await wait(pilot, lambda: dashboard.focused is dashboard.lesson)
        assert dashboard.lesson.max_scroll_y > 1
        for row in declared(dashboard.lesson):
            ends = row.id in ("reading.down", "reading.bottom", "reading.page-down")
            dashboard.lesson.scroll_to(y=0 if ends else 99, animate=False)
            before = await still(pilot, app)
            send(app, row.key.split(",")[0])
            assert await changes(pilot, app, before), row.id


async def test_every_key_of_a_comparison(tmp_path: Path) -> None:
    app = app_of(tmp_path, *[Script(seconds=0.5, cpu=12)] * 7)
    before = {
        "compare.earlier": ["plus", "plus", "end"],
        "compare.earlier-5": ["plus", "plus", "end"],
        "compare.start": ["plus", "plus", "end"],
        "compare.later": ["plus", "plus", "home"],
        "compare.later-5": ["plus", "plus", "home"],
        "compare.end": ["plus", "plus", "home"],
        "compare.zoom-out": ["plus", "plus"],
        "compare.whole": ["plus"],
        "compare.lanes-back": ["down"],
        "compare.page-up": ["down"],
        "compare.run-back": ["tab"],
    }
    async with app.run_test(size=(80, 20), notifications=True) as pilot:
        screen = app.comparison
        idle = []
        for row in declared(screen):
            if row.id == "compare.quit":
                continue
            while app.screen is not screen:
                app.pop_screen()
            screen.runs.first, screen.opened = 0, None
            screen.axis.fit()
            for section in app.sections:
                section.top = 0
            screen._share(*app.size)
            app.clear_notifications()
            app._clipboard = ""
            for one in before.get(str(row.id), []):
                await wait(pilot, lambda: not screen.pending and not screen._asked)
                send(app, one)
                await pilot.pause(0)
            await wait(pilot, lambda: not screen.pending and not screen._asked)
            shown = await still(pilot, app)
            send(app, row.key.split(",")[0])
            if not await changes(pilot, app, shown):
                idle.append(row.id)
        assert not idle
        while app.screen is not screen:
            app.pop_screen()
        await pilot.press("q")
        assert app._exit

"""The mouse on every screen: clicks, double clicks, drags, the wheel; and what is copied."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import DataTable

from gilscope.cli.common import figures_until
from gilscope.model import NS_PER_MS, NS_PER_S, Output, Verdict
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.axis import Axis
from gilscope.views.copying import copy
from gilscope.views.present import CoreRow
from gilscope.views.render.cores import LEVELS, core_at, render_cores
from gilscope.views.render.palette import Palette
from gilscope.views.screens.functions import FunctionsScreen
from gilscope.views.screens.lesson import LessonDashboard
from gilscope.views.screens.tables import TableScreen
from tests.views.conftest import VERDICT, ready, record, replay, settled, text_of, viewing, wait
from tests.views.test_compare_app import A, B, app_of
from tests.views.test_compare_app import settled as compared
from tests.views.test_flame import FLAMES
from tests.views.test_lesson import TEXT
from tests.views.test_render import FORBIDDEN, HOSTILE
from tests.views.test_transport import MARKS, STALLS, path  # noqa: F401 - a fixture

S, MS = NS_PER_S, NS_PER_MS


async def wheel(
    pilot: Pilot[None], widget: Widget, x: int, y: int, steps: int, *, shift: bool = False, ctrl: bool = False
) -> None:
    """Turn the wheel over a place of a widget; downward is positive."""
    kind = events.MouseScrollDown if steps > 0 else events.MouseScrollUp
    for _ in range(abs(steps)):
        await pilot._post_mouse_events([kind], widget, (x, y), shift=shift, control=ctrl)


def cells_from(app: GilscopeApp) -> int:
    """The first column of the cells, borders counted."""
    return 2 + app.dashboard.lanes.columns(viewing(app).panels().rows).before_cells


async def test_the_wheel_zooms_where_the_pointer_is(path: Path) -> None:  # noqa: F811
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        view, lanes = viewing(app), app.dashboard.lanes
        app.dashboard.jump_to(2300 * MS)
        app.dashboard.jump_to(2 * S)
        await settled(pilot, app)
        column = view.cursor_cell - (view.edge - view.columns) - 5

        def under(cells: int) -> float:
            """The moment in the middle of that column."""
            return (view.edge - view.columns + cells + 0.5) * view.cell_ns

        before_ns, position_ns = under(column), view.playback.position_ns
        await wheel(pilot, lanes, cells_from(app) + column, 2, -1, ctrl=True)
        assert view.cell_ns == 2 * MS
        assert abs(under(column) - before_ns) <= view.cell_ns
        assert view.playback.position_ns == position_ns
        await wheel(pilot, lanes, cells_from(app) + column, 2, 1, ctrl=True)
        assert view.cell_ns == 5 * MS
        assert abs(under(column) - before_ns) <= view.cell_ns
        # Far in, the position is taken along, as it must be in sight.
        await wheel(pilot, lanes, cells_from(app) + 1, 2, -2, ctrl=True)
        assert view.edge - view.columns <= view.cursor_cell < view.edge
        assert view.playback.position_ns < position_ns
        # And with the shift key, or where all lanes are in sight, it scrubs.
        at = view.playback.position_ns
        await wheel(pilot, lanes, cells_from(app) + 1, 2, 1, shift=True)
        assert view.playback.position_ns == at + 2 * view.cell_ns


async def test_clicks_on_marks_and_stalls_go_right_there(path: Path) -> None:  # noqa: F811
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        app.dashboard.jump_to(2 * S)
        await settled(pilot, app)
        signs = app.dashboard.scrub._strips[-1].text
        await pilot.click("#scrub", offset=(signs.index("◆"), 1))
        await wait(pilot, lambda: viewing(app).playback.position_ns == MARKS[0].at_ns)
        await pilot.click("#scrub", offset=(signs.rindex("!"), 0))
        await wait(pilot, lambda: viewing(app).playback.position_ns == STALLS[1].start_ns + 1)


async def test_clicks_on_lanes_cores_lines_and_keys(path: Path) -> None:  # noqa: F811
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        app.dashboard.jump_to(2 * S)
        await settled(pilot, app)
        await pilot.click("#lanes", offset=(5, 3))
        assert app.dashboard.lanes.selected == 2
        assert viewing(app).playback.position_ns == 2 * S, "a click on a name goes nowhere"
        await pilot.click("#cores", offset=(4, 2))
        await wait(pilot, lambda: app.dashboard.cores.core == 1)
        assert "core 1: " in str(app.dashboard.cores.border_subtitle)
        await pilot.press("y")
        assert app.clipboard.startswith("core 1: ")
        await pilot.click("#output", offset=(14, 1))
        chosen = text_of(app, "output").splitlines()[0].split(maxsplit=1)[1].strip()
        await pilot.press("y")
        assert app.clipboard == chosen
        at = text_of(app, "keys").index("pause")
        await pilot.click("#keys", offset=(at, 0))
        await wait(pilot, lambda: "PAUSED" not in text_of(app, "header"))


async def test_two_clicks_fill_the_screen_and_two_more_bring_all_back(path: Path) -> None:  # noqa: F811
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        for panel in ("gil", "lanes", "cores", "verdict", "output"):
            await pilot.double_click(f"#{panel}", offset=(4, 1))
            await wait(pilot, lambda: app.dashboard.full == panel)  # noqa: B023
            await pilot.double_click(f"#{panel}", offset=(4, 1))
            await wait(pilot, lambda: app.dashboard.full is None)
            await settled(pilot, app)


async def test_a_click_on_its_mark_folds_a_process(tmp_path: Path) -> None:
    file = tmp_path / "two.gilscope"
    record(file, Script(seconds=1, processes=2)).close()
    app = replay(file)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        row = next(n for n, line in enumerate(text_of(app, "lanes").splitlines()) if line.startswith("▾"))
        await pilot.click("#lanes", offset=(2, row + 1))
        await wait(pilot, lambda: text_of(app, "lanes").splitlines()[row].startswith("▸"))


async def test_tables_and_flames(finished: Path) -> None:
    app = replay(finished)
    app.summary_of, app.flames_of = figures_until, lambda _reader, _end: FLAMES
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", "6")
        await wait(pilot, lambda: isinstance(app.screen, TableScreen))
        grid = app.screen.query_one(DataTable)
        await wait(pilot, lambda: grid.row_count > 2)
        head = str(grid.ordered_columns[1].label)
        await pilot.click(DataTable, offset=(grid.ordered_columns[0].get_render_width(grid) + 2, 0))
        await wait(pilot, lambda: str(grid.ordered_columns[1].label) != head)
        await wait(pilot, lambda: grid.row_count > 2)
        await pilot.click(DataTable, offset=(4, 2))
        await wait(pilot, lambda: grid.cursor_row == 1)
        await pilot.click("#table-keys", offset=(2, 0))
        await pilot.press("escape", "8")
        await wait(pilot, lambda: isinstance(app.screen, FunctionsScreen) and app.screen._rows)
        screen = app.screen
        assert isinstance(screen, FunctionsScreen)
        await wheel(pilot, screen.panel, 5, 2, 1)
        assert screen._selected == (0,)
        await wheel(pilot, screen.panel, 5, 2, -1, ctrl=True)
        assert screen._top == (0,)
        await pilot.press("y")
        assert app.clipboard.startswith("main  /a/b.py:7\n")
        at = screen.keys._strips[0].text.index("close")
        await pilot.click("#flame-keys", offset=(at, 0))
        await wait(pilot, lambda: app.screen is app.dashboard)


async def test_a_lesson_by_mouse(path: Path) -> None:  # noqa: F811
    app, steps = replay(path), list[int]()
    app.dashboard = dashboard = LessonDashboard("x", live=False, text=TEXT, step=steps.append)
    async with app.run_test(size=(150, 40)) as pilot:
        await ready(pilot, app)
        await pilot.click("#keys", offset=(dashboard.keys._strips[0].text.index("next lesson"), 0))
        await wait(pilot, lambda: steps == [1])


async def test_a_comparison_by_mouse(tmp_path: Path) -> None:
    app = app_of(tmp_path, A, B)
    async with app.run_test(size=(100, 30)) as pilot:
        await compared(pilot, app)
        axis, runs = app.comparison.axis, app.comparison.runs
        whole = (axis.first, axis.cell_ns)
        from_x = runs.gutter.left + 40
        await pilot.mouse_down(runs, offset=(from_x, 3))
        await pilot.hover(runs, offset=(from_x + 10, 3))
        await pilot.mouse_up(runs, offset=(from_x + 10, 3))
        await compared(pilot, app)
        assert axis.cell_ns < whole[1]
        await pilot.double_click(runs, offset=(from_x, 3))
        await compared(pilot, app)
        assert (axis.first, axis.cell_ns) == whole
        await pilot.press("y")
        assert "wall time" in app.clipboard


def test_an_axis_shows_what_was_dragged_over() -> None:
    axis = Axis(longest_ns=10 * S)
    axis.resize(100)
    axis.show(60, 50)
    assert axis.cell_ns == 20 * MS
    assert axis.start_ns <= 5 * S
    assert axis.start_ns + axis.columns * axis.cell_ns >= 6_100 * MS
    axis.fit()
    axis.show(0, 99)
    assert axis.whole


def test_every_core_is_where_it_is_drawn() -> None:
    for count in (1, 2, 3, 8, 64, 256):
        rows = [CoreRow(core, 0.5, "", ()) for core in range(count)]
        for width, height in ((40, 1), (40, 5), (56, 8), (100, 30), (20, 3)):
            drawn = render_cores(rows, width, height, Palette())
            assert len(drawn) == height
            found: dict[int, tuple[int, int]] = {}
            for y in range(height):
                for x in range(width):
                    row = core_at(rows, width, height, x, y)
                    if row is not None:
                        found.setdefault(row.core, (x, y))
            # Its number stands where it begins, or it is one glyph of a line that is full.
            for core, (x, y) in found.items():
                text = drawn[y].text[x:].split()[0]
                assert text == str(core) or text[0] in LEVELS, (count, width, height, core)
            assert len(found) == count or width * height < 4 * count


# --- copying ---


async def test_what_each_panel_copies(tmp_path: Path) -> None:
    session = ScriptedSession(Script(seconds=2))
    writer = RecordingWriter(tmp_path / "x.gilscope", session.session)
    write(session, writer)
    writer.put_output([Output(at_ns=2 * S, data=b"bad \x1b]52;c;AAAA\x07 \x1b[2J\xc2\x9b31m end\n")])
    writer.close()
    long = Verdict("gil-bound", "Head", tuple(f"evidence {n}" for n in range(40)), ("advice",))
    app = replay(writer.path)
    app.verdict_of = lambda _r, _at: long
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await settled(pilot, app)
        copied = {}
        for panel in ("", "gil", "lanes", "verdict", "output"):
            app.dashboard.set_focus(app.dashboard.query_one(f"#{panel}") if panel else None)
            await pilot.press("y")
            copied[panel] = app.clipboard
            (note,) = app._notifications
            assert note.message.startswith("Copied the ")
            assert not note.markup
        assert copied[""] == copied["lanes"]
        assert copied["lanes"].startswith("MainThread\theld ")
        assert copied["lanes"].count("\t") == 3
        assert copied["verdict"].splitlines() == ["Head", "advice", *(f"evidence {n}" for n in range(40))]
        assert "held" in copied["gil"]
        assert copied["output"].startswith("bad ")
        assert copied["output"].endswith(" end")
        assert not FORBIDDEN.search(copied["output"])
    assert VERDICT


async def test_nothing_that_a_terminal_obeys_is_copied(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test(notifications=True) as pilot:
        await ready(pilot, app)
        copy(app, "the row", f"{HOSTILE}\t{HOSTILE}\n{HOSTILE}")
        assert app.clipboard.count("\n") == 1 + 3 * HOSTILE.count("\n")
        assert app.clipboard.count("\t") == 1 + 3 * HOSTILE.count("\t")
        assert not FORBIDDEN.search(app.clipboard.replace("\t", "").replace("\n", ""))
        copy(app, "the row", "   \n ")
        assert not FORBIDDEN.search(app.clipboard.replace("\t", "").replace("\n", ""))
        await wait(pilot, lambda: any("nothing to copy" in note.message for note in app._notifications))

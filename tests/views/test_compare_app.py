"""The comparison's screen in a terminal of tests: every key, the wheel, bad recordings, snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual import events
from textual.pilot import Pilot

from gilscope.comparing import compare_recordings, shown
from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.sources.scripted import Script
from gilscope.views.compare_app import CompareApp
from gilscope.views.comparing import ComparedRun, ComparedTable
from gilscope.views.screens.help import HelpScreen
from gilscope.views.widgets.panel import Panel
from tests.terminal.tmux import not_whole
from tests.views.conftest import record, wait

S = NS_PER_S
A = Script(seconds=4, cpu=4, mode="threads")
B = Script(seconds=2.2, processes=4, cpu=1, io=0, mode="processes")
MANY = Script(seconds=3, cpu=20, idle=10)


def app_of(folder: Path, *scripts: Script) -> CompareApp:
    """The app as the command opens it."""
    files = []
    for number, script in enumerate(scripts):
        files.append(str(folder / f"{number}.gilscope"))
        record(Path(files[-1]), script).close()
    found = shown(compare_recordings(files))
    return CompareApp(
        [ComparedRun(recording=path, figures=figures) for path, figures in found.recordings],
        ComparedTable(labels=found.labels, rows=found.rows, advice=found.advice),
    )


@pytest.fixture
def two(tmp_path: Path) -> CompareApp:
    return app_of(tmp_path, A, B)


async def settled(pilot: Pilot[None], app: CompareApp) -> None:
    """Wait until all is read and drawn."""
    await pilot.pause()
    await wait(pilot, lambda: not app.comparison.pending and not app.comparison._asked, seconds=30)
    await pilot.pause()


async def press(pilot: Pilot[None], app: CompareApp, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot, app)


def text_of(app: CompareApp, panel: str = "runs") -> str:
    return "\n".join(strip.text for strip in app.comparison.query_one(f"#{panel}", Panel)._strips)


def screen_of(app: CompareApp) -> list[str]:
    """All that the terminal shows."""
    return ["".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()]


# --- pictures ---


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_two_runs(two: CompareApp, svg: SnapshotAssertion, size: tuple[int, int]) -> None:
    async with two.run_test(size=size) as pilot:
        await settled(pilot, two)
        assert two.export_screenshot() == svg


async def test_close_up_with_an_open_table(two: CompareApp, svg: SnapshotAssertion) -> None:
    async with two.run_test(size=(80, 24)) as pilot:
        await settled(pilot, two)
        await press(pilot, two, "t", "plus", "plus", "plus", "l")
        assert two.export_screenshot() == svg


async def test_without_colours(
    two: CompareApp, svg: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with CompareApp([one.run for one in two.sections], two.comparison.table).run_test(
        size=(80, 24)
    ) as pilot:
        app = pilot.app
        assert isinstance(app, CompareApp)
        await settled(pilot, app)
        assert app.export_screenshot() == svg


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30), (120, 36), (200, 60)], ids=str)
@pytest.mark.parametrize("keys", [[], ["t"]], ids=["as it opens", "t"])
async def test_no_border_is_broken(tmp_path: Path, size: tuple[int, int], keys: list[str]) -> None:
    app = app_of(tmp_path, A, B, MANY)
    async with app.run_test(size=size) as pilot:
        await settled(pilot, app)
        await press(pilot, app, *keys)
        lines = screen_of(app)
        assert len(lines) == size[1]
        assert not not_whole(lines, size[0])


async def test_another_size(two: CompareApp) -> None:
    async with two.run_test(size=(120, 36)) as pilot:
        await settled(pilot, two)
        await pilot.resize_terminal(80, 24)
        await settled(pilot, two)
        assert not not_whole(screen_of(two), 80)
        assert two.comparison.axis.columns == two.comparison.runs.columns.cells
        assert two.comparison.axis.end_ns == 4 * S


# --- what it says ---


async def test_each_run_has_its_title_its_lanes_and_its_end(two: CompareApp) -> None:
    async with two.run_test(size=(120, 36)) as pilot:
        await settled(pilot, two)
        lines = text_of(two).split("\n")
        first = next(line for line in lines if line.startswith("A threads"))
        assert "4.00 s · 1.00 × as fast" in first
        assert first.endswith("exit 0 ┐")
        second = next(line for line in lines if line.startswith("B processes"))
        assert "2.20 s · 1.82 × as fast" in second
        assert "4 processes" in second
        bar = next(line for line in lines if "│ exit 0" in line).index("│")
        columns = two.comparison.runs.columns
        assert (bar - columns.before_cells) / columns.cells == pytest.approx(2.2 / 4, abs=0.02)
        # Behind the end there is nothing.
        running = [line for line in lines if "█" in line and "100 %" in line]
        assert running
        assert all(not line[bar + 1 :].strip(" exit0") for line in running)
        assert "Use processes" in text_of(two, "compared")


async def test_a_run_that_failed_says_so_in_both_places(tmp_path: Path) -> None:
    app = app_of(tmp_path, A, Script(seconds=2, exit_code=3))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot, app)
        assert "│ exit 3" in text_of(app)
        assert "1, 1 failed" in text_of(app, "compared")


async def test_all_runs_stand_on_the_time_of_the_longest(two: CompareApp) -> None:
    async with two.run_test(size=(100, 30)) as pilot:
        await settled(pilot, two)
        axis = two.comparison.axis
        assert axis.cells == axis.columns
        assert [section.end_column(axis) for section in two.sections] == [
            axis.columns,
            -(-22 * S // 10 // axis.cell_ns),
        ]
        assert "00:00.0 – 00:04.0" in text_of(two, "header")


# --- keys ---


@pytest.mark.parametrize(
    ("keys", "cell_ms", "first"),
    [
        (["plus"], 20, 0.25),
        (["equals_sign", "minus"], 0, 0.0),
        (["plus", "home"], 20, 0.0),
        (["plus", "end"], 20, 1.0),
        (["plus", "plus", "0"], 0, 0.0),
        (["plus", "plus", "escape"], 0, 0.0),
    ],
    ids=str,
)
async def test_zoom_and_ends(two: CompareApp, keys: list[str], cell_ms: int, first: float) -> None:
    async with two.run_test(size=(140, 30)) as pilot:
        await settled(pilot, two)
        await press(pilot, two, *keys)
        axis = two.comparison.axis
        assert axis.cell_ns == (cell_ms * NS_PER_MS or axis.fit_ns)
        most = axis.cells - axis.columns
        if first in (0.0, 1.0):
            assert axis.first == round(first * most)
        else:
            assert 0 < axis.first < most


@pytest.mark.parametrize(
    ("keys", "tenths"),
    [(["right"], 1), (["l", "l"], 2), (["l", "left"], 0), (["right", "h"], 0), (["shift+right"], 5),
     (["shift+right", "shift+left"], 0)],
    ids=str,
)  # fmt: skip
async def test_scroll(two: CompareApp, keys: list[str], tenths: int) -> None:
    async with two.run_test(size=(100, 30)) as pilot:
        await settled(pilot, two)
        await press(pilot, two, "plus", "plus", "plus", "home", *keys)
        axis = two.comparison.axis
        assert axis.first == tenths * (axis.columns // 10)
        assert two.comparison.runs._strips


@pytest.mark.parametrize(
    ("keys", "tops"),
    [(["down"], 1), (["j", "j"], 2), (["down", "up"], 0), (["j", "k"], 0), (["pagedown"], 10),
     (["pagedown", "pageup"], 0)],
    ids=str,
)  # fmt: skip
async def test_lanes_that_do_not_fit_scroll_together(tmp_path: Path, keys: list[str], tops: int) -> None:
    app = app_of(tmp_path, MANY, Script(seconds=1, cpu=1, io=0), MANY)
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot, app)
        assert "of 32 lanes" in text_of(app)
        assert "lanes" in text_of(app, "keys")
        await press(pilot, app, *keys)
        assert [section.top for section in app.sections] == [tops, 0, tops]


async def test_the_busiest_lanes_come_first_when_they_do_not_fit(tmp_path: Path) -> None:
    app = app_of(tmp_path, MANY, MANY)
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot, app)
        assert "MainThread" not in text_of(app)
        assert "cpu-0" in text_of(app)
        await press(pilot, app, *["pagedown"] * 4)
        assert "MainThread" in text_of(app) or "idle" in text_of(app)


async def test_runs_that_do_not_fit_come_with_tab(tmp_path: Path) -> None:
    app = app_of(tmp_path, *[Script(seconds=0.5)] * 9)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot, app)
        assert "A threads" in text_of(app)
        assert "I threads" not in text_of(app)
        assert "of 9" in str(app.comparison.runs.border_subtitle)
        await press(pilot, app, "tab")
        assert "A threads" not in text_of(app)
        await press(pilot, app, "shift+tab")
        assert "A threads" in text_of(app)
        await press(pilot, app, *["tab"] * 12)
        assert "I threads" in text_of(app)


async def test_t_folds_the_table(two: CompareApp) -> None:
    async with two.run_test(size=(80, 24)) as pilot:
        await settled(pilot, two)
        assert "wall time" not in text_of(two, "compared")
        assert "Use processes" in text_of(two, "compared")
        await press(pilot, two, "t")
        assert "wall time" in text_of(two, "compared")
        await press(pilot, two, "t")
        assert "wall time" not in text_of(two, "compared")


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help(two: CompareApp, key: str) -> None:
    async with two.run_test(size=(100, 60)) as pilot:
        await settled(pilot, two)
        await pilot.press(key)
        await wait(pilot, lambda: isinstance(two.screen, HelpScreen))
        await pilot.pause()
        assert "Fold the table away" in "\n".join(screen_of(two))
        await pilot.press("q")
        await wait(pilot, lambda: two.screen is two.comparison)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quit(two: CompareApp, key: str) -> None:
    async with two.run_test() as pilot:
        await settled(pilot, two)
        await pilot.press(key)
        await wait(pilot, lambda: two._exit)
    assert not two.hung_up


async def wheel(app: CompareApp, pilot: Pilot[None], x: int, direction: int, *, shift: bool = False) -> None:
    kind = events.MouseScrollDown if direction > 0 else events.MouseScrollUp
    region = app.comparison.runs.region
    at: dict[str, Any] = {"x": x, "y": 5, "screen_x": region.x + x, "screen_y": region.y + 5}
    at |= {"delta_x": 0, "delta_y": direction, "button": 0}
    app.comparison.runs.post_message(kind(app.comparison.runs, **at, shift=shift, meta=False, ctrl=False))
    await settled(pilot, app)


async def test_the_wheel_zooms_scrolls_and_moves_lanes(tmp_path: Path) -> None:
    app = app_of(tmp_path, MANY, MANY)
    async with app.run_test(size=(100, 24)) as pilot:
        await settled(pilot, app)
        axis = app.comparison.axis
        await wheel(app, pilot, 90, -1)
        assert not axis.whole
        first = axis.first
        assert first > 0
        await wheel(app, pilot, 90, -1, shift=True)
        assert axis.first < first
        await wheel(app, pilot, 90, 1)
        assert axis.whole
        await wheel(app, pilot, 4, 1)
        assert [section.top for section in app.sections] == [3, 0]


async def test_nothing_is_drawn_while_nothing_changes(
    two: CompareApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two.run_test(size=(100, 30)) as pilot:
        await settled(pilot, two)
        drawn: list[object] = []
        monkeypatch.setattr(two.comparison.runs, "draw", lambda *_: drawn.append(1))
        await pilot.pause(0.3)
        assert not drawn

"""Which pictures there are: of which run, how large, and how the app is brought there."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from textual.widgets import DataTable

from gilscope.cli.lesson import _dress as dress_of
from gilscope.comparing import compare_recordings, shown
from gilscope.lessons import find
from gilscope.model import NS_PER_S
from gilscope.views.app import GilscopeApp
from gilscope.views.compare_app import CompareApp
from gilscope.views.comparing import ComparedRun, ComparedTable
from tests.screenshots.stage import DEADLINE_S, Recorded, Run, Stage, picture_of, stage

S = NS_PER_S
FOUR_THREADS = Run("gilscope/lessons/four_threads.py", 6)
FOUR_PROCESSES = Run("gilscope/lessons/four_threads.py", 6, mode="processes")
PROCESSES = Run("tests/targets/four_processes.py", 7)
HASHING = Run("tests/targets/hashing.py", 6)
SLEEPERS = Run("tests/targets/downloads.py", 6)
CONVOY = Run("gilscope/lessons/convoy.py", 6)
ORDERS = Run("tests/targets/orders.py", 6)
HOG = Run("gilscope/lessons/gil_hog.py", 6)
LESSON = "convoy"


def rows_of_table(on: Stage) -> int:
    """How many rows the table on the screen has; 0: there is none yet."""
    tables = on.app.screen.query(DataTable)
    return tables.first().row_count if tables else 0


async def late(on: Stage) -> None:
    """Paused at a moment near the end, with a full screen of cells behind it."""
    await on.seek(0.72)


async def later(on: Stage) -> None:
    """Paused when two of the four processes have ended, and each of the others has a core."""
    await on.seek(0.82)


async def turns(on: Stage) -> None:
    """Slow motion, at cells of a millisecond, in the middle of somebody's turn."""
    await on.seek(0.5)
    await on.press("s", "s")
    # A real second of the viewer passes frame by frame: 20 ms of the target.
    for _ in range(60):
        await on.pass_ns(S // 60)


async def selected(on: Stage) -> None:
    """A span of some tenths of a second, with its own figures."""
    await on.seek(0.6)
    await on.press("left_parenthesis", *["shift+right"] * 6, "right_parenthesis")
    await on.until(lambda: on.app.dashboard.report is not None)


async def table(on: Stage) -> None:
    """Processes, each with its own memory."""
    await on.seek(0.7)
    await on.press("7")
    await on.until(lambda: rows_of_table(on) > 1)


async def heat(on: Stage) -> None:
    """Cores over time, on the whole screen."""
    await on.seek(0.82)
    await on.press("3")


async def flame(on: Stage) -> None:
    """Which functions held the GIL."""
    await on.seek(1.0)
    await on.press("8")
    await on.until(lambda: "handle" in on.text())


async def stalls(on: Stage) -> None:
    """Long holds while others waited, as a table with the stack of one of them."""
    await on.seek(1.0)
    await on.press("9")
    await on.until(lambda: rows_of_table(on) > 1)


async def verdict(on: Stage) -> None:
    """What limits the program, in full."""
    await on.seek(1.0)
    await on.press("4")


def as_lesson(app: GilscopeApp) -> None:
    """With the lesson's text beside the scope, as the command does it."""
    chosen = find(LESSON)
    assert chosen is not None
    dress_of(chosen, [])(app)
    app.dashboard.live = False


@dataclass(frozen=True, slots=True)
class Picture:
    """What to run, and when to take the picture."""

    run: Run
    size: tuple[int, int]
    pose: Callable[[Stage], Awaitable[None]]
    dress: Callable[[GilscopeApp], None] | None = None


PICTURES = {
    "dashboard": Picture(FOUR_THREADS, (120, 36), late),
    "slow-motion": Picture(FOUR_THREADS, (120, 36), turns),
    "processes": Picture(PROCESSES, (120, 36), later),
    "native": Picture(HASHING, (120, 36), late),
    "sleepers": Picture(SLEEPERS, (120, 36), late),
    "selection": Picture(CONVOY, (120, 36), selected),
    "lesson": Picture(CONVOY, (150, 40), late, as_lesson),
    "stalls": Picture(HOG, (120, 24), stalls),
    "verdict": Picture(HOG, (120, 26), verdict),
    "flame": Picture(ORDERS, (120, 20), flame),
    "table": Picture(PROCESSES, (120, 18), table),
    "heat-map": Picture(PROCESSES, (120, 14), heat),
    "narrow": Picture(FOUR_THREADS, (80, 24), late),
}
COMPARED = (FOUR_THREADS, FOUR_PROCESSES)
COMPARED_SIZE = (120, 34)


async def draw(picture: Picture, recorded: Recorded) -> str:
    """The app's screen at the picture's moment, as SVG."""
    async with stage(recorded, picture.size, dress=picture.dress) as on:
        await picture.pose(on)
        on.app.dashboard.redraw()
        await on.press()
        return on.svg()


async def draw_compared(paths: list[Path]) -> str:
    """Two runs of one script side by side, as SVG."""
    found = shown(compare_recordings([str(path) for path in paths]))
    app = CompareApp(
        [ComparedRun(recording=path, figures=figures) for path, figures in found.recordings],
        ComparedTable(labels=found.labels, rows=found.rows, advice=found.advice),
    )
    async with app.run_test(size=COMPARED_SIZE) as pilot:
        await pilot.pause()
        deadline = time.monotonic() + DEADLINE_S
        while app.comparison.pending or app.comparison._asked:
            if time.monotonic() > deadline:
                raise TimeoutError("the comparison is never drawn")
            await pilot.pause(0.01)
        await pilot.pause()
        return picture_of(app)

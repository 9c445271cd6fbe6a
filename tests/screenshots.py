"""`make screenshots`: records real runs, opens each in the app, and draws what it shows, in SVG and PNG.

    python -m tests.screenshots [NAME …]

The figures are those of the machine that it runs on; the pictures differ a little from run to run.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import resvg_py
from textual.widgets import DataTable

from gilscope.cli.common import figures_until, flames_of, span_of, verdict_of
from gilscope.clock import FakeClock
from gilscope.launch.remote import SamplerLink
from gilscope.launch.spec import resolve_spec
from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.sampler.config import SamplerConfig
from gilscope.views.app import GilscopeApp
from gilscope.views.viewing import Viewing

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "screenshots"
FONT = "DejaVu Sans Mono"
DEADLINE_S = 60.0
QUIET_S, QUIET_PERCENT = 120.0, 12.0
S = NS_PER_S


@dataclass(frozen=True, slots=True)
class Stage:
    """An open app, and what a picture's script needs to bring it to its moment."""

    app: GilscopeApp
    clock: FakeClock
    press: Callable[..., Awaitable[None]]
    until: Callable[[Callable[[], object]], Awaitable[None]]

    @property
    def viewing(self) -> Viewing:
        assert self.app.dashboard.viewing is not None
        return self.app.dashboard.viewing

    async def seek(self, share: float) -> None:
        """Stand still at a part of the recording."""
        self.viewing.seek(round(share * self.viewing.head_ns) // (5 * NS_PER_MS) * 5 * NS_PER_MS)
        await self.press("space")


async def late(stage: Stage) -> None:
    """Paused at a moment near the end, with a full screen of cells behind it."""
    await stage.seek(0.72)


async def later(stage: Stage) -> None:
    """Paused when two of the four processes have ended, and each of the others has a core."""
    await stage.seek(0.82)


async def turns(stage: Stage) -> None:
    """Slow motion, at cells of a millisecond, in the middle of somebody's turn."""
    await stage.seek(0.5)
    await stage.press("s", "s")
    # A real second of the viewer passes frame by frame: 20 ms of the target.
    for _ in range(60):
        stage.clock.advance(S // 60)
        await stage.press()


async def selected(stage: Stage) -> None:
    """A span of some tenths of a second, with its own figures."""
    await stage.seek(0.6)
    await stage.press("left_parenthesis", *["shift+right"] * 6, "right_parenthesis")
    await stage.until(lambda: stage.app.dashboard.report is not None)


async def table(stage: Stage) -> None:
    """Processes, each with its own memory."""
    await stage.seek(0.7)
    await stage.press("7")
    await stage.until(lambda: stage.app.screen.query_one(DataTable).row_count > 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """What to run, and when to take the picture."""

    name: str
    script: str
    seconds: str
    size: tuple[int, int]
    pose: Callable[[Stage], Awaitable[None]]


PICTURES = (
    Picture("dashboard", "gilscope/lessons/four_threads.py", "6", (120, 36), late),
    Picture("slow-motion", "gilscope/lessons/four_threads.py", "6", (120, 36), turns),
    Picture("native", "tests/targets/hashing.py", "6", (120, 36), late),
    Picture("processes", "tests/targets/four_processes.py", "7", (120, 36), later),
    Picture("sleepers", "tests/targets/downloads.py", "6", (120, 36), late),
    Picture("selection", "gilscope/lessons/convoy.py", "6", (120, 36), selected),
    Picture("table", "tests/targets/four_processes.py", "7", (120, 18), table),
    Picture("narrow", "gilscope/lessons/four_threads.py", "6", (80, 24), late),
)


def quiet() -> None:
    """Wait a while for other programs to end: the pictures are to show the target, not its neighbours."""
    deadline = time.monotonic() + QUIET_S
    while psutil.cpu_percent(1.0) > QUIET_PERCENT:
        if time.monotonic() > deadline:
            print("This machine is busy with something else, and the pictures will show it.")  # noqa: T201
            return


def record(script: str, seconds: str, path: Path) -> str:
    """Watch a real run with the app's own sampler, the target on a pty; the words for the header."""
    spec = resolve_spec(script=script, args=(seconds,))
    link = SamplerLink.start(SamplerConfig(spec=spec, recording=path, columns=116, rows=6).to_json())
    deadline = time.monotonic() + DEADLINE_S
    while link.alive():
        if time.monotonic() > deadline:
            link.stop_target()
            link.finish()
            raise TimeoutError(f"{script} does not end")
        time.sleep(0.05)
    link.finish()
    if link.error is not None:
        raise RuntimeError(link.error)
    return f"{spec.display} {seconds}"


async def draw(picture: Picture, recording: Path, title: str) -> str:
    """The app's screen at the picture's moment, as SVG."""
    clock = FakeClock()
    app = GilscopeApp(
        recording,
        control=None,
        title=title,
        clock=clock,
        verdict_of=verdict_of,
        span_of=span_of,
        summary_of=figures_until,
        flames_of=flames_of,
    )
    async with app.run_test(size=picture.size) as pilot:

        async def until(condition: Callable[[], object]) -> None:
            deadline = time.monotonic() + DEADLINE_S
            while not condition():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{picture.name} is never drawn")
                await pilot.pause(0.01)

        async def press(*keys: str) -> None:
            await pilot.press(*keys)
            await pilot.pause()
            viewing = app.dashboard.viewing
            await until(lambda: not app.dashboard._dirty and not (viewing and viewing.more))

        await until(lambda: app.dashboard.viewing is not None)
        await until(lambda: app.dashboard.verdict is not None)
        await picture.pose(Stage(app, clock, press, until))
        app.dashboard.redraw()
        await press()
        app.dashboard.frame(0)
        await pilot.pause()
        return without_outside_fonts(app.export_screenshot(title=f"gilscope run {title}"))


def without_outside_fonts(svg: str) -> str:
    """Textual's picture names a font on the network: a reader's browser shall ask nobody for it."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"Fira Code|arial", FONT, svg)
    if re.search(r"url\(\s*[\"']?http|@import|href=\"http", svg):
        raise ValueError("the picture still refers to the network")
    return svg


def main(names: list[str]) -> None:
    """Make the pictures of these names, or all."""
    os.chdir(ROOT)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        recorded: dict[tuple[str, str], tuple[Path, str]] = {}
        for picture in PICTURES:
            if names and picture.name not in names:
                continue
            run = (picture.script, picture.seconds)
            if run not in recorded:
                quiet()
                path = Path(folder) / f"{picture.name}.gilscope"
                recorded[run] = path, record(*run, path)
            svg = asyncio.run(draw(picture, *recorded[run]))
            target = FOLDER / f"{picture.name}.svg"
            target.write_text(svg)
            png = resvg_py.svg_to_bytes(svg_string=svg, monospace_family=FONT, font_family=FONT, width=1200)
            target.with_suffix(".png").write_bytes(bytes(png))
            print(f"{target.relative_to(ROOT)} and .png ({len(png) // 1000} kB)")  # noqa: T201 - its output


if __name__ == "__main__":
    main(sys.argv[1:])

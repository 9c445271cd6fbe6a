"""Real runs recorded, and the app over them, brought to a moment of which a picture is taken."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import resvg_py
from textual.app import App

from gilscope.cli.common import figures_until, flames_of, quality_of, span_of, verdict_of
from gilscope.clock import FakeClock
from gilscope.launch.remote import SamplerLink
from gilscope.launch.spec import resolve_spec
from gilscope.model import NS_PER_MS
from gilscope.sampler.config import SamplerConfig
from gilscope.views.app import GilscopeApp
from gilscope.views.viewing import Viewing

FONT = "DejaVu Sans Mono"
DEADLINE_S = 60.0
QUIET_S, QUIET_PERCENT = 30.0, 12.0
"""So long in all it is waited for a machine that does nothing else."""
STEP_NS = 5 * NS_PER_MS
WIDTH = 1480
"""Pixels of a picture of 120 columns: twelve a column, so that letters are whole."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is recorded, once for all pictures of it."""

    script: str
    seconds: float
    mode: str = "asis"
    at_least: tuple[int, int] = (3, 8)

    @property
    def file_name(self) -> str:
        return f"{Path(self.script).stem}-{self.mode}-{self.seconds:g}.gilscope"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording, and the words for its header."""

    path: Path
    title: str


_waited = 0.0


def quiet() -> None:
    """Wait a while for other programs to end: the pictures are to show the target, not its neighbours."""
    global _waited  # noqa: PLW0603 - for all pictures together
    while psutil.cpu_percent(0.5) > QUIET_PERCENT:
        _waited += 0.5
        if _waited > QUIET_S:
            print("This machine is busy with something else, and the pictures will show it.")
            return


def record(run: Run, folder: Path) -> Recorded:
    """Watch a real run with the app's own sampler, the target on a pty; if that was done before, reuse it."""
    spec = resolve_spec(script=run.script, args=(f"{run.seconds:g}",), mode=run.mode)
    path = folder / run.file_name
    title = f"{spec.display} {run.seconds:g}"
    if path.exists():
        return Recorded(path, title)
    quiet()
    link = SamplerLink.start(SamplerConfig(spec=spec, recording=path, columns=112, rows=6).to_json())
    deadline = time.monotonic() + DEADLINE_S
    while link.alive():
        if time.monotonic() > deadline:
            link.stop_target()
            link.finish()
            raise TimeoutError(f"{run.script} does not end")
        time.sleep(0.05)
    link.finish()
    if link.error is not None:
        raise RuntimeError(link.error)
    return Recorded(path, title)


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
        self.viewing.seek(round(share * self.viewing.head_ns) // STEP_NS * STEP_NS)
        await self.press("space")

    async def pass_ns(self, ns: int) -> None:
        """Let so much of the viewer's time pass, and draw."""
        self.clock.advance(ns)
        await self.press()

    def text(self) -> str:
        """What stands on the screen."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    def svg(self) -> str:
        """The screen as it is."""
        return picture_of(self.app)


@contextlib.asynccontextmanager
async def stage(
    recorded: Recorded, size: tuple[int, int], *, dress: Callable[[GilscopeApp], None] | None = None
) -> AsyncIterator[Stage]:
    """The app over a recording, with a clock that is moved by hand."""
    clock = FakeClock()
    app = GilscopeApp(
        recorded.path,
        control=None,
        title=recorded.title,
        clock=clock,
        verdict_of=verdict_of,
        quality_of=quality_of,
        span_of=span_of,
        summary_of=figures_until,
        flames_of=flames_of,
    )
    if dress is not None:
        dress(app)
    async with app.run_test(size=size) as pilot:

        async def until(condition: Callable[[], object]) -> None:
            deadline = time.monotonic() + DEADLINE_S
            while not condition():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{recorded.title} is never drawn")
                await pilot.pause(0.01)

        async def press(*keys: str) -> None:
            await pilot.press(*keys)
            await pilot.pause()
            app.dashboard.frame(0)
            viewing = app.dashboard.viewing
            await until(lambda: not app.dashboard._dirty and not (viewing and viewing.more))
            await pilot.pause()

        await until(lambda: app.dashboard.viewing is not None)
        await until(lambda: app.dashboard.verdict is not None)
        yield Stage(app, clock, press, until)


def picture_of(app: App[Any], title: str = "gilscope") -> str:
    """An app's screen as SVG. The font that Textual names is on the network: a reader shall ask nobody."""
    svg = app.export_screenshot(title=title)
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"Fira Code|arial", FONT, svg)
    if re.search(r"url\(\s*[\"']?http|@import|href=\"http", svg):
        raise ValueError("the picture still refers to the network")
    return svg


def png_of(svg: str, width: int) -> bytes:
    """A picture as PNG."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, monospace_family=FONT, font_family=FONT, width=width))

"""One picture of the dashboard, drawn without a terminal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from gilscope.clock import FakeClock
from gilscope.errors import RecordingError
from gilscope.text import clean
from gilscope.views.app import GilscopeApp
from gilscope.views.render.lines import fill, text_strip
from gilscope.views.thinking import QualityOf, VerdictOf
from gilscope.views.widgets.panel import Panel

DEADLINE_S = 60.0
LEFT_OUT = "Left out: --with-output shows it."
FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"

_OUTSIDE = re.compile(r"url\(\s*[\"']?(?!#)|@import|(?:href|src)\s*=\s*[\"'](?!#)", re.IGNORECASE)
"""What would make a viewer ask for something that is not in the picture."""


def picture_of(
    path: Path,
    *,
    at_ns: int | None,
    size: tuple[int, int],
    title: str,
    verdict_of: VerdictOf | None = None,
    quality_of: QualityOf | None = None,
    with_output: bool = False,
) -> str:
    """The dashboard at a moment of a recording (None: its end) as SVG that refers to nothing outside.

    Without `with_output` the panel with the target's output stays empty.

    Raises:
        RecordingError: the recording cannot be drawn.
    """
    app = GilscopeApp(
        path, control=None, title=title, clock=FakeClock(), verdict_of=verdict_of, quality_of=quality_of
    )
    return asyncio.run(_draw(app, size, at_ns, with_output=with_output))


async def _draw(app: GilscopeApp, size: tuple[int, int], at_ns: int | None, *, with_output: bool) -> str:
    async with app.run_test(size=size) as pilot:
        dashboard = app.dashboard
        await _until(pilot, app, lambda: dashboard.viewing is not None)
        await _until(pilot, app, lambda: app.verdict_of is None or dashboard.verdict is not None)
        # Standing still, not at the beginning of a replay.
        await pilot.press("f")
        viewing = dashboard.viewing
        if viewing is not None and at_ns is not None:
            viewing.seek(at_ns)
        dashboard.redraw()
        await pilot.pause()

        def drawn() -> bool:
            dashboard.frame(0)
            return viewing is not None and not viewing.more

        await _until(pilot, app, drawn)
        dashboard.redraw()
        dashboard.frame(0)
        await pilot.pause()
        if not with_output:
            await _until(pilot, app, lambda: _left_out(dashboard.output))
        return without_outside(app.export_screenshot(title=clean(f"gilscope {dashboard.what}")))


def _left_out(panel: Panel) -> bool:
    """Put words in place of the output; whether they stand there already, and nothing was drawn over them."""
    columns, rows = panel.content_size
    palette = panel.palette
    line = text_strip(LEFT_OUT, columns, palette.dim, palette)
    if Panel.copied(panel)[1] == line.text.rstrip():
        return True
    panel.show(fill([line], columns, rows, palette))
    return False


async def _until(pilot: Pilot[None], app: GilscopeApp, condition: Callable[[], object]) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while not condition():
        if app.exit_error or asyncio.get_running_loop().time() > deadline:
            raise RecordingError(app.exit_error or f"{app.path} could not be drawn in {DEADLINE_S:.0f} s.")
        await pilot.pause(0.01)


def without_outside(svg: str) -> str:
    """A picture that names no font on the network: whoever looks at it asks nobody for anything.

    Raises:
        RecordingError: it still refers to something outside.
    """
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:\s*[^;\"}]*", f"font-family: {FONT}", svg)
    if _OUTSIDE.search(re.sub(r">[^<]*<", "><", svg)):
        raise RecordingError("The picture would refer to the network, so it was not written.")
    return svg

"""All that gilscope makes of a recording."""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gilscope.analysis.limits import parse
from gilscope.analysis.limits.check import check
from gilscope.cli.common import figures_until, flames_of, quality_of, span_of, verdict_of
from gilscope.exports import html, junit, markdown, text
from gilscope.exports.options import Options
from gilscope.exports.read import summary_of, watch_quality
from gilscope.exports.registry import FORMATS
from gilscope.model import NS_PER_S
from gilscope.recording.reader import RecordingReader
from gilscope.recording.streams import RecordingStreams
from gilscope.views.figures import NO_FIGURES
from gilscope.views.playback import Mode
from gilscope.views.present import present_header
from gilscope.views.tables import TABLES, cells
from gilscope.views.transport import Unit
from gilscope.views.viewing import Viewing

MOST_BYTES = 64_000_000
"""An export of a file of some tens of kB is far smaller."""
LIMITS = ("gil.contention > 0.5", "lane.waiting_share > 0.3", "totals.cores_used_mean < 1.5")


class TooLargeError(Exception):
    """A small recording became a file without an end."""


class _Sink(io.RawIOBase):
    """A file that nobody reads."""

    def __init__(self) -> None:
        self.size = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.size += size
        if self.size > MOST_BYTES:
            raise TooLargeError
        return size


def _export(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with contextlib.closing(RecordingStreams(path)) as streams:
            FORMATS[name].write(streams, _Sink(), Options(with_output=True))  # type: ignore[arg-type]

    return write


def _summary(path: Path) -> None:
    with contextlib.closing(RecordingReader(path)) as reader:
        summary = summary_of(reader)
        quality = watch_quality(reader, summary)
        json.dumps(summary)
        text.render(summary, quality)
        outcomes = [check(summary, parse(limit)) for limit in LIMITS]
        markdown.render(summary, quality, outcomes)
        junit.render(summary, outcomes)


def _unchecked(path: Path) -> None:
    """As the list of recordings reads them, and the screen those that are still written."""
    with contextlib.closing(RecordingReader(path, live=True)) as reader:
        reader.session()
        with reader.making_sense():
            text.render(summary_of(reader))


def _html(path: Path) -> None:
    with contextlib.closing(RecordingReader(path)) as reader:
        summary = summary_of(reader)
        quality = watch_quality(reader, summary)
    with contextlib.closing(RecordingStreams(path)) as streams:
        html.render(summary, quality, streams)


def _screen(path: Path) -> None:
    """What the app asks for and folds, at several places and zooms."""
    with contextlib.closing(RecordingReader(path)) as reader:
        viewing = Viewing(reader)
        viewing.begin_at(None, 0.02)
        for step in range(6):
            viewing.poll(session=True)
            viewing.advance(200_000_000)
            viewing.panels()
            viewing.timeline()
            present_header(
                viewing.session, title="x", mode=viewing.playback.mode, speed=viewing.playback.speed,
                position_ns=viewing.playback.position_ns, head_ns=viewing.head_ns, live=False, lost=False,
            )  # fmt: skip
            viewing.whole.fill(viewing.head_ns)
            viewing.whole.columns(80, viewing.first_ns, viewing.head_ns)
            if step == 0:
                viewing.zoom(5)
                viewing.skip_idle = True
            elif step == 1:
                viewing.seek(viewing.head_ns)
                viewing.zoom(20)
            elif step == 2:
                viewing.zoom(-20)
                viewing.unit = Unit.HANDOFF
            viewing.step((-1) ** step)
            for kind in ("handoff", "stall", "mark", "process"):
                viewing.jump(kind, (-1) ** step)
        assert viewing.playback.mode in Mode
        assert NO_FIGURES is not None


def _figures(path: Path) -> None:
    """Tables, functions, a span, the verdict up to a moment: what the app's workers make."""
    with contextlib.closing(RecordingReader(path)) as reader:
        head = reader.head_ns()
        figures = figures_until(reader, head // 2)
        for table in TABLES.values():
            for column in range(len(table.columns)):
                cells(table, figures, by=column, backwards=bool(column % 2))
        flames_of(reader, head)
        span_of(reader, *reader.whole_ticks(head // 3, head // 2))
        verdict_of(reader, head)
        quality_of(reader, head)
        list(reader.output())
        assert math.isfinite(head / NS_PER_S)


OUTLETS: dict[str, Callable[[Path], None]] = {
    "summary": _summary,
    "unchecked": _unchecked,
    "html": _html,
    "screen": _screen,
    "figures": _figures,
    **{name: _export(name) for name in FORMATS},
}

"""The HTML report as a browser shows it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from gilscope.cli.common import summary_and_quality
from gilscope.exports.html import render
from gilscope.recording.streams import RecordingStreams
from tests.browser import browser

WIDTH, MOST_HEIGHT = 1100, 1500


async def photograph(recording: Path, picture: Path, folder: Path) -> None:
    """Its first screens, as PNG."""
    summary, quality = summary_and_quality(recording)
    written = folder / "report.html"
    with contextlib.closing(RecordingStreams(recording)) as streams:
        written.write_text(render(summary, quality, streams))
    assert not re.search(r"https?://(?!www\.w3\.org)", written.read_text()), "the report asks the network"
    async with browser() as chromium:
        tab = await chromium.tab(WIDTH, MOST_HEIGHT, scale=1.5)
        await tab.open(written.as_uri())
        await tab.until("document.documentElement.dataset.script === 'ran'")
        await tab.photograph(picture)

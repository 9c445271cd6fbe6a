"""The HTML report as a browser shows it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from gilscope.cli.common import summary_and_quality
from gilscope.exports.html import render
from gilscope.recording.streams import RecordingStreams
from tests.browser import browser

WIDTH, HEIGHT = 1280, 2000
LAST = """
    [...document.querySelectorAll("h2")].find((each) => each.textContent.trim().startsWith("Threads"))
        .parentElement.getBoundingClientRect().bottom
"""
"""Where the picture ends: as much as is readable where README shows it."""


async def photograph(recording: Path, picture: Path, folder: Path) -> None:
    """Its first screens, as PNG."""
    summary, quality = summary_and_quality(recording)
    written = folder / "report.html"
    with contextlib.closing(RecordingStreams(recording)) as streams:
        written.write_text(render(summary, quality, streams))
    assert not re.search(r"https?://(?!www\.w3\.org)", written.read_text()), "the report asks the network"
    async with browser() as chromium:
        tab = await chromium.tab(WIDTH, HEIGHT, scale=1.25)
        await tab.open(written.as_uri())
        await tab.until("document.documentElement.dataset.script === 'ran'")
        height = await tab.value(LAST)
        await tab.photograph(
            picture, clip={"x": 0, "y": 0, "width": WIDTH, "height": height + 16, "scale": 1}
        )

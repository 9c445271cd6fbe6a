"""The screen in a real browser: live, with keys, the same in every tab, and gone without a trace."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, browser
from tests.serving.served import serve, serve_script
from tests.watched import is_gone, wait_for, watched

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


def clock_s(text: str) -> float:
    found = re.search(r"LIVE (\d+):(\d\d\.\d)", text)
    assert found, text
    return 60 * int(found[1]) + float(found[2])


async def test_the_screen_in_a_browser(tmp_path: Path) -> None:
    with serve_script(tmp_path) as served:
        async with browser() as chromium:
            tab = await chromium.tab(500, 420)
            await tab.open(served.address)
            text = await tab.see("busy-one", "busy-two", "LIVE", "its pid is")
            pid = re.search(r"its pid is (\d+)", text)
            assert "Lanes" in text
            # It moves on by itself, and a key stops it.
            await tab.until(f"({clock_s(text)} + 0.3) < ({CLOCK})")
            await tab.press(" ")
            await tab.see("PAUSED")
            # Another tab follows the same session at its head; the script was not started again.
            other = await chromium.tab(500, 420)
            await other.open(served.address)
            text = await other.see("LIVE", "its pid is", "busy-one")
            assert pid
            assert pid[0] in text
            # So does a tab that is loaded anew.
            await tab.open(served.address)
            assert pid[0] in await tab.see("LIVE", "its pid is", "busy-two")
            assert tab.complaints == other.complaints == []
            picture = tmp_path / "page.png"
            await tab.photograph(picture)
            assert picture.stat().st_size > 10_000
            # Without the token there is nothing to see.
            await other.open(served.root)
            await other.until("document.body.innerText.includes('lacks its token')")
            await asyncio.to_thread(
                wait_for, lambda: len(served.apps()) == 1, "the app of a page that is gone"
            )
            await tab.press("q")
            await tab.see("The target still runs")
            await tab.press("s")
            code = await asyncio.to_thread(served.ends)
            assert code == 128 + signal.SIGTERM
            await tab.until("document.body.classList.contains('-closed')")
        assert "Traceback" not in served.said


@pytest.mark.skipif("GILSCOPE_SERVING_ALL" not in os.environ, reason="GILSCOPE_SERVING_ALL is not set")
async def test_a_process_that_ran_before_and_a_lesson(tmp_path: Path) -> None:
    """The same screen, of what is not ours; and with a lesson's text beside it."""
    with watched("sleepers.py", 1, 600) as target:
        lesson = ("lesson", "never-started", "--seconds", "60", "--serve")
        with serve(tmp_path, "attach", target.pid, "--serve") as one, serve(tmp_path, *lesson) as other:
            async with browser() as chromium:
                tab = await chromium.tab(900, 420)
                await tab.open(one.address)
                await tab.see("attach", f"pid {target.pid}", "MainThread", "LIVE")
                await tab.press("q")
                await tab.see("End the watch? The process runs on.")
                await tab.press("d")
                assert await asyncio.to_thread(one.ends) == 0
                await tab.open(other.address)
                await tab.see("Lesson 1 of", "never_started.py", "LIVE")
                assert tab.complaints == []
        assert not is_gone(target.pid)


CLOCK = """(() => {
    const first = seenTerminal.buffer.active.getLine(0).translateToString();
    const found = /LIVE (\\d+):(\\d\\d\\.\\d)/.exec(first);
    return found ? 60 * Number(found[1]) + Number(found[2]) : 0;
})()"""

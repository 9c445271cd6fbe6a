"""Stalls in a table, and the verdict with all that is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import DataTable

from gilscope.model import NS_PER_MS, Frame, Stall, Verdict
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.render.palette import Palette
from gilscope.views.render.verdict import render_whole_verdict
from gilscope.views.screens.stalls import NOT_LOOKED_FOR, StallsScreen, stalls_of
from gilscope.views.tables import STALLS, UNKNOWN, cells
from tests.views.conftest import VERDICT, ready, replay, settled, text_of, viewing, wait

OLDER = Path(__file__).parents[1] / "recordings" / "v1.gilscope"
PLACE = Frame(function="load\x1b[2J", file="/x/fib.py", line=12)
C_CODE = Frame(function="deflate", file="/lib/zlib.so", line=0)


def stall(at_ms: int, held_ms: int, **changes: object) -> Stall:
    found = Stall(
        gil=1, lane=2, start_ns=at_ms * NS_PER_MS, end_ns=(at_ms + held_ms) * NS_PER_MS, waiters_mean=2.5,
        waiters_max=3, frames=(PLACE, C_CODE),
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


@pytest.fixture
def stalled(tmp_path: Path) -> Path:
    path = tmp_path / "stalled.gilscope"
    session = ScriptedSession(Script(seconds=4))
    writer = RecordingWriter(path, session.session)
    write(session, writer)
    writer.put_stalls([stall(500, 140), stall(2_000, 320), stall(3_000, 200, lane=None, frames=())])
    writer.close()
    return path


def test_rows(stalled: Path) -> None:
    reader = RecordingReader(stalled)
    try:
        summary = stalls_of(reader, reader.head_ns())
        assert len(stalls_of(reader, 2_500 * NS_PER_MS)["stalls"]) == 2
    finally:
        reader.close()
    rows = cells(STALLS, summary, by=STALLS.first_by, backwards=True)
    heads = [column.head for column in STALLS.columns]
    assert heads == ["when", "thread", "pid", "held", "waiting", "at most", "function"]
    longest, unknown, shortest = rows
    assert longest == ("00:02.000", "cpu-0", "5098", "320 ms", "2.5", "3", "load\ufffd[2J (fib.py:12)")
    assert (unknown[1], unknown[-1]) == (UNKNOWN, UNKNOWN)
    assert shortest[3] == "140 ms"
    assert [row[0] for row in cells(STALLS, summary, by=0, backwards=False, only="2j")] == [
        "00:00.500", "00:02.000",
    ]  # fmt: skip


def test_stalls_that_nobody_looked_for(tmp_path: Path) -> None:
    """GIVEN an older gilscope, or py-spy THEN that is told, not that there were none."""
    path = tmp_path / "pyspy.gilscope"
    session = ScriptedSession(Script(seconds=0.2))
    writer = RecordingWriter(path, session.session)
    write(session, writer)
    writer.put_session(replace(session.session, source="py-spy"))
    writer.close()
    for each in (path, OLDER):
        reader = RecordingReader(each)
        try:
            summary = stalls_of(reader, reader.head_ns())
        finally:
            reader.close()
        assert summary == {"stalls": None}
        assert not STALLS.looked_for(summary)
        assert cells(STALLS, summary, by=0, backwards=True) == ()
    assert STALLS.looked_for({"stalls": []})


async def shown(pilot: Pilot[None], app: GilscopeApp) -> StallsScreen:
    await wait(pilot, lambda: isinstance(app.screen, StallsScreen))
    return cast("StallsScreen", app.screen)


async def test_enter_goes_to_the_stall_and_says_where_it_was(stalled: Path) -> None:
    app = replay(stalled)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("2", "9")
        screen = await shown(pilot, app)
        await wait(pilot, lambda: screen.query_one(DataTable).row_count == 3)
        await wait(pilot, lambda: "deflate (zlib.so, C code)" in screen.stack._strips[0].text)
        assert screen.stack._strips[1].text.startswith("load\ufffd[2J (fib.py:12)")
        await pilot.press("down")
        await wait(pilot, lambda: "Nothing caught it" in screen.stack._strips[0].text)
        await pilot.press("up", "enter")
        await wait(pilot, lambda: app.screen is app.dashboard)
        await settled(pilot, app)
        assert app.dashboard.full is None
        assert viewing(app).playback.position_ns == 2_000 * NS_PER_MS + 1
        assert viewing(app).whole.selection == (2_000 * NS_PER_MS, 2_350 * NS_PER_MS)
        await wait(pilot, lambda: len(app._notifications))
        said = next(iter(app._notifications)).message
        assert said.splitlines()[0] == "00:02.000: cpu-0 held the GIL for 320 ms, 2.5 threads waited."
        assert "\x1b" not in said


async def test_without_a_stall_it_says_so(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("9")
        screen = await shown(pilot, app)
        await wait(pilot, lambda: "No thread held the GIL for long" in screen.stack._strips[0].text)
        await pilot.press("enter")
        assert app.screen is screen
        await pilot.resize_terminal(80, 16)
        assert not screen.stack.display


async def test_an_older_recording_has_no_word_on_stalls() -> None:
    app = replay(OLDER)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("9")
        screen = await shown(pilot, app)
        await wait(pilot, lambda: NOT_LOOKED_FOR in screen.stack._strips[0].text)
        assert "Stalls: ?" in str(screen.title_line.render())
        assert "not looked for" in str(screen.title_line.render())


# --- the verdict ---

WHOLE = replace(
    VERDICT, also=("Also: a convoy.",), confidence="medium", confidence_reason="Few samples.",
    would_change=("As processes it would be process-parallel.",),
    limits=(("Time the GIL is held", "99 %", "at least 80 %"),),
)  # fmt: skip
PARTS = (
    "What to do", "What it rests on", "Figures and their limits", "What else is to be seen", "How sure it is",
    "What would change it",
)  # fmt: skip


def test_all_that_is_known_of_a_verdict() -> None:
    lines = [strip.text.rstrip() for strip in render_whole_verdict(WHOLE, 80, Palette())]
    assert [line for line in lines if line in PARTS] == list(PARTS)
    text = "\n".join(lines)
    for words in (*WHOLE.advice, *WHOLE.evidence, *WHOLE.also, *WHOLE.would_change, "medium: Few samples."):
        assert words in text
    (figure,) = (line for line in lines if "99 %" in line and "at least" in line)
    assert figure.split("  ")[-1] == "at least 80 %"
    bare = [strip.text.rstrip() for strip in render_whole_verdict(Verdict("x", "Headline."), 80, Palette())]
    assert [line for line in bare if line in PARTS] == ["How sure it is"]


@given(st.text(max_size=200), st.integers(4, 120))
def test_lines_are_as_wide_as_the_panel(text: str, width: int) -> None:
    verdict = Verdict("x", text, (text,), (text,), (text,), limits=((text, text, text),))
    assert {strip.cell_length for strip in render_whole_verdict(verdict, width, Palette())} == {width}


async def test_a_long_verdict_scrolls(finished: Path) -> None:
    app = replay(finished)
    app.verdict_of = lambda _reader, _at: replace(WHOLE, evidence=tuple(f"Evidence {n}." for n in range(40)))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("4")
        await settled(pilot, app)
        assert "more lines: ↓" in app.dashboard.words._subtitle
        assert "What would change it" not in text_of(app, "verdict")
        await pilot.press("pagedown", "down", "j", *["pagedown"] * 5)
        await settled(pilot, app)
        assert "As processes it would be process-parallel." in text_of(app, "verdict")
        assert app.dashboard.words._subtitle == ""
        await pilot.press(*["pageup"] * 6, "escape")
        await settled(pilot, app)
        assert text_of(app, "verdict").startswith(VERDICT.headline[:20])

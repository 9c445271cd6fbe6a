"""The info panel: all that is to be known of the watch, always, and nothing that a terminal would obey."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from gilscope.clock import FakeClock
from gilscope.errors import RecordingError
from gilscope.model import NS_PER_S, GapSum, Quality
from gilscope.recording.reader import RecordingReader
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.render.info import info_rows, render_info
from tests.views.conftest import VERDICT, Control, ready, record, replay, settled, text_of, wait
from tests.views.test_render import FORBIDDEN, HOSTILE, PALETTE

QUALITY = Quality(
    rate_asked_hz=1000.0, rate_achieved_hz=994.6, samples_taken=3980, late_ns_max=5_400_000, torn_reads=3,
    failed_reads=1, handoffs=820, handoffs_seen=812, disagreements=2, stacks=41,
    gaps=(
        GapSum(source="gil", reason="the sampler got no CPU time for a while", ns=420_000_000, count=3),
        GapSum(source="py-spy", reason="it gave no answer", ns=100_000_000, count=1),
    ),
    cost_cpu_ns=84_000_000, cost_share=0.021, sources=("probe",), tick_ns=50_000_000,
)  # fmt: skip
FIGURES = (
    "995 Hz of 1000", "3980", "5.4 ms", "50 ms", "8 of 820", "2 of 41 stacks", "2.1 % of a core", "probe",
    "gil: the sampler", "py-spy: it gave", "420 ms",
)  # fmt: skip


def drawn(quality: Quality | None, width: int, height: int) -> list[str]:
    return [strip.text for strip in render_info(quality, width, height, PALETTE)]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("height", [6, 12, 30])
def test_every_figure_is_there_at_every_size(width: int, height: int) -> None:
    whole = " ".join(" ".join(drawn(QUALITY, width, height)).split())
    shown = FIGURES if height != 12 else FIGURES[:-3]
    for figure in shown:
        assert figure in whole


def test_zeros_are_shown_and_what_is_not_known_is_no_zero() -> None:
    nothing = dataclasses.replace(
        QUALITY, rate_achieved_hz=None, samples_taken=0, late_ns_max=0, torn_reads=0, failed_reads=0,
        handoffs=0, handoffs_seen=0, disagreements=0, stacks=0, gaps=(), cost_cpu_ns=0, cost_share=None,
    )  # fmt: skip
    figures = {word: figure for word, figure, _ in info_rows(nothing)}
    assert figures.keys() == {word for word, _, _ in info_rows(QUALITY)}
    assert figures["torn reads"] == figures["failed reads"] == figures["samples"] == "0"
    assert figures["handoffs unseen"] == "0 of 0"
    assert figures["disagreements"] == "0 of 0 stacks"
    assert figures["rate"].startswith("? ")
    assert figures["cost"].startswith("?")
    assert any(line.split()[:2] == ["gaps", "none"] for line in drawn(nothing, 80, 20))


def test_more_gaps_than_there_is_room_for_are_counted() -> None:
    many = tuple(GapSum(source=f"s{n}", reason="r" * 30, ns=1_000, count=1) for n in range(40))
    lines = drawn(dataclasses.replace(QUALITY, gaps=many), 80, 20)
    assert len(lines) == 20
    assert lines[-1].split()[:2] == ["…", "and"]
    shown = sum(" s" in line and ": rrr" in line for line in lines)
    assert int(lines[-1].split()[2]) == 40 - shown


@given(
    st.sampled_from([HOSTILE, "", "你好 " * 30, "x" * 300]),
    st.integers(1, 100),
    st.integers(0, 30),
    st.integers(0, 4),
)
def test_every_line_fits_and_obeys_nobody(text: str, width: int, height: int, count: int) -> None:
    gaps = tuple(GapSum(source=text, reason=text, ns=n, count=n + 1) for n in range(count))
    quality = dataclasses.replace(QUALITY, gaps=gaps, sources=(text,))
    for shown in (quality, None):
        strips = render_info(shown, width, height, PALETTE)
        assert len(strips) == height
        for strip in strips:
            assert strip.cell_length == width
            assert not FORBIDDEN.search(strip.text)


def informed(path: Path) -> GilscopeApp:
    app = replay(path)
    app.quality_of = lambda _reader, _at: QUALITY
    return app


@pytest.mark.parametrize("size", [(120, 36), (60, 20)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_on_the_whole_screen(finished: Path, svg: SnapshotAssertion, size: tuple[int, int]) -> None:
    app = informed(finished)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press("f", "i")
        await wait(pilot, lambda: app.dashboard.quality is not None)
        await settled(pilot, app)
        assert app.export_screenshot() == svg


@pytest.mark.parametrize("back", ["i", "escape", "enter"])
async def test_i_shows_it_and_takes_it_away(finished: Path, back: str) -> None:
    app = informed(finished)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        assert not app.dashboard.info.display
        await pilot.press("i")
        await wait(pilot, lambda: "8 of 820" in text_of(app, "info"))
        assert not app.dashboard.lanes.display
        await pilot.press(back)
        await settled(pilot, app)
        assert not app.dashboard.info.display
        assert app.dashboard.lanes.display


async def test_it_is_made_only_while_it_is_looked_at(tmp_path: Path) -> None:
    asked: list[int] = []

    def quality_of(_reader: RecordingReader, at_ns: int) -> Quality:
        asked.append(at_ns)
        return dataclasses.replace(QUALITY, samples_taken=at_ns)

    session = ScriptedSession(Script(seconds=4))
    writer = record(tmp_path / "r.gilscope", Script(seconds=4), ticks=20)
    clock = FakeClock()
    app = GilscopeApp(
        writer.path, control=Control(), title="fib.py", clock=clock, verdict_of=lambda _r, _at: VERDICT,
        quality_of=quality_of,
    )  # fmt: skip
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        assert asked == []
        clock.advance(2 * NS_PER_S)
        await pilot.press("i")
        await wait(pilot, lambda: str(NS_PER_S) in text_of(app, "info"))
        write(session, writer, first=20, last=40)
        clock.advance(2 * NS_PER_S)
        await wait(pilot, lambda: str(2 * NS_PER_S) in text_of(app, "info"))
        assert asked == [NS_PER_S, 2 * NS_PER_S]
    writer.close()


async def test_one_that_cannot_be_made_does_not_end_the_app(finished: Path) -> None:
    def fail(_reader: RecordingReader, _at: int) -> Quality:
        raise RecordingError("it is damaged")

    app = replay(finished)
    app.quality_of = fail
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await pilot.press("i")
        await settled(pilot, app)
        assert "Adding up" in text_of(app, "info")
        assert app.is_running


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("height", [6, 30])
def test_what_cannot_be_known_is_named(width: int, height: int) -> None:
    whole = " ".join(
        " ".join(drawn(dataclasses.replace(QUALITY, unknown=("its \x1b[31moutput",)), width, height)).split()
    )
    assert "not known" in whole
    assert "output" in whole
    assert "\x1b" not in whole

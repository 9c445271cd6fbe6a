"""Steps, jumps, speeds, marks, search and selection, live and in a replay alike."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from gilscope.cli.common import span_of, verdict_of
from gilscope.clock import FakeClock
from gilscope.model import NS_PER_MS, NS_PER_S, Mark, Stall, Verdict
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.playback import ALL_SPEEDS, Mode
from gilscope.views.screens.dialogs import InputScreen, MarksScreen
from gilscope.views.transport import Unit
from gilscope.views.viewing import Viewing
from tests.views.conftest import VERDICT, Control, ready, replay, settled, text_of, viewing, wait

S, MS = NS_PER_S, NS_PER_MS
STALLS = [
    Stall(gil=1, lane=2, start_ns=at, end_ns=at + 150 * MS, waiters_mean=1.0, waiters_max=2, frames=())
    for at in (500 * MS, 2500 * MS)
]
MARKS = [Mark(at_ns=1 * S, text="first"), Mark(at_ns=3 * S, text="\x1b[2Jnasty")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four seconds with stalls and marks, over."""
    path = tmp_path / "finished.gilscope"
    session = ScriptedSession(Script(seconds=4))
    writer = RecordingWriter(path, session.session)
    write(session, writer)
    writer.put_stalls(STALLS)
    writer.put_marks(MARKS)
    writer.close()
    return path


def position(app: GilscopeApp) -> int:
    return viewing(app).playback.position_ns


@pytest.mark.parametrize(
    ("keys", "position_ms"),
    [
        (["home", "full_stop"], 50),
        (["f", "comma", "comma"], 3900),
        (["home", "right", "full_stop"], 50),
        (["home", "right", "comma"], 0),
        (["f", "u", "u", "comma"], 3999),
        (["home", "u", "u", "full_stop", "full_stop"], 2),
        (["home", "'"], 1000),
        (["home", "'", "'", "'"], 3000),
        (["f", '"', '"'], 1000),
    ],
    ids=str,
)
async def test_steps_and_marks(path: Path, keys: list[str], position_ms: int) -> None:
    app = replay(path)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(*keys)
        assert position(app) == position_ms * MS
        assert viewing(app).playback.mode is Mode.PAUSED or keys[-1] == "right"


async def test_every_handoff_on_and_back(path: Path) -> None:
    reader = RecordingReader(path)
    starts = sorted({hold.start_ns for hold in reader.window(0, 4 * S).holds})
    reader.close()
    app = replay(path)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("home")
        forth = []
        for _ in range(5):
            await pilot.press("e")
            forth.append(position(app) - 1)
        assert forth == [start for start in starts if start > 0][:5] or forth == starts[:5]
        back = []
        for _ in range(4):
            await pilot.press("E")
            back.append(position(app) - 1)
        assert back == forth[-2::-1]
        await pilot.press("u")
        assert viewing(app).unit is Unit.HANDOFF
        assert ", . a handoff" in str(app.dashboard.lanes.border_title)
        await pilot.press("full_stop")
        assert position(app) - 1 == forth[1]


async def test_the_mark_of_the_holder_passes_with_the_handoff(path: Path) -> None:
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("home", "+", "+")
        seen = []
        for _ in range(6):
            await pilot.press("e")
            await settled(pilot, app)
            seen.append({line[2:9].strip() for line in text_of(app, "lanes").splitlines() if line[:1] == "▶"})
        assert all(len(holders) == 1 for holders in seen)
        assert all(before != after for before, after in itertools.pairwise(seen))


async def test_stalls_and_what_is_not_there(path: Path) -> None:
    app = replay(path)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("home", "w")
        assert position(app) == STALLS[0].start_ns + 1
        await pilot.press("w")
        assert position(app) == STALLS[1].start_ns + 1
        await pilot.press("w")
        assert position(app) == STALLS[1].start_ns + 1
        await wait(pilot, lambda: any("No later stall" in note.message for note in app._notifications))
        await pilot.press("W")
        assert position(app) == STALLS[0].start_ns + 1


async def test_starts_of_processes(tmp_path: Path) -> None:
    session = ScriptedSession(Script(seconds=2))
    writer = RecordingWriter(tmp_path / "x.gilscope", session.session)
    write(session, writer)
    reader = RecordingReader(writer.path, live=True)
    (process,) = reader.processes()
    reader.close()
    writer.put_processes([replace(process, key=9, pid=9, start_ns=700 * MS)])
    writer.close()
    app = replay(writer.path)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("home", "p")
        starts = [position(app)]
        await pilot.press("f", "P")
        starts.append(position(app))
        assert starts[-1] == 700 * MS + 1
        assert starts[0] in (1, 700 * MS + 1)


async def test_slower_and_faster(path: Path) -> None:
    clock = FakeClock()
    app = replay(path, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        for _ in range(len(ALL_SPEEDS)):
            await pilot.press("<")
        assert viewing(app).playback.speed == 0.001
        assert "▶ 0.001 ×" in text_of(app, "header")
        at_ns = position(app)
        clock.advance(S)
        await wait(pilot, lambda: position(app) == at_ns + S // 1000)
        for _ in range(len(ALL_SPEEDS)):
            await pilot.press(">")
        assert viewing(app).playback.speed == 100
        assert "▶ 100 ×" in text_of(app, "header")
        clock.advance(S // 100)
        await wait(pilot, lambda: position(app) == at_ns + S // 1000 + S)
        clock.advance(S)
        await wait(pilot, lambda: viewing(app).playback.mode is Mode.PAUSED)
        assert position(app) == 4 * S


async def test_idle_time_is_skipped_on_wish(tmp_path: Path) -> None:
    session = ScriptedSession(Script(seconds=8))
    writer = RecordingWriter(tmp_path / "x.gilscope", session.session)
    for step in session.steps():
        idle = S <= step.tick.start_ns < 6 * S
        if step.tick.index == 0:
            writer.put_processes(session.processes)
            writer.put_gils(session.gils)
            writer.put_lanes(session.lanes)
        writer.put_tick(replace(step.tick, lanes=()) if idle else step.tick)
    writer.put_session(session.head(159, ended=True))
    writer.close()
    clock = FakeClock()
    app = replay(writer.path, clock)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("z")
        clock.advance(900 * MS)
        await wait(pilot, lambda: position(app) == 900 * MS)
        clock.advance(150 * MS)
        await wait(pilot, lambda: position(app) == 6 * S - 200 * MS)
        clock.advance(500 * MS)
        await wait(pilot, lambda: position(app) == 6300 * MS)
        await pilot.press("z", "home")
        clock.advance(1500 * MS)
        await wait(pilot, lambda: position(app) in (1500 * MS, 0))


# --- marks ---


async def test_a_mark_is_written_into_the_file(path: Path) -> None:
    app = replay(path)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("f", "[", "m")
        await wait(pilot, lambda: isinstance(app.screen, InputScreen))
        await pilot.press("h", "i", "enter")
        await wait(pilot, lambda: len(viewing(app).whole.marks) == 3)
        await pilot.press("home", "M")
        await wait(pilot, lambda: isinstance(app.screen, MarksScreen))
        await pilot.press("down", "down", "enter")
        await wait(pilot, lambda: position(app) == 3 * S)
    reader = RecordingReader(path)
    assert Mark(at_ns=3 * S, text="hi") in reader.marks()
    reader.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_escape_sets_no_mark(path: Path) -> None:
    app = replay(path)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("m")
        await wait(pilot, lambda: isinstance(app.screen, InputScreen))
        await pilot.press("h", "escape")
        await wait(pilot, lambda: app.screen is app.dashboard)
        assert len(viewing(app).whole.marks) == 2


async def test_a_file_that_may_only_be_read_gets_no_mark_and_no_crash() -> None:
    golden = Path(__file__).parents[1] / "recordings" / "v1.gilscope"
    digest = hashlib.sha256(golden.read_bytes()).digest()
    app = replay(golden)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("m", "enter")
        await wait(pilot, lambda: any("schema 1" in note.message for note in app._notifications))
    assert hashlib.sha256(golden.read_bytes()).digest() == digest


async def test_a_live_mark_goes_through_the_sampler(
    growing: tuple[ScriptedSession, RecordingWriter],
) -> None:
    control = Control()
    app = live(growing[1], control)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("m", "x", "enter")
        await wait(pilot, lambda: ("mark", S, "x") in control.told)
        assert growing[1].path.exists()


# --- search ---


async def test_search_goes_from_line_to_line(path: Path) -> None:
    app = replay(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("home", "slash")
        await wait(pilot, lambda: isinstance(app.screen, InputScreen))
        await pilot.press(*"fib(2", "enter")
        await wait(pilot, lambda: position(app) > 0)
        first = position(app)
        await settled(pilot, app)
        lines = [line for line in text_of(app, "output").splitlines() if line.strip()]
        assert lines[-1].split()[1].startswith("fib(2")
        await pilot.press("n")
        await wait(pilot, lambda: position(app) > first)
        await pilot.press("N")
        await wait(pilot, lambda: position(app) == first)
        await pilot.press("N")
        await wait(pilot, lambda: any("No earlier line" in note.message for note in app._notifications))
        assert position(app) == first


# --- the span ---


def with_spans(path: Path) -> GilscopeApp:
    return GilscopeApp(
        path, control=None, title="fib.py", clock=FakeClock(), verdict_of=verdict_of, span_of=span_of
    )


async def test_a_span_by_keys_has_its_own_figures(path: Path) -> None:
    app = with_spans(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("home", "]", "(", "]", "right", ")")
        assert viewing(app).whole.selection == (S, 2050 * MS), "whole ticks"
        await wait(pilot, lambda: app.dashboard.report is not None)
        report = app.dashboard.report
        assert report is not None
        assert (report.start_ns, report.end_ns) == (S, 2050 * MS)
        assert dict(report.facts)["held"].endswith("%")
        await settled(pilot, app)
        assert "held" in text_of(app, "verdict")
        assert "00:01.0 – 00:02.0" in str(app.dashboard.words.border_title)
        await pilot.press("escape")
        assert viewing(app).whole.selection is None
        await settled(pilot, app)
        assert str(app.dashboard.words.border_title) == "Verdict"


async def test_a_span_by_the_mouse(path: Path) -> None:
    app = with_spans(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("f", "-", "-", "-")
        await settled(pilot, app)
        at_ns = position(app)
        await pilot.mouse_down("#lanes", offset=(60, 2))
        await pilot.hover("#lanes", offset=(70, 2))
        await pilot.mouse_up("#lanes", offset=(70, 2))
        await wait(pilot, lambda: viewing(app).whole.selection is not None)
        span = viewing(app).whole.selection
        assert span is not None
        assert 11 * 50 * MS <= span[1] - span[0] <= 13 * 50 * MS
        await pilot.pause()
        assert position(app) == at_ns, "a drag is no click"


async def test_the_bar_is_clicked_and_dragged(path: Path) -> None:
    app = with_spans(path)
    async with app.run_test(size=(118, 36)) as pilot:
        await ready(pilot, app)
        await pilot.click("#scrub", offset=(9, 0))
        await wait(pilot, lambda: position(app) == 0)
        await pilot.click("#scrub", offset=(9 + 99, 0))
        await wait(pilot, lambda: position(app) == 4 * S)
        await pilot.mouse_down("#scrub", offset=(20, 0))
        await pilot.hover("#scrub", offset=(59, 1))
        await wait(pilot, lambda: abs(position(app) - 2 * S) < 50 * MS)
        await pilot.mouse_up("#scrub", offset=(59, 1))
        await pilot.mouse_down("#scrub", offset=(20, 0), shift=True)
        await pilot.hover("#scrub", offset=(59, 0))
        await pilot.mouse_up("#scrub", offset=(59, 0))
        await wait(pilot, lambda: viewing(app).whole.selection is not None)


async def test_dashboard_with_all_of_it(path: Path, svg: SnapshotAssertion) -> None:
    app = with_spans(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("home", "]", "right", "(", "]", "]", "shift+left", ")")
        await wait(pilot, lambda: app.dashboard.report is not None)
        await settled(pilot, app)
        assert app.export_screenshot() == svg


async def test_one_row_for_the_bar(path: Path, svg: SnapshotAssertion) -> None:
    app = with_spans(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("home", "]", "e", "u", "a")
        await wait(pilot, lambda: app.dashboard.report is not None)
        app.clear_notifications()
        await settled(pilot, app)
        assert app.export_screenshot() == svg


# --- live ---


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[tuple[ScriptedSession, RecordingWriter]]:
    session = ScriptedSession(Script(seconds=20))
    writer = RecordingWriter(tmp_path / "live.gilscope", session.session)
    write(session, writer, last=20)
    yield session, writer
    writer.close()


def live(writer: RecordingWriter, control: Control, clock: FakeClock | None = None) -> GilscopeApp:
    return GilscopeApp(
        writer.path,
        control=control,
        title="fib.py",
        clock=clock or FakeClock(),
        verdict_of=lambda _r, _at: VERDICT,
    )


async def at_head(pilot: Pilot[None], app: GilscopeApp, head_ns: int) -> None:
    await wait(pilot, lambda: viewing(app).head_ns == head_ns)


async def test_slow_motion_while_the_target_runs_loses_nothing(
    growing: tuple[ScriptedSession, RecordingWriter],
) -> None:
    """What is on the screen after following again is what a viewer sees who was never away."""
    session, writer = growing
    clock = FakeClock()
    app = live(writer, Control(), clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("s", "s", "s")
        begin_ns = position(app)
        for tick in range(20, 120, 10):
            write(session, writer, first=tick, last=tick + 10)
            clock.advance(S)
            reader = RecordingReader(writer.path, live=True)
            head_ns = reader.head_ns()
            reader.close()
            assert head_ns == (tick + 10) * 50 * MS
            await at_head(pilot, app, head_ns)
        assert position(app) == begin_ns + 10 * S * 5 // 1000, "5 ms a second"
        await pilot.press("f")
        await settled(pilot, app)
        assert viewing(app).playback.mode is Mode.FOLLOW
        assert position(app) == viewing(app).head_ns == 6 * S
        reader = RecordingReader(writer.path, live=True)
        other = Viewing(reader)
        other.columns, other.fits = viewing(app).columns, viewing(app).fits
        other.slots = viewing(app).slots
        other.advance(0)
        while other.timeline() and other.more:
            pass
        for row in other.panels().rows:
            if row.lane is not None:
                span = (other.edge - other.columns) * other.slots, other.columns * other.slots
                seen = viewing(app).timeline().row(row.lane, row.pid, *span)
                assert seen == other.timeline().row(row.lane, row.pid, *span)
        handoffs = sum(gil.handoffs for tick in reader.ticks() for gil in tick.gils)
        expected = sum(
            gil.handoffs
            for index in range(120)
            for gil in ScriptedSession(Script(seconds=20)).step(0).tick.gils
            if index == 0
        )
        assert handoffs > expected
        assert len(list(reader.ticks())) == 120
        reader.close()


async def test_a_replay_begins_where_it_is_told(path: Path) -> None:
    app = GilscopeApp(
        path, control=None, title="x", clock=FakeClock(), at_ns=2 * S, speed=0.02,
        verdict_of=lambda _r, _at: Verdict("x", "y"),
    )  # fmt: skip
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert position(app) == 2 * S
        assert viewing(app).playback.speed == 0.02
        assert viewing(app).playback.mode is Mode.PLAYING

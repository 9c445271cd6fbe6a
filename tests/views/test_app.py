"""The app in a terminal of tests: live growth, how it ends, errors, strangers' text."""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.segment import Segment

from gilscope.clock import FakeClock
from gilscope.model import NS_PER_S, Lane, Output, Process, Verdict
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views import garbage
from gilscope.views.app import GilscopeApp
from gilscope.views.control import ControlStatus
from gilscope.views.playback import Mode
from gilscope.views.screens.dialogs import InputScreen, QuitScreen
from gilscope.views.viewing import Viewing
from gilscope.views.widgets.panel import Panel
from tests.views.conftest import VERDICT, Control, ready, record, replay, settled, text_of, viewing, wait
from tests.views.test_render import FORBIDDEN, HOSTILE

S = NS_PER_S


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


async def test_live_follows_pauses_scrubs_and_follows_again(
    growing: tuple[ScriptedSession, RecordingWriter],
) -> None:
    session, writer = growing
    app = live(writer, Control())
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        write(session, writer, first=20, last=40)
        await wait(pilot, lambda: viewing(app).playback.position_ns == 2 * S)
        assert "● LIVE 00:02.0" in text_of(app, "header")
        await pilot.press("space")
        await settled(pilot, app)
        assert "│" in text_of(app, "lanes"), "the cursor shows at once, not with the next change"
        write(session, writer, first=40, last=60)
        await wait(pilot, lambda: "PAUSED 00:02.000 −1.0 s" in text_of(app, "header"))
        await pilot.press("[")
        assert "fib(22)" not in text_of(app, "output")
        await pilot.press("f")
        assert viewing(app).playback.position_ns == 3 * S
        await pilot.press("s")
        assert viewing(app).playback.position_ns < 3 * S
        assert viewing(app).playback.mode is Mode.PLAYING


async def test_it_says_that_it_starts_until_there_is_a_recording(tmp_path: Path) -> None:
    control = Control()
    path = tmp_path / "later.gilscope"
    app = GilscopeApp(path, control=control, title="fib.py", clock=FakeClock())
    async with app.run_test() as pilot:
        await wait(pilot, lambda: "STARTING" in text_of(app, "header"))
        writer = record(path, Script(seconds=2), ticks=20)
        await wait(pilot, lambda: "● LIVE 00:01.0" in text_of(app, "header"))
        writer.close()


async def test_an_error_of_the_session_ends_the_app_with_its_words(tmp_path: Path) -> None:
    control = Control()
    control.answer = ControlStatus(sampler_alive=False, error="No such interpreter.")
    app = GilscopeApp(tmp_path / "never", control=control, title="fib.py", clock=FakeClock())
    async with app.run_test() as pilot:
        await wait(pilot, lambda: app.exit_error is not None)
    assert app.exit_error == "No such interpreter."


@pytest.mark.parametrize(
    ("key", "outcome", "told"),
    [("s", "stopped", ("stop",)), ("l", "left-running", ("leave",))],
)
@pytest.mark.parametrize("quit_key", ["q", "ctrl+c", "ctrl+q"])
async def test_quit_asks_while_the_target_runs(
    growing: tuple[ScriptedSession, RecordingWriter],
    quit_key: str,
    key: str,
    outcome: str,
    told: tuple[str, ...],
) -> None:
    control = Control()
    app = live(growing[1], control)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press(quit_key)
        await wait(pilot, lambda: isinstance(app.screen, QuitScreen))
        await pilot.press("escape")
        await wait(pilot, lambda: app.screen is app.dashboard)
        await pilot.press(quit_key)
        await wait(pilot, lambda: isinstance(app.screen, QuitScreen))
        await pilot.press(key)
        await wait(pilot, lambda: not app.is_running)
    assert app.outcome == outcome
    assert told in control.told


async def test_after_the_end_it_stays_and_quits_without_a_question(
    growing: tuple[ScriptedSession, RecordingWriter],
) -> None:
    session, writer = growing
    control, clock = Control(), FakeClock()
    app = live(writer, control, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        writer.put_session(session.head(19, ended=True))
        writer.commit()
        clock.advance(S)
        await wait(pilot, lambda: "■ ENDED 00:01.0 exit 0" in text_of(app, "header"))
        await pilot.press("q")
        await wait(pilot, lambda: not app.is_running)
    assert app.outcome == "ended"
    assert ("stop",) not in control.told


async def test_a_lost_sampler_is_said(growing: tuple[ScriptedSession, RecordingWriter]) -> None:
    control, clock = Control(), FakeClock()
    app = live(growing[1], control, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        control.answer = ControlStatus(sampler_alive=False)
        clock.advance(S)
        await wait(pilot, lambda: "SAMPLER LOST" in text_of(app, "header"))


async def test_a_line_is_typed_to_the_target(growing: tuple[ScriptedSession, RecordingWriter]) -> None:
    control = Control()
    app = live(growing[1], control)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("t")
        await wait(pilot, lambda: isinstance(app.screen, InputScreen))
        await pilot.press("h", "i", "q", "enter")
        await wait(pilot, lambda: ("input", b"hiq\n") in control.told)
        await wait(pilot, lambda: any(note[0] == "size" for note in control.told))


async def test_a_replay_has_no_input(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("t")
        assert app.screen is app.dashboard


@pytest.mark.parametrize("content", [None, b"no recording at all", b"SQLite format 3\x00" + b"x" * 200])
async def test_what_is_no_recording_ends_in_words(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.gilscope"
    if content is not None:
        path.write_bytes(content)
    app = replay(path)
    async with app.run_test() as pilot:
        await wait(pilot, lambda: app.exit_error is not None)
    assert app.exit_error is not None
    assert str(path) in app.exit_error


# --- strangers' text ---


async def test_no_text_of_a_recording_reaches_the_terminal_raw(tmp_path: Path) -> None:
    session = ScriptedSession(Script(seconds=2, processes=2, command=HOSTILE, mode=HOSTILE))
    path = tmp_path / "hostile.gilscope"
    writer = RecordingWriter(path, session.session)
    write(session, writer)
    writer.put_lanes([Lane(key=2, process=1, tid=3, kind="thread", name=HOSTILE, start_ns=0)])
    writer.put_processes(
        [Process(key=2, pid=9, ppid=1, command=HOSTILE, python=HOSTILE, start_ns=0, end_ns=None)]
    )
    writer.put_output([Output(at_ns=S, data=HOSTILE.encode() + b"\xff\xfe")])
    writer.commit()
    writer.close()
    app = GilscopeApp(
        path,
        control=None,
        title=HOSTILE,
        clock=FakeClock(),
        verdict_of=lambda _r, _at: Verdict("x", HOSTILE, (HOSTILE,), (HOSTILE,), (HOSTILE,)),
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await settled(pilot, app)
        assert "[bold red]x" in text_of(app, "lanes")
        for panel in app.dashboard.query(Panel):
            for strip in panel._strips:
                for segment in strip:
                    assert isinstance(segment, Segment)
                    assert not FORBIDDEN.search(segment.text)


# --- cost ---


async def test_a_paused_screen_is_not_redrawn(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = replay(finished)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("f")
        await settled(pilot, app)
        drawn: list[object] = []
        monkeypatch.setattr(app.dashboard.lanes, "draw", lambda *_a, **_k: drawn.append(1))
        frames = app._frames
        await wait(pilot, lambda: app._frames > frames + 5)
        assert not drawn


async def test_the_tail_of_much_output_is_read_quickly(tmp_path: Path) -> None:
    path = tmp_path / "chatty.gilscope"
    writer = record(path, Script(seconds=1))
    writer.put_output(Output(at_ns=S // 2 + n, data=f"line {n}\n".encode()) for n in range(100_000))
    writer.commit()
    writer.close()
    reader = RecordingReader(path)
    place = Viewing(reader)
    place.seek(S)
    output = place.panels().output
    assert [line.text for line in output][-2:] == ["line 99999", "fib(21) = 142065"] or output[-1].text
    assert len(output) <= 200
    reader.close()


def test_the_private_names_that_tell_a_slow_terminal_still_exist() -> None:
    """Without them the app works, but a slow terminal makes keys slow to answer."""
    from textual.drivers._writer_thread import WriterThread
    from textual.drivers.linux_driver import LinuxDriver

    assert hasattr(WriterThread(sys.stdout), "_queue")
    assert "_writer_thread" in inspect.getsource(LinuxDriver)


async def test_garbage_does_not_stay(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN a cycle, and a collector that runs as seldom as the app lets it THEN it is gone all the same."""

    class Cycle:
        def __init__(self) -> None:
            self.own = self

    monkeypatch.setattr(garbage, "LOOK_S", 0.05)
    app = replay(finished)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        left = weakref.ref(Cycle())
        await wait(pilot, lambda: left() is None)

"""The first verdict: not before there is something to judge, and soon after."""

from __future__ import annotations

from pathlib import Path

from gilscope.clock import FakeClock
from gilscope.model import NS_PER_S, Verdict
from gilscope.recording.reader import RecordingReader
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from tests.views.conftest import Control, record, settled, text_of, wait


async def test_it_is_of_the_first_second_and_the_next_come_as_the_session_grows(tmp_path: Path) -> None:
    clock, asked = FakeClock(), []

    def verdict_of(_reader: RecordingReader, at_ns: int) -> Verdict:
        asked.append(at_ns)
        clock.advance(NS_PER_S // 2)  # on a busy machine it takes long
        return Verdict("x", f"at {at_ns // 1_000_000} ms")

    session = ScriptedSession(Script(seconds=6))
    writer = record(tmp_path / "r.gilscope", Script(seconds=6), ticks=6)
    app = GilscopeApp(writer.path, control=Control(), title="x.py", clock=clock, verdict_of=verdict_of)
    async with app.run_test(size=(100, 30)) as pilot:
        await wait(pilot, lambda: app.dashboard.viewing is not None)
        for _ in range(3):
            clock.advance(NS_PER_S)
            await settled(pilot, app)
        assert asked == []
        assert "the verdict comes" in text_of(app, "verdict")
        for first, last in ((6, 20), (20, 40), (40, 60)):
            write(session, writer, first=first, last=last)
            clock.advance(NS_PER_S)
            await wait(pilot, lambda at_ms=50 * last: f"at {at_ms} ms" in text_of(app, "verdict"))  # type: ignore[misc]
        assert asked == [NS_PER_S, 2 * NS_PER_S, 3 * NS_PER_S]
    writer.close()

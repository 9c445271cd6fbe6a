"""What is said once, in a line, while one watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gilscope.model import NS_PER_S, Event, Gap, Session
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.notices import GAPS_MOST, Notices
from tests.views.conftest import Control, ready, wait
from tests.views.test_render import FORBIDDEN, HOSTILE

S = NS_PER_S
SESSION: Session = ScriptedSession(Script(seconds=1)).session


class Happened:
    """Gaps and events of a recording."""

    def __init__(self, gaps: Sequence[Gap] = (), events: Sequence[Event] = ()) -> None:
        self.all_gaps, self.all_events = gaps, events

    def gaps(self, start_ns: int = -1, end_ns: int = 1 << 62) -> list[Gap]:
        return [gap for gap in self.all_gaps if gap.start_ns < end_ns and gap.end_ns > start_ns]

    def events(self, start_ns: int = -1, end_ns: int = 1 << 62) -> list[Event]:
        return [event for event in self.all_events if start_ns <= event.at_ns < end_ns]


def gap(reason: str, at_s: float) -> Gap:
    start_ns = int(at_s * S)
    return Gap(source="probe", pid=1, reason=reason, start_ns=start_ns, end_ns=start_ns + S)


def test_the_end_with_its_code() -> None:
    for code, words, severity in (
        (0, "ended well after 00:07.0, exit code 0", "information"),
        (3, "ended with exit code 3 after 00:07.0", "warning"),
        (None, "is over after 00:07.0", "information"),
    ):
        notices = Notices()
        assert notices.look(SESSION, 6 * S, Happened(), 0) == []
        (notice,) = notices.look(replace(SESSION, ended_ns=7 * S, exit_code=code), 7 * S, Happened(), 0)
        assert notice.words.endswith(words)
        assert notice.severity == severity
        assert notices.look(replace(SESSION, ended_ns=7 * S, exit_code=code), 7 * S, Happened(), 99 * S) == []


def test_each_gap_once_and_not_too_many() -> None:
    notices = Notices()
    gaps = [gap("no such process", 1), gap("no such process", 2), gap("not readable", 2.5)]
    said = [notice.words for at in range(1, 5) for notice in notices.look(SESSION, at * S, Happened(gaps), 0)]
    assert said == ["Gap from 00:01.0, probe: no such process", "Gap from 00:02.5, probe: not readable"]
    many = [gap(f"reason {number}", 3) for number in range(20)]
    said = [notice.words for notice in notices.look(SESSION, 4 * S, Happened(many), 0)]
    assert len(said) == GAPS_MOST - 2
    assert said[-1].endswith("More gaps: i")
    assert notices.look(SESSION, 5 * S, Happened(many), 0) == []


def test_a_gil_that_came_back_is_a_line_and_clean() -> None:
    event = Event(at_ns=S, kind="gil-enabled", process=1, lane=None, text=f"by the import of {HOSTILE} " * 9)
    notices = Notices()
    (notice,) = notices.look(SESSION, 2 * S, Happened(events=[event]), 0)
    assert notice.words.startswith("The GIL is back: by the import of")
    assert not FORBIDDEN.search(notice.words)
    assert len(notice.words) <= 110
    assert notices.look(SESSION, 2 * S, Happened(events=[event]), 0) == []


def test_the_cost_above_the_budget() -> None:
    notices = Notices(0.05)
    said = []
    for second in range(40):
        # Within the budget for twenty seconds, then twice as much.
        cost = 0.05 * min(second, 20) + 0.1 * max(0, second - 20)
        session = replace(SESSION, cost_cpu_ns=int(cost * S))
        said += [
            (second, notice.words) for notice in notices.look(session, second * S, Happened(), second * S)
        ]
    ((second, words),) = said
    assert 24 <= second <= 30
    assert words.endswith("of a core in the last ten seconds, more than its 5 %")
    assert Notices(None).look(replace(SESSION, cost_cpu_ns=99 * S), 20 * S, Happened(), 0) == []


def test_a_recording_that_stands_still() -> None:
    notices = Notices()
    assert notices.look(SESSION, 3 * S, Happened(), 1 * S) == []
    assert notices.look(SESSION, 3 * S, Happened(), 5 * S) == []
    (notice,) = notices.look(SESSION, 3 * S, Happened(), 7 * S)
    assert notice.words == "Nothing new is recorded since 00:03.0: is the disk full?"
    assert notices.look(SESSION, 3 * S, Happened(), 9 * S) == []


async def test_on_the_screen(tmp_path: Path) -> None:
    session = ScriptedSession(Script(seconds=2))
    writer = RecordingWriter(tmp_path / "x.gilscope", session.session)
    write(session, writer, last=20)
    app = GilscopeApp(writer.path, control=Control(), title="fib.py")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(pilot, app)
        writer.put_gaps([gap("it [hides]", 0.2)])
        writer.commit()
        await wait(pilot, lambda: any("it [hides]" in note.message for note in app._notifications))
        writer.put_session(session.head(39, ended=True))
        writer.close()
        await wait(pilot, lambda: any("exit code" in note.message for note in app._notifications))

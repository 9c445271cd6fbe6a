"""A recording that keeps only its end: as small as that, never slow, and right in what it still says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gilscope.exports.read import summary_of
from gilscope.model import NS_PER_S, Event, Frame, Gap, Hold, Lane, Output, Process, Tick, WaitingStack
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession
from tests.recording.files import read_all
from tests.recording.samples import GIL, SESSION, plain_holds, plain_ticks

KEEP_NS = 60 * NS_PER_S
TICK_NS = 50_000_000
FRAMES = (Frame(function="f", file="/a.py", line=1),)


def fill(writer: RecordingWriter, ticks: list[Tick], *, at_once: int = 1) -> float:
    """Write all that a session of that length has; the longest commit in seconds."""
    longest = 0.0
    for number, tick in enumerate(ticks):
        writer.put_tick(tick, plain_holds(tick))
        writer.put_output([Output(at_ns=tick.end_ns, data=b"x" * 40)])
        writer.put_waiting_stacks([WaitingStack(lane=1, at_ns=tick.end_ns, frames=FRAMES)])
        writer.put_events([Event(at_ns=tick.end_ns, kind="word", process=1, lane=None, text="")])
        if number % at_once == at_once - 1:
            began = time.thread_time()
            writer.commit()
            longest = max(longest, time.thread_time() - began)
    writer.commit()
    return longest


@pytest.mark.parametrize("at_once", [1, 7])
def test_only_the_end_is_kept(path: Path, at_once: int) -> None:
    ticks = plain_ticks(20 * 300)
    writer = RecordingWriter(path, SESSION, keep_ns=KEEP_NS)
    writer.put_gils([GIL])
    fill(writer, ticks[: 20 * 100], at_once=at_once)
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    longest = fill(writer, ticks[20 * 100 :], at_once=at_once)
    assert writer._db.execute("PRAGMA page_count").fetchone()[0] <= pages * 1.3
    assert longest < 0.05
    writer.close()
    reader = RecordingReader(path)
    head, first = reader.head_ns(), reader.first_ns()
    assert head == ticks[-1].end_ns
    assert head - first == pytest.approx(KEEP_NS, abs=(at_once + 1) * TICK_NS)
    kept = [tick for tick in ticks if tick.start_ns >= first]
    assert list(reader.ticks()) == kept
    assert list(reader.window(first, first + NS_PER_S).ticks) == kept[:20]
    holds = [row[0] for row in reader._db.each("SELECT start_ns FROM hold")]
    assert holds == [hold.start_ns for tick in kept for hold in plain_holds(tick)]
    assert min(event.at_ns for event in reader.events()) >= first
    assert min(stack.at_ns for stack in reader.waiting_stacks()) >= first
    assert min(piece.at_ns for piece in reader.output()) >= first
    reader.close()
    read_all(path)


def test_it_sums_up_to_the_same_as_that_part_of_the_whole(tmp_path: Path) -> None:
    summaries, first = [], 0
    for keep_ns in (KEEP_NS, None):
        session = ScriptedSession(Script(seconds=200, cpu=2, io=0))
        writer = RecordingWriter(tmp_path / f"{keep_ns}.gilscope", session.session, keep_ns=keep_ns)
        writer.put_processes(session.processes)
        writer.put_gils(session.gils)
        writer.put_lanes(session.lanes)
        for step in session.steps():
            writer.put_tick(step.tick, step.holds)
            writer.put_process_ticks(step.process_ticks)
            writer.put_stacks(step.stacks)
            writer.commit()
        writer.put_session(session.head(session.n_ticks - 1, ended=True))
        writer.close()
        reader = RecordingReader(writer.path)
        first = first or reader.first_ns()
        summaries.append(summary_of(reader, start_ns=first))
        if keep_ns:
            assert summary_of(reader) == summaries[0]
        reader.close()
    assert first > 100 * NS_PER_S
    assert summaries[0] == summaries[1]


def test_what_ended_long_ago_goes(path: Path) -> None:
    writer = RecordingWriter(path, SESSION, keep_ns=KEEP_NS)
    old, new = 5 * NS_PER_S, 195 * NS_PER_S
    ends = ((1, old), (2, old), (3, new), (4, None))
    writer.put_processes(
        [Process(key=n, pid=n, ppid=1, command="x", python=None, start_ns=0, end_ns=end) for n, end in ends]
    )
    writer.put_lanes(
        [Lane(key=n, process=1, tid=n, kind="thread", name=None, start_ns=0, end_ns=e) for n, e in ends[1:]]
    )
    writer.put_gaps(Gap(source="x", pid=None, reason="r", start_ns=0, end_ns=end) for end in (old, new))
    fill(writer, plain_ticks(20 * 200))
    writer.close()
    reader = RecordingReader(path)
    assert [process.key for process in reader.processes()] == [1, 3, 4]
    assert [lane.key for lane in reader.lanes()] == [3, 4]
    assert [gap.end_ns for gap in reader.gaps()] == [new]
    reader.close()


def test_a_pause_is_made_up_for(path: Path) -> None:
    """Where much is old at once, such as after the machine slept, it goes little by little."""
    ticks = plain_ticks(20 * 90)
    later = [
        Tick(index=tick.index + len(ticks), start_ns=tick.start_ns + 10**12, end_ns=tick.end_ns + 10**12)
        for tick in ticks
    ]
    writer = RecordingWriter(path, SESSION, keep_ns=KEEP_NS)
    fill(writer, ticks)
    fill(writer, later[:1])
    reader = RecordingReader(path, live=True)
    assert reader.first_ns() < 40 * NS_PER_S
    fill(writer, later[1:])
    assert reader.first_ns() >= 10**12
    reader.close()
    writer.close()
    read_all(path)


def test_a_hold_that_goes_on_is_kept(path: Path) -> None:
    writer = RecordingWriter(path, SESSION, keep_ns=KEEP_NS)
    writer.put_gils([GIL])
    for tick in plain_ticks(20 * 100):
        writer.put_tick(tick, [Hold(gil=1, lane=1, start_ns=0, end_ns=tick.end_ns)])
        writer.commit()
    writer.close()
    reader = RecordingReader(path)
    assert len(reader.window(reader.head_ns() - NS_PER_S, reader.head_ns()).holds) == 1
    reader.close()

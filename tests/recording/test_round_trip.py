"""What is written is what is read: every type, every window, every roll-up."""

from __future__ import annotations

import dataclasses
import itertools
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gilscope.model import (
    NS_PER_S,
    Event,
    Frame,
    Gap,
    Gil,
    Hold,
    Lane,
    Output,
    Process,
    ProcessTick,
    Session,
    StackSample,
    Tick,
)
from gilscope.recording.reader import RecordingReader
from gilscope.recording.ticks import COARSE_FROM_TICKS
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from tests.recording import samples
from tests.recording.samples import SESSION

T = TypeVar("T")


@contextmanager
def recorded(fill: Any, *, session: Session = SESSION) -> Iterator[RecordingReader]:
    """A recording that `fill` has written, closed and opened again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gilscope"
        writer = RecordingWriter(path, session)
        fill(writer)
        writer.close()
        assert [file.name for file in Path(folder).iterdir()] == ["x.gilscope"]
        reader = RecordingReader(path)
        try:
            yield reader
        finally:
            reader.close()


def put_ticks(ticks: Iterable[Tick]) -> Any:
    def fill(writer: RecordingWriter) -> None:
        for tick in ticks:
            writer.put_tick(tick)
            writer.commit()

    return fill


def last_of_each(values: list[T], key: str = "key") -> tuple[T, ...]:
    found = {getattr(value, key): value for value in values}
    return tuple(found[key] for key in sorted(found))


session_fields = st.fixed_dictionaries(
    {
        "command": samples.texts,
        "workers": st.none() | samples.keys,
        "python": samples.maybe_text,
        "pid": st.none() | samples.keys,
        "rate_hz": st.floats(1, 20_000),
        "ended_ns": samples.maybe_ns,
        "exit_code": st.none() | st.integers(0, 255),
        "cost_cpu_ns": samples.ns,
        "threads_created": st.none() | samples.keys,
    }
)


@settings(max_examples=40, deadline=None)
@given(session_fields, session_fields)
def test_the_session(first: dict[str, Any], last: dict[str, Any]) -> None:
    changed = dataclasses.replace(SESSION, **last)
    with recorded(
        lambda writer: writer.put_session(changed), session=dataclasses.replace(SESSION, **first)
    ) as reader:
        assert reader.session() == changed
        assert reader.head_ns() == 0
        assert list(reader.ticks()) == []


@settings(max_examples=30, deadline=None)
@given(
    st.lists(samples.processes, max_size=8),
    st.lists(samples.lanes, max_size=8),
    st.lists(samples.gils, max_size=8),
    st.lists(samples.process_ticks, max_size=8, unique_by=lambda tick: (tick.process, tick.at_ns)),
)
def test_things(
    processes: list[Process], lanes: list[Lane], gils: list[Gil], ticks: list[ProcessTick]
) -> None:
    def fill(writer: RecordingWriter) -> None:
        writer.put_processes(processes)
        writer.put_lanes(lanes)
        writer.put_gils(gils)
        writer.put_process_ticks(ticks)

    with recorded(fill) as reader:
        assert reader.processes() == last_of_each(processes)
        assert reader.lanes() == last_of_each(lanes)
        assert reader.gils() == last_of_each(gils)
        assert reader.process_ticks() == tuple(sorted(ticks, key=lambda tick: (tick.at_ns, tick.process)))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(samples.events, max_size=8),
    st.lists(samples.outputs, max_size=8),
    st.lists(samples.gaps(), max_size=8),
    st.lists(samples.stacks, max_size=8),
)
def test_what_happened(
    events: list[Event], outputs: list[Output], gaps: list[Gap], stacks: list[StackSample]
) -> None:
    def fill(writer: RecordingWriter) -> None:
        writer.put_events(events)
        writer.put_output(outputs)
        writer.put_gaps(gaps)
        writer.put_stacks(stacks)

    with recorded(fill) as reader:
        assert reader.events() == tuple(sorted(events, key=lambda event: event.at_ns))
        assert tuple(reader.output()) == tuple(outputs)
        assert reader.gaps() == tuple(gaps)
        assert reader.stack_samples() == tuple(stacks)


def test_text_that_is_no_text() -> None:
    """Names from outside may be undecodable: they must not end the session."""
    bad = "a\udcff\udc00b\0c"
    shown = r"a\udcff\udc00b" + "\0c"

    def fill(writer: RecordingWriter) -> None:
        writer.put_session(dataclasses.replace(SESSION, command=bad, executable=bad))
        writer.put_processes([Process(key=1, pid=1, ppid=1, command=bad, python=None, start_ns=0)])
        writer.put_lanes([Lane(key=1, process=1, tid=1, kind="thread", name=bad, start_ns=0)])
        writer.put_events([Event(at_ns=0, kind="x", process=None, lane=None, text=bad)])
        writer.put_gaps([Gap(source="x", pid=None, reason=bad, start_ns=0, end_ns=1)])
        frame = Frame(function=bad, file=bad, line=1)
        writer.put_stacks([StackSample(lane=1, start_ns=0, end_ns=1, count=1, frames=(frame, frame))])

    with recorded(fill) as reader:
        assert reader.session().command == reader.session().executable == shown
        assert reader.processes()[0].command == shown
        assert reader.lanes()[0].name == shown
        assert reader.events()[0].text == shown
        assert reader.gaps()[0].reason == shown
        frame = Frame(function=shown, file=shown, line=1)
        assert reader.stack_samples()[0].frames == (frame, frame)


@settings(max_examples=30, deadline=None)
@given(samples.tick_runs(), st.data())
def test_windows_against_all_ticks(ticks: list[Tick], data: st.DataObject) -> None:
    with recorded(put_ticks(ticks)) as reader:
        assert tuple(reader.ticks(chunk=7)) == tuple(ticks)
        head = ticks[-1].end_ns if ticks else 0
        assert reader.head_ns() == head
        for _ in range(4):
            start = data.draw(
                st.integers(0, head + NS_PER_S) | st.sampled_from([t.end_ns for t in ticks] or [0])
            )
            end = start + data.draw(st.integers(1, 2 * NS_PER_S))
            window = reader.window(start, end)
            assert window.ticks == tuple(t for t in ticks if t.start_ns < end and t.end_ns > start)
            assert (window.start_ns, window.end_ns, window.head_ns) == (start, end, head)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30), st.integers(1, 2)), max_size=40),
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 400)), min_size=3, max_size=3),
)
def test_windows_against_all_holds(spans: list[tuple[int, int, int]], windows: list[tuple[int, int]]) -> None:
    at = {1: 0, 2: 0}
    holds = []
    for pause, length, gil in spans:
        start = at[gil] + pause
        at[gil] = start + length
        holds.append(Hold(gil=gil, lane=None if length == 7 else length, start_ns=start, end_ns=at[gil]))
    growing = [dataclasses.replace(hold, end_ns=hold.start_ns + 1) for hold in holds[-2:]]

    def fill(writer: RecordingWriter) -> None:
        writer.put_gils([Gil(key=key, process=1, interpreter=0, kind="shared") for key in (1, 2)])
        writer.put_tick(Tick(index=0, start_ns=0, end_ns=1), growing)
        writer.put_tick(Tick(index=1, start_ns=1, end_ns=2), holds)

    with recorded(fill) as reader:
        for start, length in windows:
            window = reader.window(start, start + length)
            expected = [hold for hold in holds if hold.start_ns < start + length and hold.end_ns > start]
            assert sorted(window.holds, key=repr) == sorted(expected, key=repr)
            assert list(window.holds) == sorted(window.holds, key=lambda hold: hold.start_ns)


def sums_of(ticks: Iterable[Tick]) -> dict[object, float]:
    """All that adds up, and the greatest of what does not."""
    sums: Counter[object] = Counter()
    for tick in ticks:
        length = tick.end_ns - tick.start_ns
        sums["length"] += length
        for gil in tick.gils:
            for name in ("samples", "locked_samples", "watched_ns", "held_ns", "contended_ns", "waiter_ns",
                         "handoffs", "handoffs_seen"):  # fmt: skip
                sums[gil.gil, name] += getattr(gil, name)
            for name in ("waiters_max", "longest_hold_ns"):
                sums[gil.gil, name] = max(sums[gil.gil, name], getattr(gil, name))
        for lane in tick.lanes:
            sums[lane.lane, "lane held"] += lane.held_ns
            for state, times in enumerate(lane.states):
                sums[lane.lane, "state", state] += times
    return {key: value for key, value in sums.items() if value}


@settings(max_examples=30, deadline=None)
@given(samples.tick_runs(longest_ns=70 * NS_PER_S), st.data())
def test_roll_ups_are_the_sums_of_their_ticks(ticks: list[Tick], data: st.DataObject) -> None:
    with recorded(put_ticks(ticks)) as reader:
        coarse = reader.coarse_ticks(reader.head_ns())
        assert sums_of(coarse) == sums_of(ticks)
        for before, after in itertools.pairwise(coarse):
            assert before.end_ns == after.start_ns
        at = data.draw(st.integers(0, ticks[-1].end_ns if ticks else 0))
        part = reader.coarse_ticks(at)
        assert sums_of(part) == sums_of(tick for tick in ticks if tick.start_ns < at)


def test_the_load_of_cores_is_rolled_up_by_time() -> None:
    ticks = samples.plain_ticks(60)
    with recorded(put_ticks(ticks)) as reader:
        for tick in reader.coarse_ticks(reader.head_ns()):
            (core,) = tick.cores
            assert math.isclose(core.busy_share, 0.5)
            assert math.isclose(core.target_share, 0.25)
            assert core.lane == 1


def test_a_long_session_is_read_in_few_rows() -> None:
    ticks = samples.plain_ticks(20 * 150)
    with recorded(put_ticks(ticks)) as reader:
        coarse = reader.coarse_ticks(reader.head_ns())
        assert len(coarse) < 60
        assert sums_of(coarse) == sums_of(ticks)
        wide = reader.window(0, COARSE_FROM_TICKS * SESSION.tick_ns + 1)
        assert len(wide.ticks) < 130
        assert wide.ticks[0].start_ns == 0
        assert wide.ticks[-1].end_ns >= wide.end_ns
        assert sums_of(wide.ticks) == sums_of(t for t in ticks if t.end_ns <= wide.ticks[-1].end_ns)
        assert wide.holds == ()
        narrow = reader.window(NS_PER_S, 2 * NS_PER_S)
        assert narrow.ticks == tuple(ticks[20:40])


def test_output_around_a_moment() -> None:
    pieces = [Output(at_ns=at, data=b"%d" % at * 10) for at in range(100)]
    with recorded(lambda writer: writer.put_output(pieces)) as reader:
        assert reader.output_until(49, max_bytes=60) == tuple(pieces[47:50])
        assert reader.output_until(10**9) == tuple(pieces)
        assert reader.output_size(49) == 50


def test_the_last_reading_of_each_process() -> None:
    def reading(process: int, at_ns: int) -> ProcessTick:
        return ProcessTick(
            process=process, at_ns=at_ns, cpu_ns=at_ns, rss_bytes=1, pss_bytes=None, uss_bytes=None, threads=1
        )

    def fill(writer: RecordingWriter) -> None:
        writer.put_processes(
            [Process(key=key, pid=key, ppid=0, command="x", python=None, start_ns=0) for key in (1, 2)]
        )
        writer.put_process_ticks([reading(1, 10), reading(2, 15), reading(1, 20), reading(2, 40)])

    with recorded(fill) as reader:
        assert sorted(reader.window(0, 30).process_ticks, key=lambda t: t.process) == [
            reading(1, 20),
            reading(2, 15),
        ]
        assert reader.window(0, 5).process_ticks == ()


@pytest.mark.parametrize("script", [Script(seconds=2.0), Script(seconds=63.0, processes=2, native=1, idle=3)])
def test_a_scripted_session(script: Script) -> None:
    made = ScriptedSession(script)
    with recorded(lambda writer: write(made, writer), session=made.session) as reader:
        assert tuple(reader.ticks()) == tuple(step.tick for step in ScriptedSession(script).steps())
        assert reader.lanes() == tuple(made.lanes)
        assert sums_of(reader.coarse_ticks(reader.head_ns())) == sums_of(reader.ticks())
        assert tuple(reader.output()) == tuple(
            o for step in ScriptedSession(script).steps() for o in step.output
        )

"""Chrome's trace format, for ui.perfetto.dev, chrome://tracing and Perfetto's trace processor.

A track a thread, with a slice for each state (nothing where it slept); a track a GIL, with a slice for
each hold; an arrow from thread to thread for each handoff; counters for cores, GILs, memory; events as
instants; gaps as spans. Times are in microseconds since the session's start, exact to the nanosecond
(a slice ends one before the next).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from gilscope.exports.names import Names, process_title
from gilscope.exports.options import Options
from gilscope.exports.spans import Joined, Span, spans_of
from gilscope.model import Hold, State, Tick
from gilscope.recording.streams import RecordingStreams

_DRAWN: tuple[State, ...] = tuple(state for state in State if state is not State.BLOCKED)


def pieces(streams: RecordingStreams, options: Options) -> Iterator[str]:
    """The file, one event a line."""
    session = streams.session()
    about = {
        "gilscope": session.gilscope_version,
        "command": session.command,
        "started": session.started,
        "python": session.python,
    }
    yield f'{{"displayTimeUnit":"ms","otherData":{json.dumps(about)},"traceEvents":[\n'
    # So that every event can be followed by a comma.
    trace = _Trace(streams)
    for event in trace.events(options):
        yield event + ",\n"
    yield '{"ph":"M","name":"trace_end","pid":0,"tid":0,"args":{}}\n]}\n'


def _us(ns: int) -> str:
    return f"{ns // 1000}.{ns % 1000:03d}"


def _times(start_ns: int, end_ns: int) -> str:
    """The fields of a slice, a nanosecond short: readers add floats, and two that touch would nest."""
    return f'"ts":{_us(start_ns)},"dur":{_us(max(1, end_ns - start_ns - 1))}'


class _Trace:
    """The events of one recording."""

    def __init__(self, streams: RecordingStreams) -> None:
        self._streams = streams
        self._names = names = Names.of(streams.processes(), streams.lanes(), streams.gils())
        self._machine = names.number(None)
        """The process of what belongs to none: cores, gaps, events of the session."""
        self._heads = {
            (lane, state): f'{{"ph":"X","cat":"state","name":"{state.word}",'
            f'"pid":{names.pid_of_lane(lane)},"tid":{tid},'
            for lane, tid in names.tids.items()
            for state in _DRAWN
        }
        self._labels = {key: json.dumps(lane.label) for key, lane in names.lanes.items()}
        self._before: dict[int, tuple[int, Hold]] = {}
        """By GIL: the last hold, if its thread is known, and that."""
        self._flows = 0

    def events(self, options: Options) -> Iterator[str]:
        yield from self._tracks()
        joined = Joined()
        holds_done = dict.fromkeys(self._names.gils, -1)
        end_ns = 0
        for tick, holds in self._streams.steps():
            for span in spans_of(tick, holds):
                over = joined.add(span)
                if over is not None:
                    yield from self._slice(over)
            for hold in holds:
                if hold.start_ns > holds_done.get(hold.gil, 1 << 62):
                    holds_done[hold.gil] = hold.start_ns
                    yield from self._hold(hold)
            yield from self._tick(tick)
            end_ns = tick.end_ns
        for span in joined.rest():
            yield from self._slice(span)
        yield from self._ends(end_ns)
        yield from self._memory()
        yield from self._happened(options)

    def _meta(self, what: str, pid: int, tid: int, value: object) -> str:
        key = "sort_index" if what.endswith("sort_index") else "name"
        return json.dumps({"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {key: value}})

    def _tracks(self) -> Iterator[str]:
        names = self._names
        for number, (key, process) in enumerate(names.processes.items()):
            yield self._meta("process_name", names.pids[key], names.pids[key], process_title(process))
            yield self._meta("process_sort_index", names.pids[key], names.pids[key], number + 1)
        yield self._meta("process_name", self._machine, self._machine, "machine")
        yield self._meta("process_sort_index", self._machine, self._machine, 0)
        yield self._meta("thread_name", self._machine, self._machine, "session")
        for key, tid in names.gil_tids.items():
            pid = names.pids[names.gils[key].process]
            yield self._meta("thread_name", pid, tid, names.gil_name(key))
            yield self._meta("thread_sort_index", pid, tid, -1)
        for number, (key, tid) in enumerate(names.tids.items()):
            pid = names.pid_of_lane(key)
            yield self._meta("thread_name", pid, tid, names.lanes[key].label)
            yield self._meta("thread_sort_index", pid, tid, number)

    def _slice(self, span: Span) -> Iterator[str]:
        lane, state, start, end = span
        head = self._heads.get((lane, state))
        if head is not None:
            yield f"{head}{_times(start, end)}}}"

    def _hold(self, hold: Hold) -> Iterator[str]:
        names = self._names
        if hold.gil not in names.gils or hold.end_ns <= hold.start_ns:
            return
        pid, tid = names.pids[names.gils[hold.gil].process], names.gil_tids[hold.gil]
        label = self._labels.get(hold.lane or 0, '"unknown thread"')
        yield (
            f'{{"ph":"X","cat":"hold","name":{label},"pid":{pid},"tid":{tid},'
            f"{_times(hold.start_ns, hold.end_ns)}}}"
        )
        if hold.lane is None or hold.lane not in names.lanes:
            self._before.pop(hold.gil, None)
            return
        before = self._before.get(hold.gil)
        self._before[hold.gil] = (hold.lane, hold)
        if before is not None and before[0] != hold.lane:
            # From the last moment of a hold to the first of the next one.
            self._flows += 1
            yield self._flow("s", before[0], max(before[1].start_ns, before[1].end_ns - 2))
            yield self._flow("f", hold.lane, min(hold.start_ns + 1, hold.end_ns - 1))

    def _flow(self, phase: str, lane: int, at_ns: int) -> str:
        """One end of an arrow between threads; it belongs to the slice that it stands in."""
        return (
            f'{{"ph":"{phase}","cat":"handoff","name":"handoff","id":{self._flows},"bp":"e",'
            f'"pid":{self._names.pid_of_lane(lane)},"tid":{self._names.tids[lane]},"ts":{_us(at_ns)}}}'
        )

    def _counter(self, pid: int, name: str, at_ns: int, value: float) -> str:
        return (
            f'{{"ph":"C","name":"{name}","pid":{pid},"tid":{pid},'
            f'"ts":{_us(at_ns)},"args":{{"value":{round(value, 4)}}}}}'
        )

    def _tick(self, tick: Tick) -> Iterator[str]:
        names = self._names
        for gil in tick.gils:
            if gil.gil in names.gils and gil.watched_ns > 0:
                pid, name = names.pids[names.gils[gil.gil].process], names.gil_name(gil.gil)
                yield self._counter(pid, f"{name} held %", tick.start_ns, 100 * gil.held_ns / gil.watched_ns)
                if gil.waiter_ns >= 0:
                    waiters = gil.waiter_ns / gil.watched_ns
                    yield self._counter(pid, f"{name} waiters", tick.start_ns, waiters)
        for core in tick.cores:
            for what, share in (("busy", core.busy_share), ("target", core.target_share)):
                name = f"core {core.core} {what} %"
                yield self._counter(self._machine, name, tick.start_ns, 100 * share)

    def _ends(self, end_ns: int) -> Iterator[str]:
        """The counters of GILs go on to the end of their process, not for ever."""
        names = self._names
        for key, gil in names.gils.items():
            process = names.processes[gil.process]
            at_ns = end_ns if process.end_ns is None else max(end_ns, process.end_ns)
            for what in ("held %", "waiters"):
                yield self._counter(names.pids[gil.process], f"{names.gil_name(key)} {what}", at_ns, 0)

    def _memory(self) -> Iterator[str]:
        for reading in self._streams.each_process_tick():
            pid = self._names.pids.get(reading.process)
            if pid is not None:
                yield self._counter(pid, "memory (RSS) MB", reading.at_ns, reading.rss_bytes / 1e6)

    def _happened(self, options: Options) -> Iterator[str]:
        names, streams = self._names, self._streams
        for event in streams.each_event():
            if event.lane in names.lanes:
                pid, tid, scope = names.pid_of_lane(event.lane), names.tids[event.lane], "t"
            elif event.process in names.pids:
                pid, scope = names.pids[event.process], "p"
                tid = pid
            else:
                pid, tid, scope = self._machine, self._machine, "g"
            yield _instant(event.kind, event.at_ns, pid, tid, scope, event.text)
        for at_ns, text in streams.each_mark():
            yield _instant("mark", at_ns, self._machine, self._machine, "g", text, kind="mark")
        for number, (_, lane, start, end, waiters, _stack) in enumerate(streams.each_stall()):
            pid = names.pid_of_lane(lane) if lane in names.lanes else self._machine
            yield from _span("stall", "stall", number, pid, start, end, {"waiters": waiters})
        for number, gap in enumerate(streams.gaps()):
            what = {"source": gap.source, "pid": gap.pid, "reason": gap.reason}
            yield from _span("gap", "not read", number, self._machine, gap.start_ns, gap.end_ns, what)
        if options.with_output and names.pids:
            pid = next(iter(names.pids.values()))
            for piece in streams.output():
                yield _instant("output", piece.at_ns, pid, pid, "p", piece.data.decode(errors="replace"))


def _instant(name: str, at_ns: int, pid: int, tid: int, scope: str, text: str, *, kind: str = "event") -> str:
    return (
        f'{{"ph":"i","cat":"{kind}","name":{json.dumps(name)},"pid":{pid},"tid":{tid},"s":"{scope}",'
        f'"ts":{_us(max(0, at_ns))},"args":{{"text":{json.dumps(text)}}}}}'
    )


def _span(
    kind: str, name: str, number: int, pid: int, start_ns: int, end_ns: int, about: Mapping[str, object]
) -> Iterator[str]:
    """A span that may overlap others of its kind: a begin and an end with an id of their own."""
    head = f'"cat":"{kind}","name":"{name}","id":"{kind}-{number}","pid":{pid},"tid":{pid}'
    yield f'{{"ph":"b",{head},"ts":{_us(max(0, start_ns))},"args":{json.dumps(about)}}}'
    yield f'{{"ph":"e",{head},"ts":{_us(max(0, start_ns, end_ns))},"args":{{}}}}'

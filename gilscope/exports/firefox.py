"""The Firefox Profiler's processed format, version 70, for profiler.firefox.com.

A thread a lane, with its stacks as samples weighted by the time for which it held the GIL (as in
speedscope.py), and its stalls as markers; a thread a GIL, with a marker for each hold named after the
holder, so that the marker chart has a row a thread; and one for what happened: events, marks, gaps.

The format keeps columns, not rows: each column is a pass over the recording.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from gilscope.exports.names import Names, process_title
from gilscope.exports.options import Options
from gilscope.model import NS_PER_MS, Lane, Process, Session
from gilscope.recording.streams import RecordingStreams
from gilscope.recording.weights import StackWeights

VERSION = 70
GECKO_VERSION = 36
INSTANT, INTERVAL = 0, 1
CATEGORIES = (
    {"name": "Other", "color": "grey", "subcategories": ["Other"]},
    {"name": "Python", "color": "green", "subcategories": ["Other"]},
    {"name": "GIL", "color": "orange", "subcategories": ["Other"]},
    {"name": "Session", "color": "blue", "subcategories": ["Other"]},
)
PYTHON, GIL, SESSION = 1, 2, 3

_EVERYWHERE = ["marker-chart", "marker-table", "timeline-overview"]


def _schema(name: str, label: str, fields: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "name": name,
        "tooltipLabel": label,
        "tableLabel": label,
        "chartLabel": label,
        "display": _EVERYWHERE,
        "fields": [{"key": key, "label": title, "format": kind} for key, (title, kind) in fields.items()],
    }


MARKER_SCHEMA = (
    _schema("hold", "{marker.name} holds the GIL", {}),
    _schema("stall", "stall", {"waiters": ("Most waiters", "integer")}),
    _schema("event", "{marker.name}: {marker.data.text}", {"text": ("Text", "string")}),
    _schema("gap", "not read: {marker.data.reason}",
            {"source": ("Source", "string"), "reason": ("Reason", "string")}),
    _schema("mark", "mark: {marker.data.text}", {"text": ("Note", "string")}),
    _schema("output", "{marker.data.text}", {"text": ("Text", "string")}),
)  # fmt: skip

Marker = tuple[str, int, int | None, dict[str, Any]]
"""Name, start and end in nanoseconds (None: an instant), what else there is to say."""
Markers = Callable[[], Iterable[Marker]]
ROWS_A_PIECE = 1_000
MOST_SAMPLES = 100
"""Samples that a stack becomes in one span; where it was seen more often, each weighs more."""


def pieces(streams: RecordingStreams, options: Options) -> Iterator[str]:
    """The file."""
    yield from _Profile(streams, options).pieces()


def _ms(ns: int) -> str:
    return f"{ns // NS_PER_MS}.{ns % NS_PER_MS:06d}"


def _column(name: str, values: Iterable[str]) -> Iterator[str]:
    """A column of ready JSON values."""
    yield f'"{name}":['
    gathered: list[str] = []
    comma = ""
    for value in values:
        gathered.append(value)
        if len(gathered) >= ROWS_A_PIECE:
            yield comma + ",".join(gathered)
            comma = ","
            gathered.clear()
    yield comma + ",".join(gathered) + "]" if gathered else "]"


class _Strings:
    """Texts and their places in the one table of texts."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))


class _Profile:
    """One recording as a profile."""

    def __init__(self, streams: RecordingStreams, options: Options) -> None:
        self._streams = streams
        self._options = options
        self._names = Names.of(streams.processes(), streams.lanes(), streams.gils())
        self._strings = _Strings()
        self._stack_places: dict[int, int] = {}
        self._weights = StackWeights(streams)
        self._with_stacks = set(streams.lanes_with_stacks())

    def pieces(self) -> Iterator[str]:
        session = self._streams.session()
        yield f'{{"meta":{json.dumps(_meta(session, self._streams.until_ns))},\n"libs":[],\n"shared":{{'
        yield from self._shared()
        yield '},\n"threads":['
        comma = "\n"
        for key, lane in self._names.lanes.items():
            yield comma + self._head(lane)
            yield from self._samples(key)
            yield from self._markers(lambda key=key: self._stalls(key), GIL)  # type: ignore[misc]
            yield "}"
            comma = ",\n"
        for key, gil in self._names.gils.items():
            process = self._names.processes[gil.process]
            yield comma + self._aside(process, self._names.gil_name(key), self._names.gil_tids[key])
            yield from self._markers(lambda key=key: self._holds(key), GIL)  # type: ignore[misc]
            yield "}"
            comma = ",\n"
        first = next(iter(self._names.processes.values()), None)
        if first is not None:
            yield comma + self._aside(first, "Session", self._names.number(None))
            yield from self._markers(self._happened, SESSION)
            yield "}"
        yield "\n]}\n"

    # --- what threads share ---

    def _shared(self) -> Iterator[str]:
        strings = self._strings
        funcs: dict[tuple[int, int], int] = {}
        sources: dict[int, int] = {}
        frames: dict[int, int] = {}
        func_of: list[int] = []
        lines: list[int] = []
        for key, frame in self._streams.frame_rows():
            file = strings.place(frame.file)
            sources.setdefault(file, len(sources))
            func = (strings.place(frame.function), file)
            func_of.append(funcs.setdefault(func, len(funcs)))
            lines.append(frame.line)
            frames[key] = len(frames)
        yield from self._stack_table(frames)
        count = len(frames)
        yield _table(
            "frameTable", count, address=[-1] * count, lib=[-1] * count, inlineDepth=[0] * count,
            category=[PYTHON] * count, subcategory=[0] * count, func=func_of, nativeSymbol=[None] * count,
            innerWindowID=[None] * count, line=[line if line > 0 else None for line in lines],
            column=[None] * count, originalLocation=[None] * count,
        ) + ",\n"  # fmt: skip
        count = len(funcs)
        yield _table(
            "funcTable", count, name=[name for name, _ in funcs], isJS=[False] * count,
            relevantForJS=[False] * count, resource=[-1] * count, source=[sources[file] for _, file in funcs],
            lineNumber=[None] * count, columnNumber=[None] * count, originalLocation=[None] * count,
        ) + ",\n"  # fmt: skip
        count = len(sources)
        yield _table(
            "sources", count, id=[None] * count, filename=list(sources), startLine=[1] * count,
            startColumn=[1] * count, sourceMapURL=[None] * count, content=[None] * count,
        ) + ",\n"  # fmt: skip
        yield _table("resourceTable", 0, name=[], host=[], type=[]) + ",\n"
        yield _table("nativeSymbols", 0, libIndex=[], address=[], name=[], functionSize=[]) + ",\n"
        yield _table("sourceLocationTable", 0, source=[], line=[], column=[]) + ",\n"
        for name in self._marker_names():
            strings.place(name)
        yield from _column("stringArray", map(json.dumps, strings.places))

    def _stack_table(self, frames: dict[int, int]) -> Iterator[str]:
        """Stacks as a tree; each comes behind the one that it continues, as in the recording."""
        places = self._stack_places
        own: list[int] = []
        offsets: list[int] = []
        for key, parent, frame in self._streams.stack_rows():
            if frame in frames:
                place = places[key] = len(own)
                own.append(frames[frame])
                offsets.append(place - places[parent] if parent in places and parent != key else 0)
        yield _table("stackTable", len(own), frame=own, prefixOffset=offsets) + ",\n"

    def _marker_names(self) -> Iterator[str]:
        yield from ("stall", "gap", "mark", "output", "unknown thread")
        yield from (lane.label for lane in self._names.lanes.values())
        yield from (event.kind for event in self._streams.each_event())

    # --- threads ---

    def _head(self, lane: Lane) -> str:
        process = self._names.processes[lane.process]
        made = {
            **_of_process(process),
            "pid": str(self._names.pids[process.key]),
            "registerTime": lane.start_ns / NS_PER_MS,
            "unregisterTime": None if lane.end_ns is None else lane.end_ns / NS_PER_MS,
            "name": lane.label,
            "isMainThread": lane.tid == process.pid,
            "tid": self._names.tids[lane.key],
        }
        return json.dumps(made)[:-1] + ","

    def _aside(self, process: Process, name: str, tid: int) -> str:
        """A thread that is none, beside those of a process."""
        made = {
            **_of_process(process),
            "pid": str(self._names.pids[process.key]),
            "registerTime": process.start_ns / NS_PER_MS,
            "unregisterTime": None,
            "name": name,
            "isMainThread": False,
            "showMarkersInTimeline": True,
            "tid": tid,
        }
        return json.dumps(made)[:-1] + ',"samples":' + json.dumps(_NO_SAMPLES) + ","

    def _samples(self, lane: int) -> Iterator[str]:
        if lane not in self._with_stacks:
            yield f'"samples":{json.dumps(_NO_SAMPLES)},'
            return
        places = self._stack_places
        count = 0

        def counted() -> Iterator[str]:
            nonlocal count
            for _, stack, _ in self._spread(lane):
                count += 1
                yield str(places[stack]) if stack in places else "null"

        yield '"samples":{'
        yield from _column("stack", counted())
        yield ","
        yield from _column("time", (_ms(at_ns) for at_ns, _, _ in self._spread(lane)))
        yield ","
        often = any(row.times > MOST_SAMPLES for row in self._weights.of(lane))
        if self._weights.measured:
            yield from _column("weight", (_ms(weight_ns) for _, _, weight_ns in self._spread(lane)))
            kind = "tracing-ms"
        else:
            weights = (str(weight) for _, _, weight in self._spread(lane))
            yield from _column("weight", weights) if often else ('"weight":null',)
            kind = "samples"
        yield f',"weightType":"{kind}","length":{count}}},'

    def _spread(self, lane: int) -> Iterator[tuple[int, int, int]]:
        """Time, stack and weight of each single sample, spread evenly over the place of its stack.

        The weight is in nanoseconds; in times that it was seen, where nobody measured who held a GIL.
        """
        measured = self._weights.measured
        for row in self._weights.of(lane):
            count = min(row.times, MOST_SAMPLES)
            whole = round(row.weight_ns) if measured else row.times
            for number in range(count):
                at_ns = row.start_ns + row.length_ns * number // count
                yield at_ns, row.stack, whole * (number + 1) // count - whole * number // count

    def _markers(self, markers: Markers, category: int) -> Iterator[str]:
        places = self._strings.places
        count = 0

        def counted() -> Iterator[str]:
            nonlocal count
            for name, _, _, _ in markers():
                count += 1
                yield str(places[name])

        yield '"markers":{'
        yield from _column("name", counted())
        yield ","
        yield from _column("data", (json.dumps(data) for _, _, _, data in markers()))
        yield ","
        yield from _column("startTime", (_ms(start) for _, start, _, _ in markers()))
        yield ","
        yield from _column("endTime", ("null" if end is None else _ms(end) for _, _, end, _ in markers()))
        yield ","
        yield from _column("phase", (str(INSTANT if m[2] is None else INTERVAL) for m in markers()))
        yield ","
        yield from _column("category", (str(category) for _ in range(count)))
        yield f',"length":{count}}}'

    # --- markers ---

    def _holds(self, gil: int) -> Iterator[Marker]:
        labels = {key: lane.label for key, lane in self._names.lanes.items()}
        data = {"type": "hold"}
        for hold in self._streams.holds(gil):
            yield labels.get(hold.lane or 0, "unknown thread"), hold.start_ns, hold.end_ns, data

    def _stalls(self, lane: int) -> Iterator[Marker]:
        for _, who, start, end, waiters, stack in self._streams.each_stall():
            if who == lane:
                place = self._stack_places.get(stack or 0)
                # The stack that was caught in it.
                cause = {} if place is None else {"cause": {"time": start / NS_PER_MS, "stack": place}}
                yield "stall", start, end, {"type": "stall", "waiters": waiters, **cause}

    def _happened(self) -> Iterator[Marker]:
        streams = self._streams
        for event in streams.each_event():
            yield event.kind, max(0, event.at_ns), None, {"type": "event", "text": event.text}
        for at_ns, text in streams.each_mark():
            yield "mark", at_ns, None, {"type": "mark", "text": text}
        for gap in streams.gaps():
            about = {"type": "gap", "source": gap.source, "reason": gap.reason}
            yield "gap", max(0, gap.start_ns), max(0, gap.start_ns, gap.end_ns), about
        if self._options.with_output:
            for piece in streams.output():
                text = piece.data.decode(errors="replace")
                yield "output", max(0, piece.at_ns), None, {"type": "output", "text": text}


_NO_SAMPLES: dict[str, Any] = {"stack": [], "time": [], "weight": None, "weightType": "samples", "length": 0}


def _of_process(process: Process) -> dict[str, Any]:
    return {
        "processType": "default",
        "processName": process_title(process),
        "processStartupTime": process.start_ns / NS_PER_MS,
        "processShutdownTime": None if process.end_ns is None else process.end_ns / NS_PER_MS,
        "pausedRanges": [],
    }


def _table(name: str, length: int, /, **columns: list[Any]) -> str:
    return f'"{name}":' + json.dumps({**columns, "length": length}, separators=(",", ":"))


def _meta(session: Session, until_ns: int) -> dict[str, Any]:
    try:
        started_ms = datetime.fromisoformat(session.started).timestamp() * 1000
    except (ValueError, OverflowError):
        started_ms = 0.0  # a damaged file
    return {
        "interval": 10,
        "startTime": started_ms,
        "profilingStartTime": 0,
        "profilingEndTime": until_ns / NS_PER_MS,
        "processType": 0,
        "product": f"gilscope: {session.command}",
        "importedFrom": f"gilscope {session.gilscope_version}",
        "arguments": session.command,
        "oscpu": session.platform,
        "logicalCPUs": session.cores,
        "stackwalk": 1,
        "version": GECKO_VERSION,
        "preprocessedProfileVersion": VERSION,
        "symbolicated": True,
        "symbolicationNotSupported": True,
        "usesOnlyOneStackType": True,
        "sourceCodeIsNotOnSearchfox": True,
        "keepProfileThreadOrder": True,
        "categories": list(CATEGORIES),
        "markerSchema": list(MARKER_SCHEMA),
        "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "ns"},
    }

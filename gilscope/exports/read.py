"""A recording's summary with its verdict: what every report and export begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gilscope.analysis import span as parts
from gilscope.analysis.flames import flames
from gilscope.analysis.free_threaded import turned_on_for_good
from gilscope.analysis.quality import quality_of
from gilscope.analysis.summary import summarise
from gilscope.analysis.unknown import KINDS
from gilscope.analysis.verdict import judge, verdict_fields
from gilscope.analysis.waits import Waits, waits
from gilscope.analysis.weights import weighted_stacks, weighted_waiting
from gilscope.model import NS_PER_S, Event, Flames, Quality, Stall
from gilscope.recording.reader import RecordingReader
from gilscope.recording.schema import STALLS_SINCE
from gilscope.recording.streams import RecordingStreams


def summary_of(
    reader: RecordingReader, *, start_ns: int | None = None, end_ns: int | None = None
) -> dict[str, Any]:
    """The summary of a recording, of its part up to `end_ns`, or of a span of it.

    With `start_ns`, and where the recording's beginning is not kept, it is a span's: CPU times come from
    the ticks, and what is only known of the whole session is None. Spans that touch add up.
    """
    with reader.making_sense():
        return _summary_of(reader, start_ns, end_ns)


def _summary_of(reader: RecordingReader, start_ns: int | None, end_ns: int | None) -> dict[str, Any]:
    first_ns = reader.first_ns()
    if start_ns is not None or first_ns > 0:
        head_ns = reader.head_ns()
        return _summary_of_span(
            reader,
            parts.Span(first_ns if start_ns is None else start_ns, head_ns if end_ns is None else end_ns),
        )
    until_ns = reader.head_ns() if end_ns is None else end_ns
    summary = summarise(
        session=reader.session(),
        processes=reader.processes(),
        lanes=reader.lanes(),
        gils=reader.gils(),
        ticks=reader.coarse_ticks(until_ns),
        gaps=reader.gaps(),
        stacks=reader.stack_samples(),
        waiting_stacks=reader.waiting_stacks(end_ns=until_ns),
        process_ticks=reader.process_ticks(),
        stalls=_stalls(reader, 0, until_ns),
        waits=_waits(reader) if end_ns is None else None,
        events=[event for event in reader.events() if end_ns is None or event.at_ns <= end_ns],
    )
    events = [event for event in reader.events() if event.at_ns <= until_ns]
    summary["verdict"] = verdict_fields(judge(summary, events, _printed(reader, events)))
    return summary


def _stalls(reader: RecordingReader, start_ns: int, end_ns: int) -> Sequence[Stall] | None:
    """Those that start in a span; None if nobody looked for any."""
    if reader.written_with < STALLS_SINCE:
        return None
    return [stall for stall in reader.stalls(start_ns, end_ns) if stall.start_ns >= start_ns]


def _waits(reader: RecordingReader) -> Mapping[int, Waits]:
    """How long lanes waited for each acquisition: of whole sessions only, as it reads every hold."""
    owners = Counter(gil.process for gil in reader.gils())
    only_gil = {gil.process: gil.key for gil in reader.gils() if owners[gil.process] == 1}
    gil_of = {lane.key: only_gil[lane.process] for lane in reader.lanes() if lane.process in only_gil}
    streams = RecordingStreams(reader.path, checked=True)
    try:
        return waits(streams.steps(), gil_of)
    finally:
        streams.close()


def _summary_of_span(reader: RecordingReader, span: parts.Span) -> dict[str, Any]:
    session = reader.session()
    everyone = reader.processes()
    processes = parts.processes_in(span, everyone)
    ticks = reader.coarse_ticks(span.end_ns, start_ns=span.start_ns)
    keys = {process.key for process in processes}
    standing = [event for event in reader.events(end_ns=span.start_ns) if event.kind in KINDS]
    events = (*standing, *parts.events_in(span, reader.events(span.start_ns, span.end_ns)))
    summary = summarise(
        session=parts.session_in(span, session),
        processes=processes,
        lanes=parts.lanes_in(span, reader.lanes(), ticks),
        gils=[gil for gil in reader.gils() if gil.process in keys],
        ticks=ticks,
        gaps=parts.gaps_in(span, reader.gaps()),
        stacks=parts.stacks_in(span, reader.stack_samples(span.start_ns, span.end_ns)),
        waiting_stacks=reader.waiting_stacks(span.start_ns, span.end_ns),
        process_ticks=parts.process_ticks_in(span, reader.process_ticks(span.start_ns, span.end_ns)),
        events=events,
        # As each starts in one span, spans that touch add up.
        stalls=_stalls(reader, span.start_ns, span.end_ns),
        span_ns=(span.start_ns, span.end_ns),
    )
    whole_ns = reader.head_ns() if session.ended_ns is None else session.ended_ns
    cost = summary["gilscope"]["cost"]
    cost["share_of_core"] = round(session.cost_cpu_ns / whole_ns, 6) if whole_ns else None
    summary["totals"]["processes_started"] = parts.started_in(span, everyone)
    summary["target"]["wall_s"] = round((span.end_ns - span.start_ns) / NS_PER_S, 6)
    is_part = span.start_ns > reader.first_ns() or span.end_ns < reader.head_ns()
    verdict = judge(summary, events, _printed(reader, events), is_part=is_part)
    summary["verdict"] = verdict_fields(verdict)
    return summary


def _printed(reader: RecordingReader, events: Sequence[Event]) -> str:
    """What was printed about when a GIL was turned on: Python says there which import it was."""
    moments = [event.at_ns for event in turned_on_for_good(events)]
    return "\n".join(
        b"".join(piece.data for piece in reader.output_until(at_ns + NS_PER_S)).decode("utf-8", "replace")
        for at_ns in moments
    )


def flames_of(reader: RecordingReader, end_ns: int | None = None) -> Flames:
    """The trees of functions of a recording, or of its part up to `end_ns`: of held and of waiting time."""
    until_ns = reader.head_ns() if end_ns is None else end_ns
    stacks = [stack for stack in reader.stack_samples() if stack.start_ns < until_ns]
    waiting = reader.waiting_stacks(end_ns=until_ns)
    lanes, ticks = reader.lanes(), reader.coarse_ticks(until_ns)
    return flames(weighted_stacks(stacks, ticks, lanes), lanes, weighted_waiting(waiting, ticks))


def watch_quality(
    reader: RecordingReader, summary: dict[str, Any] | None = None, *, end_ns: int | None = None
) -> Quality:
    """How well a recording, or its part up to `end_ns`, was watched; `summary` spares making it again."""
    if summary is None:
        summary = summary_of(reader, end_ns=end_ns)
    return quality_of(summary, reader.session(), reader.gils(), stacks=reader.stack_count())

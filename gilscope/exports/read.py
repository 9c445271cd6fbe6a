"""A recording's summary with its verdict: what every report and export begins with."""

from __future__ import annotations

from typing import Any

from gilscope.analysis.quality import quality_of
from gilscope.analysis.summary import summarise
from gilscope.analysis.verdict import judge, verdict_fields
from gilscope.model import Quality
from gilscope.recording.reader import RecordingReader


def summary_of(reader: RecordingReader, *, end_ns: int | None = None) -> dict[str, Any]:
    """The summary of a recording, or of its part up to `end_ns`."""
    until_ns = reader.head_ns() if end_ns is None else end_ns
    summary = summarise(
        session=reader.session(),
        processes=reader.processes(),
        lanes=reader.lanes(),
        gils=reader.gils(),
        ticks=reader.coarse_ticks(until_ns),
        gaps=reader.gaps(),
        stacks=reader.stack_samples(),
        process_ticks=reader.process_ticks(),
        stalls=reader.stalls() if end_ns is None else reader.stalls(0, end_ns),
        events=[event for event in reader.events() if end_ns is None or event.at_ns <= end_ns],
    )
    events = [event for event in reader.events() if event.at_ns <= until_ns]
    summary["verdict"] = verdict_fields(judge(summary, events))
    return summary


def watch_quality(
    reader: RecordingReader, summary: dict[str, Any] | None = None, *, end_ns: int | None = None
) -> Quality:
    """How well a recording, or its part up to `end_ns`, was watched; `summary` spares making it again."""
    if summary is None:
        summary = summary_of(reader, end_ns=end_ns)
    return quality_of(summary, reader.session(), reader.gils(), stacks=reader.stack_count())

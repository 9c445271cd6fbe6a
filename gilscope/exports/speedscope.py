"""speedscope's format: a profile a thread, its stacks weighted by the time for which it held the GIL.

A stack's weight is its share of the time that the GIL's own samples say its thread held the GIL for, in the
span in which py-spy saw it (recording/weights.py). So a thread's total is what the recording says it held, as
far as there are stacks of it, and not a number of samples. Stacks only ever seen while the thread held
nothing have no weight. Where nobody measured who held a GIL, the weights are numbers of samples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gilscope.errors import UsageError
from gilscope.exports.options import Options
from gilscope.recording.streams import RecordingStreams
from gilscope.recording.weights import StackWeights, Weighted

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
STACKS_KEPT = 4_096
NO_STACKS = (
    "There are no stacks in this recording, so there is nothing for {tool} to show.\n"
    "Stacks come from py-spy; what it could not read: gilscope report {file}"
)


def pieces(streams: RecordingStreams, options: Options) -> Iterator[str]:
    """The file.

    Raises:
        UsageError: there are no stacks.
    """
    del options
    lanes = streams.lanes_with_stacks()
    if not lanes:
        raise UsageError(NO_STACKS.format(tool="speedscope", file=streams.path))
    session = streams.session()
    weights = StackWeights(streams)
    what = "time holding the GIL" if weights.measured else "samples"
    yield (
        f'{{"$schema":"{SCHEMA}","exporter":{json.dumps("gilscope@" + session.gilscope_version)},'
        f'"name":{json.dumps(f"{session.command}: {what}")},"activeProfileIndex":0,\n'
    )
    yield '"shared":{"frames":['
    indexes: dict[int, int] = {}
    for key, frame in streams.frame_rows():
        comma = ",\n" if indexes else "\n"
        indexes[key] = len(indexes)
        # A line of 0 is none; speedscope counts from 1.
        line = {"line": frame.line} if frame.line > 0 else {}
        yield comma + json.dumps({"name": frame.function, "file": frame.file, **line})
    yield '\n]},\n"profiles":['
    labels = _labels(streams)
    stacks = _Stacks(streams, indexes)
    unit = "nanoseconds" if weights.measured else "none"
    for number, lane in enumerate(lanes):
        yield "," if number else ""
        yield f'\n{{"type":"sampled","name":{json.dumps(labels.get(lane, f"thread {lane}"))},'
        yield f'"unit":"{unit}","startValue":0,"samples":['
        total = 0
        for count, row in enumerate(weights.of(lane)):
            yield ("," if count else "") + stacks.text(row.stack)
            total += _weight(weights, row)
        yield '],"weights":['
        for count, row in enumerate(weights.of(lane)):
            yield ("," if count else "") + str(_weight(weights, row))
        yield f'],"endValue":{total}}}'
    yield "\n]}\n"


def _weight(weights: StackWeights, row: Weighted) -> int:
    return round(row.weight_ns) if weights.measured else row.times


def _labels(streams: RecordingStreams) -> dict[int, str]:
    """By lane: the thread's name, with its process where there are several."""
    known = {
        process.key: f"pid {process.pid}" if process.name is None else f"{process.name}, pid {process.pid}"
        for process in streams.processes()
    }
    return {
        lane.key: lane.label if len(known) < 2 else f"{lane.label} ({known.get(lane.process, 'pid ?')})"
        for lane in streams.lanes()
    }


class _Stacks:
    """Stacks as lists of indexes, the newest few thousand kept."""

    def __init__(self, streams: RecordingStreams, indexes: dict[int, int]) -> None:
        self._streams = streams
        self._indexes = indexes
        self._known: dict[int, str] = {}

    def text(self, stack: int) -> str:
        known = self._known.get(stack)
        if known is None:
            frames = [self._indexes[key] for key in self._streams.frame_keys(stack) if key in self._indexes]
            if len(self._known) >= STACKS_KEPT:
                self._known.clear()
            known = self._known[stack] = json.dumps(frames, separators=(",", ":"))
        return known

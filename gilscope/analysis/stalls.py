"""Stalls in a summary: which C call kept the GIL, where, for how long, and how many had to wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gilscope.model import NS_PER_MS, NS_PER_S, Frame, Gil, Lane, Process, Stall

SHOWN = 100
"""So many stalls at most are in a summary: the longest."""
STACK_SHOWN = 40
"""So many frames of each: the innermost."""


def stalls_shown(
    stalls: Iterable[Stall], lanes: Iterable[Lane], gils: Iterable[Gil], processes: Iterable[Process]
) -> list[dict[str, Any]]:
    """The rows of "stalls" in a summary, the longest first."""
    lane_of = {lane.key: lane for lane in lanes}
    pid_of = {process.key: process.pid for process in processes}
    process_of = {gil.key: gil.process for gil in gils}
    longest = sorted(stalls, key=lambda stall: (stall.start_ns - stall.end_ns, stall.start_ns))[:SHOWN]
    rows = []
    for stall in longest:
        lane = None if stall.lane is None else lane_of.get(stall.lane)
        rows.append(
            {
                "at_s": round(stall.start_ns / NS_PER_S, 6),
                "pid": pid_of.get(process_of.get(stall.gil, -1)),
                "tid": lane.tid if lane else None,
                "name": lane.label if lane else None,
                "held_ms": round((stall.end_ns - stall.start_ns) / NS_PER_MS, 3),
                "waiters": round(stall.waiters_mean, 2),
                "waiters_max": stall.waiters_max,
                "stack": [frame_text(frame) for frame in stall.frames[-STACK_SHOWN:]],
            }
        )
    return rows


def frame_text(frame: Frame) -> str:
    """A frame for people; those of C code have no line, and the library in the place of the file."""
    if frame.line:
        return str(frame)
    library = frame.file.rpartition("/")[2]
    return f"{frame.function} ({library})" if library else frame.function


def culprit(frames: Sequence[Frame]) -> Frame | None:
    """The innermost Python function of a stack: the line that called what kept the GIL."""
    return next((frame for frame in reversed(frames) if frame.line), frames[-1] if frames else None)

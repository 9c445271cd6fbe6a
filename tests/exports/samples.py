"""Recordings to export: scripted, with names that mean harm, and things that share their numbers."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

from gilscope.model import (
    NS_PER_MS,
    NS_PER_S,
    Event,
    Frame,
    Gap,
    Gil,
    Hold,
    Output,
    StackSample,
    WaitingStack,
)
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write

SCRIPT_TAG = "</script><script>document.documentElement.dataset.harmed='yes'</script>"
QUOTES = "\"';--<b>&amp;"
NAMES = (
    "MainThread", SCRIPT_TAG, QUOTES, "=cmd|' /C calc'!A0", "\x1b[2J\x07 \u202etxt.exe", "你好", None,
)  # fmt: skip
"""Of the lanes of the first process; the second one has the script's own."""
OUTPUT = b"=1+1\r\n\xff\xfe\x00 \\ \xc3\xbc </script>\n"
SECRET = "Left out: the password is swordfish"


def hostile(path: Path, *, seconds: float = 3.0) -> Path:
    """Two processes of one pid, one after the other for all that other tools know; names that mean harm."""
    made = ScriptedSession(
        Script(
            seconds=seconds, processes=2, cpu=2, io=1, native=1, idle=1, cores=2,
            command=f"{SCRIPT_TAG} {QUOTES}",
            gaps=(
                Gap(source="probe", pid=5098, reason=SCRIPT_TAG, start_ns=NS_PER_S, end_ns=2 * NS_PER_S),
                Gap(source="cores", pid=None, reason=QUOTES, start_ns=NS_PER_S, end_ns=NS_PER_S + 7),
            ),
        )
    )  # fmt: skip
    made.processes[1] = dataclasses.replace(
        made.processes[1], pid=made.processes[0].pid, command=QUOTES, name=f"=\x1b[2J{SCRIPT_TAG}"
    )
    first = [number for number, lane in enumerate(made.lanes) if lane.process == 1]
    for number, name in zip(first, NAMES, strict=False):
        made.lanes[number] = dataclasses.replace(made.lanes[number], name=name)
    # The kernel gave a number again.
    made.lanes[-1] = dataclasses.replace(made.lanes[-1], tid=made.lanes[1].tid, name=None, end_ns=NS_PER_S)
    made.gils.append(Gil(key=3, process=1, interpreter=1, kind="own"))
    writer = RecordingWriter(path, made.session)
    write(made, writer)
    writer.put_output([Output(at_ns=NS_PER_S, data=OUTPUT), Output(at_ns=NS_PER_S, data=SECRET.encode())])
    writer.put_events(
        [
            Event(at_ns=NS_PER_S, kind="stop-the-world", process=1, lane=2, text=SCRIPT_TAG),
            Event(at_ns=NS_PER_S, kind="swap-note", process=None, lane=None, text=QUOTES),
        ]
    )
    outer, inner = (
        Frame(function=QUOTES, file=SCRIPT_TAG, line=0),
        Frame(function="=f()", file="/x/y.py", line=7),
    )
    writer.put_stacks(
        [
            StackSample(lane=2, start_ns=0, end_ns=NS_PER_S, count=3, frames=(outer, inner)),
            StackSample(lane=2, start_ns=0, end_ns=NS_PER_S, count=1, frames=(outer,)),
        ]
    )
    writer.put_waiting_stacks(
        [WaitingStack(lane=lane, at_ns=NS_PER_S, frames=(outer, inner)[:lane]) for lane in (2, 1)]
    )
    # A holder that no thread list has, and a GIL of the same process.
    tick = made.step(0).tick
    holds = [
        Hold(gil=3, lane=None, start_ns=5, end_ns=NS_PER_MS),
        Hold(gil=3, lane=2, start_ns=2 * NS_PER_MS, end_ns=3 * NS_PER_MS),
    ]
    rows = [(hold.gil, hold.start_ns, hold.end_ns, hold.lane) for hold in holds]
    assert tick.end_ns > holds[-1].end_ns
    writer.close()
    with sqlite3.connect(path) as db:
        db.executemany("INSERT INTO hold VALUES (?, ?, ?, ?)", rows)
        stack = db.execute("SELECT max(id) FROM stack").fetchone()[0]
        stall = (1, 2, NS_PER_S, NS_PER_S + 200 * NS_PER_MS, 1.5, 2, stack)
        db.execute("INSERT INTO stall VALUES (1, ?, ?, ?, ?, ?, ?, ?)", stall)
        db.execute("INSERT INTO mark VALUES (1, ?, ?)", (NS_PER_S, SCRIPT_TAG))
    return path


def rows_of(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What the file says, read without gilscope."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()

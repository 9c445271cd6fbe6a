"""Pure: what py-spy writes → stacks, names, counts. It is text from outside: nothing is taken on trust."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gilscope.model import Frame

_THREAD = re.compile(r"thread \((?:0x([0-9A-Fa-f]+)|(\d+))\)(?:: (.*))?$", re.ASCII | re.DOTALL)
_PROCESS = re.compile(r"process (\d+):", re.ASCII)
_FRAME = re.compile(r"(.*?) \((.*):(\d+)\)$", re.ASCII)
_BEGUN = re.compile(r"Sampling process \d+ times a second", re.ASCII)
_WROTE = re.compile(r"Samples: (\d{1,9}) Errors: (\d{1,9})$", re.ASCII | re.MULTILINE)
_EARLY = "Stopped sampling because"
_REASON_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that was seen to hold the GIL."""

    pid: int
    tid: int
    name: str | None
    frames: tuple[Frame, ...]
    """Outermost first."""
    count: int


@dataclass(frozen=True, slots=True)
class ThreadStack:
    """What a thread did at one moment."""

    frames: tuple[Frame, ...]
    """Outermost first; native ones have line 0."""
    owns_gil: bool
    """py-spy takes it for the holder."""


FindTid = Callable[[int, int, int], int]
"""From a pid, what was told of a thread's kernel id (0: nothing) and Python's id of it to the kernel's id; 0
where that is not known."""


def _as_told(_pid: int, tid: int, _thread_id: int) -> int:
    return tid


def parse_stacks(
    text: str, pid: int, find_tid: FindTid = _as_told, *, frameless: bool = False
) -> tuple[Stack, ...]:
    """The stacks in py-spy's raw format.

    Args:
        text: what py-spy wrote.
        pid: the process of lines that name none.
        find_tid: finds the kernel's id of the thread; lines may have only Python's, in hexadecimal.
        frameless: a thread that executes no Python function counts too, as one that ends its interpreter.

    Raises:
        ValueError: there is something, but no line of it is a stack.
    """
    stacks = []
    lines = text.splitlines()
    found = not any(lines)
    for line in lines:
        path, _, count = line.rpartition(" ")
        if not (count.isascii() and count.isdigit()):
            continue
        owner, thread, name, frames = _path(path.split(";"), pid)
        if thread is not None and (frames or frameless):
            found = True
            tid = find_tid(owner, int(thread[2] or 0), int(thread[1] or "0", 16))
            if tid:
                stacks.append(Stack(owner, tid, name, tuple(frames), int(count)))
    if not found:
        raise ValueError("no line of it is a stack")
    return tuple(stacks)


def _path(parts: list[str], pid: int) -> tuple[int, re.Match[str] | None, str | None, list[Frame]]:
    """Process, thread, its name and the frames of a stack; names are written as they are, with any ";"."""
    thread: re.Match[str] | None = None
    name: str | None = None
    frames: list[Frame] = []
    for part in parts:
        if thread is None:
            process, thread = _PROCESS.match(part), _THREAD.match(part)
            pid = int(process[1]) if process else pid
            name = thread[3] if thread else None
        elif frame := _FRAME.match(part):
            frames.append(Frame(function=frame[1], file=frame[2], line=int(frame[3])))
        elif name is not None and not frames:
            name += ";" + part
    return pid, thread, name, frames


def parse_threads(text: str, pid: int, find_tid: FindTid = _as_told) -> dict[int, ThreadStack]:
    """What `py-spy dump --json` prints of each thread, by tid.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is something else.
    """
    found: dict[int, ThreadStack] = {}
    for thread in json.loads(text):
        tid = find_tid(pid, int(thread.get("os_thread_id") or 0), int(thread.get("thread_id") or 0))
        if tid:
            frames = tuple(
                Frame(function=str(frame["name"]), file=str(frame["filename"]), line=int(frame["line"]))
                for frame in reversed(thread.get("frames") or ())
            )
            found[tid] = ThreadStack(frames, owns_gil=bool(thread.get("owns_gil")))
    return found


def parse_dump(text: str, pid: int, find_tid: FindTid = _as_told) -> tuple[dict[int, str], tuple[Stack, ...]]:
    """What `py-spy dump --json` prints: names by tid, and the stacks of threads that held the GIL.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is something else.
    """
    names: dict[int, str] = {}
    stacks: list[Stack] = []
    for thread in json.loads(text):
        tid = find_tid(pid, int(thread.get("os_thread_id") or 0), int(thread.get("thread_id") or 0))
        name = thread.get("thread_name")
        if tid and name:
            names[tid] = str(name)
        if tid and thread.get("owns_gil") and thread.get("frames"):
            frames = tuple(
                Frame(function=str(frame["name"]), file=str(frame["filename"]), line=int(frame["line"]))
                for frame in reversed(thread["frames"])
            )
            stacks.append(Stack(pid, tid, str(name) if name else None, frames, 1))
    return names, tuple(stacks)


class TraceLog(NamedTuple):
    """What py-spy says of its own work when a record ends."""

    held: int
    """Samples that found the GIL held."""
    errors: int
    """Samples that failed."""
    whole: bool
    """It took all samples that were asked for: neither the target's end nor a signal cut it short."""


def has_begun(text: str) -> bool:
    """Whether py-spy's messages so far say that it has begun to sample."""
    return _BEGUN.search(text) is not None


def parse_trace_log(text: str) -> TraceLog | None:
    """What py-spy said at the end of a record; None if it did not get so far."""
    found = _WROTE.search(text)
    return TraceLog(int(found[1]), int(found[2]), _EARLY not in text) if found else None


def error_text(text: str) -> str:
    """What py-spy complained of, in one line; empty if it said nothing."""
    lines = text.partition("Stack backtrace:")[0].strip().splitlines()
    words = [line.removeprefix("Error: ").strip() for line in lines if not line.startswith("py-spy>")]
    return "; ".join(word for word in words if word)[:_REASON_CHARACTERS]

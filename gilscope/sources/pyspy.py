"""py-spy: names of threads, stacks of the GIL's holder.

Always with --nonblocking: without it py-spy stops the target for each sample. It runs as a process of its
own, in rolling records of a few seconds; its results come when a record ends, so they are always a little
old. Nothing here waits: `poll` brings what has finished.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gilscope.model import Frame
from gilscope.sources.layouts import GLIBC_TID_OFFSET
from gilscope.sources.memory import ProcessMemory, ReadFailedError

RECORD_RATE_HZ = 15
FIRST_RECORD_S = 5
RECORD_S = 10
"""Each start costs as much CPU time as seconds of sampling: a dump shows something soon, so none is short."""
TIMEOUT_S = 10.0
"""A call that takes so much longer than it should is ended."""
MAX_FAILURES = 3
"""After so many failures in a row py-spy is left alone for this session."""

_THREAD = re.compile(r"thread \((?:0x([0-9A-Fa-f]+)|(\d+))\)(?:: (.*))?$", re.ASCII | re.DOTALL)
_PROCESS = re.compile(r"process (\d+):", re.ASCII)
_FRAME = re.compile(r"(.*?) \((.*):(\d+)\)$", re.ASCII)


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
class Stacks:
    """The result of one record; moments in nanoseconds of the caller's clock."""

    stacks: tuple[Stack, ...]
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Names:
    """What a dump shows of the threads of one process."""

    pid: int
    names: dict[int, str]
    """By tid."""
    stacks: Stacks
    """That of the thread that held the GIL, if one did."""
    cpu_ns: int
    """What it took: it grows with the number of threads."""


@dataclass(frozen=True, slots=True)
class PySpyFailure:
    """Why a call of py-spy brought nothing."""

    pid: int
    reason: str
    start_ns: int
    final: bool
    """It will not be tried again."""


Result = Stacks | Names | PySpyFailure

FindTid = Callable[[int, int], int]
"""From a pid and Python's own id of a thread to the kernel's id of it, 0 where that is not known."""


def find_executable() -> str | None:
    """py-spy's path: beside our own interpreter first, as a dependency brings it, then on PATH."""
    for folder in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        candidate = Path(folder) / "py-spy"
        if os.access(candidate, os.X_OK):
            return str(candidate)
    return shutil.which("py-spy")


@dataclass(slots=True)
class _Call:
    """One py-spy process that is under way."""

    kind: str
    pid: int
    process: subprocess.Popen[bytes]
    start_ns: int
    deadline_ns: int
    output: Path
    errors: Path
    cpu_ns: int = 0
    late: bool = False
    """It was ended because it took too long."""


class PySpy:
    """py-spy for one target. Its files live in a private folder until `close`."""

    def __init__(
        self, executable: str | None = None, *, on_start: Callable[[int], object] = lambda _: None
    ) -> None:
        """`on_start` is told the pid of each py-spy, so that nobody takes it for a part of the target."""
        self._on_start = on_start
        self._executable = executable or find_executable()
        self._folder: Path | None = None
        self._calls: list[_Call] = []
        self._failures = 0
        self._finishing = False
        self._records = 0
        self._spent_ns = 0
        self._tids: dict[tuple[int, int], int] = {}
        """What `_find_tid` found, for results that come when their process has gone."""

    @property
    def usable(self) -> bool:
        """It was found, and does not fail again and again."""
        return self._executable is not None and self._failures < MAX_FAILURES

    @property
    def recording(self) -> bool:
        """A record is under way."""
        return any(call.kind == "record" for call in self._calls)

    def dumping(self, pid: int) -> bool:
        """A dump of this process is under way."""
        return any(call.kind == "dump" and call.pid == pid for call in self._calls)

    def record(self, pid: int, now_ns: int) -> PySpyFailure | None:
        """Begin a record of a few seconds."""
        seconds = RECORD_S if self._records else FIRST_RECORD_S
        self._records += 1
        arguments = ["--threads", "--gil", "--full-filenames", "-r", str(RECORD_RATE_HZ), "-d", str(seconds)]
        arguments += ["-f", "raw"]
        return self._start("record", pid, now_ns, arguments, seconds)

    def dump(self, pid: int, now_ns: int) -> PySpyFailure | None:
        """Begin to read the names of a process's threads, and the stack of the one that holds the GIL."""
        return self._start("dump", pid, now_ns, ["--json"])

    def _start(
        self, kind: str, pid: int, now_ns: int, arguments: list[str], seconds: float = 0.0
    ) -> PySpyFailure | None:
        if self._executable is None:
            self._failures = MAX_FAILURES
            return PySpyFailure(
                pid, "py-spy is not installed: no names of threads, no stacks", now_ns, final=True
            )
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gilscope-"))
        # The same names again and again: to remove a file can take milliseconds, and samples wait for it.
        output = self._folder / f"{kind}-{pid}.out"
        errors = self._folder / f"{kind}-{pid}.err"
        command = [self._executable, kind, "--nonblocking", "--pid", str(pid), *arguments]
        if kind == "record":
            command += ["-o", str(output)]
        try:
            with errors.open("wb") as err, output.open("wb") as out:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=err if kind == "record" else out, stderr=err,
                    start_new_session=True,
                    # All of ours close themselves; to close each of thousands again takes tens of ms.
                    close_fds=True,
                )  # fmt: skip
        except OSError as error:
            return self._failed(pid, f"py-spy cannot be started: {error.strerror}", now_ns)
        self._on_start(process.pid)
        deadline_ns = now_ns + round((seconds + TIMEOUT_S) * 1e9)
        self._calls.append(_Call(kind, pid, process, now_ns, deadline_ns, output, errors))
        return None

    def _failed(self, pid: int, reason: str, start_ns: int) -> PySpyFailure:
        self._failures += 1
        return PySpyFailure(pid, reason, start_ns, final=not self.usable)

    def poll(self, now_ns: int) -> list[Result]:
        """What has finished since the last call. Never waits."""
        results: list[Result] = []
        for call in list(self._calls):
            status = self._ended(call)
            if status is None:
                if now_ns > call.deadline_ns and not call.late:
                    call.late = True
                    _send(call, signal.SIGKILL)
                continue
            self._calls.remove(call)
            self._spent_ns += call.cpu_ns
            results.append(self._result(call, status, now_ns))
        return results

    @staticmethod
    def _ended(call: _Call) -> int | None:
        """Exit status, or None while it runs; takes its CPU time from the kernel as it is reaped."""
        pid, status, usage = os.wait4(call.process.pid, os.WNOHANG)
        if pid == 0:
            return None
        call.cpu_ns = round((usage.ru_utime + usage.ru_stime) * 1e9)
        call.process.returncode = os.waitstatus_to_exitcode(status)
        return call.process.returncode

    def _result(self, call: _Call, status: int, now_ns: int) -> Result:
        try:
            text = call.output.read_text(errors="replace")
            if call.kind == "dump" and status == 0:
                names, stacks = parse_dump(text, call.pid, self._find_tid)
                held = Stacks(stacks, call.start_ns, now_ns)
                return self._succeeded(Names(call.pid, names, held, call.cpu_ns))
            if call.kind == "record" and (status == 0 or text):
                stacks = parse_stacks(text, call.pid, self._find_tid)
                return self._succeeded(Stacks(stacks, call.start_ns, now_ns))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return self._failed(
                call.pid, f"py-spy {call.kind} wrote what cannot be read: {error}", call.start_ns
            )
        if self._finishing:
            return Stacks((), call.start_ns, now_ns)
        return self._failed(call.pid, _reason(call), call.start_ns)

    def _succeeded(self, result: Result) -> Result:
        self._failures = 0
        return result

    def _find_tid(self, pid: int, thread_id: int) -> int:
        """Kernel id of a thread that py-spy knows by Python's id only: with --nonblocking, up to 3.10.

        That id is the address of glibc's thread struct, which holds the tid.
        """
        memory: ProcessMemory | None = None
        with contextlib.suppress(ReadFailedError):
            memory = ProcessMemory(pid)
            tid = memory.int32(thread_id + GLIBC_TID_OFFSET)
            if tid > 0 and Path(f"/proc/{pid}/task/{tid}").exists():
                self._tids[pid, thread_id] = tid
        if memory is not None:
            memory.close()
        return self._tids.get((pid, thread_id), 0)

    def cpu_ns(self) -> int:
        """CPU time that py-spy took so far, the running calls included."""
        running = 0
        for call in self._calls:
            with contextlib.suppress(OSError):
                running += time.clock_gettime_ns((~call.process.pid << 3) | 2)
        return self._spent_ns + running

    def close(self, *, wait_s: float = 1.0) -> None:
        """End what runs. A record writes its file once its target has gone, so give it `wait_s` first.

        Results that came meanwhile are fetched with `poll` before; after this there are none.
        """
        deadline = time.monotonic() + wait_s
        for call in self._calls:
            with contextlib.suppress(subprocess.TimeoutExpired):
                call.process.wait(max(0.0, deadline - time.monotonic()))
            if call.process.returncode is None:
                call.process.kill()
                call.process.wait()
        self._calls.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def finish_soon(self) -> None:
        """Ask running records to write what they have. One that had only just begun writes nothing."""
        self._finishing = True
        for call in self._calls:
            if call.kind == "record":
                # py-spy ends a record early, and in order, on an interrupt.
                _send(call, signal.SIGINT)


def _send(call: _Call, number: int) -> None:
    """Send a signal; unlike Popen's own way this does not reap a call that has just ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(call.process.pid, number)  # not reaped yet, so the pid is still its


def _reason(call: _Call) -> str:
    if call.late:
        return f"py-spy {call.kind} did not end in time"
    lines = call.errors.read_text(errors="replace").strip().splitlines()
    words = [line.removeprefix("Error: ").strip() for line in lines if not line.startswith("py-spy>")]
    said = "; ".join(word for word in words if word)[:200]
    return f"py-spy {call.kind} failed: {said or 'it said nothing'}"


def _no_tid(_pid: int, _thread_id: int) -> int:
    return 0


def parse_stacks(text: str, pid: int, find_tid: FindTid = _no_tid) -> tuple[Stack, ...]:
    """The stacks in py-spy's raw format.

    Args:
        text: what py-spy wrote.
        pid: the process of lines that name none.
        find_tid: for lines that have only Python's id of the thread, in hexadecimal.

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
        if thread is not None and frames:
            found = True
            tid = int(thread[2]) if thread[2] else find_tid(owner, int(thread[1], 16))
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


def parse_dump(text: str, pid: int, find_tid: FindTid = _no_tid) -> tuple[dict[int, str], tuple[Stack, ...]]:
    """What `py-spy dump --json` prints: names by tid, and the stacks of threads that held the GIL.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is something else.
    """
    names: dict[int, str] = {}
    stacks: list[Stack] = []
    for thread in json.loads(text):
        tid = int(thread.get("os_thread_id") or find_tid(pid, int(thread.get("thread_id") or 0)))
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

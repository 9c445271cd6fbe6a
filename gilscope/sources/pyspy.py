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
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gilscope.model import Frame

RECORD_RATE_HZ = 25
FIRST_RECORD_S = 1
RECORD_S = 5
DUMP_TIMEOUT_S = 10.0
MAX_FAILURES = 3
"""After so many failures in a row py-spy is left alone for this session."""

_THREAD = re.compile(r"thread \((?:0x)?([0-9A-Fa-f]+)\)(?:: (.*))?$")
_PROCESS = re.compile(r"process (\d+):")
_FRAME = re.compile(r"(.*) \((.*):(\d+)\)$")


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
    """Names of the threads of one process, by tid."""

    pid: int
    names: dict[int, str]


@dataclass(frozen=True, slots=True)
class PySpyFailure:
    """Why a call of py-spy brought nothing."""

    pid: int
    reason: str
    start_ns: int
    final: bool
    """It will not be tried again."""


Result = Stacks | Names | PySpyFailure


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
    output: Path
    errors: Path
    cpu_ns: int = 0


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
        self._records = 0
        self._spent_ns = 0

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
        """Begin a record of a few seconds; the first one is short, so that something shows soon."""
        seconds = RECORD_S if self._records else FIRST_RECORD_S
        self._records += 1
        arguments = ["--threads", "--gil", "--full-filenames", "-r", str(RECORD_RATE_HZ), "-d", str(seconds)]
        arguments += ["-f", "raw"]
        return self._start("record", pid, now_ns, arguments)

    def dump(self, pid: int, now_ns: int) -> PySpyFailure | None:
        """Begin to read the names of a process's threads."""
        return self._start("dump", pid, now_ns, ["--json"])

    def _start(self, kind: str, pid: int, now_ns: int, arguments: list[str]) -> PySpyFailure | None:
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
                )  # fmt: skip
        except OSError as error:
            return self._failed(pid, f"py-spy cannot be started: {error.strerror}", now_ns)
        self._on_start(process.pid)
        self._calls.append(_Call(kind, pid, process, now_ns, output, errors))
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
                if call.kind == "dump" and now_ns - call.start_ns > DUMP_TIMEOUT_S * 1e9:
                    call.process.kill()
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
                self._failures = 0
                return Names(call.pid, parse_names(text))
            if call.kind == "record" and (status == 0 or text):
                self._failures = 0
                return Stacks(parse_stacks(text, call.pid), call.start_ns, now_ns)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return self._failed(
                call.pid, f"py-spy {call.kind} wrote what cannot be read: {error}", call.start_ns
            )
        return self._failed(call.pid, _reason(call), call.start_ns)

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
        """Ask running records to write what they have."""
        for call in self._calls:
            if call.kind == "record":
                # py-spy ends a record early, and in order, on an interrupt.
                call.process.send_signal(2)


def _reason(call: _Call) -> str:
    lines = call.errors.read_text(errors="replace").strip().splitlines()
    words = [line.removeprefix("Error: ").strip() for line in lines if not line.startswith("py-spy>")]
    said = "; ".join(word for word in words if word)[:200]
    return f"py-spy {call.kind} failed: {said or 'it said nothing'}"


def parse_stacks(text: str, pid: int) -> tuple[Stack, ...]:
    """The stacks in py-spy's raw format. `pid` is the process of lines that name none."""
    stacks = []
    for line in text.splitlines():
        path, _, count = line.rpartition(" ")
        if not count.isdigit():
            continue
        owner, tid, name = pid, 0, None
        frames: list[Frame] = []
        for part in path.split(";"):
            frame, thread, process = _FRAME.match(part), _THREAD.match(part), _PROCESS.match(part)
            if process:
                owner = int(process[1])
            elif thread and not frames:
                tid, name = int(thread[1]), thread[2]
            elif frame:
                frames.append(Frame(function=frame[1], file=frame[2], line=int(frame[3])))
        if tid and frames:
            stacks.append(Stack(owner, tid, name, tuple(frames), int(count)))
    return tuple(stacks)


def parse_names(text: str) -> dict[int, str]:
    """The names in what `py-spy dump --json` prints, by tid."""
    threads = json.loads(text)
    return {
        int(thread["os_thread_id"]): str(thread["thread_name"])
        for thread in threads
        if thread.get("os_thread_id") and thread.get("thread_name")
    }

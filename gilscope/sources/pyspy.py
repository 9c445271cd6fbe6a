"""py-spy: names of threads, stacks of the GIL's holder.

Always with --nonblocking: without it py-spy stops the target for each sample. It runs as a process of its
own, in rolling records of a few seconds; its results come when a record ends, so they are always a little
old. Nothing here waits: `poll` brings what has finished.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from gilscope.folders import OwnFolder
from gilscope.sources.layouts import GLIBC_TID_OFFSET
from gilscope.sources.memory import ProcessMemory, ReadFailedError
from gilscope.sources.namespaces import our_tid
from gilscope.sources.portable import cpu_ns_of, elsewhere_tid
from gilscope.sources.pyspy_call import DUMPS, RECORD_RATE_HZ, RECORD_S, SNAPSHOTS, Call, monotonic_of
from gilscope.sources.pyspy_results import Names, PySpyFailure, Result, Snapshot, Stacks, Trace
from gilscope.sources.pyspy_text import (
    ThreadStack,
    parse_dump,
    parse_stacks,
    parse_threads,
    parse_trace_log,
)

FIRST_RECORD_S = 5
TIMEOUT_S = 10.0
"""A call that takes so much longer than it should is ended."""
MAX_FAILURES = 3
"""After so many failures in a row py-spy is left alone for this session."""


def find_executable() -> str | None:
    """py-spy's path: beside our own interpreter first, as a dependency brings it, then on PATH."""
    for folder in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        candidate = Path(folder) / ("py-spy.exe" if sys.platform == "win32" else "py-spy")
        if os.access(candidate, os.X_OK):
            return str(candidate)
    return shutil.which("py-spy")


def version_of(executable: str) -> str | None:
    """What a py-spy says it is; None where it does not run."""
    try:
        answer = subprocess.run(
            [executable, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S,
            check=False, text=True, errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.split()
    return words[-1] if words and answer.returncode == 0 else None


class PySpy:
    """py-spy for one target. Its files live in a private folder until `close`."""

    def __init__(
        self, executable: str | None = None, *, on_start: Callable[[int], object] = lambda _: None
    ) -> None:
        """`on_start` is told the pid of each py-spy, so that nobody takes it for a part of the target."""
        self._on_start = on_start
        self._executable = executable or find_executable()
        self._folder: OwnFolder | None = None
        self._calls: list[Call] = []
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
        """A record or a trace is under way."""
        return any(call.kind not in DUMPS for call in self._calls)

    def dumping(self, pid: int) -> bool:
        """A dump of this process is under way."""
        return any(call.kind == "dump" and call.pid == pid for call in self._calls)

    def snapshots(self, pid: int) -> int:
        """How many snapshots of this process are under way, those of waiters left out."""
        return sum(call.kind in ("snapshot", "native") and call.pid == pid for call in self._calls)

    def has_written(self, pid: int) -> bool:
        """A snapshot of waiters has read all threads, or ended in another way; also if there is none."""
        call = next((call for call in self._calls if call.kind == "waiters" and call.pid == pid), None)
        # It writes once it has read everything.
        return call is None or call.output.stat().st_size > 0 or call.has_ended()

    def record(self, pid: int, now_ns: int) -> PySpyFailure | None:
        """Begin a record of a few seconds."""
        seconds = RECORD_S if self._records else FIRST_RECORD_S
        self._records += 1
        arguments = ["--threads", "--gil", "--full-filenames", "-r", str(RECORD_RATE_HZ), "-d", str(seconds)]
        arguments += ["-f", "raw"]
        return self._start("record", pid, now_ns, arguments, seconds)

    def trace(self, pid: int, now_ns: int, *, rate_hz: int, seconds: int) -> PySpyFailure | None:
        """Begin to count who holds the GIL. Several may overlap; each brings a `Trace`, even a failed one."""
        # --idle: a thread that sleeps and keeps the GIL holds it all the same.
        arguments = ["--threads", "--gil", "--idle", "--full-filenames", "-f", "raw"]
        arguments += ["-r", str(rate_hz), "-d", str(seconds)]
        busy = {call.output.name for call in self._calls}
        name = next(f"trace{n}-{pid}" for n in range(len(busy) + 1) if f"trace{n}-{pid}.out" not in busy)
        failure = self._start("trace", pid, now_ns, arguments, seconds, name=name)
        if failure is None:
            call = self._calls[-1]
            call.rate_hz, call.seconds, call.launched_ns = rate_hz, seconds, time.monotonic_ns()
        return failure

    def traces(self, pid: int) -> list[int | None]:
        """For each trace of a process that is under way: when it took its first sample, if it has."""
        calls = [call for call in self._calls if call.kind == "trace" and call.pid == pid]
        for call in calls:
            call.note_begin()
        return [call.begun_ns for call in calls]

    def dump(self, pid: int, now_ns: int) -> PySpyFailure | None:
        """Begin to read the names of a process's threads, and the stack of the one that holds the GIL."""
        return self._start("dump", pid, now_ns, ["--json"])

    def snapshot(
        self, pid: int, now_ns: int, *, native: bool = False, waiters: bool = False
    ) -> PySpyFailure | None:
        """Begin to read what all threads do now; brings a `Snapshot`, even a failed one.

        Args:
            pid: the process.
            now_ns: the caller's clock.
            native: with the frames of C code; py-spy can do that only while it stops the process.
            waiters: to see where threads wait; `has_written` tells when it has read them.
        """
        kind = "native" if native else "waiters" if waiters else "snapshot"
        return self._start(kind, pid, now_ns, ["--json", "--native"] if native else ["--json"])

    def _start(
        self, kind: str, pid: int, now_ns: int, arguments: list[str], seconds: float = 0.0, name: str = ""
    ) -> PySpyFailure | None:
        if self._executable is None:
            self._failures = MAX_FAILURES
            return PySpyFailure(
                pid, "py-spy is not installed: no names of threads, no stacks", now_ns, final=True
            )
        if self._folder is None:
            self._folder = OwnFolder()
        # The same names again and again: to remove a file can take milliseconds, and samples wait for it.
        output = self._folder.path / f"{name or f'{kind}-{pid}'}.out"
        errors = output.with_suffix(".err")
        dump = kind in DUMPS
        command = [self._executable, "dump" if dump else "record", "--pid", str(pid), *arguments]
        if kind != "native":
            command.append("--nonblocking")
        if not dump:
            command += ["-o", str(output)]
        try:
            with errors.open("wb") as err, output.open("wb") as out:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out if dump else err, stderr=err,
                    start_new_session=True,
                    # All of ours close themselves; to close each of thousands again takes tens of ms.
                    close_fds=True,
                )  # fmt: skip
        except OSError as error:
            return self._failed(pid, f"py-spy cannot be started: {error.strerror}", now_ns)
        self._on_start(process.pid)
        deadline_ns = now_ns + round((seconds + TIMEOUT_S) * 1e9)
        self._calls.append(Call(kind, pid, process, now_ns, deadline_ns, output, errors))
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
                    call.process.kill()
                continue
            self._calls.remove(call)
            self._spent_ns += call.cpu_ns
            results.append(self._result(call, status, now_ns))
        return results

    @staticmethod
    def _ended(call: Call) -> int | None:
        """Exit status, or None while it runs; takes its CPU time from the kernel as it is reaped."""
        if sys.platform == "win32":
            call.cpu_ns = max(call.cpu_ns, cpu_ns_of(call.process.pid))
            return call.process.poll()
        pid, status, usage = os.wait4(call.process.pid, os.WNOHANG)
        if pid == 0:
            return None
        call.cpu_ns = round((usage.ru_utime + usage.ru_stime) * 1e9)
        call.process.returncode = os.waitstatus_to_exitcode(status)
        return call.process.returncode

    def _result(self, call: Call, status: int, now_ns: int) -> Result:
        if call.kind == "trace":
            return self._trace(call, status)
        if call.kind in SNAPSHOTS:
            return self._snapshot(call, status, now_ns)
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
        return self._failed(call.pid, call.reason(), call.start_ns)

    def _snapshot(self, call: Call, status: int, now_ns: int) -> Snapshot:
        """What a snapshot brought. A failed one is no sign for others: its process may just have ended."""
        threads: dict[int, ThreadStack] = {}
        end_ns, failure = now_ns, None
        try:
            # It may have ended some time before anybody asked.
            end_ns -= max(0, time.monotonic_ns() - monotonic_of(call.output.stat().st_mtime_ns))
            if status == 0:
                threads = parse_threads(call.output.read_text(errors="replace"), call.pid, self._find_tid)
            elif not self._finishing:
                failure = call.reason()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            failure = f"py-spy wrote what cannot be read: {error}"
        return Snapshot(
            call.pid, threads, call.kind == "native", call.start_ns, max(call.start_ns, end_ns), call.cpu_ns,
            failure, call.kind == "waiters",
        )  # fmt: skip

    def _trace(self, call: Call, status: int) -> Trace:
        """What a trace brought. One that fails is no sign for others: its process may just have ended."""
        call.note_begin()
        end_ns = time.monotonic_ns()
        begun_ns = end_ns if call.begun_ns is None else call.begun_ns
        try:
            text = call.output.read_text(errors="replace")
            log = parse_trace_log(call.errors.read_text(errors="replace"))
            if status == 0 and log is not None:
                # Its last words come just after the last sample; our own clock shows when somebody asked.
                # Not the stamp of its output: of a file that was and stays empty that does not move.
                end_ns = max(begun_ns, monotonic_of(call.errors.stat().st_mtime_ns))
                stacks = parse_stacks(text, call.pid, self._find_tid, frameless=True)
                samples = call.samples_of(log, end_ns - begun_ns)
                return Trace(call.pid, stacks, log.held, samples, begun_ns, end_ns)
            reason = None if self._finishing else call.reason()
        except (OSError, ValueError) as error:
            reason = f"py-spy wrote what cannot be read: {error}"
        return Trace(call.pid, (), 0, 0, begun_ns, end_ns, reason)

    def _succeeded(self, result: Result) -> Result:
        self._failures = 0
        return result

    def _find_tid(self, pid: int, told: int, thread_id: int) -> int:
        """Kernel id of a thread, which py-spy may know by Python's id only: with --nonblocking, up to 3.10.

        That id is the address of glibc's thread struct, which holds the tid.
        """
        if sys.platform != "linux":
            return elsewhere_tid(pid, told)
        if told:
            return our_tid(pid, told)
        memory: ProcessMemory | None = None
        with contextlib.suppress(ReadFailedError):
            memory = ProcessMemory(pid)
            tid = our_tid(pid, memory.int32(thread_id + GLIBC_TID_OFFSET))
            if tid > 0 and Path(f"/proc/{pid}/task/{tid}").exists():
                self._tids[pid, thread_id] = tid
        if memory is not None:
            memory.close()
        return self._tids.get((pid, thread_id), 0)

    def cpu_ns(self) -> int:
        """CPU time that py-spy took so far, the running calls included."""
        running = 0
        for call in self._calls:
            if sys.platform != "linux":
                running += cpu_ns_of(call.process.pid)
                continue
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
            self._folder.remove()
            self._folder = None

    def finish_soon(self) -> None:
        """Ask running records to write what they have. One that had only just begun writes nothing."""
        self._finishing = True
        for call in self._calls:
            if call.kind not in DUMPS:
                # py-spy ends a record early, and in order, on an interrupt, which Windows has none of.
                if sys.platform == "win32":
                    call.process.kill()
                else:
                    call.send(signal.SIGINT)

"""One py-spy process that is under way."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from gilscope.sources.pyspy_text import TraceLog, error_text, has_begun

RECORD_RATE_HZ = 15
RECORD_S = 10
"""Each start costs as much CPU time as seconds of sampling: a dump shows something soon, so none is short."""
SNAPSHOTS = ("snapshot", "native", "waiters")
DUMPS = ("dump", *SNAPSHOTS)


@dataclass(slots=True)
class Call:
    """One py-spy process that is under way."""

    kind: str
    pid: int
    process: subprocess.Popen[bytes]
    start_ns: int
    deadline_ns: int
    output: Path
    errors: Path
    cpu_ns: int = 0
    rate_hz: int = RECORD_RATE_HZ
    seconds: int = RECORD_S
    launched_ns: int = 0
    """On the monotonic clock, as `begun_ns`."""
    begun_ns: int | None = None
    """When it took its first sample, on the monotonic clock; of traces only."""
    late: bool = False
    """It was ended because it took too long."""

    def send(self, number: int) -> None:
        """Send a signal; unlike Popen's own way this does not reap a call that has just ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)  # not reaped yet, so the pid is still its

    def has_ended(self) -> bool:
        """Whether it is over; `poll` still finds its status."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def reason(self) -> str:
        """Why it brought nothing."""
        word = "dump" if self.kind in DUMPS else "record"
        if self.late:
            return f"py-spy {word} did not end in time"
        said = error_text(self.errors.read_text(errors="replace"))
        return f"py-spy {word} failed: {said or 'it said nothing'}"

    def note_begin(self) -> None:
        """py-spy says that it samples just before its first sample: the file's stamp tells when."""
        if self.begun_ns is None:
            with contextlib.suppress(OSError), self.errors.open(errors="replace") as file:
                if has_begun(file.read(4096)):
                    # Asked before the text was read, it could be the stamp of the file's creation.
                    status = self.errors.stat()
                    # Read at the end, it is stamped with that; then the time it was to take must do.
                    begun_ns = monotonic_of(status.st_mtime_ns)
                    if self.process.returncode is not None:
                        begun_ns = max(self.launched_ns, begun_ns - self.seconds * 1_000_000_000)
                    self.begun_ns = begun_ns

    def samples_of(self, log: TraceLog, length_ns: int) -> int:
        """How many samples a trace took: it does not say, but it took them all if not ended early."""
        taken = self.rate_hz * self.seconds - 1 if log.whole else round(self.rate_hz * length_ns / 1e9)
        return max(log.held, taken - log.errors, 0)


def monotonic_of(wall_ns: int) -> int:
    """A moment of the wall clock, as files are stamped with, on the monotonic one."""
    return wall_ns - time.time_ns() + time.monotonic_ns()

"""A target on a system without Linux's means: started or found, with nothing of ours in it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Collection, Sequence
from typing import Final

import psutil

from gilscope.errors import UsageError
from gilscope.launch.attached import AttachSpec
from gilscope.launch.reports import ExitStatus, PlaceReport, Report
from gilscope.launch.spec import TargetSpec
from gilscope.launch.terminal import TerminalSize
from gilscope.launch.tree import ProcessEntry

_TICKS_PER_S: Final = 100
_KILL_PATIENCE_S: Final = 5.0


class PortableTarget:
    """A program and its descendants, by subprocess and psutil."""

    ready: Final = None
    begins_with_go: Final = False
    output_fd: Final = None
    wants_write: Final = False

    def __init__(self, pid: int, process: subprocess.Popen[bytes] | None) -> None:
        """`process`: if we have started it."""
        self.pid = pid
        self.is_ours = process is not None
        self._process = process
        self._found = _found(pid)
        self.start_ticks = 0 if self._found is None else _ticks(self._found)
        self._spared = {os.getpid()}

    @classmethod
    def start(cls, spec: TargetSpec) -> PortableTarget:
        """Start it, with our own terminal.

        Raises:
            UsageError: it cannot be started, or not in that way.
        """
        if spec.mode != "asis" or spec.function is not None:
            raise UsageError(
                "--mode and SCRIPT:FUNCTION need Linux: elsewhere a program is watched as it is.\n"
                "Leave them out."
            )
        try:
            process = subprocess.Popen(spec.command(), cwd=spec.cwd, env={**os.environ, **dict(spec.env)})
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UsageError(
                f"Cannot start {spec.display} with {spec.python}: {why}.\nCheck --python and --cwd."
            ) from None
        return cls(process.pid, process)

    @classmethod
    def attach(cls, spec: AttachSpec) -> PortableTarget:
        """Hold on to one that runs."""
        target = cls(spec.pid, None)
        target.spare(spec.observer_pid)
        return target

    def go(self) -> None:
        """Nothing: it runs already."""

    def has_reports(self) -> bool:
        """No: nothing of ours is in it."""
        return False

    def reports(self, *, counts: bool = True) -> Sequence[Report]:  # noqa: ARG002 - as on Linux
        """None."""
        return ()

    def places(self) -> Sequence[PlaceReport]:
        """None."""
        return ()

    def read_output(self, max_bytes: int = 0) -> None:
        """None: what it prints goes to the terminal."""

    def write_input(self, data: bytes = b"") -> None:
        """Nothing: it has the terminal itself."""

    def resize(self, size: TerminalSize) -> None:
        """Nothing."""

    def signal(self, signum: int) -> bool:
        """Pass a signal on, where it is ours."""
        if self._process is None or self._process.poll() is not None:
            return False
        with contextlib.suppress(OSError, ValueError):
            if signum == signal.SIGTERM:
                self._process.terminate()
            else:
                self._process.send_signal(signum)
            return True
        return False

    def spare(self, pid: int) -> None:
        """Name a process that works for us."""
        self._spared.add(pid)

    def spares(self, pid: int) -> bool:
        """Whether that process works for us."""
        return pid in self._spared

    def poll(self) -> ExitStatus | None:
        """How it ended, None while it runs; of one that is not ours nobody tells."""
        if self._process is not None:
            code = self._process.poll()
            return None if code is None else ExitStatus.from_returncode(code)
        runs = self._found is not None and self._found.is_running()
        return None if runs else ExitStatus()

    def descendants(self) -> list[ProcessEntry]:
        """All its processes that exist, itself first."""
        if self._found is None:
            return []
        found = [self._found]
        with contextlib.suppress(psutil.Error, OSError):
            found += self._found.children(recursive=True)
        return [entry for each in found if (entry := _entry(each, self._spared)) is not None]

    def reap_orphans(self) -> list[tuple[int, ExitStatus]]:
        """None: they go to another."""
        return []

    def stop(self, grace_s: float = 0.5) -> ExitStatus | None:
        """End it and its descendants, if it is ours to end; how it ended."""
        if self._process is not None:
            below = [entry.pid for entry in self.descendants()][1:]
            self._process.terminate()
            deadline = time.monotonic() + grace_s
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(max(0.0, deadline - time.monotonic()))
            for pid in below:
                with contextlib.suppress(psutil.Error, OSError):
                    psutil.Process(pid).kill()
            if self._process.poll() is None:
                self._process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_KILL_PATIENCE_S)
        return self.poll()

    def close(self) -> None:
        """There is nothing to let go of."""


def _found(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except (psutil.Error, OSError):
        return None


def _ticks(process: psutil.Process) -> int:
    return round((process.create_time() - psutil.boot_time()) * _TICKS_PER_S)


def _entry(process: psutil.Process, spared: Collection[int]) -> ProcessEntry | None:
    try:
        if process.pid in spared:
            return None
        return ProcessEntry(process.pid, _ticks(process), process.ppid() or 0)
    except (psutil.Error, OSError):
        return None

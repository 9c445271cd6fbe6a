"""A target that ran before us: seen, and never touched.

Nothing in here signals, traces or changes the process, so that letting go of it leaves no trace.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Final, Self

from gilscope.launch import tree
from gilscope.launch.reports import ExitStatus, PlaceReport, Report
from gilscope.launch.terminal import TerminalSize
from gilscope.launch.tree import ProcessEntry
from gilscope.model import ATTACHED

if sys.platform != "win32":
    import fcntl

_COMMAND_CHARACTERS: Final = 200
_GET_INFO: Final = 0xC040FF0B
"""PIDFD_GET_INFO, since Linux 6.13; with the exit status since 6.15."""
_INFO_BYTES, _STATUS_AT, _INFO_EXIT = 64, 60, 1 << 3
_STATUS_FIELD: Final = 49
"""Position of the exit status in /proc/PID/stat after the command's closing parenthesis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachSpec:
    """A process that runs and is to be watched, as it was found."""

    pid: int
    start_ticks: int
    """Clock ticks since boot: with the pid, its identity."""
    command: str
    """Its command line, for people."""
    python: str
    """Path of its program, as the process sees it."""
    version: str | None = None
    """Such as "3.11.7", or only as much of it as could be read."""
    implementation: str | None = None
    needs_pyspy: bool = False
    """Only py-spy can read a Python so old."""
    observer_pid: int = 0
    """The gilscope that was started by the user: it may be a descendant of the very process it watches."""

    mode: ClassVar[str] = ATTACHED
    workers: ClassVar[int | None] = None

    @property
    def display(self) -> str:
        """The target in a few words."""
        return self.command

    @property
    def args(self) -> tuple[str, ...]:
        """None: they are in the command."""
        return ()


def short_command(command: str) -> str:
    """A command line as people write it: without the folder of its program, and not too long."""
    program, blank, rest = command.partition(" ")
    text = " ".join(f"{program.rpartition('/')[2]}{blank}{rest}".split())
    return text if len(text) <= _COMMAND_CHARACTERS else text[: _COMMAND_CHARACTERS - 1] + "…"


class AttachedTarget:
    """A process that was there before us, and its descendants. Made for one session."""

    ready: Final = None
    is_ours: Final = False
    begins_with_go: Final = True
    output_fd: Final = None
    wants_write: Final = False

    def __init__(self, spec: AttachSpec) -> None:
        self.spec = spec
        self.pid: Final = spec.pid
        self.start_ticks: Final = spec.start_ticks
        self._known = {spec.pid: spec.start_ticks}
        self._spared = {os.getpid(), spec.observer_pid}
        self._status: ExitStatus | None = None
        self._handle = -1
        with contextlib.suppress(OSError):
            # It holds on to the pid, not to the process. A kernel before 5.3 has none.
            self._handle = os.pidfd_open(spec.pid)
        self._end = select.poll()
        if self._handle >= 0:
            self._end.register(self._handle, select.POLLIN)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        self.close()

    def go(self) -> None:
        """Nothing: it runs already."""

    def has_reports(self) -> bool:
        """No: nothing of ours is in it."""
        return False

    def reports(self, *, counts: bool = True) -> Sequence[Report]:  # noqa: ARG002 - as of a started target
        """None."""
        return ()

    def places(self) -> Sequence[PlaceReport]:
        """None."""
        return ()

    def read_output(self, max_bytes: int = 0) -> None:
        """None: what it prints goes to its own terminal."""

    def write_input(self, data: bytes = b"") -> None:
        """Nothing: its terminal is not ours."""

    def resize(self, size: TerminalSize) -> None:
        """Nothing."""

    def signal(self, signum: int) -> bool:  # noqa: ARG002 - as of a started target
        """Never: it does not belong to us."""
        return False

    def stop(self, grace_s: float = 0.0) -> ExitStatus | None:  # noqa: ARG002 - as of a started target
        """Only let go of it; how it ended, if it has."""
        return self.poll()

    def spare(self, pid: int) -> None:
        """Name a process that works for us."""
        self._spared.add(pid)

    def spares(self, pid: int) -> bool:
        """Whether that process works for us."""
        return pid in self._spared

    def poll(self) -> ExitStatus | None:
        """How it ended, None while it runs. Its exit code is known where the kernel tells others of it."""
        if self._status is None and self._has_ended():
            self._status = self._left_behind() or self._told_by_kernel() or ExitStatus()
        return self._status

    def _has_ended(self) -> bool:
        if self._handle >= 0 and not self._end.poll(0):
            return False
        return not tree.is_running(self.pid, self.start_ticks)

    def _left_behind(self) -> ExitStatus | None:
        """From its entry in the process table, while its parent has not asked."""
        # Who may not know it reads a zero; who may is told of no program any more, and not of a refusal.
        try:
            os.readlink(f"/proc/{self.pid}/exe")  # noqa: PTH115 - for its error only
        except FileNotFoundError:
            words = tree.stat_fields(self.pid, self.start_ticks)
            if words is not None and words[0] == "Z":
                return _status(int(words[_STATUS_FIELD]))
        except OSError:
            pass
        return None

    def _told_by_kernel(self) -> ExitStatus | None:
        """By a kernel that keeps the status of a process for those who held on to its pid."""
        info = bytearray(_INFO_EXIT.to_bytes(_INFO_BYTES, "little"))
        try:
            fcntl.ioctl(self._handle, _GET_INFO, info)
        except (OSError, ValueError):
            return None
        if not int.from_bytes(info[:8], "little") & _INFO_EXIT:
            return None
        return _status(int.from_bytes(info[_STATUS_AT : _STATUS_AT + 4], "little"))

    def descendants(self) -> list[ProcessEntry]:
        """All its processes that exist, itself first: below it, or seen below it earlier."""
        known = [pid for pid, ticks in self._known.items() if tree.stat_fields(pid, ticks) is not None]
        entries = tree.walk(known, spare=self._spared)
        self._known = {entry.pid: entry.start_ticks for entry in entries}
        return entries

    def reap_orphans(self) -> list[tuple[int, ExitStatus]]:
        """None: its orphans go to another."""
        return []

    def close(self) -> None:
        """Let go of it. May be called more than once."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _status(word: int) -> ExitStatus:
    return ExitStatus.from_returncode(os.waitstatus_to_exitcode(word))

"""Start a target, talk with its shim, follow its processes, and end them all."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from gilscope.errors import UsageError
from gilscope.launch import tree
from gilscope.launch.inject import Injection
from gilscope.launch.reports import ExitStatus, ForkReport, NoteReport, PlaceReport, Ready, Report
from gilscope.launch.spec import TargetSpec
from gilscope.launch.terminal import Terminal, TerminalSize, take_controlling_terminal
from gilscope.launch.tree import ProcessEntry

_DEFAULT_TERM: Final = "xterm-256color"
_STOP_STEP_S: Final = 0.01
_KILL_PATIENCE_S: Final = 5.0
"""How long to wait for a killed process to go: one that hangs in the kernel cannot be ended by anyone."""

NotReady = Literal["exited", "silent"]

_started_here: set[int] = set()
"""Pids of all targets of this process that were not reaped: none is an orphan of another one."""


class Target:
    """A running target. Made by `Target.start`; a context manager that frees, but does not stop, it."""

    def __init__(
        self,
        *,
        spec: TargetSpec,
        process: subprocess.Popen[bytes],
        injection: Injection,
        terminal: Terminal | None,
    ) -> None:
        self.spec = spec
        self.pid = process.pid
        entry = tree.read_entry(process.pid)
        self.start_ticks = entry.start_ticks if entry else 0
        self.ready: Ready | None = None
        self.not_ready: NotReady | None = None
        """Why `wait_ready` gave None: it exited, or runs but said nothing."""
        self._process = process
        self._injection = injection
        self._terminal = terminal
        self._line_open = True
        self._early: list[Report] = []
        self._known: dict[int, int] = {self.pid: self.start_ticks}
        self._spared: set[int] = set()
        _started_here.add(self.pid)

    @classmethod
    def start(cls, spec: TargetSpec, *, terminal: TerminalSize | None = None) -> Target:
        """Start the interpreter; it stops before the first line of the program and waits for `go`.

        With `terminal` the target leads a new session on a pty of that size. Without, standard streams,
        session and process group, and every inheritable descriptor, are those of this process. A signal that
        this process ignores (SIG_IGN) is then ignored by the target as well, as everywhere on Unix: to
        survive Ctrl-C here, install a handler that does nothing.

        Raises:
            UsageError: it cannot be started.
        """
        with ExitStack() as undo:
            injection = undo.enter_context(Injection(mode=spec.mode, package=spec.package))
            pty = Terminal(terminal) if terminal is not None else None
            if pty is not None:
                undo.callback(pty.close)
            environment = _environment(spec, on_pty=pty is not None)
            if spec.shim:
                environment = injection.environment(environment)
            else:
                injection.started()  # nobody at the other end: the program inherits nothing of ours
            process = _spawn(spec, environment, pty)
            undo.pop_all()
        injection.started()
        if pty is not None:
            pty.started()
        return cls(spec=spec, process=process, injection=injection, terminal=pty)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free what it uses here."""
        self.close()

    # The handshake and the reports.

    @property
    def is_ours(self) -> bool:
        """We started it, and end it."""
        return True

    @property
    def begins_with_go(self) -> bool:
        """It waits for `go`; without a shim it runs already."""
        return self.ready is not None

    @property
    def report_fd(self) -> int:
        """Descriptor that becomes readable with a fork report; thread counts do not wake it."""
        return self._injection.fd

    def wait_ready(self, timeout_s: float = 10.0) -> Ready | None:
        """Wait until the shim reports, and return what it said.

        None if it will not, `not_ready` says why: the process ended, or an interpreter whose `site` is
        disabled, or which is no Python after all, went on and runs the program already.
        """
        deadline = time.monotonic() + timeout_s
        while self.ready is None and self.not_ready is None:
            message = self._injection.receive()
            if isinstance(message, Ready):
                self.ready = message
            elif isinstance(message, ForkReport | NoteReport):
                self._early.append(message)
            elif isinstance(message, EOFError):
                self._line_open = False
                self._wait_exit(min(deadline, time.monotonic() + 1.0))
                self.not_ready = "exited" if self.poll() else "silent"
            else:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or self.poll():
                    self.not_ready = "exited" if self.poll() else "silent"
                else:
                    select.select([self.report_fd], [], [], min(left_s, 0.2))
        self._injection.remove_directory()
        return self.ready

    def go(self) -> None:
        """Let the program begin."""
        self._injection.go()

    def has_reports(self) -> bool:
        """Say, at the price of one system call, whether a fork or a note was reported."""
        return bool(self._early) or (self._line_open and self._injection.has_message())

    def reports(self, *, counts: bool = True) -> list[Report]:
        """Return what was reported since the last call, without waiting: forks and notes, then thread counts.

        Thread counts take a few system calls to look for; `counts` says whether they are wanted this time.
        """
        found, self._early = self._early, []
        # Asked 20 times a second, and nearly always there is nothing.
        while self._line_open and self._injection.has_message():
            message = self._injection.receive()
            if message is None:
                break
            if isinstance(message, EOFError):
                self._line_open = False
            elif isinstance(message, ForkReport | NoteReport):
                found.append(message)
        for report in found:
            entry = tree.read_entry(report.pid)
            if entry is not None and entry.start_ticks >= self.start_ticks:
                self._known[entry.pid] = entry.start_ticks
        if counts:
            found += self._injection.thread_counts()
        return found

    def places(self) -> list[PlaceReport]:
        """Return where threads were created so far, in all processes, also in those that have ended."""
        return self._injection.places()

    @property
    def line_open(self) -> bool:
        """Whether a process may still report; once False, take `report_fd` out of the select loop."""
        return self._line_open

    # The terminal.

    @property
    def output_fd(self) -> int | None:
        """Our side of the pty, for a select loop; None without one."""
        return self._terminal.fd if self._terminal is not None else None

    @property
    def wants_write(self) -> bool:
        """Whether input is kept: call `write_input()` again when `output_fd` is writable."""
        return self._terminal is not None and self._terminal.wants_write

    def read_output(self, max_bytes: int = 65_536) -> bytes | None:
        """Return output that is there, `b""` if none is now, None once it has ended (or without a pty)."""
        return self._terminal.read(max_bytes) if self._terminal is not None else None

    def write_input(self, data: bytes = b"") -> None:
        """Type into the pty without waiting; what does not fit is kept and goes first the next time."""
        if self._terminal is not None:
            self._terminal.write(data)

    def resize(self, size: TerminalSize) -> None:
        """Give the pty another size; the program is told by SIGWINCH."""
        if self._terminal is not None:
            self._terminal.resize(size)

    # The processes.

    def poll(self) -> ExitStatus | None:
        """Return how the started process ended, None while it runs. Its descendants may outlive it."""
        returncode = self._process.poll()
        if returncode is None:
            return None
        _started_here.discard(self.pid)
        return ExitStatus.from_returncode(returncode)

    def spare(self, pid: int) -> None:
        """Name a child that this process itself started, such as py-spy: it is no orphan of the target."""
        self._spared.add(pid)

    def spares(self, pid: int) -> bool:
        """Say whether that is a child that this process itself started."""
        return pid in self._spared

    def descendants(self) -> list[ProcessEntry]:
        """Return all processes of the target that exist, itself first, zombies included.

        Those are the tree below it, those seen in it earlier, and orphans that came to this process if it is
        a subreaper.
        """
        known = [pid for pid, start_ticks in self._known.items() if self._is_known(pid, start_ticks)]
        entries = tree.walk([*known, *(entry.pid for entry in self._adopted())])
        self._known = {entry.pid: entry.start_ticks for entry in entries}
        return entries

    def signal(self, signum: int) -> bool:
        """Send a signal to the started process; return False if it has ended."""
        return self.poll() is None and tree.send_signal(self.pid, self.start_ticks, signum)

    def stop(self, grace_s: float = 2.0) -> ExitStatus | None:
        """End the target and all its descendants; return how the started process ended.

        First SIGTERM, also on a pty: it is the request to end that programs handle. SIGHUP, which a closed
        terminal would send, kills a Python program before its SIGTERM handler has cleaned up; it follows
        anyway when the pty is closed. Stopped processes are continued, or they could not answer. What is left
        after `grace_s`, or appears meanwhile, is killed. None only if a process hangs in the kernel and
        cannot be killed.
        """
        asked: set[tuple[int, int]] = set()
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline:
            running = list(self._running())
            if not running:
                break
            for entry in running:
                if (entry.pid, entry.start_ticks) not in asked:
                    asked.add((entry.pid, entry.start_ticks))
                    tree.send_signal(entry.pid, entry.start_ticks, signal.SIGTERM)
                    tree.send_signal(entry.pid, entry.start_ticks, signal.SIGCONT)
            time.sleep(_STOP_STEP_S)
        deadline = time.monotonic() + _KILL_PATIENCE_S
        while time.monotonic() < deadline:
            running = list(self._running())
            if not running:
                break
            for entry in running:
                tree.send_signal(entry.pid, entry.start_ticks, signal.SIGKILL)
            time.sleep(_STOP_STEP_S / 10)
        self.reap_orphans()
        return self.poll()

    def reap_orphans(self) -> list[tuple[int, ExitStatus]]:
        """Take the exit statuses of ended orphans that came to us, never the target's or a spared one's."""
        ended = ((entry.pid, tree.reap(entry.pid)) for entry in self._adopted())
        return [(pid, status) for pid, status in ended if status is not None]

    def close(self) -> None:
        """Free descriptors and files; the kernel hangs up a pty. Processes that still run are left alone."""
        self._line_open = False
        self._injection.close()
        if self._terminal is not None:
            self._terminal.close()
        self.poll()

    def _running(self) -> Iterator[ProcessEntry]:
        """Yield the processes of the target that have not ended; reaps those that have and are ours."""
        self.poll()
        self.reap_orphans()
        for entry in self.descendants():
            if tree.is_running(entry.pid, entry.start_ticks):
                yield entry

    def _adopted(self) -> list[ProcessEntry]:
        return tree.adopted_children(
            since_ticks=self.start_ticks, spare=self._spared | _started_here | {self.pid}
        )

    def _is_known(self, pid: int, start_ticks: int) -> bool:
        entry = tree.read_entry(pid)
        return entry is not None and entry.start_ticks == start_ticks

    def _wait_exit(self, deadline: float) -> None:
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)


def _environment(spec: TargetSpec, *, on_pty: bool) -> dict[str, str]:
    """Return the variables that the user's program is to see."""
    environment = dict(os.environ)
    if on_pty:
        # The size of the user's terminal is not that of the pty; the name of its type still fits.
        environment.pop("COLUMNS", None)
        environment.pop("LINES", None)
        environment.setdefault("TERM", _DEFAULT_TERM)
    environment.update(spec.env)
    return environment


def _spawn(spec: TargetSpec, environment: dict[str, str], pty: Terminal | None) -> subprocess.Popen[bytes]:
    stream = pty.target_fd if pty is not None else None
    try:
        # Descriptors that are meant to be inherited are, such as those of a shell's `3< file`: Python makes
        # none of its own inheritable. No other way than preexec_fn gives the child a controlling terminal
        # before it runs.
        return subprocess.Popen(
            spec.command(),
            cwd=spec.cwd,
            env=environment,
            stdin=stream,
            stdout=stream,
            stderr=stream,
            close_fds=False,
            start_new_session=pty is not None,
            preexec_fn=take_controlling_terminal if pty is not None else None,  # noqa: PLW1509 - one system call
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError(_why_not_started(spec, error)) from None


def _why_not_started(spec: TargetSpec, error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT and spec.cwd is not None and not Path(spec.cwd).is_dir():
        return f"Cannot start {spec.display}: the directory {spec.cwd} does not exist.\nCheck --cwd."
    why = os.strerror(code) if code is not None else str(error)
    advice = {
        errno.ENOEXEC: "It is no program for this system. Give --python the path of an interpreter.",
        errno.EACCES: "Make it executable, or give --python another interpreter.",
        errno.ENOENT: "Check the path given to --python, and the first line of it if it is a script.",
        errno.E2BIG: "The arguments and the environment are too long together; pass less.",
        errno.EAGAIN: "Too many processes run for this user (`ulimit -u`); end some.",
    }.get(code or 0, "Check that this command runs by itself.")
    return f"Cannot start {spec.display} with {spec.python}: {why}.\n{advice}"

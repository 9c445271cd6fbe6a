"""How the shim gets into the target, and the line on which they talk.

A private directory with one generated `sitecustomize.py` goes before the user's PYTHONPATH; see shim.py for
why. The target inherits two descriptors: one end of a socket pair for messages (SOCK_SEQPACKET: one write,
one message, and the end is noticed) and a file in memory where each process of the target keeps its thread
counters.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gilscope.errors import UsageError
from gilscope.folders import OwnFolder
from gilscope.launch.reports import (
    ForkReport,
    NoteReport,
    PlaceReport,
    Ready,
    ThreadsReport,
    parse_message,
    parse_places,
)
from gilscope.launch.swap.boot import boot_text
from gilscope.launch.threadcounts import COUNTER_BYTES, PLACES_AT, PLACES_BYTES

if sys.platform != "win32":
    import fcntl
    import resource

_SHIM: Final = Path(__file__).with_name("shim.py")
_COUNTS: Final = Path(__file__).with_name("threadcounts.py")
_SWAP: Final = Path(__file__).with_name("swap")
_PTRACE_SCOPE: Final = Path("/proc/sys/kernel/yama/ptrace_scope")
_MESSAGE_BYTES: Final = 65_536
_HIGHEST_DESCRIPTOR: Final = 1_000
"""Above what programs get from open(), below what select() takes and what a `closerange` or a table likes."""

_SITECUSTOMIZE: Final = """\
scope = {{"__name__": "gilscope.launch.shim"}}
for path in {counts!a}, {shim!a}:
    with open(path, "rb") as file:
        exec(compile(file.read(), "<gilscope>", "exec", dont_inherit=True), scope)
scope["run"]({config!a}, __spec__.cached)
"""


class Injection:
    """The launcher's side of one target's shim: made before the start, closed after the end."""

    def __init__(self, *, mode: str, package: str = "") -> None:
        """Make the line to the target.

        Args:
            mode: asis, threads or processes.
            package: the package that `-m` runs: the user's own, wherever it is installed.
        """
        self._mode = mode
        self._package = package
        self._folder: OwnFolder | None = None
        self._near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._near.settimeout(0)
        self._poll = select.poll()
        self._poll.register(self._near, select.POLLIN)
        self._counters = os.memfd_create("gilscope-threads", os.MFD_CLOEXEC)
        self._published: dict[int, ThreadsReport] = {}
        with far:
            self._target_ends = [_high_duplicate(far.fileno()), _high_duplicate(self._counters)]

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all."""
        self.close()

    @property
    def fd(self) -> int:
        """Descriptor that becomes readable when a message is there."""
        return self._near.fileno()

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Return the target's environment: the given one with the private directory before PYTHONPATH.

        Raises:
            UsageError: the directory cannot be made, or its path cannot stand in PYTHONPATH.
        """
        pythonpath = inherited.get("PYTHONPATH")
        directory = self._make_directory(None if pythonpath is None else os.fsencode(pythonpath))
        # An empty PYTHONPATH counts as none; with something before it, it would mean the current directory.
        joined = os.pathsep.join([str(directory), pythonpath]) if pythonpath else str(directory)
        return {**inherited, "PYTHONPATH": joined}

    def _make_directory(self, pythonpath: bytes | None) -> Path:
        try:
            self._folder = OwnFolder()
        except OSError as error:
            raise UsageError(
                f"Cannot make a temporary directory to start the program with: {error.strerror or error}.\n"
                "Make space there, or set TMPDIR to a directory that can be written."
            ) from None
        directory = self._folder.path
        if os.pathsep in str(directory):
            self.remove_directory()
            raise UsageError(
                f"The path of the directory {directory.parent} has a colon: PYTHONPATH cannot hold it.\n"
                "Set TMPDIR to another one, such as /tmp."
            )
        identities = [(fd, os.fstat(fd).st_dev, os.fstat(fd).st_ino) for fd in self._target_ends]
        config = {
            "directory": os.fsencode(directory),
            "pythonpath": pythonpath,
            "reports": identities[0],
            "counters": identities[1],
            "tracer_pid": os.getpid() if needs_tracer_permission() else 0,
            "swap": self._swap(identities[0]),
        }
        text = _SITECUSTOMIZE.format(counts=os.fsencode(_COUNTS), shim=os.fsencode(_SHIM), config=config)
        (directory / "sitecustomize.py").write_text(text, encoding="utf-8")
        return directory

    def _swap(self, reports: tuple[int, int, int]) -> str:
        if self._mode == "asis":
            return ""
        return boot_text(
            {"mode": self._mode, "directory": str(_SWAP), "package": self._package, "reports": reports}
        )

    def started(self) -> None:
        """Close the target's ends here, so that its end is noticed as the end of the line."""
        for fd in self._target_ends:
            os.close(fd)
        self._target_ends = []

    def has_message(self) -> bool:
        """Say whether `receive` would return something."""
        return bool(self._poll.poll(0))

    def receive(self) -> Ready | ForkReport | NoteReport | EOFError | None:
        """Return the next message, None if there is none now, an EOFError once no process holds the line."""
        while True:
            try:
                data = self._near.recv(_MESSAGE_BYTES)
            except BlockingIOError:
                return None
            except OSError as error:
                return EOFError(str(error))
            if not data:
                return EOFError("the target closed the line")
            message = parse_message(data)
            if message is not None:
                return message

    def go(self) -> None:
        """Let the program begin. Without effect if it has ended."""
        with contextlib.suppress(OSError):
            self._near.send(b"go")

    def thread_counts(self) -> list[ThreadsReport]:
        """Return the counts that changed since the last call."""
        changed = []
        for pid, created, started in self._counter_rows():
            report = ThreadsReport(pid=pid, created=created, started=started)
            if self._published.get(pid) != report:
                self._published[pid] = report
                changed.append(report)
        return changed

    def places(self) -> list[PlaceReport]:
        """Return where threads were created so far, and how many of each place were started."""
        return [
            report
            for begin, data in self._written(PLACES_AT)
            for at in range(0, len(data), PLACES_BYTES)  # the last one may be cut short
            for report in parse_places((begin + at - PLACES_AT) // PLACES_BYTES, data[at : at + PLACES_BYTES])
        ]

    def _counter_rows(self) -> Iterator[tuple[int, int, int]]:
        """Yield pid, created, started of each process that counted."""
        for begin, data in self._written(0, PLACES_AT):
            for at in range(0, len(data) - COUNTER_BYTES + 1, COUNTER_BYTES):
                created = int.from_bytes(data[at : at + 8], "little")
                started = int.from_bytes(data[at + 8 : at + 16], "little")
                if created or started:
                    yield (begin + at) // COUNTER_BYTES, created, started

    def _written(self, end: int, limit: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield what the sparse file of counters holds from `end` on: where, and the bytes there."""
        while True:
            try:
                begin = os.lseek(self._counters, end, os.SEEK_DATA)
                end = os.lseek(self._counters, begin, os.SEEK_HOLE)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    return
                raise
            if limit is not None and begin >= limit:
                return
            yield begin, os.pread(self._counters, end - begin, begin)

    def remove_directory(self) -> None:
        """Remove the private directory, which nobody needs once the interpreter is ready."""
        if self._folder is not None:
            self._folder.remove()
            self._folder = None

    def close(self) -> None:
        """Free everything. May be called more than once."""
        self.remove_directory()
        self.started()
        self._near.close()
        if self._counters >= 0:
            os.close(self._counters)
            self._counters = -1


def needs_tracer_permission() -> bool:
    """Say whether only ancestors may trace a process here, so that py-spy needs a permission."""
    try:
        return _PTRACE_SCOPE.read_text(encoding="ascii").strip() == "1"
    except (OSError, ValueError):
        return False


def _high_duplicate(fd: int) -> int:
    """Return an inheritable duplicate with a high number: the program's first open() still gives 3."""
    soft_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit = (
        _HIGHEST_DESCRIPTOR if soft_limit == resource.RLIM_INFINITY else min(soft_limit, _HIGHEST_DESCRIPTOR)
    )
    lowest = max(3, limit - 24)
    return fcntl.fcntl(fd, fcntl.F_DUPFD, lowest)

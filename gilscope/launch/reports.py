"""What a target tells about itself: ready, forks, thread counts, notes, and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from gilscope.launch.shim import NAME_CHARACTERS
from gilscope.launch.threadcounts import PLACE_BYTES, PLACE_KINDS

MOST_PID: Final = (1 << 31) - 1
"""What a pid can be, on any kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The interpreter runs, has not begun the program, and waits for go."""

    pid: int
    """Process that reports. It is the one started, unless `python` is a script that starts the real one."""
    version: tuple[int, int, int]
    release: str
    """`alpha`, `beta`, `candidate` or `final`."""
    implementation: str
    executable: str
    free_threaded: bool
    """A free-threaded build; its GIL may still be turned on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkReport:
    """A process of the target forked; told by the child. A report can be lost in a storm of forks."""

    pid: int
    ppid: int
    name: str | None = None
    """What multiprocessing called it as it forked it; None: something else forked it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsReport:
    """How many Thread objects a process has created and started since it began (or was forked)."""

    pid: int
    created: int
    started: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReport:
    """Where in its source a process created threads; or an executor of it, with the threads it created."""

    pid: int
    kind: str
    """"line", "executor", or "others": the places for which there was no room."""
    text: str
    """The file, or the end of its path where that is long; or the executor's name."""
    number: int
    """The line; or the most workers that the executor may have."""
    created: int
    started: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteReport:
    """Something that threads and processes do not have in common, noticed by a process of the target."""

    pid: int
    kind: str
    """A word such as "pickle" or "not-shared"."""
    text: str
    """A sentence for people, without the place."""
    file: str
    """Where it was noticed; empty: no such place."""
    line: int

    def __str__(self) -> str:
        """The sentence with its place."""
        return f"{self.text} ({self.file.rpartition('/')[2]}:{self.line})" if self.file else self.text


Report = ForkReport | ThreadsReport | NoteReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitStatus:
    """How a process ended: with an exit code, or by a signal, the other one is None; both: nobody knows."""

    code: int | None = None
    signal: int | None = None

    @property
    def shell_code(self) -> int | None:
        """The figure that a shell shows: the exit code, or 128 + signal; None: it is not known."""
        return self.code if self.signal is None else 128 + self.signal

    @classmethod
    def from_returncode(cls, returncode: int) -> ExitStatus:
        """Return the status for a figure as `subprocess` has it: negative is a signal."""
        return cls(signal=-returncode) if returncode < 0 else cls(code=returncode)


def parse_places(pid: int, page: bytes) -> list[PlaceReport]:
    """Return what a process wrote into its page of places; user code may write there too."""
    found = []
    for at in range(0, len(page), PLACE_BYTES):
        record = page[at : at + PLACE_BYTES].ljust(PLACE_BYTES, b"\0")
        created, started, number = (
            int.from_bytes(record[begin:end], "little") for begin, end in ((0, 8), (8, 16), (16, 20))
        )
        kind = PLACE_KINDS.get(record[20])
        if kind is not None and created:
            text = record[22 : 22 + record[21]].decode("utf-8", "replace")
            found.append(
                PlaceReport(pid=pid, kind=kind, text=text, number=number, created=created, started=started)
            )
    return found


def parse_message(data: bytes) -> Ready | ForkReport | NoteReport | None:
    """Return the message in a datagram of the shim, or None if it is none: user code may write there too."""
    try:
        fields = json.loads(data)
        match fields["kind"]:
            case "ready":
                major, minor, micro, release, _serial = fields["version"]
                return Ready(
                    pid=int(fields["pid"]),
                    version=(int(major), int(minor), int(micro)),
                    release=str(release),
                    implementation=str(fields["implementation"]),
                    executable=str(fields["executable"]),
                    free_threaded=bool(fields["free_threaded"]),
                )
            case "fork":
                name = fields.get("name")
                return ForkReport(
                    pid=_pid(fields["pid"]),
                    ppid=_pid(fields["ppid"]),
                    name=name[:NAME_CHARACTERS] if isinstance(name, str) and name else None,
                )
            case "note":
                return NoteReport(
                    pid=int(fields["pid"]),
                    kind=str(fields["note"]),
                    text=str(fields["text"]),
                    file=str(fields["file"]),
                    line=int(fields["line"]),
                )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        pass
    return None


def _pid(told: object) -> int:
    """A number that can be a pid.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(told, int) or not 0 <= told <= MOST_PID:
        raise ValueError(told)
    return told

"""The only reads of another process's memory.

Reading goes through /proc/PID/mem: it neither stops nor signals the process. The kernel asks for the
same permission as for a debugger (same user, and ancestry where ptrace_scope is 1).
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from gilscope.errors import GilscopeError

MAX_PLACES = 4
"""So often a file's beginning is looked at in one process."""


class ReadFailedError(GilscopeError):
    """A read brought nothing: the process is gone, or the address is not mapped, or it is not allowed."""


class NotReadableError(ReadFailedError):
    """No interpreter was found in the process, or its layout is not known or not proven. Says why."""

    def __init__(self, reason: str, *, no_python: bool = False) -> None:
        super().__init__(reason)
        self.no_python = no_python
        """Nothing in the process looks like CPython."""


class EndingError(ReadFailedError):
    """The process has no memory any more: it ends, even if that is not to be seen yet."""


class ProcessMemory:
    """A kept-open descriptor on one process's memory."""

    def __init__(self, pid: int) -> None:
        """Open the memory of `pid`.

        Raises:
            ReadFailedError: no such process, or not allowed.
        """
        self.pid = pid
        try:
            self.fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ReadFailedError(f"cannot open the memory of process {pid}: {error.strerror}") from error

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes at `address`.

        Raises:
            ReadFailedError: fewer came. After exit or exec the kernel answers with none at all.
        """
        try:
            data = os.pread(self.fd, size, address)
        except (OSError, OverflowError) as error:
            raise ReadFailedError(f"process {self.pid}, address {address:#x}: {error}") from error
        if len(data) != size:
            raise ReadFailedError(f"process {self.pid}, address {address:#x}: {len(data)} of {size} bytes")
        return data

    def pointer(self, address: int) -> int:
        """The 8-byte little-endian word at `address`."""
        return int.from_bytes(self.read(address, 8), "little")

    def int32(self, address: int) -> int:
        """The signed 4-byte word at `address`."""
        return int.from_bytes(self.read(address, 4), "little", signed=True)

    def close(self) -> None:
        """Give the descriptor back. Closing twice is harmless."""
        if self.fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self.fd)
            self.fd = -1


@dataclass(frozen=True, slots=True)
class Mapping:
    """A place where a process maps the beginning of a file; or as much of it as it maps first."""

    start: int
    path: str
    """As the process sees it, without the kernel's " (deleted)"."""
    device_inode: tuple[str, int]
    readable_at: Path
    """Where this process can open the file, also in another mount namespace or after its deletion."""


def mapped_files(pid: int) -> list[Mapping]:
    """Where `pid` maps files, in order of address: the lowest mapping of each, and others from its beginning.

    Raises:
        EndingError: there is none.
        ReadFailedError: it cannot be read.
    """
    try:
        text = Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape")
    except OSError as error:
        raise ReadFailedError(f"cannot read the memory map of process {pid}: {error.strerror}") from error
    if not text:
        # Its memory goes first: on a busy machine that is a while before anybody can see that it has ended.
        raise EndingError(f"process {pid} has no memory any more: it ends")
    return files_in(text, pid)


def files_in(text: str, pid: int) -> list[Mapping]:
    """The same from the text of /proc/PID/maps."""
    found: list[Mapping] = []
    places: dict[tuple[str, int], int] = {}
    # A line ends with "\n" only: the kernel escapes that one in names, and none else that splitlines knows.
    for line in text.split("\n"):
        fields = line.split(maxsplit=5)
        if len(fields) < 6 or not fields[5].startswith("/"):
            continue
        span, _, offset, device, inode, path = fields
        identity = (device, int(inode))
        known = places.get(identity, 0)
        # A program may map its own file to read it (to name the functions of a backtrace): besides what the
        # loader mapped, and mostly below it.
        if known == 0 or (int(offset, 16) == 0 and known < MAX_PLACES):
            places[identity] = known + 1
            start = int(span.split("-")[0], 16)
            path = path.removesuffix(" (deleted)")
            found.append(Mapping(start, path, identity, _open_path(pid, span, path, int(inode))))
    return found


def _open_path(pid: int, span: str, path: str, inode: int) -> Path:
    inside = Path(f"/proc/{pid}/root{path}")
    with contextlib.suppress(OSError):
        if inside.stat().st_ino == inode:
            return inside
    return Path(f"/proc/{pid}/map_files/{span}")

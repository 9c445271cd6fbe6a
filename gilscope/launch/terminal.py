"""The pseudo-terminal that a target runs on when its output goes into the recording."""

from __future__ import annotations

import errno
import os
import struct
import sys
from dataclasses import dataclass
from typing import Final

if sys.platform != "win32":
    import fcntl
    import termios

_IUTF8: Final = 0o40000
"""Erase whole UTF-8 characters in line input; not in the termios module before 3.14."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSize:
    """Size of a terminal in character cells."""

    columns: int
    rows: int


class Terminal:
    """A pty: the target has one side as its controlling terminal, gilscope reads and writes the other."""

    def __init__(self, size: TerminalSize) -> None:
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        self._unwritten = b""
        attributes = termios.tcgetattr(self._slave)
        attributes[0] |= _IUTF8
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        self.resize(size)

    @property
    def fd(self) -> int:
        """Our side, for a select loop."""
        return self._master

    @property
    def target_fd(self) -> int:
        """The target's side, valid until `started`."""
        return self._slave

    @property
    def wants_write(self) -> bool:
        """Whether input is kept that did not fit: call `write` when `fd` is writable."""
        return bool(self._unwritten)

    def started(self) -> None:
        """Close the target's side here, so that our side ends when the target's last process closes it."""
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1

    def read(self, max_bytes: int) -> bytes | None:
        """Return output that is there now, `b""` if none is, None once every process closed the terminal."""
        if self._master < 0:
            return None
        try:
            return os.read(self._master, max_bytes) or None
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:  # What Linux answers when nobody has the other side open.
                return None
            raise

    def write(self, data: bytes = b"") -> None:
        """Write input as far as it fits, keep the rest for the next call; dropped if the target is gone."""
        self._unwritten += data
        if self._master < 0:
            self._unwritten = b""
        while self._unwritten:
            try:
                written = os.write(self._master, self._unwritten)
            except BlockingIOError:
                return
            except OSError:
                self._unwritten = b""
                return
            self._unwritten = self._unwritten[written:]

    def resize(self, size: TerminalSize) -> None:
        """Set the size; the kernel tells the foreground processes by SIGWINCH."""
        if self._master >= 0:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))

    def close(self) -> None:
        """Close our side; the kernel hangs the target's terminal up."""
        self.started()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


def take_controlling_terminal() -> None:
    """Make the terminal on descriptor 0 the controlling one; runs in the child, which leads a new session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

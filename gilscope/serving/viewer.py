"""A process of the app for an open page: started, shown, typed to, and ended with the page.

Its frames come on its standard output and keys go to its standard input, in the packets of Textual's web
driver: a letter for the kind, four bytes for the length, the content. What it wants of the session, and what
it is told of it, goes over a line of its own, one JSON message a datagram. When that line ends, it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

READY = b"__GANGLION__\n"
"""What the web driver says before its first packet."""
DATA, META = b"D", b"M"
END_PATIENCE_S = 3.0
"""For so long an app may take to end by itself."""
_MESSAGE_BYTES = 1 << 20
_LAST_WORDS_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Size:
    """Of a terminal, in cells."""

    columns: int
    rows: int

    @classmethod
    def within(cls, columns: int, rows: int) -> Self:
        """As asked, but of a size that can be drawn."""
        return cls(max(20, min(500, columns)), max(5, min(200, rows)))


def packet(kind: bytes, content: bytes) -> bytes:
    """What the web driver reads."""
    return kind + len(content).to_bytes(4, "big") + content


def environment(size: Size) -> dict[str, str]:
    """Ours, but of a terminal that is the browser's: in colour, and with all characters."""
    return {
        **os.environ,
        "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": str(size.columns),
        "ROWS": str(size.rows),
    }


class Viewer:
    """A running process of the app."""

    def __init__(self, process: asyncio.subprocess.Process, line: socket.socket) -> None:
        self._process = process
        self._line = line
        # All three are pipes.
        self._stdin = cast("asyncio.StreamWriter", process.stdin)
        self._stdout = cast("asyncio.StreamReader", process.stdout)
        self._stderr = cast("asyncio.StreamReader", process.stderr)
        self._errors = asyncio.create_task(self._read_errors())
        self._last_words = b""

    @classmethod
    async def start(cls, command: Sequence[str], settings: Mapping[str, Any], size: Size) -> Self:
        """Start one; `command` is followed by the number of its line, on which its settings come first."""
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near.settimeout(0)
        with far:
            # No shell, and a session of its own: what is typed at gilscope's own terminal is not for it.
            process = await asyncio.create_subprocess_exec(
                *command,
                str(far.fileno()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=[far.fileno()],
                start_new_session=True,
                env=environment(size),
            )
        viewer = cls(process, near)
        viewer.tell(settings)
        return viewer

    async def _read_errors(self) -> None:
        while data := await self._stderr.read(4_096):
            self._last_words = (self._last_words + data)[-_LAST_WORDS_BYTES:]

    @property
    def last_words(self) -> str:
        """The last line that it wrote about itself."""
        lines = self._last_words.decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    @property
    def exit_code(self) -> int | None:
        """Negative: a signal; None: it runs."""
        return self._process.returncode

    def tell(self, message: Mapping[str, Any]) -> None:
        """Tell it something, if it is there; a line that is full loses it, as newer news will come."""
        with contextlib.suppress(OSError):
            self._line.send(json.dumps(message).encode())

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What it wants of the session, until it ends."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(self._line, _MESSAGE_BYTES):
                yield json.loads(data)

    async def frames(self) -> AsyncIterator[bytes]:
        """What it draws, until it ends."""
        stdout = self._stdout
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await stdout.readuntil(READY)
            while True:
                head = await stdout.readexactly(5)
                content = await stdout.readexactly(int.from_bytes(head[1:], "big"))
                if head[:1] == DATA:
                    yield content

    async def type_keys(self, data: bytes) -> None:
        """Keys and the mouse, as a terminal sends them."""
        await self._send(packet(DATA, data))

    async def resize(self, size: Size) -> None:
        """The page's terminal has another size."""
        await self._meta(type="resize", width=size.columns, height=size.rows)

    async def focus(self, *, focused: bool) -> None:
        """The page has the keyboard, or has lost it."""
        await self._meta(type="focus" if focused else "blur")

    async def _meta(self, **what: Any) -> None:
        await self._send(packet(META, json.dumps(what).encode()))

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._stdin.write(data)
            await self._stdin.drain()

    async def end(self) -> None:
        """End it, in any case; whoever reads its messages or frames is at their end then."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)  # closed at once, it would leave a reader waiting for ever
        self._stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_PATIENCE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._errors

    def release(self) -> None:
        """Close its line, once nobody reads it."""
        self._line.close()

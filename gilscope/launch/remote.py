"""The sampler as a process of its own, seen from the app: started, told what to do, and waited for.

What passes between them is one JSON message a datagram. If the app dies, the line ends, and the sampler
ends the target: nothing is left behind unless the user said so.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from typing import IO, Any, Self

from gilscope.errors import EXIT_CANNOT_OBSERVE

ENTRY_MODULE = "gilscope.sampler"
INPUT_PIECE_BYTES = 16_384
FINISH_TIMEOUT_S = 15.0


class ControlLine:
    """A line on which a session is told what to do. Its methods never block."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(0)
        self._line = line
        self._untold: deque[bytes] = deque()

    def _tell(self, **message: Any) -> None:
        self.pass_on(message)

    def pass_on(self, message: Mapping[str, Any]) -> None:
        """Tell what another line was told."""
        self._untold.append(json.dumps(message).encode())
        self._send()

    def _send(self) -> None:
        """Send as much as the line takes now; the rest goes with the next message or look."""
        while self._untold:
            try:
                self._line.send(self._untold[0])
            except BlockingIOError:
                return
            except OSError:
                self._untold.clear()  # nobody is there, as whoever reads the line sees
                return
            self._untold.popleft()

    def stop_target(self) -> None:
        """Ask for the end of the target and the session."""
        self._tell(do="stop")

    def leave_running(self) -> None:
        """Let the target and its sampler go on without us."""
        self._tell(do="leave")

    def send_input(self, data: bytes) -> None:
        """Type on the target's terminal."""
        for at in range(0, len(data), INPUT_PIECE_BYTES):
            piece = data[at : at + INPUT_PIECE_BYTES]
            self._tell(do="input", data=base64.b64encode(piece).decode())

    def resize_output(self, columns: int, rows: int) -> None:
        """Tell the target's terminal its size."""
        self._tell(do="resize", columns=columns, rows=rows)

    def put_mark(self, at_ns: int, text: str) -> None:
        """Have the sampler, the recording's only writer, put a mark into it."""
        self._tell(do="mark", at_ns=at_ns, text=text)


class SamplerLink(ControlLine):
    """A running sampler process. Its methods are those of views.control.SessionControl, and never block."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket, errors: IO[bytes]) -> None:
        super().__init__(line)
        self._process = process
        self._errors = errors
        self.exit_code: int | None = None
        """The target's, once the sampler told."""
        self.error: str | None = None
        self.error_code: int | None = None
        """The code to exit with because of `error`."""
        self._released = False

    @classmethod
    def start(cls, config_json: str) -> Self:
        """Start the sampler. It outlives a closed terminal just long enough to end the target."""
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        errors = tempfile.TemporaryFile(prefix="gilscope-")  # noqa: SIM115 - lives as long as the link
        with far:
            process = subprocess.Popen(
                [sys.executable, "-m", ENTRY_MODULE, str(far.fileno())],
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                pass_fds=[far.fileno()],
                start_new_session=True,
            )
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(config_json.encode())
                process.stdin.close()
        return cls(process, near, errors)

    def leave_running(self) -> None:
        """Let the target and its sampler go on without us."""
        self._released = True
        super().leave_running()

    def alive(self) -> bool:
        """Whether the sampler runs; takes what it has told, and sends what is left to tell."""
        self._send()
        # Asked first: what one that has ended told before, is on the line by now.
        status = self._process.poll()
        with contextlib.suppress(OSError):
            while data := self._line.recv(65_536):
                message = json.loads(data)
                self.error = message.get("error", self.error)
                self.error_code = message.get("code", self.error_code)
                self.exit_code = message.get("exit_code", self.exit_code)
        if status not in (None, 0) and self.error is None:
            self.error_code = EXIT_CANNOT_OBSERVE
            self.error = f"The sampler ended unexpectedly ({_how(status)}).\n{self._last_words()}"
        return status is None

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "It said nothing; what it recorded until then is kept."

    def finish(self, timeout_s: float = FINISH_TIMEOUT_S) -> None:
        """Wait until the sampler has closed the recording; without `leave_running` the target ends too."""
        if self._released:
            self.alive()
            self._line.close()
            return
        deadline = time.monotonic() + timeout_s
        while self.alive() and time.monotonic() < deadline:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
        self.alive()
        self._line.close()
        self._errors.close()


def _how(status: int | None) -> str:
    return f"signal {-status}" if status is not None and status < 0 else f"exit code {status}"

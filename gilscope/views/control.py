"""How the app talks to a live session. The command line supplies the implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ControlStatus:
    """How the session's sampler fares."""

    sampler_alive: bool
    error: str | None = None
    """Why nothing can be watched, in words for the user; the app ends and hands them on."""


class SessionControl(Protocol):
    """A running target and its sampler, seen from the app. No method may block."""

    def stop_target(self) -> None:
        """Ask the target to stop; returns at once."""
        ...

    def leave_running(self) -> None:
        """Let go of the target: it runs on when the app ends."""
        ...

    def send_input(self, data: bytes) -> None:
        """Type `data` on the target's terminal."""
        ...

    def resize_output(self, columns: int, rows: int) -> None:
        """Tell the target's terminal how large the output panel is."""
        ...

    def put_mark(self, at_ns: int, text: str) -> None:
        """Have a mark written into the recording."""
        ...

    def status(self) -> ControlStatus:
        """How the sampler fares now."""
        ...

"""What the sampler needs of a target, whether it was started by us or attached to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gilscope.launch.reports import ExitStatus, PlaceReport, Ready, Report
from gilscope.launch.terminal import TerminalSize
from gilscope.launch.tree import ProcessEntry


class TargetHandle(Protocol):
    """A target that runs. No method waits, but for `stop`."""

    @property
    def pid(self) -> int:
        """Its own process."""
        ...

    @property
    def start_ticks(self) -> int:
        """When that began, in clock ticks since boot: with the pid, its identity."""
        ...

    @property
    def ready(self) -> Ready | None:
        """What its interpreter has said of itself; None where nothing of ours is in it."""
        ...

    @property
    def is_ours(self) -> bool:
        """It was started by us, and is to end with us."""
        ...

    @property
    def begins_with_go(self) -> bool:
        """The session begins with `go`: what the target did before is none of it."""
        ...

    def go(self) -> None:
        """Let the program begin, if it waits for that."""
        ...

    def has_reports(self) -> bool:
        """Whether something was reported that is worth a look at once."""
        ...

    def reports(self, *, counts: bool = True) -> Sequence[Report]:
        """What was reported since the last call."""
        ...

    def places(self) -> Sequence[PlaceReport]:
        """Where threads were created so far."""
        ...

    @property
    def output_fd(self) -> int | None:
        """Our side of its terminal; None without one."""
        ...

    @property
    def wants_write(self) -> bool:
        """Whether input is kept that did not fit."""
        ...

    def read_output(self, max_bytes: int = ...) -> bytes | None:
        """Output that is there; None once it has ended."""
        ...

    def write_input(self, data: bytes = b"") -> None:
        """Type on its terminal."""
        ...

    def resize(self, size: TerminalSize) -> None:
        """Give its terminal another size."""
        ...

    def poll(self) -> ExitStatus | None:
        """How its own process ended; None while it runs."""
        ...

    def signal(self, signum: int) -> bool:
        """Pass a signal on; False where that cannot be, or must not."""
        ...

    def spare(self, pid: int) -> None:
        """Name a process that works for us: it is none of the target's."""
        ...

    def spares(self, pid: int) -> bool:
        """Whether that process works for us."""
        ...

    def descendants(self) -> list[ProcessEntry]:
        """All its processes that exist, itself first."""
        ...

    def reap_orphans(self) -> list[tuple[int, ExitStatus]]:
        """How those of its processes ended that came to us."""
        ...

    def stop(self, grace_s: float = ...) -> ExitStatus | None:
        """End it, if it is ours to end; how its own process ended."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

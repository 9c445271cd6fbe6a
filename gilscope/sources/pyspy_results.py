"""What calls of py-spy bring."""

from __future__ import annotations

from dataclasses import dataclass

from gilscope.sources.pyspy_text import Stack, ThreadStack


@dataclass(frozen=True, slots=True)
class Stacks:
    """The result of one record; moments in nanoseconds of the caller's clock."""

    stacks: tuple[Stack, ...]
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Names:
    """What a dump shows of the threads of one process."""

    pid: int
    names: dict[int, str]
    """By tid."""
    stacks: Stacks
    """That of the thread that held the GIL, if one did."""
    cpu_ns: int
    """What it took: it grows with the number of threads."""


@dataclass(frozen=True, slots=True)
class PySpyFailure:
    """Why a call of py-spy brought nothing."""

    pid: int
    reason: str
    start_ns: int
    final: bool
    """It will not be tried again."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Who held the GIL of one process in a span, of which every moment had the same chance to be looked at.

    Not in which order: py-spy's formats count samples and do not stamp them. Its chrometrace has time stamps,
    but with --gil a frame in it ends only when *its own thread* is next seen in another one, so that threads
    which take turns in their loops all look as if they held the GIL throughout.
    """

    pid: int
    stacks: tuple[Stack, ...]
    held_samples: int
    """Samples that found the GIL held, also by a thread whose tid is not known and that is in no stack."""
    samples: int
    """All samples taken; where py-spy was ended early, as many as its rate makes likely."""
    start_ns: int
    """On the monotonic clock, as `end_ns`."""
    end_ns: int
    failure: str | None = None
    """Why there is nothing, if so."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What all threads of a process did while its GIL was held for long; moments as those of `Stacks`."""

    pid: int
    threads: dict[int, ThreadStack]
    """By tid; empty where py-spy could not read them."""
    native: bool
    """With native frames."""
    start_ns: int
    """When py-spy was asked: it read them some time between this and `end_ns`."""
    end_ns: int
    cpu_ns: int
    failure: str | None = None
    """Why there is nothing, if so."""
    waiters: bool = False
    """Asked for to see where threads wait."""


Result = Stacks | Names | PySpyFailure | Trace | Snapshot

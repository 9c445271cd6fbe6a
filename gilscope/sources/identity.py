"""Which process: what names it for good, and what the system says of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that cannot be confused with a later one of the same pid."""

    pid: int
    start_ticks: int
    """Clock ticks since boot."""


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What the system says of a process that matters here."""

    identity: ProcessIdentity
    ppid: int
    state: str
    """R, S, D, Z (ended, not waited for) …"""
    image: int = 0
    """Where its first stack begins: as in its parent after a fork, elsewhere after exec; 0: not told."""

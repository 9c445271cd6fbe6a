"""What a user can ask of an export."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All formats get all of them; each heeds what concerns it."""

    with_output: bool = False
    """Whether the target's output goes with it: it may hold what is not for everybody."""
    speed: float = 1.0
    """Of an animation: seconds of the recording in a second."""

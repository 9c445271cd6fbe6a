"""What cannot be known of a session, and why: named, so that nobody takes it for nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gilscope.model import NOT_KNOWN, WAITS_NOT_KNOWN, Event, Session

KINDS = (NOT_KNOWN, WAITS_NOT_KNOWN)
"""Of events that hold for all of a process's or session's time, also for the parts after they were told."""

ATTACHED_UNKNOWN = (
    "its output, how many threads it created and what was before: the process was there before gilscope"
)


def not_known(session: Session, events: Sequence[Event]) -> list[str]:
    """What is not known, each once, in the order in which it was noticed."""
    told = [event.text for event in events if event.kind in KINDS]
    return list(dict.fromkeys([ATTACHED_UNKNOWN, *told] if session.attached else told))

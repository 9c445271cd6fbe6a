"""What should be said once while one watches, in a line: the end, a gap, a GIL that came back. Pure.

Each is said once: a source that fails again and again is no news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gilscope.model import NS_PER_S, Event, Gap, Session
from gilscope.text import clean, clock_text, cut

STILL_NS = 5 * NS_PER_S
"""A recording that has not grown for so long, although more is to come, is worth a word."""
COST_NS = 10 * NS_PER_S
"""The cost is that of the last so many seconds."""
OVER = 1.5
"""So many times the budget is over it: below, it is about to come down again."""
GAPS_MOST = 5
"""After so many different gaps the info panel is the place to look."""
WORDS_MOST = 110

Severity = Literal["information", "warning", "error"]


class Happenings(Protocol):
    """What is asked of a recording; RecordingReader has it."""

    def gaps(self, start_ns: int = ..., end_ns: int = ...) -> Sequence[Gap]: ...  # noqa: D102
    def events(self, start_ns: int = ..., end_ns: int = ...) -> Sequence[Event]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Notice:
    """A line."""

    words: str
    severity: Severity = "information"


class Notices:
    """Knows what was said already."""

    def __init__(self, budget_share: float | None = None) -> None:
        """For a session that may take `budget_share` of a core; None: nobody said."""
        self._budget = budget_share
        self._said: set[object] = set()
        self._seen_ns = 0
        self._growing = True
        self._head: tuple[int, int] = (-1, 0)
        """The newest moment, and when that was new."""
        self._costs: list[tuple[int, int]] = []
        """Moments and what watching had cost until then."""

    def look(self, session: Session, head_ns: int, recording: Happenings, now_ns: int) -> list[Notice]:
        """What is new since the last look.

        Args:
            session: as it is now.
            head_ns: the newest moment.
            recording: asked for gaps and events since the last look.
            now_ns: the viewer's clock.
        """
        if not self._growing:
            return []
        found = self._happened(recording)
        # What begins at the newest moment may be written after it: look at a second of it again.
        self._seen_ns = max(0, head_ns - NS_PER_S)
        found += self._cost(session, head_ns)
        if head_ns != self._head[0]:
            self._head = (head_ns, now_ns)
        if session.ended_ns is not None:
            self._growing = False
            found.append(_ended(session))
        elif now_ns - self._head[1] > STILL_NS:
            words = f"Nothing new is recorded since {clock_text(head_ns)}: is the disk full?"
            found += self._once("still", Notice(words, "error"))
        return found

    def _once(self, key: object, notice: Notice) -> list[Notice]:
        if key in self._said:
            return []
        self._said.add(key)
        return [notice]

    def _happened(self, recording: Happenings) -> list[Notice]:
        found: list[Notice] = []
        for event in recording.events(self._seen_ns):
            if event.kind == "gil-enabled":
                key = (event.kind, event.at_ns, event.process)
                found += self._once(key, _notice(f"The GIL is back: {event.text}", "warning"))
        for gap in recording.gaps(self._seen_ns):
            gaps = sum(isinstance(key, tuple) and key[0] == "gap" for key in self._said)
            if gaps < GAPS_MOST:
                more = " More gaps: i" if gaps == GAPS_MOST - 1 else ""
                words = f"Gap from {clock_text(gap.start_ns)}, {gap.source}: {gap.reason}"
                found += self._once(("gap", gap.source, gap.reason), _notice(words, "warning", more))
        return found

    def _cost(self, session: Session, head_ns: int) -> list[Notice]:
        self._costs = [
            *(cost for cost in self._costs if cost[0] >= head_ns - COST_NS),
            (head_ns, session.cost_cpu_ns),
        ]
        first_ns, before_ns = self._costs[0]
        if self._budget is None or head_ns - first_ns < 0.9 * COST_NS:
            return []
        share = (session.cost_cpu_ns - before_ns) / (head_ns - first_ns)
        if share <= OVER * self._budget:
            return []
        words = f"Watching took {100 * share:.0f} % of a core in the last ten seconds, more than its "
        return self._once("budget", Notice(f"{words}{100 * self._budget:g} %", "warning"))


def _notice(words: str, severity: Severity, more: str = "") -> Notice:
    return Notice(cut(clean(" ".join(words.split())), WORDS_MOST) + more, severity)


def _ended(session: Session) -> Notice:
    name, at = cut(clean(session.command), 40), clock_text(session.ended_ns or 0)
    if session.exit_code is None:
        return Notice(f"The watch of {name} is over after {at}")
    if session.exit_code == 0:
        return Notice(f"{name} ended well after {at}, exit code 0")
    return Notice(f"{name} ended with exit code {session.exit_code} after {at}", "warning")

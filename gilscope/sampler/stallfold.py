"""Pure: the spans of a GIL's samples → holds that others had to wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

WAITED_SHARE = 0.5
"""Somebody must have waited for this part of the length that makes a hold a stall. Python code lets go within
a few milliseconds of being asked, and that ends a hold which nobody asked for before, however long it was."""

Span = tuple[int, int, int, int]
"""Start, end, holder and waiters, as the fold of a GIL's samples has them."""


@dataclass(slots=True)
class LongHold:
    """A hold, and what is known of those who waited meanwhile."""

    tid: int
    start_ns: int
    end_ns: int
    """So far, while it goes on."""
    waiter_ns: int = 0
    """Sum over waiters of the time they waited."""
    contended_ns: int = 0
    waiters_max: int = 0
    queued_ns: int = 0
    """How long its holder waited for a CPU meanwhile: that is no doing of the code that it runs."""

    @property
    def length_ns(self) -> int:
        """How long it lasted, or has lasted so far."""
        return self.end_ns - self.start_ns

    @property
    def waiters_mean(self) -> float:
        """Waiters on average, from its start to its end."""
        return self.waiter_ns / self.length_ns if self.length_ns else 0.0

    def book_queue(self, queued_ns: int, start_ns: int, end_ns: int) -> None:
        """Its holder left a run queue during a tick, after so long in it all in all.

        The kernel tells of such a time when it is over, so that it may have begun before the tick. On a busy
        machine a thread also stands in the queue before it gets the GIL, and after it gave it away: of what
        was in a tick that the hold was not all of, only a part is taken for the hold's. Otherwise a hold
        that is long by its own doing would seem to be long for want of a CPU.

        Args:
            queued_ns: the time in the queue.
            start_ns: the tick's start.
            end_ns: its end.
        """
        inside_ns = max(0, min(self.end_ns, end_ns) - max(self.start_ns, start_ns))
        after_ns = max(0, end_ns - self.end_ns)
        if self.start_ns > start_ns:
            own_ns = min(queued_ns, inside_ns) * inside_ns // max(1, end_ns - start_ns)
        else:
            own_ns = min(queued_ns, self.length_ns) - after_ns
        self.queued_ns += max(0, own_ns)

    def lacks_ns(self, stall_ns: int) -> int:
        """How much longer it has to go on, with a waiter, until it is a stall."""
        long_ns = stall_ns + self.queued_ns - self.length_ns
        return max(long_ns, round(stall_ns * WAITED_SHARE) + self.queued_ns - self.contended_ns)

    def is_stall(self, stall_ns: int) -> bool:
        """It was longer than `stall_ns`, and somebody had to wait for its end."""
        return (
            self.length_ns - self.queued_ns >= stall_ns
            and self.contended_ns - self.queued_ns >= stall_ns * WAITED_SHARE
        )


class StallFold:
    """Adds up who waits during a hold that may become a stall, over as many ticks as it takes.

    It looks at spans when a tick ends and when a long hold does: holds of the usual length cost it nothing.
    """

    def __init__(self, stall_ns: int) -> None:
        """`stall_ns`: shorter holds are no stalls; 0: nobody looks for any."""
        self.stall_ns = stall_ns
        self.ended: list[LongHold] = []
        """Long holds that are over, since somebody last took them; they may be stalls."""
        self.open: LongHold | None = None
        """The hold that goes on, as of the last tick's end."""

    def goes_on(self, tid: int, start_ns: int, now_ns: int, spans: Sequence[Span], *newest: Span) -> LongHold:
        """A hold has not ended yet; `spans`, in order of time: those since the last tick, or more."""
        hold = self.open
        if hold is None or hold.start_ns != start_ns:
            hold = self.open = LongHold(tid, start_ns, start_ns)
        counted_ns, hold.end_ns, hold.tid = hold.end_ns, now_ns, tid
        for begin_ns, end_ns, _, waiters in chain(newest, reversed(spans)):
            if begin_ns < start_ns or end_ns <= counted_ns:
                break
            length_ns = end_ns - max(begin_ns, counted_ns)
            if waiters > 0:
                hold.waiter_ns += length_ns * waiters
                hold.contended_ns += length_ns
                hold.waiters_max = max(hold.waiters_max, waiters)
        return hold

    def ends(self, tid: int, start_ns: int, end_ns: int, spans: Sequence[Span]) -> None:
        """A hold of at least `stall_ns` has ended."""
        self.ended.append(self.goes_on(tid, start_ns, end_ns, spans))
        self.open = None

    def take_ended(self) -> list[LongHold]:
        """Long holds that ended since the last call."""
        ended, self.ended = self.ended, []
        return ended

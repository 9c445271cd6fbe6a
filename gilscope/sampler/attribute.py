"""Pure: which thread runs an interpreter whose thread state names another one.

A sub-interpreter's thread state can keep the id of the thread that created it, whoever runs it. The kernel's
times in a tick tell: the thread that really held the GIL used a core meanwhile, or stood in the run queue for
one, and the named one did not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

SAME_TIME = 1.1
"""Holds that sum to more than this many times the tick's length were at the same time in part."""
EXPLAINED = 0.3
"""A thread that wanted a core for this part of a hold, beyond what its own state held, may be its holder."""


def attribute(
    held_ns: Mapping[int, int],
    claims: Mapping[int, int],
    used_ns: Mapping[int, int],
    waiting: Collection[int],
    before: Mapping[int, int],
    *,
    span_ns: int,
) -> dict[int, int]:
    """The tid behind each doubtful holder.

    Args:
        held_ns: by holder, in the tick; doubtful holders are those in `claims`.
        claims: doubtful holder → the tid that its state names.
        used_ns: by tid: time on a core or in the run queue in the tick.
        waiting: tids that were seen to wait for a GIL all the time.
        before: what the last tick found: it stands as long as nothing speaks against it.
        span_ns: the tick's length.

    Returns:
        Doubtful holder → tid, for each that held in this tick. Where no thread's time fits, as for a
        holder that sleeps with the GIL, it is the one found before, else the one that the state names.
    """
    taken_ns = {holder: ns for holder, ns in held_ns.items() if holder not in claims}

    def can_hold(tid: int, ns: int) -> bool:
        """No thread holds two GILs at the same time."""
        return tid not in taken_ns or taken_ns[tid] + ns <= SAME_TIME * span_ns

    free_ns = {tid: ns - held_ns.get(tid, 0) for tid, ns in used_ns.items() if tid not in waiting}
    found: dict[int, int] = {}
    for holder in sorted(claims.keys() & held_ns.keys(), key=lambda holder: -held_ns[holder]):
        known = before.get(holder, claims[holder])
        enough_ns = held_ns[holder] * EXPLAINED
        possible = can_hold(known, held_ns[holder])
        if free_ns.get(known, 0) < enough_ns or not possible:
            others = [tid for tid in free_ns if can_hold(tid, held_ns[holder])]
            best = max(others, key=lambda tid: free_ns[tid], default=known)
            if free_ns.get(best, 0) >= enough_ns or not possible:
                known = best
        found[holder] = known
        taken_ns[known] = taken_ns.get(known, 0) + held_ns[holder]
        free_ns[known] = free_ns.get(known, 0) - held_ns[holder]
    return found


class Holders:
    """The tids behind doubtful holders, as the last tick found them."""

    def __init__(self) -> None:
        self._tids: dict[int, int] = {}

    def tid(self, holder: int) -> int:
        """Of one holder, doubtful or not."""
        return self._tids.get(holder, holder)

    def find(
        self,
        held_ns: Mapping[int, int],
        claims: Mapping[int, int],
        used: Callable[[], tuple[Mapping[int, int], Collection[int]]],
        *,
        span_ns: int,
    ) -> dict[int, int]:
        """What each tid held in a tick.

        Args:
            held_ns: by holder.
            claims: doubtful holder → the tid that its state names.
            used: gives these times by tid, and the tids that waited; asked only if some holder is doubtful.
            span_ns: the tick's length.
        """
        if not claims.keys() & held_ns.keys():
            self._tids = {}
            return dict(held_ns)
        used_ns, waiting = used()
        self._tids = attribute(held_ns, claims, used_ns, waiting, self._tids, span_ns=span_ns)
        found: dict[int, int] = {}
        for holder, ns in held_ns.items():
            found[self.tid(holder)] = found.get(self.tid(holder), 0) + ns
        return found

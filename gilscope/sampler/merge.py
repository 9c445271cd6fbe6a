"""Pure: GIL samples and thread sweeps → what a tick holds. No clock, no reads; values in, values out.

Nothing here decides what the target does; it only adds up. Each span between two samples of a GIL belongs
to the state that both saw, or half to each where they differ: that has no bias, and the error of a thread's
share falls with the number of its turns, not with the number of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gilscope.model import NS_PER_MS, StateTimes
from gilscope.sampler.stallfold import LongHold, StallFold

GAP_NS = 250 * NS_PER_MS
"""Two samples further apart than this say nothing of what was between them."""
UNKNOWN_HOLDER = -1
FREE = 0


class HoldSpan(NamedTuple):
    """A span in which one thread, known by its tid, held a GIL without a handoff."""

    tid: int
    start_ns: int
    end_ns: int


@dataclass(slots=True)
class GilSums:
    """What a GIL's samples add up to in one tick; the fields are those of model.GilTick."""

    samples: int = 0
    locked_samples: int = 0
    watched_ns: int = 0
    held_ns: int = 0
    contended_ns: int = 0
    waiter_ns: int = 0
    waiters_max: int = 0
    handoffs: int = 0
    handoffs_seen: int = 0
    longest_hold_ns: int = 0
    held_by_tid: dict[int, int] = field(default_factory=dict)
    holds: list[HoldSpan] = field(default_factory=list)
    """Those that ended, then the one that goes on, cut at the tick's end."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Spans with no samples."""

    @property
    def holder(self) -> int | None:
        """Who held it longest."""
        return max(self.held_by_tid, key=lambda tid: self.held_by_tid[tid]) if self.held_by_tid else None


class GilFold:
    """Adds the samples of one GIL up, tick by tick.

    A tick can be finished once a sample at or after its end has come: only then is all of it known.
    """

    def __init__(self, end_ns: int, stall_ns: int = 0) -> None:
        """`end_ns` is the end of the first tick; longer holds than `stall_ns` may be stalls (0: none is)."""
        self._end_ns = end_ns
        self.stalls = StallFold(stall_ns)
        self._stall_ns = stall_ns
        self._sums = GilSums()
        self._next = GilSums()
        self._spans: list[tuple[int, int, int, int]] = []
        """Start, end, holder and waiters of each span that is not booked yet."""
        self._at_ns = 0
        self._same_since_ns = 0
        """Since when the samples have been equal; that span is made only when it ends, or the tick does."""
        self._tid = FREE
        self._last_tid = FREE
        """Who held it last, however long ago."""
        self._switch_number = -1
        self._waiters = 0
        self._hold_start_ns = 0

    def again(self, at_ns: int, count: int = 1) -> None:
        """Add samples that are equal to the last one, the newest at `at_ns`: the common and cheap case.

        Several at once must have come without a gap between them.
        """
        if at_ns > self._end_ns:
            # Those of several that came before the tick's end are counted a tick late; no time is.
            self._next.samples += count
        else:
            self._sums.samples += count
        if count == 1 and at_ns - self._at_ns > GAP_NS:
            self._gap(at_ns)
        self._at_ns = at_ns

    def add(self, at_ns: int, tid: int, switch_number: int, waiters: int) -> None:
        """Add a sample: holder's tid (or FREE, UNKNOWN_HOLDER), counter, waiters (−1: not told)."""
        sums = self._sums if at_ns <= self._end_ns else self._next
        sums.samples += 1
        before_ns, known = self._at_ns, self._switch_number
        if known < 0:
            self._same_since_ns = self._hold_start_ns = at_ns
        else:
            if at_ns - before_ns > GAP_NS:
                self._gap(at_ns)
            else:
                changed_ns = (before_ns + at_ns) // 2
                self._spans.append((self._same_since_ns, changed_ns, self._tid, self._waiters))
                self._same_since_ns = changed_ns
                if tid != self._tid or switch_number != known:
                    if tid > 0:
                        # Between two holders a GIL is free for a moment, which a fast sampler sees too.
                        sums.handoffs_seen += tid != self._last_tid and self._last_tid > 0
                    self._end_hold(changed_ns, changed_ns)
            if switch_number > known:
                sums.handoffs += switch_number - known
        self._at_ns, self._tid, self._switch_number, self._waiters = at_ns, tid, switch_number, waiters
        if tid > 0:
            self._last_tid = tid

    def _gap(self, at_ns: int) -> None:
        """Nothing is known between the last sample and this one."""
        self._spans.append((self._same_since_ns, self._at_ns, self._tid, self._waiters))
        self._end_hold(self._at_ns, at_ns)
        self._sums.gaps.append((self._at_ns, at_ns))
        self._same_since_ns = at_ns

    def _end_hold(self, end_ns: int, next_start_ns: int) -> None:
        if self._tid != FREE and end_ns > self._hold_start_ns:
            # The end may lie behind the tick's end; who waits for this tick wants the hold nevertheless.
            self._sums.holds.append(HoldSpan(self._tid, self._hold_start_ns, end_ns))
            if end_ns - self._hold_start_ns >= self._stall_ns > 0:
                self.stalls.ends(self._tid, self._hold_start_ns, end_ns, self._spans)
        self._hold_start_ns = next_start_ns

    def hold_now(self) -> LongHold | None:
        """The hold that goes on, up to the last sample; None where no stalls are looked for."""
        if self._tid == FREE or self._stall_ns <= 0 or self._at_ns <= self._hold_start_ns:
            return None
        last = (self._same_since_ns, self._at_ns, self._tid, self._waiters)
        return self.stalls.goes_on(self._tid, self._hold_start_ns, self._at_ns, self._spans, last)

    @property
    def is_settled(self) -> bool:
        """No hold goes on, and none is left over from before."""
        return (
            self._tid == FREE
            and self._switch_number >= 0
            and all(tid == FREE and waiters <= 0 for _, _, tid, waiters in self._spans)
        )

    def extend(self, end_ns: int) -> None:
        """Let the tick that goes on end later, as nothing happened in it."""
        self._end_ns = end_ns
        self._sums.samples += self._next.samples
        self._next = GilSums()

    def finish(self, next_end_ns: int) -> GilSums:
        """The sums of the tick that ends; the next one ends at `next_end_ns`."""
        sums = self._sums
        if self.hold_now() is None:
            self.stalls.open = None
        if self._switch_number >= 0:
            # What the last sample saw goes on until another one differs.
            self._spans.append((self._same_since_ns, self._at_ns, self._tid, self._waiters))
            self._same_since_ns = self._at_ns
        if self._tid != FREE and self._at_ns > self._hold_start_ns:
            sums.holds.append(HoldSpan(self._tid, self._hold_start_ns, self._at_ns))
        self._spans = _book(self._spans, self._end_ns, sums)
        sums.locked_samples = round(sums.samples * sums.held_ns / sums.watched_ns) if sums.watched_ns else 0
        sums.longest_hold_ns = max((hold.end_ns - hold.start_ns for hold in sums.holds), default=0)
        self._sums, self._next = self._next, GilSums()
        self._end_ns = next_end_ns
        return sums


def _book(
    spans: Sequence[tuple[int, int, int, int]], end_ns: int, sums: GilSums
) -> list[tuple[int, int, int, int]]:
    """Add spans to a tick's sums, cut at its end; returns what lies behind that."""
    later: list[tuple[int, int, int, int]] = []
    watched_ns = contended_ns = waiter_ns = waiters_max = 0
    held = sums.held_by_tid
    for start_ns, until_ns, tid, waiters in spans:
        cut_ns = until_ns
        if until_ns > end_ns:
            cut_ns = max(end_ns, start_ns)
            later.append((cut_ns, until_ns, tid, waiters))
        length_ns = cut_ns - start_ns
        if length_ns <= 0:
            continue
        watched_ns += length_ns
        if tid != FREE:
            held[tid] = held.get(tid, 0) + length_ns
        if waiters > 0:
            contended_ns += length_ns
            waiter_ns += length_ns * waiters
            waiters_max = max(waiters_max, waiters)
    sums.watched_ns += watched_ns
    sums.held_ns = sum(held.values())
    sums.contended_ns += contended_ns
    sums.waiter_ns += waiter_ns
    sums.waiters_max = max(sums.waiters_max, waiters_max)
    return later


TOLERANCE_NS = 2 * NS_PER_MS
"""Held time is sampled and CPU time is read a little later: below this difference they agree."""


@dataclass(slots=True, kw_only=True)
class LaneReading:
    """What one tick brought of one lane. Nanoseconds in the tick, unless a field says otherwise."""

    length_ns: int
    """The lane's part of the tick: all of it, or since its start, or until its end."""
    python: bool
    """Its process has a GIL that should be read."""
    watched_ns: int
    """How long its GIL was read in the tick."""
    held_ns: int
    cpu_ns: int
    """Between the sweeps at the tick's two ends."""
    queue_ns: int
    sweep_error_ns: int
    """How long after the tick's end the last of them was; negative: before it."""
    waiting_sweeps: int = 0
    asleep_sweeps: int = 0
    on_cpu_sweeps: int = 0
    unreadable_sweeps: int = 0
    gil: int | None = None
    """Key of the GIL that it waits for, or uses."""
    tolerance_ns: int = TOLERANCE_NS
    """How far held time and CPU time may be apart, all ticks so far together, and still agree."""


MAX_DEBT_NS = 1_000 * NS_PER_MS


@dataclass(slots=True)
class LaneDebt:
    """CPU time minus held time that is not booked yet: what was below the tolerance is not lost."""

    ns: int = 0
    claim_ns: int = 0
    """Waiting time that sweeps speak for and that is not booked yet: its ticks had no room for it."""


def merge_lanes(
    readings: Sequence[LaneReading],
    debts: Sequence[LaneDebt],
    waiter_ns: dict[int, int],
    owed_ns: dict[int, int],
) -> list[StateTimes]:
    """Nanoseconds per state of each lane in a tick; each sums to the lane's length.

    Args:
        readings: of all lanes.
        debts: one a lane, changed in place.
        waiter_ns: for each GIL that tells, the waiting time of all its waiters together.
        owed_ns: by GIL, what no lane was seen to wait for yet; changed in place. So no waiting is lost.
    """
    parts = [_on_cpu(reading, debt) for reading, debt in zip(readings, debts, strict=True)]
    # A waiter that was woken and has no CPU yet still waits for the GIL: waiting goes before ready.
    rooms = [part.rest + part.ready for part in parts]
    waiting = _share_out_waiting(readings, rooms, debts, waiter_ns, owed_ns)
    return [
        _complete(reading, part, waited)
        for reading, part, waited in zip(readings, parts, waiting, strict=True)
    ]


@dataclass(slots=True)
class _Part:
    running: int = 0
    holding: int = 0
    native: int = 0
    ready: int = 0
    unknown: int = 0
    rest: int = 0


def _on_cpu(reading: LaneReading, debt: LaneDebt) -> _Part:
    """Running, holding, native and ready: what the samples and the kernel's exact times give."""
    part = _Part()
    length = max(0, reading.length_ns)
    if reading.python:
        unwatched = max(0, length - max(0, reading.watched_ns))
        asleep = reading.cpu_ns == 0 and reading.asleep_sweeps and not reading.on_cpu_sweeps
        part.unknown = 0 if asleep else unwatched
    room = length - part.unknown
    held = min(max(0, reading.held_ns), room)
    # What was read behind the tick's end may be more than its CPU time, never less; before it, less.
    late = max(0, reading.sweep_error_ns)
    more = reading.tolerance_ns + late if reading.python else 0
    less = reading.tolerance_ns + max(0, -reading.sweep_error_ns) if reading.python else 0
    # What a lane that was found late used before it was watched belongs to no tick.
    cpu = min(reading.cpu_ns, length + late + TOLERANCE_NS)
    debt.ns += round(cpu * (room / length)) - held if length else 0
    if debt.ns > more:
        part.native = min(debt.ns - more, room - held)
        debt.ns -= part.native
    elif debt.ns < -less:
        part.holding = min(-debt.ns - less, held)
        debt.ns += part.holding
    debt.ns = max(-MAX_DEBT_NS, min(MAX_DEBT_NS, debt.ns))
    part.running = held - part.holding
    room -= held + part.native
    # A holder in the run queue is booked as holding already.
    part.ready = min(max(0, reading.queue_ns - part.holding), room)
    part.rest = room - part.ready
    return part


def _share_out_waiting(
    readings: Sequence[LaneReading],
    rooms: Sequence[int],
    debts: Sequence[LaneDebt],
    waiter_ns: dict[int, int],
    owed_ns: dict[int, int],
) -> list[int]:
    """Waiting time: who waits is known from sweeps, how long all of them waited from every sample.

    A sweep that sees a lane wait speaks for its part of the tick; there are few of them, so that many a wait
    is seen in none, and others count for more than the tick has room for. Both are carried on: over time a
    lane gets what its sweeps speak for, and all lanes together get exactly what the samples saw.
    """
    waiting = [0] * len(readings)
    claimants: dict[int, list[int]] = {}
    for index, (reading, debt) in enumerate(zip(readings, debts, strict=True)):
        off_cpu = reading.waiting_sweeps + reading.asleep_sweeps
        if reading.waiting_sweeps:
            sweeps = off_cpu + reading.on_cpu_sweeps + reading.unreadable_sweeps
            claim = max(0, reading.length_ns) * reading.waiting_sweeps // sweeps
            debt.claim_ns = min(MAX_DEBT_NS, debt.claim_ns + claim)
        # Seen on the CPU only, it may have waited in between: it gets of what the others leave over.
        if reading.gil is not None and (debt.claim_ns or (reading.on_cpu_sweeps and not off_cpu)):
            claimants.setdefault(reading.gil, []).append(index)
    for gil in waiter_ns.keys() | claimants.keys():
        indexes = claimants.get(gil, [])
        claims = [min(rooms[index], debts[index].claim_ns) for index in indexes]
        claimed = sum(claims)
        total = waiter_ns[gil] + owed_ns.get(gil, 0) if gil in waiter_ns else claimed
        for index, claim in zip(indexes, claims, strict=True):
            waiting[index] = claim if claimed <= total else claim * total // claimed
            debts[index].claim_ns -= waiting[index]
        left = total - sum(waiting[index] for index in indexes)
        space = sum(rooms[index] - waiting[index] for index in indexes)
        if claimed <= total and space:
            spread = min(left, space)
            for index in indexes:
                more = (rooms[index] - waiting[index]) * spread // space
                waiting[index] += more
                left -= more
        if gil in waiter_ns:
            owed_ns[gil] = min(MAX_DEBT_NS, left)
    return waiting


def _complete(reading: LaneReading, part: _Part, waiting: int) -> StateTimes:
    rest = max(0, part.rest - waiting)
    part.ready -= max(0, waiting - part.rest)
    unknown = part.unknown
    sweeps = reading.waiting_sweeps + reading.asleep_sweeps + reading.unreadable_sweeps
    if reading.unreadable_sweeps and reading.python:
        hidden = rest * reading.unreadable_sweeps // sweeps
        unknown += hidden
        rest -= hidden
    return (part.running, part.holding, waiting, part.native, part.ready, rest, unknown)

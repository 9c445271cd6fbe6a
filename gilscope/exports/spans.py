"""Where in a tick a lane did what: a tick's sums laid out in time. Pure.

Holds are known to the microsecond and stand where they were. Of the other states only the sums of a tick
are known: waiting is put before the holds that ended it, the rest follows one state after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gilscope.model import Hold, LaneTick, State, Tick

Span = tuple[int, State, int, int]
"""Lane, what it does, start, end."""

_HELD = (State.RUNNING, State.HOLDING)
_ORDER = (
    State.BLOCKED,
    State.UNKNOWN,
    State.READY,
    State.NATIVE,
    State.RUNNING,
    State.HOLDING,
    State.WAITING,
)


def spans_of(tick: Tick, holds: Iterable[Hold]) -> Iterator[Span]:
    """The spans of all lanes that have something to show in a tick, per lane in order of time.

    A lane's spans fill the tick, but for what it slept (blocked), which is left out.
    """
    by_lane: dict[int, list[tuple[int, int]]] = {}
    for hold in holds:
        if hold.lane is not None:
            own = by_lane.setdefault(hold.lane, [])
            # A thread that holds the GILs of two interpreters at once is still one thread.
            start = max(hold.start_ns, tick.start_ns, own[-1][1] if own else 0)
            end = min(hold.end_ns, tick.end_ns)
            if end > start:
                own.append((start, end))
    for row in tick.lanes:
        for state, start, end in _lane_spans(tick, row, by_lane.pop(row.lane, [])):
            if end > start:
                yield row.lane, state, start, end
    for lane, own in by_lane.items():
        for start, end in own:
            yield lane, State.RUNNING, start, end


def _lane_spans(tick: Tick, row: LaneTick, holds: list[tuple[int, int]]) -> list[tuple[State, int, int]]:
    free = _free(tick.start_ns, tick.end_ns, holds)
    kinds = [state for state in _ORDER if row.states[state] and not (holds and state in _HELD)]
    spans = list(_held_spans(row, holds))
    if len(kinds) == 1 and sum(row.states) >= tick.end_ns - tick.start_ns:
        if kinds[0] is not State.BLOCKED:
            spans += [(kinds[0], start, end) for start, end, _ in free]
    elif kinds:
        spans += _shared(tick, row, kinds, free)
    spans.sort(key=lambda span: span[1])
    return spans


def _held_spans(row: LaneTick, holds: list[tuple[int, int]]) -> Iterator[tuple[State, int, int]]:
    """Which hold lost the CPU is not known, but for how long in all: the longest ones are said to have."""
    off_cpu: set[tuple[int, int]] = set()
    left = row.states[State.HOLDING]
    if left:
        for hold in sorted(holds, key=lambda hold: hold[0] - hold[1]):
            if 2 * left >= hold[1] - hold[0]:
                off_cpu.add(hold)
                left -= hold[1] - hold[0]
    for hold in holds:
        yield State.HOLDING if hold in off_cpu else State.RUNNING, *hold


def _free(start_ns: int, end_ns: int, holds: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """What the holds leave of a tick; and whether a hold follows."""
    found, at = [], start_ns
    for start, end in holds:
        if start > at:
            found.append((at, start, True))
        at = end
    if at < end_ns:
        found.append((at, end_ns, False))
    return found


def _shared(
    tick: Tick, row: LaneTick, kinds: list[State], free: list[tuple[int, int, bool]]
) -> Iterator[tuple[State, int, int]]:
    """Several states share the time without a hold: waiting just before the holds, the rest in order."""
    room = sum(end - start for start, end, _ in free)
    times = {state: row.states[state] for state in kinds}
    # What is in no sum, it slept.
    slept = max(0, tick.end_ns - tick.start_ns - sum(row.states))
    times = {State.BLOCKED: times.pop(State.BLOCKED, 0) + slept, **times}
    total = sum(times.values())
    if not room or not total:
        return
    waits = times.pop(State.WAITING, 0) * room // total
    space = sum(end - start for start, end, before_hold in free if before_hold)
    early = min(waits, space)
    left: list[tuple[int, int]] = []
    for start, end, before_hold in free:
        # What has no room before the holds, it waits for a hold in a later tick.
        wait = early * (end - start) // space if before_hold else min(end - start, waits - early)
        left.append((start, end - wait))
        if wait:
            yield State.WAITING, end - wait, end
    yield from _in_order(times, left)


def _in_order(times: dict[State, int], free: list[tuple[int, int]]) -> Iterator[tuple[State, int, int]]:
    room, total = sum(end - start for start, end in free), sum(times.values())
    if not total or not room:
        return
    parts = iter(free)
    at, end = next(parts)
    for number, (state, time) in enumerate(times.items()):
        last = number == len(times) - 1
        want = room if last else time * room // total
        while want > 0:
            if at >= end:
                following = next(parts, None)
                if following is None:
                    return
                at, end = following
                continue
            until = min(end, at + want)
            if state is not State.BLOCKED:
                yield state, at, until
            want -= until - at
            at = until


@dataclass(slots=True)
class Joined:
    """Joins spans that go on from tick to tick; a lane has one open span at most."""

    open_ones: dict[int, Span]

    def __init__(self) -> None:
        self.open_ones = {}

    def add(self, span: Span) -> Span | None:
        """Take the next span of a lane; the one before it, if that is over."""
        before = self.open_ones.get(span[0])
        if before is not None and before[1] is span[1] and before[3] == span[2]:
            self.open_ones[span[0]] = (span[0], span[1], before[2], span[3])
            return None
        self.open_ones[span[0]] = span
        return before

    def rest(self) -> Iterator[Span]:
        """What is still open at the end."""
        yield from self.open_ones.values()
        self.open_ones.clear()

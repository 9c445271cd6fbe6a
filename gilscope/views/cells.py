"""Timeline cells: which state filled most of each stretch of time, per lane. Pure.

Cells are anchored at the session's start: cell n spans [n × cell_ns, (n + 1) × cell_ns), whatever is on
the screen. So a cell that is past never changes, a row only moves by whole cells, and what was folded
once is kept. A row is bytes, one state a cell: 0 – 6 as in model.State, 7 for no data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gilscope.model import N_STATES, NS_PER_MS, NS_PER_S, Gap, Hold, Lane, LaneTick, State, Tick, Window

NO_DATA = N_STATES
"""Nothing was recorded there: before the start, after the end, or no tick at all."""

ZOOMS_NS: tuple[int, ...] = (
    *(ms * NS_PER_MS for ms in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(s * NS_PER_S for s in (1, 2, 5, 10, 20, 60)),
)
"""The lengths that a cell can have."""

LONG_TICK_CELLS = 10_000
_HELD = (State.RUNNING, State.HOLDING)
_FREE_ORDER = (
    State.BLOCKED,
    State.UNKNOWN,
    State.READY,
    State.NATIVE,
    State.RUNNING,
    State.HOLDING,
    State.WAITING,
)
"""How states without an exact place are laid out in a tick: waiting last, next to the hold it waits for."""

_SEES_NO_STATES = ("cores", "pyspy", "py-spy", "stacks")
"""Sources whose gaps leave the states of lanes known."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The cells of one stretch of time."""

    first: int
    """Number of the first cell."""
    base: bytes
    """What a lane without any row did: blocked where there was a tick, else no data."""
    rows: Mapping[int, bytes]
    """By lane key; only lanes that have rows. As long as `base`."""
    blind: Mapping[int | None, bytes]
    """By pid (None: every process): `base` with unknown where a gap covers. As long as `base`."""
    pids: Mapping[int, int | None]
    """The pid of each lane's process."""

    def empty(self, pid: int | None) -> bytes:
        """The cells of a lane of process `pid` that has no row."""
        return self.blind.get(pid) or self.blind.get(None) or self.base


def fold(window: Window, cell_ns: int, first: int, count: int) -> Folded:
    """Fold a window that covers cells `first` to `first + count` into one state a cell and lane."""
    length = max(0, count)
    base = bytearray([NO_DATA]) * length
    for tick in window.ticks:
        begin, end = _span(tick.start_ns, tick.end_ns, cell_ns, first, length)
        base[begin:end] = bytes([State.BLOCKED]) * (end - begin)
    blind = _blind(window.gaps, bytes(base), cell_ns, first)
    by_lane: dict[int, list[tuple[Tick, LaneTick]]] = {}
    for tick in window.ticks:
        for row in tick.lanes:
            by_lane.setdefault(row.lane, []).append((tick, row))
    holds: dict[int, list[Hold]] = {}
    for hold in window.holds:
        if hold.lane is not None:
            holds.setdefault(hold.lane, []).append(hold)
    pids = {process.key: process.pid for process in window.processes}
    owner = {lane.key: pids.get(lane.process) for lane in window.lanes}
    empty = Folded(first, bytes(base), {}, blind, owner)
    covered: dict[int, int] = {}
    for tick in window.ticks:
        for index, part in _parts(tick, cell_ns):
            covered[index - first] = covered.get(index - first, 0) + part
    rows = {}
    for lane, ticks in by_lane.items():
        slept = empty.empty(owner.get(lane))
        rows[lane] = _fold_lane(ticks, holds.get(lane, []), slept, covered, cell_ns, first)
    return Folded(first, bytes(base), rows, blind, owner)


def _blind(gaps: Iterable[Gap], base: bytes, cell_ns: int, first: int) -> dict[int | None, bytes]:
    found: dict[int | None, bytearray] = {}
    seen = [gap for gap in gaps if gap.source not in _SEES_NO_STATES]
    for pid in {gap.pid for gap in seen}:
        found[pid] = bytearray(base)
        for gap in seen:
            if gap.pid is None or gap.pid == pid:
                begin, end = _span(gap.start_ns, gap.end_ns, cell_ns, first, len(base))
                for index in range(begin, end):
                    if base[index] != NO_DATA:
                        found[pid][index] = State.UNKNOWN
    return {pid: bytes(row) for pid, row in found.items()}


def _span(start_ns: int, end_ns: int, cell_ns: int, first: int, length: int) -> tuple[int, int]:
    """Indexes of the cells that a span fills for the most part; a short span still gets its cell."""
    begin, end = _middles(start_ns, end_ns, cell_ns)
    begin, end = begin - first, end - first
    if begin >= end:
        begin = start_ns // cell_ns - first
        end = begin + 1
    return max(0, min(begin, length)), max(0, min(end, length))


def _middles(start_ns: int, end_ns: int, cell_ns: int) -> tuple[int, int]:
    """The cells whose middle lies in a span: of two spans that touch, each cell belongs to one."""
    return -(-(2 * start_ns - cell_ns) // (2 * cell_ns)), -(-(2 * end_ns - cell_ns) // (2 * cell_ns))


def _fold_lane(
    ticks: list[tuple[Tick, LaneTick]],
    holds: list[Hold],
    empty: bytes,
    covered: Mapping[int, int],
    cell_ns: int,
    first: int,
) -> bytes:
    row = bytearray(empty)
    sums: dict[int, list[int]] = {}
    number = 0
    for tick, lane_tick in ticks:
        while number < len(holds) and holds[number].end_ns <= tick.start_ns:
            number += 1
        if tick.end_ns - tick.start_ns > cell_ns:
            _lay_out(row, tick, lane_tick, holds, number, cell_ns, first)
        else:
            _add_up(sums, tick, lane_tick, cell_ns, first)
    for index, times in sums.items():
        if 0 <= index < len(row):
            # What was recorded without a row of this lane, it slept through.
            if empty[index] != NO_DATA:
                times[empty[index]] += max(0, covered.get(index, 0) - sum(times))
            row[index] = times.index(max(times))
    return bytes(row)


def _add_up(sums: dict[int, list[int]], tick: Tick, row: LaneTick, cell_ns: int, first: int) -> None:
    """A tick that is no longer than a cell: add its times to the one or two cells that it touches."""
    length = tick.end_ns - tick.start_ns
    for index, part in _parts(tick, cell_ns):
        times = sums.setdefault(index - first, [0] * N_STATES)
        for state, spent in enumerate(row.states):
            if spent:
                times[state] += spent if part == length else spent * part // length


def _parts(tick: Tick, cell_ns: int) -> list[tuple[int, int]]:
    """The cells that a tick touches, if it is no longer than a cell, and its nanoseconds in each."""
    length = tick.end_ns - tick.start_ns
    if length > cell_ns:
        return []
    index = tick.start_ns // cell_ns
    border = (index + 1) * cell_ns
    if tick.end_ns <= border:
        return [(index, length)]
    return [(index, border - tick.start_ns), (index + 1, tick.end_ns - border)]


def _lay_out(
    row: bytearray, tick: Tick, lane_tick: LaneTick, holds: list[Hold], number: int, cell_ns: int, first: int
) -> None:
    """A tick longer than a cell: holds stand where they were, the other states share the cells left."""
    begin, end = _middles(tick.start_ns, tick.end_ns, cell_ns)
    if end - begin > LONG_TICK_CELLS:
        # The watch stood still, for hours maybe: what is out of sight is not laid out.
        begin, end = max(begin, first), min(end, first + len(row))
    if end <= begin:
        return
    states = [max(0, time) for time in lane_tick.states]  # a file may hold any
    states[State.BLOCKED] += max(0, tick.end_ns - tick.start_ns - sum(states))
    held = _held_cells(holds, number, begin, end, cell_ns)
    if not held and _fill(row, states, begin - first, end - first):
        return
    taken = sorted(cell for cell, time in held.items() if 2 * time >= cell_ns)
    # Where in a hold the CPU was lost is not known, but for how long in all.
    on_cpu = {s: states[s] for s in _HELD if states[s]} or {State.RUNNING: 1}
    for cell, state in zip(taken, apportion(on_cpu, len(taken)), strict=True):
        if 0 <= cell - first < len(row):
            row[cell - first] = state
    free = [cell for cell in range(begin, end) if 2 * held.get(cell, 0) < cell_ns]
    kinds = [s for s in _FREE_ORDER if states[s] and not (held and s in _HELD)]
    if not free or not kinds:
        return
    if len(kinds) > 1:
        free.sort(key=lambda cell: _before_hold(cell, taken, end), reverse=True)
    for cell, state in zip(free, apportion({s: states[s] for s in kinds}, len(free)), strict=True):
        if 0 <= cell - first < len(row):
            row[cell - first] = state


def _held_cells(holds: list[Hold], number: int, begin: int, end: int, cell_ns: int) -> dict[int, int]:
    """By cell of [begin, end): how long it was held, by the holds from `number` on."""
    held: dict[int, int] = {}
    while number < len(holds) and holds[number].start_ns < end * cell_ns:
        since, until = holds[number].start_ns, holds[number].end_ns
        for cell in range(max(begin, since // cell_ns), min(end, -(-until // cell_ns))):
            inside = min(until, (cell + 1) * cell_ns) - max(since, cell * cell_ns)
            held[cell] = held.get(cell, 0) + inside
        number += 1
    return held


def _fill(row: bytearray, states: list[int], begin: int, end: int) -> bool:
    """Lay out a tick with one state only, by far the most common: a thread that waits, or sleeps."""
    lone = [state for state, time in enumerate(states) if time]
    if len(lone) != 1:
        return False
    begin, end = (max(0, min(cell, len(row))) for cell in (begin, end))
    row[begin:end] = bytes(lone) * (end - begin)
    return True


def _before_hold(cell: int, holds: list[int], end: int) -> int:
    """How many cells are left until the next hold; after the last one, until the tick's end and further."""
    following = next((hold for hold in holds if hold > cell), None)
    return following - cell if following is not None else 2 * end - cell


def apportion(times: Mapping[State, int], cells: int) -> list[State]:
    """Share `cells` among states by their times (largest remainder), in the order given."""
    total = sum(times.values())
    counts = {state: time * cells // total for state, time in times.items()}
    by_rest = sorted(times, key=lambda state: -(times[state] * cells % total))
    for state in by_rest[: cells - sum(counts.values())]:
        counts[state] += 1
    return [state for state in times for _ in range(counts[state])]


@dataclass(slots=True)
class Timeline:
    """Folded cells of one zoom, one unbroken stretch, kept so that only what is new is read.

    It knows nothing but what `missing` asks for and `put` gives it: dropping it loses no information.
    """

    cell_ns: int
    first: int = 0
    end: int = 0
    """The cell after the last one held; those from `sure` on are of a time that is still recorded."""
    sure: int = 0
    head_ns: int = -1
    """How far the recording reached when it was last filled."""
    base: bytearray = field(default_factory=bytearray)
    rows: dict[int, bytearray] = field(default_factory=dict)
    blind: dict[int | None, bytearray] = field(default_factory=dict)

    def missing(self, first: int, end: int, head_ns: int) -> tuple[int, int] | None:
        """The cells that have to be read and put before [first, end) can be drawn."""
        # The last cell of a long span need not be read again for each tick.
        fresh = head_ns - self.head_ns < max(1, self.cell_ns // 10)
        last = head_ns // self.cell_ns + 1
        first, end = max(0, first), min(end, last)
        if end <= first:
            return None
        if self.first == self.end or first > self.end or end < self.first:
            return first, end
        if first < self.first:
            # A step back reads further than it must: the next steps are free.
            back = max(0, min(first, self.first - (end - first) // 2))
            return back, self.first
        if end > self.end or (end > self.sure and not fresh):
            return max(first, self.sure), end
        return None

    def put(self, part: Folded, head_ns: int) -> None:
        """Add cells that `missing` asked for, in place of those they overlap; what they do not touch goes."""
        end = part.first + len(part.base)
        if self.first == self.end or part.first > self.end or end < self.first:
            self._start(part)
        elif part.first < self.first:
            self._join(part, before=True)
            return
        else:
            self._join(part, before=False)
        self.head_ns = head_ns
        self.sure = min(self.end, head_ns // self.cell_ns)

    def _start(self, part: Folded) -> None:
        self.first, self.end = part.first, part.first + len(part.base)
        self.base = bytearray(part.base)
        self.rows = {lane: bytearray(row) for lane, row in part.rows.items()}
        self.blind = {pid: bytearray(row) for pid, row in part.blind.items()}

    def _join(self, part: Folded, *, before: bool) -> None:
        """Put the part before what is held, or behind it, in place of all from its first cell on."""
        keep = len(self.base) if before else part.first - self.first

        def joined(mine: bytearray, new: bytes) -> bytearray:
            return bytearray(new) + mine if before else mine[:keep] + new

        for lane in {*self.rows, *part.rows}:
            pid = part.pids.get(lane)
            mine, new = self.rows.get(lane) or self._empty(pid), part.rows.get(lane) or part.empty(pid)
            self.rows[lane] = joined(mine, new)
        for pid in {*self.blind, *part.blind}:
            self.blind[pid] = joined(self._empty(pid), part.empty(pid))
        self.base = joined(self.base, part.base)
        self.first = min(self.first, part.first)
        self.end = self.first + len(self.base)

    def _empty(self, pid: int | None) -> bytearray:
        return self.blind.get(pid) or self.blind.get(None) or self.base

    def trim(self, first: int) -> None:
        """Forget the cells before `first`: memory stays flat while a session goes on."""
        drop = min(first, self.sure) - self.first
        if drop <= 0:
            return
        for row in (self.base, *self.rows.values(), *self.blind.values()):
            del row[:drop]
        self.rows = {k: row for k, row in self.rows.items() if row.strip(bytes((State.BLOCKED, NO_DATA)))}
        self.first += drop

    def row(self, lane: Lane, pid: int | None, first: int, count: int) -> bytes:
        """The cells of one lane; no data where nothing is held and outside of the lane's life."""
        source = self.rows.get(lane.key)
        if source is None:
            source = self._empty(pid)
        begin, end = max(first, self.first), min(first + count, self.end)
        born = lane.start_ns // self.cell_ns
        begin = max(begin, born)
        if lane.end_ns is not None:
            end = min(end, -(-lane.end_ns // self.cell_ns))
        if end <= begin:
            return bytes([NO_DATA]) * count
        cells = bytes(source[begin - self.first : end - self.first])
        return bytes([NO_DATA]) * (begin - first) + cells + bytes([NO_DATA]) * (first + count - end)

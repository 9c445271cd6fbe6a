"""Timeline cells: which state filled most of each stretch of time, per lane. Pure.

Cells are anchored at the session's start: cell n spans [n × cell_ns, (n + 1) × cell_ns), whatever is on
the screen. So a cell that is past never changes, a row only moves by whole cells, and what was folded
once is kept. A row is bytes, one state a cell: 0 – 6 as in model.State, 7 for no data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gilscope.model import N_STATES, NS_PER_MS, NS_PER_S, Gap, Hold, LaneTick, State, Tick, Window

NO_DATA = N_STATES
"""Nothing was recorded there: before the start, after the end, or no tick at all."""

ZOOMS_NS: tuple[int, ...] = (
    *(ms * NS_PER_MS for ms in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(s * NS_PER_S for s in (1, 2, 5, 10, 20, 60)),
)
"""The lengths that a cell can have."""

LONG_TICK_CELLS = 10_000
"""A tick of more cells is laid out where it is in sight only."""
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

    @property
    def waiting(self) -> int:
        """How many ticks of lanes it keeps, to fold them when somebody asks."""
        return self.rows.waiting if isinstance(self.rows, _Rows) else 0


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

    def fold_one(lane: int, ticks: list[tuple[Tick, LaneTick]]) -> bytes:
        slept = empty.empty(owner.get(lane))
        return _fold_lane(ticks, holds.get(lane, []), slept, covered, cell_ns, first)

    rows = _Rows(by_lane, fold_one)
    if all(tick.end_ns - tick.start_ns <= cell_ns for tick in window.ticks):
        rows.fold_all()  # sums are quickly made, and the ticks take more room than the cells
    return Folded(first, bytes(base), rows, blind, owner)


class _Rows(Mapping[int, bytes]):
    """The cells of each lane, folded when they are asked for: of a thousand lanes few are in sight."""

    def __init__(
        self,
        ticks: dict[int, list[tuple[Tick, LaneTick]]],
        fold_one: Callable[[int, list[tuple[Tick, LaneTick]]], bytes],
    ) -> None:
        self._ticks, self._fold_one = ticks, fold_one
        self.waiting = sum(map(len, ticks.values()))
        """How many ticks of lanes are kept for those not asked for."""
        self._rows: dict[int, bytes] = {}
        self._lanes = tuple(ticks)

    def __getitem__(self, lane: int) -> bytes:
        row = self._rows.get(lane)
        if row is None:
            ticks = self._ticks[lane]
            row = self._rows[lane] = self._fold_one(lane, ticks)
            del self._ticks[lane]
            self.waiting -= len(ticks)
        return row

    def __contains__(self, lane: object) -> bool:
        return lane in self._rows or lane in self._ticks

    def __iter__(self) -> Iterator[int]:
        return iter(self._lanes)

    def __len__(self) -> int:
        return len(self._lanes)

    def fold_all(self) -> None:
        for lane in self._lanes:
            self[lane]


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
    if end <= begin or end <= first or begin >= first + len(row):
        return
    if end - begin > LONG_TICK_CELLS:
        # The watch stood still, for hours maybe: what is out of sight is not laid out.
        begin, end = max(begin, first), min(end, first + len(row))
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
        free.sort(key=_before_hold(begin, end, taken).__getitem__, reverse=True)
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


def _before_hold(begin: int, end: int, holds: list[int]) -> dict[int, int]:
    """By cell: how many are left until the next hold; after the last one, to the tick's end and further."""
    left, following = {}, 2 * end
    held = set(holds)
    for cell in range(end - 1, begin - 1, -1):
        left[cell] = following - cell
        if cell in held:
            following = cell
    return left


def apportion(times: Mapping[State, int], cells: int) -> list[State]:
    """Share `cells` among states by their times (largest remainder), in the order given."""
    total = sum(times.values())
    counts = {state: time * cells // total for state, time in times.items()}
    by_rest = sorted(times, key=lambda state: -(times[state] * cells % total))
    for state in by_rest[: cells - sum(counts.values())]:
        counts[state] += 1
    return [state for state in times for _ in range(counts[state])]

"""The figures of the panels: ticks of about a second folded into shares and rates. Pure.

A second, because a figure has to stand still long enough to be read; the timeline shows the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gilscope.model import NS_PER_S, Frame, Hold, StackSample, State, Tick, Window

FIGURES_NS = NS_PER_S
"""How far back from the position figures are folded."""


@dataclass(frozen=True, slots=True)
class GilFigures:
    """One GIL over the folded span. None: it was not watched, so nothing is known."""

    held_share: float | None
    contended_share: float | None
    waiters_mean: float | None
    handoffs_per_s: float | None
    longest_hold_ns: int | None
    holder: int | None
    """The lane that held it longest in the newest tick."""
    samples: int


@dataclass(frozen=True, slots=True)
class CoreFigures:
    """One core over the folded span."""

    busy_share: float
    target_share: float
    lane: int | None
    """The target's lane that was seen there most."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a span, by key."""

    gils: Mapping[int, GilFigures]
    held_share: Mapping[int, float]
    """By lane: its share of the time its GIL was watched."""
    active: frozenset[int]
    """Lanes that did anything but sleep."""
    cores: Mapping[int, CoreFigures]


NO_FIGURES = Figures({}, {}, frozenset(), {})


def fold_figures(window: Window) -> Figures:
    """Fold the ticks of a window."""
    watched = _watched(window)
    held: Counter[int] = Counter()
    active = set()
    for tick in window.ticks:
        for row in tick.lanes:
            # Without a GIL to hold, its share of executing Python is what is comparable.
            held[row.lane] += row.held_ns or row.states[State.RUNNING]
            active.add(row.lane)
    process_of = {lane.key: lane.process for lane in window.lanes}
    length = sum(tick.end_ns - tick.start_ns for tick in window.ticks)
    shares = {}
    for lane in active:
        whole = watched.get(process_of.get(lane, -1), length)
        shares[lane] = min(1.0, held[lane] / whole) if whole else 0.0
    gils = {gil.key: _gil(window.ticks, gil.key) for gil in window.gils}
    return Figures(gils, shares, frozenset(active), _cores(window.ticks))


def fold_weights(ticks: Iterable[Tick], by: str) -> dict[int, int]:
    """By lane: nanoseconds of "activity" (anything but sleep), "held" or "waiting"."""
    sums: dict[int, int] = {}
    for tick in ticks:
        for row in tick.lanes:
            if by == "held":
                spent = row.held_ns
            elif by == "waiting":
                spent = row.states[State.WAITING]
            else:
                spent = sum(row.states) - row.states[State.BLOCKED] - row.states[State.UNKNOWN]
            sums[row.lane] = sums.get(row.lane, 0) + spent
    return sums


def _watched(window: Window) -> dict[int, int]:
    """By process with one GIL: for how long that was watched."""
    owners = Counter(gil.process for gil in window.gils)
    process_of = {gil.key: gil.process for gil in window.gils if owners[gil.process] == 1}
    watched: dict[int, int] = {}
    for tick in window.ticks:
        for gil in tick.gils:
            process = process_of.get(gil.gil)
            if process is not None:
                watched[process] = watched.get(process, 0) + gil.watched_ns
    return watched


def _gil(ticks: Iterable[Tick], key: int) -> GilFigures:
    watched = held = contended = waiter = handoffs = longest = samples = length = 0
    holder = None
    for tick in ticks:
        for gil in tick.gils:
            if gil.gil != key:
                continue
            length += tick.end_ns - tick.start_ns
            watched += gil.watched_ns
            held += gil.held_ns
            contended += gil.contended_ns
            waiter += gil.waiter_ns
            handoffs += gil.handoffs
            samples += gil.samples
            longest = max(longest, gil.longest_hold_ns)
            holder = gil.holder
    if not watched:
        return GilFigures(None, None, None, None, longest, holder, samples)
    return GilFigures(
        held_share=min(1.0, held / watched),
        # Below zero: the GIL's source cannot see it.
        contended_share=min(1.0, contended / watched) if contended >= 0 else None,
        waiters_mean=waiter / watched if waiter >= 0 else None,
        handoffs_per_s=handoffs * NS_PER_S / length if length and handoffs >= 0 else None,
        longest_hold_ns=longest if handoffs >= 0 else None,
        holder=holder,
        samples=samples,
    )


def _cores(ticks: tuple[Tick, ...]) -> dict[int, CoreFigures]:
    busy: dict[int, list[float]] = {}
    lanes: dict[int, Counter[int]] = {}
    sums: dict[int, float] = {}
    for tick in ticks:
        for row in tick.cores:
            busy.setdefault(row.core, []).append(row.busy_share)
            sums[row.core] = sums.get(row.core, 0.0) + row.target_share
            if row.lane is not None:
                lanes.setdefault(row.core, Counter())[row.lane] += 1
    return {
        core: CoreFigures(
            busy_share=sum(loads) / len(loads),
            target_share=sums[core] / len(loads),
            lane=max(lanes[core], key=lambda lane: (lanes[core][lane], -lane)) if core in lanes else None,
        )
        for core, loads in sorted(busy.items())
    }


def holder_at(holds: Iterable[Hold], gil: int, at_ns: int) -> int | None:
    """The lane that held a GIL at a moment, by its holds."""
    for hold in holds:
        if hold.gil == gil and hold.start_ns < at_ns <= hold.end_ns:
            return hold.lane
    return None


def holder_over(holds: Iterable[Hold], gil: int, start_ns: int, end_ns: int) -> int | None:
    """The lane that held a GIL for at least half of a span, by its holds: the one its cell is drawn for."""
    held: Counter[int] = Counter()
    for hold in holds:
        if hold.gil == gil and hold.lane is not None and hold.start_ns < end_ns and hold.end_ns > start_ns:
            held[hold.lane] += min(hold.end_ns, end_ns) - max(hold.start_ns, start_ns)
    most = max(held, key=lambda lane: held[lane], default=None)
    return most if most is not None and 2 * held[most] >= end_ns - start_ns else None


def top_frames(stacks: Iterable[StackSample]) -> dict[int, Frame]:
    """By lane: the innermost frame that was counted most, the newest of equals."""
    counts: dict[int, Counter[Frame]] = {}
    for sample in stacks:
        if sample.frames:
            counts.setdefault(sample.lane, Counter())[sample.frames[-1]] += sample.count
    return {lane: frames.most_common(1)[0][0] for lane, frames in counts.items()}


def fold_core_cells(
    window: Window, cell_ns: int, first: int, count: int
) -> dict[int, list[tuple[float, float] | None]]:
    """By core and cell: mean load and the target's part of it (0 – 1); None where nothing was read."""
    sums: dict[int, list[list[float]]] = {}
    for tick in window.ticks:
        index = (tick.start_ns + tick.end_ns) // (2 * cell_ns) - first
        if 0 <= index < count:
            for row in tick.cores:
                cells = sums.get(row.core)
                if cells is None:
                    cells = sums[row.core] = [[0.0, 0.0, 0.0] for _ in range(count)]
                cell = cells[index]
                cell[0] += row.busy_share
                cell[1] += row.target_share
                cell[2] += 1
    return {
        core: [(busy / n, target / n) if n else None for busy, target, n in cells]
        for core, cells in sorted(sums.items())
    }

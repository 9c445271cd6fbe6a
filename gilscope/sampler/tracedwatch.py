"""One process whose GIL only py-spy can read: its ticks wait until a trace tells who held the GIL in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gilscope.model import UNTOLD, Gap, Gil, GilTick, LaneTick, State, StateTimes
from gilscope.sampler.gilwatch import ProcessPart
from gilscope.sampler.lanes import RawLane, TickReading
from gilscope.sampler.merge import UNKNOWN_HOLDER, LaneDebt, LaneReading, merge_lanes
from gilscope.sampler.spread import Cell, slack_ns, spread_held, variance_ns2
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources import processes
from gilscope.sources.layouts import Version

LOOK_NS = 1_000_000_000
"""How often to look whether a process has become another program."""


@dataclass(slots=True)
class TracedPart(ProcessPart):
    """A process in a tick, as far as that is known: who held the GIL is filled in later."""

    start_ns: int = 0
    end_ns: int = 0
    python: bool = False
    raw: dict[int, RawLane] = field(default_factory=dict)
    """By tid."""
    alive: frozenset[int] = frozenset()
    """The tids of all threads at the tick's end, also of those that slept."""
    held: dict[int, int] = field(default_factory=dict)
    """By tid: nanoseconds."""
    watched_ns: int = 0
    samples: float = 0.0


@dataclass(slots=True, kw_only=True)
class Counts:
    """What a trace counted, in session time."""

    held: dict[int, int]
    """By tid, or UNKNOWN_HOLDER: samples that found it to hold the GIL."""
    samples: int
    start_ns: int
    end_ns: int


@dataclass(slots=True)
class _Account:
    """A lane's books over the session: what was held and what the CPU was used for must agree in the end."""

    debt: LaneDebt = field(default_factory=LaneDebt)
    variance: float = 0.0


class TracedWatch(ProcessWatch):
    """Watches one process through py-spy."""

    gil: Gil | None = None
    """From its first trace on."""
    covered_ns = 0
    """Up to here all that traces can say of its ticks has been said."""
    retry_ns = 0
    """Do not ask py-spy before."""
    _looked_ns = -LOOK_NS
    _accounts: dict[int, _Account]

    def try_open(self, now_ns: int, version: Version | None = None) -> bool:  # noqa: ARG002 - as its parent
        """Whether it is a Python, going by its program's name: py-spy must be asked for no other."""
        if now_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = now_ns
            program = processes.executable(self.pid)
            python = program is not None and "python" in Path(program).name.lower()
            if program is not None and python != self.is_python:
                self._becomes(python=python)
        return self.is_python

    def _becomes(self, *, python: bool) -> None:
        if not python:
            self._is_no_python()
            return
        self.is_python = True
        self.process = replace(self.process, command=processes.command_line(self.pid))
        self.changed = True

    @property
    def can_sample(self) -> bool:
        """Whether py-spy may be asked: it is a Python, and lives."""
        return self.is_python and bool(self.tasks.tasks)

    def found_gil(self) -> None:
        """py-spy can read it."""
        if not self.is_python:
            self._becomes(python=True)
        if self.gil is None:
            self._keys.gil += 1
            self.gil = Gil(
                key=self._keys.gil, process=self.process.key, interpreter=0, kind="shared", source="py-spy"
            )
            self.interpreters.changed.append(self.gil)
            self._accounts = {}

    def finish_tick(self, end_ns: int, next_end_ns: int, *, last: bool = False) -> TracedPart:  # noqa: ARG002 - as its parent
        """Take what is known of the tick that ends."""
        start_ns, self._tick_start_ns, self._tick_end_ns = self._tick_start_ns, end_ns, next_end_ns
        part = TracedPart(start_ns=start_ns, end_ns=end_ns, python=self.is_python)
        part.raw, part.core_ns = self.lanes.take_readings(
            TickReading(
                start_ns=start_ns, end_ns=end_ns, python=self.is_python, watched_ns=0,
                swept_ns=self._swept_ns, held={}, waiter_ns={}, only_gil=None,
            )
        )  # fmt: skip
        part.alive = frozenset(self.lanes)
        return part

    def apply(self, counts: Counts, parts: Sequence[TracedPart]) -> None:
        """Learn who held the GIL in these parts, each in the ticks that the trace covers."""
        start_ns = max(counts.start_ns, self.covered_ns)
        length_ns = counts.end_ns - counts.start_ns
        spans = [(part, min(part.end_ns, counts.end_ns) - max(part.start_ns, start_ns)) for part in parts]
        spans = [(part, ns) for part, ns in spans if ns > 0]
        self.covered_ns = max(self.covered_ns, counts.end_ns)
        covered_ns = sum(ns for _, ns in spans)
        if not covered_ns or not counts.samples:
            return
        cells = [_cell(part, ns, counts.held) for part, ns in spans]
        taken = counts.samples * min(1.0, covered_ns / length_ns)
        held = {tid: covered_ns * count // counts.samples for tid, count in counts.held.items()}
        slack: dict[int, int] = {}
        for tid in held.keys() | {tid for cell in cells for tid in cell.cpu_ns}:
            count = taken * counts.held.get(tid, 0) / counts.samples
            account = self._account(self.lanes.key_of(tid) or 0)
            account.variance += variance_ns2(count, taken, covered_ns)
            slack[tid] = slack_ns(account.variance)
        for (part, ns), by_tid in zip(spans, spread_held(cells, held, slack), strict=True):
            part.watched_ns += ns
            part.samples += taken * ns / covered_ns
            for tid, held_ns in by_tid.items():
                part.held[tid] = part.held.get(tid, 0) + held_ns

    def _account(self, lane: int) -> _Account:
        return self._accounts.setdefault(lane, _Account())

    def complete(self, part: TracedPart) -> None:
        """Make the rows of a part of which no more will be known."""
        raw = dict(part.raw)
        for tid in part.held.keys() - raw.keys():
            # It held the GIL without being seen to do anything: asleep all the time.
            lane = self.lanes.key_of(tid)
            if lane is not None:
                raw[tid] = RawLane(lane, _asleep(part), None)
        readings, debts = [], []
        for tid, entry in raw.items():
            reading = entry.reading
            reading.watched_ns, reading.held_ns = part.watched_ns, part.held.get(tid, 0)
            account = self._account(entry.lane) if self.gil is not None else _Account()
            reading.tolerance_ns = slack_ns(account.variance)
            readings.append(reading)
            debts.append(account.debt)
        states = merge_lanes(readings, debts, {}, {})
        held_ns = sum(part.held.values())
        rows = []
        for entry, reading, merged in zip(raw.values(), readings, states, strict=True):
            times = merged
            if part.python:
                others_ns = held_ns - reading.held_ns
                times = hide_waiting(merged, reading, others_ns, part.held.get(UNKNOWN_HOLDER, 0))
            if sum(times) > times[State.BLOCKED]:
                mine_ns = times[State.RUNNING] + times[State.HOLDING]
                rows.append(LaneTick(lane=entry.lane, states=times, held_ns=mine_ns, core=entry.core))
        part.lanes = sorted(rows, key=lambda row: row.lane)
        if self.gil is not None and part.watched_ns:
            part.gils = [self._gil_tick(self.gil, part, held_ns, raw)]

    def _gil_tick(self, gil: Gil, part: TracedPart, held_ns: int, raw: dict[int, RawLane]) -> GilTick:
        samples = round(part.samples)
        longest = max(part.held, key=lambda tid: part.held[tid], default=UNKNOWN_HOLDER)
        return GilTick(
            gil=gil.key,
            samples=samples,
            locked_samples=round(samples * held_ns / part.watched_ns),
            watched_ns=part.watched_ns,
            held_ns=held_ns,
            contended_ns=UNTOLD,
            waiter_ns=UNTOLD,
            waiters_max=UNTOLD,
            handoffs=UNTOLD,
            handoffs_seen=UNTOLD,
            longest_hold_ns=UNTOLD,
            holder=raw[longest].lane if longest in raw else None,
        )

    def close(self, end_ns: int, exit_code: int | None) -> Iterator[Gap]:
        """End all lanes. What py-spy could not read is told where that is known."""
        self.unreadable = None
        yield from super().close(end_ns, exit_code)


def _cell(part: TracedPart, covered_ns: int, holders: Iterable[int]) -> Cell:
    """The covered part of a tick; what happened in all of it, happened evenly."""
    length_ns = part.end_ns - part.start_ns
    # No thread holds the GIL before it starts or after it has ended.
    absent = (tid for tid in holders if tid > 0 and tid not in part.alive and tid not in part.raw)
    return Cell(
        length_ns=covered_ns,
        cpu_ns={
            tid: entry.reading.cpu_ns * covered_ns // length_ns
            for tid, entry in part.raw.items()
            if entry.reading.cpu_ns > 0
        },
        alive_ns=dict.fromkeys(absent, 0)
        | {
            tid: entry.reading.length_ns * covered_ns // length_ns
            for tid, entry in part.raw.items()
            if entry.reading.length_ns < length_ns
        },
    )


def _asleep(part: TracedPart) -> LaneReading:
    return LaneReading(
        length_ns=part.end_ns - part.start_ns, python=part.python, watched_ns=0, held_ns=0, cpu_ns=0,
        queue_ns=0, sweep_error_ns=0, asleep_sweeps=1,
    )  # fmt: skip


def hide_waiting(times: StateTimes, reading: LaneReading, others_ns: int, unnamed_ns: int) -> StateTimes:
    """The states of a lane where nobody can see who waits: what may have been waiting is unknown.

    Args:
        times: as merged, as if nobody had waited.
        reading: what they were merged from.
        others_ns: how long other threads held the GIL in the tick: nobody waits while it is free.
        unnamed_ns: how long a thread held it that could not be told: its CPU time is no native code.
    """
    running, holding, waiting, native, ready, blocked, unknown = times
    hidden = min(native, max(0, unnamed_ns))
    # A waiter wakes every few milliseconds to ask for the GIL: who used no CPU at all was asleep.
    asleep = reading.cpu_ns == 0 and reading.asleep_sweeps > 0 and not reading.on_cpu_sweeps
    doubtful = 0 if asleep else min(blocked, max(0, others_ns))
    return (
        running, holding, waiting, native - hidden, ready, blocked - doubtful, unknown + hidden + doubtful,
    )  # fmt: skip

"""A session that never happened: deterministic, shaped like real ones; for tests, screenshots, benchmarks.

A `Script` says how large the session is, `ScriptedSession` derives every value from it and from a seed:
no clock, no machine. Per process the CPU lanes share one GIL in turns of a few milliseconds; the io lanes
sleep, wait for the GIL and hold it for a moment; native lanes compute without it; idle lanes sleep.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gilscope.model import (
    NS_PER_MS,
    NS_PER_S,
    CoreTick,
    Event,
    Frame,
    Gap,
    Gil,
    GilTick,
    Hold,
    Lane,
    LaneTick,
    Output,
    Process,
    ProcessTick,
    Session,
    StackSample,
    Tick,
)

FREE_NS = 20_000
"""How long a GIL is free between two holds."""
IO_PERIOD_NS = 100 * NS_PER_MS
"""An io lane wants the GIL this often."""
STACK_EVERY_NS = 2 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The size and the manner of a scripted session."""

    seconds: float = 10.0
    processes: int = 1
    cpu: int = 3
    """Lanes of each process that want to run Python all the time."""
    io: int = 1
    native: int = 0
    idle: int = 0
    """Lanes of each process, beside MainThread, that only sleep: they write no rows, like real ones."""
    cores: int = 2
    turn_ms: float = 5.0
    tick_ms: int = 50
    seed: int = 1
    command: str = "fib.py"
    mode: str = "threads"
    exit_code: int | None = 0
    gaps: tuple[Gap, ...] = ()


class Sink(Protocol):
    """What a scripted session is written into: a RecordingWriter."""

    def put_session(self, session: Session) -> None: ...  # noqa: D102
    def put_processes(self, processes: Sequence[Process]) -> None: ...  # noqa: D102
    def put_gils(self, gils: Sequence[Gil]) -> None: ...  # noqa: D102
    def put_lanes(self, lanes: Sequence[Lane]) -> None: ...  # noqa: D102
    def put_tick(self, tick: Tick, holds: Iterable[Hold] = ...) -> None: ...  # noqa: D102
    def put_process_ticks(self, ticks: Iterable[ProcessTick]) -> None: ...  # noqa: D102
    def put_output(self, output: Iterable[Output]) -> None: ...  # noqa: D102
    def put_events(self, events: Iterable[Event]) -> None: ...  # noqa: D102
    def put_gaps(self, gaps: Iterable[Gap]) -> None: ...  # noqa: D102
    def put_stacks(self, stacks: Iterable[StackSample]) -> None: ...  # noqa: D102
    def commit(self) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """All that one tick adds to a recording."""

    tick: Tick
    holds: tuple[Hold, ...] = ()
    process_ticks: tuple[ProcessTick, ...] = ()
    output: tuple[Output, ...] = ()
    events: tuple[Event, ...] = ()
    stacks: tuple[StackSample, ...] = ()


@dataclass(slots=True)
class _Turns:
    """The holds of one GIL, made as far as they are asked for, and the waits of its io lanes."""

    gil: int
    cpu: tuple[int, ...]
    io: tuple[int, ...]
    turn_ns: int
    random: random.Random
    end_ns: int = FREE_NS
    turn: int = 0
    holds: list[Hold] = field(default_factory=list)
    waits: list[tuple[int, int, int]] = field(default_factory=list)
    """Lane, start, end."""
    due: dict[int, int] = field(default_factory=dict)
    """When each io lane wants the GIL next."""

    def make_until(self, until_ns: int) -> None:
        while self.end_ns < until_ns:
            start = self.end_ns
            lane, length = self._next(start)
            if lane is not None:
                self.holds.append(Hold(gil=self.gil, lane=lane, start_ns=start, end_ns=start + length))
            self.end_ns = start + length + FREE_NS

    def _next(self, now_ns: int) -> tuple[int | None, int]:
        for lane in self.io:
            due = self.due.setdefault(lane, 70 * NS_PER_MS)
            if due <= now_ns:
                self.waits.append((lane, due, now_ns))
                self.due[lane] = now_ns + IO_PERIOD_NS
                return lane, self.random.randrange(1, 3) * NS_PER_MS
        if not self.cpu:
            return None, NS_PER_MS
        self.turn += 1
        return self.cpu[self.turn % len(self.cpu)], self.turn_ns + self.random.randrange(200_000)


class ScriptedSession:
    """The values of a session, tick by tick; the same script gives the same values."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script = script or Script()
        self.tick_ns = script.tick_ms * NS_PER_MS
        self.n_ticks = round(script.seconds * NS_PER_S / self.tick_ns)
        self.session = Session(
            command=script.command,
            mode=script.mode,
            workers=script.cpu,
            python="3.11.7",
            implementation="CPython",
            executable="/usr/bin/python3",
            pid=5098,
            started="2026-01-02T03:04:05Z",
            platform="Linux 6.8 x86_64",
            cores=script.cores,
            cores_usable=script.cores,
            rate_hz=1000.0,
            tick_ns=self.tick_ns,
            stall_ns=100 * NS_PER_MS,
            gilscope_version="0.1.0",
        )
        self.processes: list[Process] = []
        self.gils: list[Gil] = []
        self.lanes: list[Lane] = []
        self._native: list[list[int]] = []
        self._turns: list[_Turns] = []
        for number in range(script.processes):
            self._add_process(number)

    def _add_process(self, number: int) -> None:
        script = self.script
        pid = 5098 + 10 * number
        process = Process(
            key=number + 1,
            pid=pid,
            ppid=4000 if number == 0 else 5098,
            command=f"python {script.command}",
            python="3.11.7",
            start_ns=0,
        )
        self.processes.append(process)
        self.gils.append(
            Gil(
                key=number + 1,
                process=process.key,
                interpreter=0,
                kind="shared",
                switch_interval_us=round(script.turn_ms * 1000),
            )
        )
        groups: dict[str, list[int]] = {"cpu": [], "io": [], "native": [], "idle": []}
        names = [("main", "MainThread")]
        for kind in groups:
            count = getattr(script, kind)
            names += [(kind, f"{kind}-{i}" if count > 1 or kind != "io" else "io") for i in range(count)]
        for offset, (kind, name) in enumerate(names):
            key = len(self.lanes) + 1
            self.lanes.append(
                Lane(key=key, process=process.key, tid=pid + offset, kind="thread", name=name, start_ns=0)
            )
            groups.setdefault(kind, []).append(key)
        self._native.append(groups["native"])
        self._turns.append(
            _Turns(
                gil=number + 1,
                cpu=tuple(groups["cpu"]),
                io=tuple(groups["io"]),
                turn_ns=round(script.turn_ms * NS_PER_MS),
                random=random.Random(script.seed * 1000 + number),  # noqa: S311 - a script, not a secret
            )
        )

    def head(self, index: int, *, ended: bool = False) -> Session:
        """The session's description as it stands after tick `index`."""
        end_ns = (index + 1) * self.tick_ns
        taken = end_ns // NS_PER_MS
        return replace(
            self.session,
            samples_asked=taken,
            samples_taken=taken,
            cost_cpu_ns=round(end_ns * 0.021),
            ended_ns=end_ns if ended else None,
            exit_code=self.script.exit_code if ended else None,
        )

    def step(self, index: int) -> Step:
        """Tick number `index` and all that belongs to it. Any order: the same index, the same step."""
        start, end = index * self.tick_ns, (index + 1) * self.tick_ns
        gils: list[GilTick] = []
        lanes: list[LaneTick] = []
        holds: list[Hold] = []
        for turns, native in zip(self._turns, self._native, strict=True):
            turns.make_until(end)
            now = [hold for hold in _around(turns.holds, start, end) if hold.end_ns > start]
            core = (turns.gil - 1) % self.script.cores
            gils.append(self._gil_tick(turns, now, start, end))
            lanes += self._lane_ticks(turns, now, core, start, end)
            lanes += [self._native_tick(lane, core) for lane in native]
            holds += [replace(hold, end_ns=min(hold.end_ns, end)) for hold in now]
        tick = Tick(
            index=index,
            start_ns=start,
            end_ns=end,
            gils=tuple(gils),
            lanes=tuple(lanes),
            cores=self._cores(index, lanes),
        )
        return Step(
            tick=tick,
            holds=tuple(holds),
            process_ticks=self._process_ticks(start, end),
            output=self._output(index, end),
            events=(
                (Event(at_ns=0, kind="target-started", process=1, lane=None, text="started"),)
                if index == 0
                else ()
            ),
            stacks=self._stacks(lanes, start, end),
        )

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        return (self.step(index) for index in range(self.n_ticks))

    def _gil_tick(self, turns: _Turns, now: list[Hold], start: int, end: int) -> GilTick:
        length = end - start
        held: dict[int, int] = {}
        for hold in now:
            if hold.lane is not None:
                held[hold.lane] = held.get(hold.lane, 0) + _overlap(hold.start_ns, hold.end_ns, start, end)
        total = sum(held.values())
        waiters = max(0, len(turns.cpu) - 1)
        return GilTick(
            gil=turns.gil,
            samples=length // NS_PER_MS,
            locked_samples=total // NS_PER_MS,
            watched_ns=length,
            held_ns=total,
            contended_ns=length if waiters else 0,
            waiter_ns=waiters * length,
            waiters_max=waiters,
            handoffs=sum(hold.start_ns >= start for hold in now),
            handoffs_seen=sum(hold.start_ns >= start for hold in now),
            longest_hold_ns=max((hold.end_ns - hold.start_ns for hold in now), default=0),
            holder=max(held, key=lambda lane: held[lane]) if held else None,
        )

    @staticmethod
    def _lane_ticks(turns: _Turns, now: list[Hold], core: int, start: int, end: int) -> list[LaneTick]:
        length = end - start
        rows = []
        for lane in (*turns.cpu, *turns.io):
            held = sum(_overlap(hold.start_ns, hold.end_ns, start, end) for hold in now if hold.lane == lane)
            waiting = length - held
            if lane in turns.io:
                waiting = sum(
                    _overlap(since, until, start, end) for who, since, until in turns.waits if who == lane
                )
                if turns.due.get(lane, end) < end:
                    waiting += end - max(start, turns.due[lane])
            waiting = min(waiting, length - held)
            states = (held, 0, waiting, 0, 0, length - held - waiting, 0)
            if held or waiting:
                rows.append(LaneTick(lane=lane, states=states, held_ns=held, core=core if held else None))
        return rows

    def _native_tick(self, lane: int, core: int) -> LaneTick:
        cpu = self.tick_ns * 8 // 10
        return LaneTick(
            lane=lane,
            states=(0, 0, 0, cpu, self.tick_ns // 10, self.tick_ns - cpu - self.tick_ns // 10, 0),
            held_ns=0,
            core=(core + 1) % self.script.cores,
        )

    def _cores(self, index: int, lanes: list[LaneTick]) -> tuple[CoreTick, ...]:
        cpu: dict[int, int] = {}
        top: dict[int, LaneTick] = {}
        for row in lanes:
            if row.core is not None:
                used = row.states[0] + row.states[3]
                cpu[row.core] = cpu.get(row.core, 0) + used
                if row.core not in top or used > top[row.core].states[0] + top[row.core].states[3]:
                    top[row.core] = row
        ticks = []
        for core in range(self.script.cores):
            noise = (core * 7 + index * 13) % 16 / 100
            share = min(1.0, cpu.get(core, 0) / self.tick_ns)
            ticks.append(
                CoreTick(
                    core=core,
                    busy_share=min(1.0, max(share, noise)),
                    lane=top[core].lane if core in top else None,
                    target_share=share,
                )
            )
        return tuple(ticks)

    def _process_ticks(self, start: int, end: int) -> tuple[ProcessTick, ...]:
        if start // NS_PER_S == end // NS_PER_S and start:
            return ()
        return tuple(
            ProcessTick(
                process=process.key,
                at_ns=end,
                cpu_ns=end * 95 // 100,
                rss_bytes=24_000_000 + process.key * 1_000_000,
                pss_bytes=18_000_000,
                uss_bytes=16_000_000,
                threads=sum(lane.process == process.key for lane in self.lanes),
            )
            for process in self.processes
        )

    def _output(self, index: int, end: int) -> tuple[Output, ...]:
        if index % 10 != 9:
            return ()
        number = 20 + index // 10
        return (Output(at_ns=end, data=f"fib({number}) = {number * 6765}\r\n".encode()),)

    def _stacks(self, lanes: list[LaneTick], start: int, end: int) -> tuple[StackSample, ...]:
        if start % STACK_EVERY_NS:
            return ()
        main = Frame(function="<module>", file="/home/user/fib.py", line=12)
        inner = Frame(function="fib", file="/home/user/fib.py", line=5)
        return tuple(
            StackSample(lane=row.lane, start_ns=start, end_ns=end, count=30, frames=(main, inner))
            for row in lanes
            if row.held_ns
        )


def write(session: ScriptedSession, sink: Sink, *, first: int = 0, last: int | None = None) -> None:
    """Put steps `first` up to (without) `last` into a recording; all, and its end, if `last` is None."""
    if first == 0:
        sink.put_processes(session.processes)
        sink.put_gils(session.gils)
        sink.put_lanes(session.lanes)
        sink.put_gaps(session.script.gaps)
    until = session.n_ticks if last is None else last
    for index in range(first, until):
        step = session.step(index)
        sink.put_tick(step.tick, step.holds)
        sink.put_process_ticks(step.process_ticks)
        sink.put_output(step.output)
        sink.put_events(step.events)
        sink.put_stacks(step.stacks)
    sink.put_session(session.head(until - 1, ended=last is None))
    sink.commit()


def _overlap(start: int, end: int, since: int, until: int) -> int:
    return max(0, min(end, until) - max(start, since))


def _around(holds: list[Hold], start: int, end: int) -> list[Hold]:
    """The holds that begin before `end`, from the last one that began at or before `start` on."""
    low, high = 0, len(holds)
    while low < high:
        middle = (low + high) // 2
        if holds[middle].start_ns <= start:
            low = middle + 1
        else:
            high = middle
    found = []
    for hold in holds[max(0, low - 1) :]:
        if hold.start_ns >= end:
            break
        found.append(hold)
    return found

"""A session in figures: the summary of schema `gilscope.summary/1`, the same from a live run and a replay.

Keys are stable: people and scripts use them. `_s` seconds, `_ms` milliseconds, `_mb` 10^6 bytes, shares
0 – 1; None is a figure that was not read, never one that is zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gilscope.analysis.functions import functions, rest_on
from gilscope.analysis.process_rows import peak_mb, process_row, rounded
from gilscope.analysis.quality import achieved_hz
from gilscope.analysis.stalls import stalls_shown
from gilscope.analysis.unknown import not_known
from gilscope.analysis.waits import Waits
from gilscope.analysis.weights import LaneTimes, waiting_times, weigh, weigh_waiting
from gilscope.model import (
    N_STATES,
    NS_PER_MS,
    NS_PER_S,
    WAITS_NOT_KNOWN,
    Event,
    Gap,
    Gil,
    Lane,
    Process,
    ProcessTick,
    Session,
    StackSample,
    Stall,
    State,
    Tick,
    WaitingStack,
)

SCHEMA = "gilscope.summary/1"
NOTE_KIND = "swap-note"
"""Events of this kind say what could not be carried over from threads to processes, or back."""
Z95 = 1.96
"""Standard deviations of a 95 % interval."""
MOST_HIDDEN = 0.05
"""Where who waits was not seen for this part of a thread's life at most, that is in the error of its waiting
time; from there on that time is not known."""


@dataclass(slots=True)
class _GilSums:
    samples: int = 0
    watched_ns: int = 0
    held_ns: int = 0
    contended_ns: int = 0
    waiter_ns: int = 0
    waiters_max: int = 0
    handoffs: int = 0
    handoffs_seen: int = 0
    longest_hold_ns: int = 0


@dataclass(slots=True)
class _CoreSums:
    busy_ns: float = 0.0
    target_ns: float = 0.0
    length_ns: int = 0


@dataclass(slots=True)
class _Sums:
    """All that the ticks add up to."""

    gils: dict[int, _GilSums] = field(default_factory=dict)
    states: dict[int, list[int]] = field(default_factory=dict)
    held_ns: dict[int, int] = field(default_factory=dict)
    cores: dict[int, _CoreSums] = field(default_factory=dict)
    end_ns: int = 0

    def add(self, tick: Tick) -> None:
        length_ns = tick.end_ns - tick.start_ns
        self.end_ns = max(self.end_ns, tick.end_ns)
        for gil in tick.gils:
            sums = self.gils.setdefault(gil.gil, _GilSums())
            sums.samples += gil.samples
            sums.watched_ns += gil.watched_ns
            sums.held_ns += gil.held_ns
            sums.contended_ns += gil.contended_ns
            sums.waiter_ns += gil.waiter_ns
            sums.waiters_max = max(sums.waiters_max, gil.waiters_max)
            sums.handoffs += gil.handoffs
            sums.handoffs_seen += gil.handoffs_seen
            sums.longest_hold_ns = max(sums.longest_hold_ns, gil.longest_hold_ns)
        for lane in tick.lanes:
            states = self.states.setdefault(lane.lane, [0] * N_STATES)
            for state, ns in enumerate(lane.states):
                states[state] += ns
            self.held_ns[lane.lane] = self.held_ns.get(lane.lane, 0) + lane.held_ns
        for core in tick.cores:
            load = self.cores.setdefault(core.core, _CoreSums())
            load.busy_ns += core.busy_share * length_ns
            load.target_ns += core.target_share * length_ns
            load.length_ns += length_ns


def summarise(
    *,
    session: Session,
    processes: Sequence[Process],
    lanes: Sequence[Lane],
    gils: Sequence[Gil],
    ticks: Iterable[Tick],
    gaps: Sequence[Gap] = (),
    stacks: Sequence[StackSample] = (),
    waiting_stacks: Sequence[WaitingStack] = (),
    process_ticks: Sequence[ProcessTick] = (),
    events: Sequence[Event] = (),
    stalls: Sequence[Stall] | None = (),
    waits: Mapping[int, Waits] | None = None,
    span_ns: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """The summary of a session, or of the part of it whose ticks are given, without its verdict (None).

    `stalls` None: nobody looked for any. `waits`: by lane, None if they were not looked at. `span_ns`: that
    part's start and end, where all that is given is already of that part only.
    """
    sums = _Sums()
    held = LaneTimes({sample.lane for sample in stacks})
    waiting = waiting_times({stack.lane for stack in waiting_stacks})
    for tick in ticks:
        sums.add(tick)
        held.add(tick)
        waiting.add(tick)
    weighted_waiting = weigh_waiting(waiting_stacks, waiting)
    weighted = weigh(stacks, held, {lane.key: lane.process for lane in lanes})
    start_ns, end_ns = span_ns or (0, session.ended_ns if session.ended_ns is not None else sums.end_ns)
    pids = {process.key: process.pid for process in processes}
    process_of_gil = {gil.key: gil.process for gil in gils}
    pid_of_gil = {gil.key: pids.get(gil.process) for gil in gils}
    sampled = [(pid_of_gil.get(key), gil.samples, gil.watched_ns) for key, gil in sums.gils.items()]
    rate_hz = achieved_hz(sampled, gaps, sums.end_ns)
    watched_ns = _watched_by_process(sums, process_of_gil)
    # Where a GIL does not count its waiters (musl), sweeps still tell who waits; py-spy cannot see it.
    blind = {gil.process for gil in gils if gil.key in sums.gils and gil.source == "py-spy"}
    whole_ns = session.ended_ns if session.ended_ns is not None else end_ns
    sweeps_hz = (session.sweeps or 0) * NS_PER_S / whole_ns if whole_ns else 0.0
    told = {(event.kind, event.process) for event in events}
    lane_rows = [
        _lane(
            lane,
            pids,
            sums,
            watched_ns,
            end_ns,
            sees_waiting=lane.process not in blind,
            may_hide=(WAITS_NOT_KNOWN, lane.process) in told,
            sweeps_hz=sweeps_hz,
            waits=waits,
        )
        for lane in lanes
    ]
    process_rows = [
        process_row(process, process_ticks, lanes, session, end_ns, told) for process in processes
    ]
    # py-spy sees neither who waits nor when the GIL passes on.
    known = stalls if session.source == "probe" else None
    stall_rows = None if known is None else stalls_shown(known, lanes, gils, processes)
    is_unseen = any(row["waiting_s"] is None for row in lane_rows) and not blind
    wall_s = (end_ns - start_ns) / NS_PER_S
    cpu_s = sum(row["cpu_s"] for row in process_rows)
    return {
        "schema": SCHEMA,
        "gilscope": {
            "version": session.gilscope_version,
            "rate_hz": {"asked": session.rate_hz, "achieved": None if rate_hz is None else rounded(rate_hz)},
            "tick_ms": session.tick_ns / NS_PER_MS,
            "source": session.source,
            "cost": {
                "cpu_s": rounded(session.cost_cpu_ns / NS_PER_S),
                "share_of_core": rounded(session.cost_cpu_ns / end_ns) if end_ns else None,
            },
            "gaps": [
                {
                    "source": gap.source,
                    "pid": gap.pid,
                    "reason": gap.reason,
                    "seconds": rounded((gap.end_ns - gap.start_ns) / NS_PER_S),
                }
                for gap in gaps
            ],
            "disagreements": session.disagreements,
            "not_known": not_known(session, events),
        },
        "target": {
            "command": session.command,
            "mode": session.mode,
            "workers": session.workers,
            "python": session.python,
            "implementation": session.implementation,
            "pid": session.pid,
            "exit_code": session.exit_code,
            "wall_s": rounded(wall_s),
            "started": session.started,
        },
        "machine": {
            "cores": session.cores,
            "cores_usable": session.cores_usable,
            "platform": session.platform,
        },
        "gils": [_gil(gil, pids, sums.gils.get(gil.key, _GilSums())) for gil in gils],
        "lanes": lane_rows,
        "processes": process_rows,
        "cores": [
            {
                "core": core,
                "busy_mean": rounded(load.busy_ns / load.length_ns) if load.length_ns else None,
                "target_share": rounded(load.target_ns / load.length_ns) if load.length_ns else None,
            }
            for core, load in sorted(sums.cores.items())
        ],
        "totals": {
            "cores_used_mean": rounded(cpu_s / wall_s) if wall_s else None,
            "held_s": rounded(sum(gil.held_ns for gil in sums.gils.values()) / NS_PER_S),
            "waiting_s": _queued(gils, sums) if is_unseen else _total(lane_rows, "waiting_s"),
            "native_s": _total(lane_rows, "native_s"),
            "cpu_s": rounded(cpu_s),
            "memory_peak_mb": peak_mb(process_ticks),
            "threads_created": session.threads_created,
            "threads_started": session.threads_started,
            "processes_started": _started(session, processes),
        },
        "stalls": stall_rows,
        "stalls_total": None if stall_rows is None else len(known or ()),
        "functions": functions(weighted, weighted_waiting),
        "functions_rest_on": rest_on(
            weighted,
            sum(gil.held_ns for gil in sums.gils.values()),
            weighted_waiting,
            sum(states[State.WAITING] for states in sums.states.values()),
        ),
        "notes": _notes(events),
        "verdict": None,
    }


def _started(session: Session, processes: Sequence[Process]) -> int:
    """How many processes the target started; of one that ran already, since it was watched."""
    if session.attached:
        return sum(process.start_ns > 0 for process in processes)
    return max(0, len(processes) - 1)


def share_error(share: float, samples: int) -> float | None:
    """Half the width of the 95 % interval of a share that `samples` random samples gave (Wilson's)."""
    if samples <= 0:
        return None
    spread = share * (1 - share) / samples + Z95**2 / (4 * samples**2)
    return Z95 * math.sqrt(max(0.0, spread)) / (1 + Z95**2 / samples)


def _total(rows: Sequence[dict[str, Any]], key: str) -> float | None:
    """The sum of all rows, None if one of them does not know."""
    values = [row[key] for row in rows]
    return None if any(value is None for value in values) else rounded(sum(values))


def _queued(gils: Sequence[Gil], sums: _Sums) -> float | None:
    """How long all threads waited, by what each GIL counts, where it is not known which of them did."""
    watched = [(gil, sums.gils[gil.key]) for gil in gils if gil.key in sums.gils]
    if not watched or any(gil.kind == "disabled" or of_gil.waiter_ns < 0 for gil, of_gil in watched):
        return None
    return rounded(sum(of_gil.waiter_ns for _, of_gil in watched) / NS_PER_S)


def _watched_by_process(sums: _Sums, process_of_gil: dict[int, int]) -> dict[int, int]:
    """How long the GIL of each process was watched; of several, the longest."""
    watched: dict[int, int] = {}
    for key, gil in sums.gils.items():
        process = process_of_gil.get(key)
        if process is not None:
            watched[process] = max(watched.get(process, 0), gil.watched_ns)
    return watched


def _gil(gil: Gil, pids: dict[int, int], sums: _GilSums) -> dict[str, Any]:
    watched = sums.watched_ns
    utilisation = sums.held_ns / watched if watched else None
    counts_waiters, counts_handoffs = sums.contended_ns >= 0, sums.handoffs >= 0
    return {
        "pid": pids.get(gil.process),
        "interpreter": gil.interpreter,
        "kind": gil.kind,
        "utilisation": None if utilisation is None else rounded(utilisation),
        "ci95": None if utilisation is None else _rounded(share_error(utilisation, sums.samples)),
        "contention": rounded(sums.contended_ns / watched) if watched and counts_waiters else None,
        "waiters_mean": rounded(sums.waiter_ns / watched) if watched and counts_waiters else None,
        "waiters_max": sums.waiters_max if counts_waiters else None,
        "handoffs": sums.handoffs if counts_handoffs else None,
        "handoffs_seen": sums.handoffs_seen if counts_handoffs else None,
        "samples": sums.samples,
        # Whoever cannot see the GIL pass on cannot see a hold end.
        "longest_hold_ms": rounded(sums.longest_hold_ns / NS_PER_MS) if counts_handoffs else None,
        "switch_interval_us": gil.switch_interval_us,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def _lane(
    lane: Lane,
    pids: dict[int, int],
    sums: _Sums,
    watched_ns: dict[int, int],
    end_ns: int,
    *,
    sees_waiting: bool,
    may_hide: bool,
    sweeps_hz: float,
    waits: Mapping[int, Waits] | None,
) -> dict[str, Any]:
    states = sums.states.get(lane.key, [0] * N_STATES)
    alive_ns = max(0, (end_ns if lane.end_ns is None else lane.end_ns) - lane.start_ns)
    # Ticks in which a lane only slept have no row.
    other_ns = sum(states) - states[State.BLOCKED]
    blocked_ns = max(states[State.BLOCKED], alive_ns - other_ns)
    watched = watched_ns.get(lane.process)
    row: dict[str, Any] = {
        "pid": pids.get(lane.process),
        "tid": lane.tid,
        "kind": lane.kind,
        "name": lane.label,
        "alive_s": rounded(alive_ns / NS_PER_S),
        "cpu_s": rounded(lane.cpu_ns / NS_PER_S),
        "held_share": rounded(sums.held_ns.get(lane.key, 0) / watched) if watched else None,
    }
    for state in State:
        ns = blocked_ns if state is State.BLOCKED else states[state]
        row[f"{state.word}_s"] = rounded(ns / NS_PER_S)
    # Who waits is seen in sweeps: how many of them fell into the lane's life says how sure its part is.
    share = min(1.0, states[State.WAITING] / alive_ns) if alive_ns else 0.0
    error = share_error(share, round(sweeps_hz * alive_ns / NS_PER_S))
    hidden = states[State.UNKNOWN] / alive_ns if alive_ns and may_hide else 0.0
    row["waiting_ci95"] = None if error is None else rounded(min(1.0, error + hidden))
    own = waits.get(lane.key) if waits is not None else None
    row["waits"] = own.fields() if own is not None and own.count else None
    if not sees_waiting or hidden > MOST_HIDDEN:
        # It is somewhere in what is unknown.
        row["waiting_s"] = row["waiting_ci95"] = row["waits"] = None
    return row


def _notes(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What threads and processes do not have in common, as far as the swap saw it; each once."""
    times: dict[str, int] = {}
    first_ns: dict[str, int] = {}
    for event in events:
        if event.kind == NOTE_KIND:
            times[event.text] = times.get(event.text, 0) + 1
            first_ns.setdefault(event.text, event.at_ns)
    return [
        {"at_s": rounded(first_ns[text] / NS_PER_S), "text": text, "times": count}
        for text, count in times.items()
    ]

"""What the rules look at, drawn from a summary once. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gilscope.analysis.verdict.thresholds import THRESHOLDS

_HAS_LINE = re.compile(r":\d+\)$")
SWITCH_INTERVAL_S = 0.005
"""CPython's default, where a GIL's own was not read."""


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """One thread, or a process that is no Python; seconds."""

    pid: int | None
    tid: int
    name: str
    alive_s: float
    cpu_s: float
    held_s: float
    """Running and holding."""
    running_s: float
    waiting_s: float | None
    """None: the source does not see who waits."""
    native_s: float
    ready_s: float
    blocked_s: float
    unknown_s: float
    whole: bool = False
    """It stands for all threads of a Python, which the system does not tell apart."""

    @property
    def delayed_s(self) -> float:
        """Time without a core in which it was in a run queue, or held the GIL: no reading parts the two."""
        return self.ready_s + max(0.0, self.held_s - self.running_s)

    @property
    def could_run_s(self) -> float:
        """On a core, or delayed."""
        return max(self.cpu_s, self.running_s + self.native_s) + self.delayed_s

    def share(self, seconds: float | None) -> float:
        """Part of its life."""
        return (seconds or 0.0) / self.alive_s if self.alive_s > 0 else 0.0


NOBODY = LaneFacts(None, 0, "nobody", 0.0, 0.0, 0.0, 0.0, None, 0.0, 0.0, 0.0, 0.0)
"""In the place of a lane where there is none: it does nothing, and does not wait."""


@dataclass(frozen=True, slots=True)
class GilFacts:
    """One interpreter lock that was watched."""

    pid: int | None
    interpreter: int
    kind: str
    utilisation: float
    contention: float | None
    waiters: float | None
    handoffs: int | None
    longest_hold_s: float | None
    interval_s: float


@dataclass(frozen=True, slots=True)
class Stall:
    """A long hold with a waiter."""

    name: str
    held_s: float
    waiters: float | None
    where: str | None
    """Function and line, where a stack was caught."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A session, or a part of one."""

    wall_s: float
    samples: int
    source: str
    lanes: tuple[LaneFacts, ...]
    gils: tuple[GilFacts, ...]
    gil: GilFacts | None
    """The one that limits most."""
    cpu_s: float
    cores_used: float
    cores_usable: int
    machine_share: float | None
    """Of all cores, how much everything on the machine used; None: not read."""
    processes: tuple[float, ...]
    """Of each process, the seconds in which its lanes could run; the most first."""
    stalls: tuple[Stall, ...]
    """Of the process whose GIL limits most; the longest first."""
    threads_created: int | None
    threads_started: int | None
    exit_code: int | None
    ended: bool
    is_part: bool = False
    """It is a part of a session that was selected, of which there is more."""
    never_started: tuple[str, ...] = ()
    """What events say of threads that were created and never started."""
    queued_s: float | None = None
    """Waiting time of all lanes, where it is not known of each; None: not known either."""

    # --- who computes ---

    @property
    def runnable(self) -> float:
        """Mean number of lanes on a core or in a run queue: how parallel it is, on a busy machine too."""
        return sum(self.processes) / self.wall_s if self.wall_s else 0.0

    @property
    def waiting_s(self) -> float:
        """Waiting time of all lanes, as far as it is known."""
        known = [lane.waiting_s for lane in self.lanes if lane.waiting_s is not None]
        return sum(known) if self.queued_s is None or len(known) == len(self.lanes) else self.queued_s

    @property
    def demand(self) -> float:
        """Mean number of lanes that want to compute, those that wait for a GIL included."""
        wanted_s = sum(lane.held_s + lane.native_s + lane.ready_s for lane in self.lanes) + self.waiting_s
        return wanted_s / self.wall_s if self.wall_s else 0.0

    @property
    def spread_share(self) -> float:
        """Part of the work that is not in the busiest process."""
        total = sum(self.processes)
        return 1.0 - self.processes[0] / total if total else 0.0

    @property
    def busiest(self) -> LaneFacts | None:
        """The lane that could run longest."""
        return max(self.lanes, key=lambda lane: lane.could_run_s, default=None)

    @property
    def delayed_share(self) -> float:
        """Part of the time lanes could run in which they got no core."""
        total = sum(lane.could_run_s for lane in self.lanes)
        return sum(lane.delayed_s for lane in self.lanes) / total if total else 0.0

    @property
    def native_s(self) -> float:
        """CPU time without a GIL."""
        return sum(lane.native_s for lane in self.lanes)

    @property
    def held_s(self) -> float:
        """Time in which GILs were held."""
        return sum(lane.held_s for lane in self.lanes)

    @property
    def running_s(self) -> float:
        """CPU time in Python."""
        return sum(lane.running_s for lane in self.lanes)

    @property
    def no_gil(self) -> bool:
        """No GIL was on at the end."""
        return bool(self.gils) and all(gil.kind == "disabled" for gil in self.gils)

    @property
    def unknown_share(self) -> float:
        """Part of the lanes' lives of which nothing is known."""
        alive = sum(lane.alive_s for lane in self.lanes)
        return sum(lane.unknown_s for lane in self.lanes) / alive if alive else 0.0

    @property
    def machine_is_busy(self) -> bool:
        """Lanes got no core although there were enough for them: other programs had them."""
        full = self.machine_share is not None and self.machine_share >= THRESHOLDS.full_machine
        crowded = self.runnable > self.cores_usable
        return full and not crowded and self.delayed_share > THRESHOLDS.busy_machine_share

    # --- who meets at the GIL that limits most ---

    @property
    def contention(self) -> float | None:
        """Share of time in which a thread waits for it; None where that is not known."""
        return self.gil.contention if self.gil else 0.0

    @property
    def utilisation(self) -> float:
        """Share of time in which it is held."""
        return self.gil.utilisation if self.gil else 0.0

    @property
    def interval_s(self) -> float:
        """After so long Python lets go of it when another thread asks."""
        return self.gil.interval_s if self.gil else SWITCH_INTERVAL_S

    @property
    def longest_hold_s(self) -> float | None:
        """The longest time for which a thread kept it; None where that is not known."""
        return self.gil.longest_hold_s if self.gil else None

    @property
    def of_gil(self) -> tuple[LaneFacts, ...]:
        """The lanes of its process."""
        return tuple(lane for lane in self.lanes if self.gil is None or lane.pid == self.gil.pid)

    @property
    def holder(self) -> LaneFacts | None:
        """The lane that holds it most."""
        return max(self.of_gil, key=lambda lane: lane.held_s, default=None)

    @property
    def convoy(self) -> tuple[LaneFacts, ...]:
        """Lanes that hold little and wait much behind a busy one; who waits longest comes first."""
        limits, holder = THRESHOLDS, self.holder
        if holder is None or self.contention is None:
            return ()
        rate = limits.convoy_held_of_busiest * max(lane.share(lane.held_s) for lane in self.of_gil)
        found = [
            lane
            for lane in self.of_gil
            if lane is not holder
            and lane.alive_s >= limits.wall_s_min
            and lane.share(lane.waiting_s) >= limits.convoy_waiting_share
            and (lane.waiting_s or 0.0) >= limits.convoy_waiting_per_held * lane.held_s
            and lane.share(lane.held_s) < rate
        ]
        return tuple(sorted(found, key=lambda lane: -(lane.waiting_s or 0.0)))

    @property
    def takers(self) -> tuple[LaneFacts, ...]:
        """Lanes that want it for a good part of their lives, and use it when they get it."""
        convoy = self.convoy
        return tuple(
            lane
            for lane in self.of_gil
            if lane not in convoy
            and lane.share(lane.held_s + (lane.waiting_s or 0.0)) > THRESHOLDS.active_lane_share
        )

    @property
    def turn_s(self) -> float | None:
        """How long a contended turn takes on average: contended time per handoff.

        Behind a single busy lane each turn of another is over at once, and every other handoff is its end:
        only the busy lane's turns count, or they would seem half as long as a waiter finds them.
        """
        gil = self.gil
        if gil is None or gil.contention is None or gil.handoffs is None:
            return None
        turns = gil.handoffs / 2 if self.convoy and len(self.takers) == 1 else gil.handoffs
        return gil.contention * self.wall_s / max(1.0, turns)


def facts_of(summary: Mapping[str, Any]) -> Facts:
    """What a summary comes to for the rules. Its own "verdict" is not looked at."""
    target, totals = summary["target"], summary["totals"]
    wall_s = float(target["wall_s"] or 0.0)
    lanes = tuple(_lane(row) for row in summary["lanes"])
    gils = tuple(_gil(row) for row in summary["gils"] if row["utilisation"] is not None)
    gil = max(
        gils, key=lambda gil: ((gil.contention or 0.0) * gil.utilisation, gil.utilisation), default=None
    )
    return Facts(
        wall_s=wall_s,
        samples=sum(row["samples"] for row in summary["gils"] if row["utilisation"] is not None),
        source=str(summary["gilscope"]["source"]),
        lanes=lanes,
        gils=gils,
        gil=gil,
        cpu_s=float(totals["cpu_s"]),
        cores_used=float(totals["cores_used_mean"] or 0.0),
        cores_usable=int(summary["machine"]["cores_usable"]),
        machine_share=_machine_share(summary["cores"]),
        processes=_processes(summary["processes"], lanes),
        stalls=_stalls(summary.get("stalls"), gil),
        threads_created=totals["threads_created"],
        threads_started=totals["threads_started"],
        exit_code=target["exit_code"],
        queued_s=totals.get("waiting_s"),
        ended=target["exit_code"] is not None,
    )


def with_never_started(facts: Facts, texts: Sequence[str]) -> Facts:
    """The facts, with what events say of threads that never started."""
    return replace(facts, never_started=tuple(texts))


def _lane(row: Mapping[str, Any]) -> LaneFacts:
    running, holding = row["running_s"] or 0.0, row["holding_s"] or 0.0
    return LaneFacts(
        pid=row["pid"],
        tid=row["tid"],
        name=str(row["name"]),
        alive_s=row["alive_s"],
        cpu_s=row["cpu_s"],
        held_s=running + holding,
        running_s=running,
        waiting_s=row["waiting_s"],
        native_s=row["native_s"] or 0.0,
        ready_s=row["ready_s"] or 0.0,
        blocked_s=row["blocked_s"] or 0.0,
        unknown_s=row["unknown_s"] or 0.0,
        whole=row.get("kind") == "process" and running + holding > 0,
    )


def _gil(row: Mapping[str, Any]) -> GilFacts:
    interval, longest = row.get("switch_interval_us"), row.get("longest_hold_ms")
    return GilFacts(
        pid=row["pid"],
        interpreter=row.get("interpreter") or 0,
        kind=str(row.get("kind")),
        utilisation=row["utilisation"],
        contention=row["contention"],
        waiters=row["waiters_mean"],
        handoffs=row.get("handoffs"),
        longest_hold_s=None if longest is None else longest / 1e3,
        interval_s=SWITCH_INTERVAL_S if not interval else interval / 1e6,
    )


def _processes(rows: Sequence[Mapping[str, Any]], lanes: Sequence[LaneFacts]) -> tuple[float, ...]:
    delayed: dict[int | None, float] = {}
    for lane in lanes:
        delayed[lane.pid] = delayed.get(lane.pid, 0.0) + lane.delayed_s
    return tuple(sorted((row["cpu_s"] + delayed.get(row.get("pid"), 0.0) for row in rows), reverse=True))


def _machine_share(rows: Sequence[Mapping[str, Any]]) -> float | None:
    shares = [row["busy_mean"] for row in rows if row["busy_mean"] is not None]
    return sum(shares) / len(shares) if shares else None


def _where(stack: Sequence[str]) -> str | None:
    """The innermost function with a line, which called what kept the GIL; else the innermost of all."""
    with_line = (frame for frame in reversed(stack) if _HAS_LINE.search(frame))
    return next(with_line, stack[-1] if stack else None)


def _stalls(rows: Sequence[Mapping[str, Any]] | None, gil: GilFacts | None) -> tuple[Stall, ...]:
    found = [
        Stall(
            name=str(row.get("name") or "a thread"),
            held_s=row["held_ms"] / 1e3,
            waiters=row.get("waiters"),
            where=_where(row.get("stack") or ()),
        )
        for row in rows or ()
        if gil is None or row.get("pid") == gil.pid
    ]
    return tuple(sorted(found, key=lambda stall: -stall.held_s))

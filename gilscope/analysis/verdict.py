"""What a summary means: one rule a kind, in the order of RULES; the first that fits is the verdict.

Pure: a summary in, a Verdict out. The thresholds stand in one table, THRESHOLDS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gilscope.analysis.free_threaded import with_remarks
from gilscope.model import Event, Verdict


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where one verdict ends and another begins."""

    samples_min: int = 100
    """Fewer samples of the busiest GIL say nothing."""
    wall_s_min: float = 0.2
    contended: float = 0.3
    """Share of time in which a thread waits for a GIL, from which the GIL is what limits."""
    utilised: float = 0.7
    """Share of time in which a GIL is held, from which it is used up."""
    parallel_cores: float = 1.2
    """From so many cores in use on average, work runs in parallel."""
    active_process_share: float = 0.2
    """Share of a core from which a process counts as computing."""
    idle_cores: float = 0.5
    """Below so many cores in use on average, the program mostly waits for something else."""
    dominant_share: float = 0.7
    """Part of all CPU time from which one thread does nearly all the work."""
    active_lane_share: float = 0.1
    """Part of the session in which a thread wants a CPU, from which it counts as active."""


THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the rules look at, drawn from a summary once."""

    wall_s: float
    samples: int
    utilisation: float
    contention: float | None
    """None: the source does not see who waits; likewise the next."""
    waiters: float | None
    cores_used: float
    cores_usable: int
    cpu_s: float
    native_s: float
    held_s: float
    waiting_s: float | None
    demand: float
    """Mean number of threads that wanted to compute."""
    want_gil: int
    """Threads that spent a good part of the session running Python or waiting to."""
    busiest_lane: str
    busiest_share: float
    active_processes: int
    no_gil: bool
    """No GIL was on at the end."""
    running_s: float
    parallel_lanes: int
    """Threads that executed Python for a good part of the session."""
    exit_code: int | None


def judge(summary: Mapping[str, Any], events: Iterable[Event] = ()) -> Verdict:
    """The verdict on a summary (its own "verdict" is not looked at), with what the session's events add."""
    facts = _facts(summary)
    found = (verdict for rule in RULES if (verdict := rule(facts)) is not None)
    return with_remarks(next(found, None) or _mixed(facts), events)


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """The verdict as it stands in the summary."""
    fields = asdict(verdict)
    bound = fields.pop("speedup_bound_processes")
    return {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()} | {
        "speedup_bound": {"processes": None if bound is None else round(bound, 2)}
    }


def _facts(summary: Mapping[str, Any]) -> _Facts:
    wall = float(summary["target"]["wall_s"] or 0.0)
    totals = summary["totals"]
    gils = [gil for gil in summary["gils"] if gil["utilisation"] is not None]
    worst = max(gils, key=lambda gil: (gil["contention"] or 0.0, gil["utilisation"]), default=None)
    lanes = summary["lanes"]
    wants = {
        (lane["pid"], lane["tid"]): sum(
            lane[f"{state}_s"] or 0.0 for state in ("running", "holding", "waiting", "native", "ready")
        )
        for lane in lanes
    }
    busiest = max(lanes, key=lambda lane: lane["cpu_s"], default=None)
    cpu = float(totals["cpu_s"])
    return _Facts(
        wall_s=wall,
        samples=sum(gil["samples"] for gil in gils),
        utilisation=worst["utilisation"] if worst else 0.0,
        contention=worst["contention"] if worst else 0.0,
        waiters=worst["waiters_mean"] if worst else 0.0,
        cores_used=float(totals["cores_used_mean"] or 0.0),
        cores_usable=int(summary["machine"]["cores_usable"]),
        cpu_s=cpu,
        native_s=float(totals["native_s"]),
        held_s=float(totals["held_s"]),
        waiting_s=totals["waiting_s"],
        demand=sum(wants.values()) / wall if wall else 0.0,
        want_gil=sum(
            lane["running_s"] + lane["holding_s"] + (lane["waiting_s"] or 0.0)
            > THRESHOLDS.active_lane_share * wall
            for lane in lanes
        ),
        busiest_lane=str(busiest["name"]) if busiest else "?",
        busiest_share=busiest["cpu_s"] / cpu if busiest and cpu else 0.0,
        active_processes=sum(
            process["cpu_s"] > THRESHOLDS.active_process_share * wall for process in summary["processes"]
        ),
        no_gil=bool(gils) and all(gil.get("kind") == "disabled" for gil in gils),
        running_s=sum(lane["running_s"] for lane in lanes),
        parallel_lanes=sum(lane["running_s"] > THRESHOLDS.active_lane_share * wall for lane in lanes),
        exit_code=summary["target"]["exit_code"],
    )


def _bound(facts: _Facts) -> float | None:
    """At most so many times as fast with processes: usable cores or demand, over the cores used now."""
    if facts.cores_used <= 0:
        return None
    return max(1.0, min(facts.cores_usable, facts.demand) / facts.cores_used)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _cores(count: float) -> str:
    return "1 core" if count == 1 else f"{count:.1f} cores" if count != int(count) else f"{int(count)} cores"


def _too_short(facts: _Facts) -> Verdict | None:
    if facts.samples >= THRESHOLDS.samples_min and facts.wall_s >= THRESHOLDS.wall_s_min:
        return None
    ended = f", exit code {facts.exit_code}" if facts.exit_code else ""
    return Verdict(
        kind="too-short",
        headline=f"Too short to say: {facts.wall_s:.2f} s, {facts.samples} samples{ended}.",
        evidence=(f"{THRESHOLDS.samples_min} samples and {THRESHOLDS.wall_s_min} s are the least.",),
        advice=("Let it work longer: a larger input, or its work repeated in a loop.",),
    )


def _free_threaded(facts: _Facts) -> Verdict | None:
    if not facts.no_gil or facts.cores_used < THRESHOLDS.parallel_cores:
        return None
    return Verdict(
        kind="free-threaded",
        headline=f"Free-threaded: there is no GIL, {max(2, facts.parallel_lanes)} threads run Python at the "
        "same time.",
        evidence=(
            f"{facts.cores_used:.1f} of {_cores(facts.cores_usable)} used on average.",
            f"{facts.running_s:.1f} s of CPU time in Python, {facts.native_s:.1f} s in C code.",
        ),
        advice=("Threads serve this program well; more of them than usable cores bring nothing more.",),
    )


def _process_parallel(facts: _Facts) -> Verdict | None:
    if facts.active_processes < 2 or facts.cores_used < THRESHOLDS.parallel_cores:
        return None
    return Verdict(
        kind="process-parallel",
        headline=f"Process-parallel: {facts.active_processes} processes compute at the same time, "
        f"each with a GIL of its own.",
        evidence=(
            f"{facts.cores_used:.1f} of {_cores(facts.cores_usable)} used on average.",
            _contended("The most contended GIL has a thread waiting", facts),
        ),
        advice=("More processes than usable cores bring nothing more.",),
        speedup_bound_processes=_bound(facts),
    )


def _native_parallel(facts: _Facts) -> Verdict | None:
    if facts.cores_used < THRESHOLDS.parallel_cores or facts.native_s < facts.held_s:
        return None
    return Verdict(
        kind="native-parallel",
        headline="Native-parallel: threads compute side by side in C code that lets go of the GIL.",
        evidence=(
            f"{facts.cores_used:.1f} of {_cores(facts.cores_usable)} used on average.",
            (
                f"{facts.native_s:.1f} s of CPU time without the GIL; the GIL is held "
                f"{_percent(facts.utilisation)} of the time."
            ),
        ),
        advice=("Threads serve this program well; processes would cost more memory for the same work.",),
        speedup_bound_processes=_bound(facts),
    )


def _contended(words: str, facts: _Facts) -> str:
    if facts.contention is None:
        return "Who waits for the GIL is not known: py-spy cannot see it."
    return f"{words} {_percent(facts.contention)} of the time."


def _gil_used_up(facts: _Facts) -> Verdict | None:
    """What can be said of a GIL that limits by a source that does not see who waits for it."""
    if facts.utilisation < THRESHOLDS.utilised or facts.want_gil < 2:
        return None
    return Verdict(
        kind="gil-bound",
        headline=f"Probably GIL-bound: {facts.want_gil} threads run Python, one at a time.",
        evidence=(
            f"The GIL is held {_percent(facts.utilisation)} of the time.",
            _contended("", facts),
            f"{facts.cores_used:.1f} of {_cores(facts.cores_usable)} used on average.",
        ),
        advice=(
            (
                "Threads that take turns by a lock of their own would look the same: watch it on CPython "
                "3.8 or later to see who waits."
            ),
        ),
    )


def _gil_bound(facts: _Facts) -> Verdict | None:
    if facts.contention is None:
        return _gil_used_up(facts)
    if facts.contention < THRESHOLDS.contended or facts.utilisation < THRESHOLDS.utilised:
        return None
    bound = _bound(facts) or 1.0
    gain = (
        f"Processes could use {_cores(min(facts.cores_usable, max(1, round(facts.demand))))}: "
        f"up to {bound:.1f} × as fast."
        if bound > 1.1
        else "This machine has no free core for it, so processes would not be faster here either."
    )
    return Verdict(
        kind="gil-bound",
        headline=f"GIL-bound: {max(2, facts.want_gil)} threads want to run Python, one can.",
        evidence=(
            (
                f"The GIL is held {_percent(facts.utilisation)} of the time, and a thread waits for it "
                f"{_percent(facts.contention)} of the time."
            ),
            (
                f"{facts.waiters or 0.0:.1f} threads wait on average; "
                f"{facts.waiting_s or 0.0:.1f} s of waiting in all."
            ),
            f"{facts.cores_used:.1f} of {_cores(facts.cores_usable)} used on average.",
        ),
        advice=(gain, "Or move the hot loop to C code that lets go of the GIL."),
        speedup_bound_processes=bound,
    )


def _io_bound(facts: _Facts) -> Verdict | None:
    if facts.cores_used >= THRESHOLDS.idle_cores:
        return None
    return Verdict(
        kind="io-bound",
        headline="I/O-bound: it mostly waits for something outside, not for the GIL.",
        evidence=(
            (
                f"{facts.cores_used:.2f} cores used on average; the GIL is held "
                f"{_percent(facts.utilisation)} of the time."
            ),
            _contended("A thread waits for the GIL", facts),
        ),
        advice=(
            "Threads serve this well: more of them can wait at the same time. Processes would not help.",
        ),
    )


def _single_threaded(facts: _Facts) -> Verdict | None:
    if facts.cores_used >= THRESHOLDS.parallel_cores or facts.busiest_share < THRESHOLDS.dominant_share:
        return None
    return Verdict(
        kind="single-threaded",
        headline=f"Single-threaded: {facts.busiest_lane} does nearly all the work alone.",
        evidence=(
            (
                f"{_percent(facts.busiest_share)} of all CPU time is its; "
                f"{facts.cores_used:.1f} of {_cores(facts.cores_usable)} used on average."
            ),
            _contended("A thread waits for the GIL", facts),
        ),
        advice=("Nothing is in its way: to be faster, split its work, best over processes.",),
    )


def _mixed(facts: _Facts) -> Verdict:
    return Verdict(
        kind="mixed",
        headline="Mixed: no single thing limits this program.",
        evidence=(
            f"{facts.cores_used:.1f} of {_cores(facts.cores_usable)} used on average.",
            f"The GIL is held {_percent(facts.utilisation)} of the time.",
            _contended("A thread waits for it", facts),
        ),
        advice=("Look at a part of it: phases of different kinds add up to this.",),
        speedup_bound_processes=_bound(facts),
    )


RULES: tuple[Callable[[_Facts], Verdict | None], ...] = (
    _too_short,
    _free_threaded,
    _process_parallel,
    _native_parallel,
    _gil_bound,
    _io_bound,
    _single_threaded,
)
"""In order: the first that fits is the verdict."""

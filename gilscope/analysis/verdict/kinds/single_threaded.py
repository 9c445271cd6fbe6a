"""Single-threaded: one thread does nearly all the work, and nothing is in its way."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import contended, cores_line
from gilscope.analysis.verdict.rule import Condition, Rule, Told, below, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import percent


def _share(facts: Facts) -> float:
    total = sum(lane.could_run_s for lane in facts.lanes)
    return facts.busiest.could_run_s / total if facts.busiest is not None and total else 0.0


def _conditions(facts: Facts) -> list[Condition] | None:
    if facts.busiest is None or facts.busiest.whole:
        return None
    conditions = [
        reaches(f"Part of the work that {facts.busiest.name} does", _share(facts), THRESHOLDS.dominant_share),
        below("Lanes that could run, on average", facts.runnable, THRESHOLDS.parallel_cores, ""),
        reaches("Lanes that could run, on average", facts.runnable, THRESHOLDS.idle_cores, ""),
    ]
    if facts.contention is not None:
        conditions.append(
            below("Time in which a thread waits for the GIL", facts.contention, THRESHOLDS.contended)
        )
    return conditions


def _tell(facts: Facts) -> Told:
    name = facts.busiest.name if facts.busiest is not None else "?"
    return Told(
        headline=f"Single-threaded: {name} does nearly all the work alone.",
        evidence=(
            f"{percent(_share(facts))} of all CPU time is its. {cores_line(facts)}",
            contended(facts),
        ),
        advice=("Nothing is in its way: to be faster, split its work, best over processes.",),
        would_change=("With its work split over processes it would be process-parallel.",),
    )


RULE = Rule("single-threaded", _conditions, _tell)

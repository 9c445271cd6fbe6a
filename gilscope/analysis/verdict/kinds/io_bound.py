"""I/O-bound: it mostly waits for something that is not the GIL."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import contended
from gilscope.analysis.verdict.rule import Condition, Rule, Told, below
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import percent


def _conditions(facts: Facts) -> list[Condition]:
    conditions = [below("Lanes that could run, on average", facts.runnable, THRESHOLDS.idle_cores, "")]
    if facts.contention is not None:
        conditions.append(
            below("Time in which a thread waits for the GIL", facts.contention, THRESHOLDS.contended)
        )
    return conditions


def _tell(facts: Facts) -> Told:
    return Told(
        headline="I/O-bound: it mostly waits for something outside, not for the GIL.",
        evidence=(
            (
                f"{facts.cores_used:.2f} cores used on average; the GIL is held "
                f"{percent(facts.utilisation)} of the time."
            ),
            contended(facts),
        ),
        advice=(
            "Threads serve this well: more of them can wait at the same time. Processes would not help.",
        ),
        would_change=("With more to compute between the waits it would be single-threaded or gil-bound.",),
    )


RULE = Rule("io-bound", _conditions, _tell)

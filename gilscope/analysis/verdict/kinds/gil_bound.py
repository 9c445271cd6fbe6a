"""GIL-bound: several threads want to run Python, one at a time can."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import BLIND, contended, cores_line, speedup_bound
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import cores, percent


def _conditions(facts: Facts) -> list[Condition] | None:
    used = reaches("Time in which the GIL is held", facts.utilisation, THRESHOLDS.utilised)
    if facts.contention is None:
        # By a source that does not see who waits: several use it up between them.
        return [used] if len(facts.takers) > 1 else None
    # One busy thread and others that only wait behind it are a convoy.
    if len(facts.takers) < 2 and facts.convoy:
        return None
    return [reaches("Time in which a thread waits for the GIL", facts.contention, THRESHOLDS.contended), used]


def _tell(facts: Facts) -> Told:
    wanting = max(2, len(facts.takers))
    if facts.contention is None:
        return Told(
            headline=f"Probably GIL-bound: {wanting} threads run Python, one at a time.",
            evidence=(f"The GIL is held {percent(facts.utilisation)} of the time.", BLIND, cores_line(facts)),
            advice=(
                (
                    "Threads that take turns by a lock of their own would look the same: watch it on CPython "
                    "3.8 or later to see who waits."
                ),
            ),
        )
    bound = speedup_bound(facts) or 1.0
    gain = (
        f"Processes could use {cores(min(facts.cores_usable, max(1, round(facts.demand))))}: "
        f"up to {bound:.1f} × as fast."
        if bound > 1.1
        else "This machine has no free core for it, so processes would not be faster here either."
    )
    waiters = facts.gil.waiters if facts.gil else None
    return Told(
        headline=f"GIL-bound: {wanting} threads want to run Python, one can.",
        evidence=(
            f"The GIL is held {percent(facts.utilisation)} of the time. {contended(facts)}",
            f"{waiters or 0.0:.1f} threads wait on average; {facts.waiting_s:.1f} s of waiting in all.",
            cores_line(facts),
        ),
        advice=(gain, "Or move the hot loop to C code that lets go of the GIL."),
        would_change=(
            "As processes it would be process-parallel; on a free-threaded Python, free-threaded.",
        ),
        bound=bound,
    )


RULE = Rule(
    "gil-bound",
    _conditions,
    _tell,
    frozenset({"gil-hog", "starved", "process-parallel", "oversubscribed", "native-parallel"}),
)

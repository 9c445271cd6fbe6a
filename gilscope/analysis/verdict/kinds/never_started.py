"""Never started: threads were created, and nobody called their start()."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS


def _missing(facts: Facts) -> int:
    return max(0, (facts.threads_created or 0) - (facts.threads_started or 0))


def _conditions(facts: Facts) -> list[Condition] | None:
    # While the program runs, what is not started yet may still be: then only an event says it.
    if not facts.never_started and not (facts.ended and _missing(facts)):
        return None
    created = facts.threads_created or 0
    share = _missing(facts) / created if created else 1.0
    return [reaches("Part of its threads never started", share, THRESHOLDS.never_started)]


def _also(facts: Facts) -> list[Condition] | None:
    return [] if _conditions(facts) is not None else None


def _tell(facts: Facts) -> Told:
    created, started, missing = facts.threads_created, facts.threads_started, _missing(facts)
    known = created is not None and started is not None and missing > 0
    if not known:
        headline, counts = "Never started: threads were created, and never started.", ()
    elif not started:
        what = "a thread was" if created == 1 else f"{created} threads were"
        headline, counts = f"Never started: {what} created, and none was started.", ()
    else:
        headline = f"Never started: {missing} of {created} threads were created, and never started."
        counts = ()
    figures = (f"{created} threads created, {started} started.",) if known else counts
    return Told(
        headline=headline,
        evidence=(*(f"{text.rstrip('.')}." for text in facts.never_started), *figures),
        advice=(
            (
                "Call start() on each thread, then join(): creating a thread runs nothing. What its target "
                "does did not happen, or happened in the thread that created it."
            ),
        ),
        would_change=("Once the threads are started, the verdict is on what they do.",),
    )


RULE = Rule("never-started", _conditions, _tell, exact=True)
BESIDE = Rule(
    "never-started",
    _also,
    _tell,
    frozenset({
        "gil-hog", "starved", "gil-bound", "convoy", "oversubscribed", "process-parallel",
        "interpreter-parallel",
        "free-threaded", "native-parallel", "io-bound", "single-threaded", "mixed",
    }),
)  # fmt: skip
"""Beside another verdict one thread that never started is enough."""

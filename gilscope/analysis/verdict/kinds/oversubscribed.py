"""Oversubscribed: many more threads or processes compute than there are cores."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import cores_line
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import cores, percent


def _conditions(facts: Facts) -> list[Condition]:
    per_core = facts.runnable / max(1, facts.cores_usable)
    return [
        reaches("Lanes that could run, per usable core", per_core, THRESHOLDS.oversubscribed, "times"),
        reaches("Part of that in a run queue", facts.delayed_share, THRESHOLDS.oversubscribed_delayed),
    ]


def _tell(facts: Facts) -> Told:
    what = "processes" if facts.spread_share >= THRESHOLDS.spread_share else "threads"
    usable = cores(facts.cores_usable)
    return Told(
        headline=f"Oversubscribed: {facts.runnable:.0f} {what} want to compute at the same time, and there "
        f"{'is' if facts.cores_usable == 1 else 'are'} {usable}.",
        evidence=(
            (
                f"{facts.runnable:.1f} lanes could run on average; {percent(facts.delayed_share)} of that "
                "time they had no core."
            ),
            cores_line(facts),
        ),
        advice=(
            f"Use as many workers as usable cores, {facts.cores_usable}: more only add switches and memory.",
        ),
        would_change=(f"With {facts.cores_usable} workers they would compute side by side, and not wait.",),
    )


RULE = Rule("oversubscribed", _conditions, _tell)

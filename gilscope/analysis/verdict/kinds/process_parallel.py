"""Process-parallel: several processes compute side by side, each with a GIL of its own."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import concurrency, contended, cores_line, speedup_bound
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS


def _conditions(facts: Facts) -> list[Condition]:
    return [
        concurrency(facts),
        reaches("Work outside the busiest process", facts.spread_share, THRESHOLDS.spread_share),
    ]


def _tell(facts: Facts) -> Told:
    active = sum(seconds >= facts.processes[0] / 2 for seconds in facts.processes)
    return Told(
        headline=f"Process-parallel: {max(2, active)} processes compute at the same time, each with a GIL of "
        "its own.",
        evidence=(cores_line(facts), contended(facts, "The GIL that limits most")),
        advice=("More processes than usable cores bring nothing more.",),
        would_change=("As threads of one process they would take turns: gil-bound.",),
        bound=speedup_bound(facts),
    )


RULE = Rule("process-parallel", _conditions, _tell, frozenset({"oversubscribed"}))

"""Mixed: no rule fits; phases of different kinds add up to this."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import contended, cores_line, speedup_bound
from gilscope.analysis.verdict.rule import Rule, Told
from gilscope.analysis.verdict.words import percent


def _tell(facts: Facts) -> Told:
    return Told(
        headline="Mixed: no single thing limits this program.",
        evidence=(
            cores_line(facts),
            f"The GIL is held {percent(facts.utilisation)} of the time.",
            contended(facts),
        ),
        advice=("Look at a part of it: phases of different kinds add up to this.",),
        would_change=("A part of it, watched alone, may well have a verdict of its own.",),
        bound=speedup_bound(facts),
    )


RULE = Rule("mixed", lambda _: [], _tell)

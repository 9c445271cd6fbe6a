"""Too short: too little was seen to say anything."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.rule import Condition, Rule, Told, below
from gilscope.analysis.verdict.thresholds import THRESHOLDS

WORK_LONGER = "Let it work longer: a larger input, or its work repeated in a loop."
SELECT_MORE = "Select a longer span: the session has more than this."


def _conditions(facts: Facts) -> list[Condition]:
    few = below("Samples of all GILs", facts.samples, THRESHOLDS.samples_min, "")
    brief = below("Length", facts.wall_s, THRESHOLDS.wall_s_min, "s")
    # One of them is enough; the one that is further on the wrong side decides.
    return [max(few, brief, key=lambda condition: condition.margin)]


def _tell(facts: Facts) -> Told:
    ended = f", exit code {facts.exit_code}" if facts.exit_code else ""
    return Told(
        headline=f"Too short to say: {facts.wall_s:.2f} s, {facts.samples} samples{ended}.",
        evidence=(f"{THRESHOLDS.samples_min} samples and {THRESHOLDS.wall_s_min} s are the least.",),
        advice=(SELECT_MORE if facts.is_part else WORK_LONGER,),
        would_change=("With more samples it would be whatever the program then does.",),
    )


RULE = Rule("too-short", _conditions, _tell)

"""GIL hog: whoever holds the GIL does not let go of it when others ask."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import percent, seconds


def _conditions(facts: Facts) -> list[Condition] | None:
    gil, turn_s = facts.gil, facts.turn_s
    if gil is None or gil.contention is None or turn_s is None or not facts.wall_s:
        return None
    held_s = sum(stall.held_s for stall in facts.stalls)
    waited = gil.contention
    if facts.stalls and held_s / facts.wall_s >= THRESHOLDS.hog_share:
        # Seen one by one: no mean can hide them among short turns.
        longest = facts.stalls[0].held_s / gil.interval_s
        return [
            reaches("Time in long holds with a waiter", held_s / facts.wall_s, THRESHOLDS.hog_share),
            reaches("Switch intervals in the longest of them", longest, THRESHOLDS.hog_intervals, "times"),
        ]
    return [
        reaches("Time in which a thread waits for the GIL", waited, THRESHOLDS.hog_share),
        reaches(
            "Switch intervals in a contended turn", turn_s / gil.interval_s, THRESHOLDS.hog_intervals, "times"
        ),
    ]


def _tell(facts: Facts) -> Told:
    holder = facts.stalls[0].name if facts.stalls else facts.holder.name if facts.holder else "a thread"
    where = next((stall.where for stall in facts.stalls if stall.where), None)
    evidence = [
        (
            f"A thread waits for the GIL {percent(facts.contention or 0.0)} of the time, and a turn takes "
            f"{seconds(facts.turn_s or 0.0)} on average; Python lets go after {seconds(facts.interval_s)} "
            "when another asks."
        ),
    ]
    if facts.longest_hold_s is not None:
        evidence.append(f"The longest hold took {seconds(facts.longest_hold_s)}.")
    if facts.stalls:
        total = sum(stall.held_s for stall in facts.stalls)
        evidence.append(f"{len(facts.stalls)} long holds with a waiter took {seconds(total)} in all.")
    if where:
        evidence.append(f"The longest with a stack was in {where}.")
    return Told(
        headline=f"GIL hog: {holder} keeps the GIL in C code"
        + (f", in {where}," if where else "")
        + " and all other threads stand still meanwhile.",
        evidence=tuple(evidence),
        advice=(
            (
                "Give the C call less at a time, use one that lets go of the GIL, or run it in a process "
                "of its own: no other thread of this process can run Python while it works."
            ),
        ),
        would_change=("With that call in another process the other threads would not wait for it.",),
    )


RULE = Rule(
    "gil-hog", _conditions, _tell, frozenset({"process-parallel", "oversubscribed", "native-parallel"})
)

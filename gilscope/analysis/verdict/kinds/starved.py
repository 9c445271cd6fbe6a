"""Starved: a thread that waits for the GIL and hardly ever gets it."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import NOBODY, Facts, LaneFacts
from gilscope.analysis.verdict.rule import Condition, Rule, Told, below, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import percent, quantity, seconds


def _worst(facts: Facts) -> LaneFacts:
    lanes = [
        lane for lane in facts.of_gil if lane.alive_s >= THRESHOLDS.wall_s_min and lane is not facts.holder
    ]
    return max(lanes, key=lambda lane: lane.share(lane.waiting_s), default=NOBODY)


def _conditions(facts: Facts) -> list[Condition] | None:
    lane, turn_s = _worst(facts), facts.turn_s
    if turn_s is None or lane.waiting_s is None:
        return None
    return [
        reaches(
            f"Time {lane.name} waits for the GIL",
            lane.share(lane.waiting_s),
            THRESHOLDS.starved_waiting_share,
        ),
        below(f"Time {lane.name} holds the GIL", lane.share(lane.held_s), THRESHOLDS.starved_held_share),
        reaches("Length of a contended turn", turn_s, THRESHOLDS.starved_turn_s, "s"),
    ]


def _tell(facts: Facts) -> Told:
    lane, holder = _worst(facts), facts.holder
    evidence = [
        (
            f"{lane.name} waits for the GIL {percent(lane.share(lane.waiting_s))} of its life "
            f"({seconds(lane.waiting_s or 0.0)}) and holds it {quantity(lane.share(lane.held_s), 'share')}."
        ),
    ]
    if holder is not None:
        evidence.append(f"{holder.name} holds it {percent(holder.share(holder.held_s))} of the time.")
    if facts.interval_s >= THRESHOLDS.starved_turn_s:
        evidence.append(f"The switch interval is {seconds(facts.interval_s)}; Python's default is 5 ms.")
        advice = "Lower sys.setswitchinterval(): a thread gives the GIL up only after so long."
    else:
        advice = "Find what holds the GIL so long, and make it let go, or give it a process of its own."
    return Told(
        headline=f"Starved: {lane.name} wants to run Python and hardly ever gets its turn.",
        evidence=tuple(evidence),
        advice=(advice,),
        would_change=("With shorter turns it would be convoy or gil-bound: threads that wait, and run.",),
    )


RULE = Rule(
    "starved",
    _conditions,
    _tell,
    frozenset({"gil-hog", "process-parallel", "oversubscribed", "native-parallel"}),
)

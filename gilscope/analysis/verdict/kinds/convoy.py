"""Convoy: a thread that mostly sleeps waits long for the GIL, each time it wakes, behind a busy one."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts, LaneFacts
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import names, percent, seconds

SHOWN = 3


def _conditions(facts: Facts) -> list[Condition] | None:
    convoy = facts.convoy
    if not convoy:
        return None
    lane = convoy[0]
    per_held = (lane.waiting_s or 0.0) / lane.held_s if lane.held_s else 1e3
    return [
        reaches(
            f"Time {lane.name} waits for the GIL", lane.share(lane.waiting_s), THRESHOLDS.convoy_waiting_share
        ),
        reaches(
            f"Waiting of {lane.name} over its holding", per_held, THRESHOLDS.convoy_waiting_per_held, "times"
        ),
        reaches("Time in which the GIL is held", facts.utilisation, THRESHOLDS.convoy_utilised),
    ]


def _waits(lane: LaneFacts) -> str:
    waited = f"{seconds(lane.waiting_s or 0.0)} of waiting, {percent(lane.share(lane.waiting_s))} of its life"
    slept = percent(lane.share(lane.blocked_s))
    return f"{lane.name}: {waited}, for {seconds(lane.held_s)} of running; it sleeps {slept}."


def _each_wait(facts: Facts) -> list[str]:
    """How long one wait takes: of two threads, every other handoff ends one, seen by samples or not."""
    handoffs = facts.gil.handoffs if facts.gil is not None else None
    if len(facts.convoy) != 1 or len(facts.takers) != 1 or not handoffs or handoffs < 2:
        return []
    each = (facts.convoy[0].waiting_s or 0.0) / (handoffs / 2)
    return [f"That is about {seconds(each)} for each of some {handoffs // 2} waits."]


def _tell(facts: Facts) -> Told:
    convoy, holder = facts.convoy, facts.holder
    behind = holder.name if holder is not None and len(facts.takers) < 2 else "busy threads"
    evidence = [_waits(lane) for lane in convoy[:SHOWN]]
    if holder is not None:
        evidence.append(f"{holder.name} holds the GIL {percent(holder.share(holder.held_s))} of the time.")
    evidence += _each_wait(facts)
    if facts.gil is not None:
        evidence.append(
            f"Who asks for it gets it after {seconds(facts.gil.interval_s)}, the switch interval."
        )
    waits = "waits" if len(convoy) == 1 else "wait"
    return Told(
        headline=f"Convoy: {names([lane.name for lane in convoy])} {waits} for the GIL behind {behind}, each "
        "time anew, to do a little.",
        evidence=tuple(evidence),
        advice=(
            (
                "Give the computing a process of its own; or lower sys.setswitchinterval(), which shortens "
                "each wait and costs the busy thread more switches."
            ),
        ),
        would_change=("With the busy thread in another process it would be io-bound.",),
    )


RULE = Rule(
    "convoy",
    _conditions,
    _tell,
    frozenset({"gil-hog", "gil-bound", "oversubscribed", "process-parallel", "native-parallel"}),
)

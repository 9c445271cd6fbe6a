"""Interpreter-parallel: interpreters of one process compute side by side, each with a GIL of its own."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts, GilFacts
from gilscope.analysis.verdict.parallel import cores_line
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import percent


def _gils(facts: Facts) -> list[GilFacts]:
    """Those of the process in which most GILs are held at the same time."""
    by_pid: dict[int | None, list[GilFacts]] = {}
    for gil in facts.gils:
        if gil.utilisation >= THRESHOLDS.active_lane_share:
            by_pid.setdefault(gil.pid, []).append(gil)
    return max(by_pid.values(), key=lambda gils: sum(gil.utilisation for gil in gils), default=[])


def _conditions(facts: Facts) -> list[Condition] | None:
    gils = _gils(facts)
    if len(gils) < 2:
        return None
    # All of its lanes could have been one after the other while their interpreters came and went.
    held = sum(lane.held_s for lane in facts.lanes if lane.pid == gils[0].pid) / facts.wall_s
    return [reaches("GILs of one process held at a time", held, THRESHOLDS.parallel_cores, "")]


def _tell(facts: Facts) -> Told:
    gils = _gils(facts)
    shares = ", ".join(percent(gil.utilisation) for gil in gils[:8])
    return Told(
        headline=f"Interpreter-parallel: {len(gils)} interpreters of one process run Python at the same "
        "time, each with a GIL of its own.",
        evidence=(cores_line(facts), f"Their GILs are held {shares} of the time."),
        advice=("More of them than usable cores bring nothing more.",),
        would_change=("As threads of one interpreter they would take turns: gil-bound.",),
    )


RULE = Rule("interpreter-parallel", _conditions, _tell, frozenset({"oversubscribed", "process-parallel"}))

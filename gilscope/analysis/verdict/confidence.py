"""How sure a verdict is, and why it is not surer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.rule import Condition, Rule
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import percent, quantity

LEVELS = ("low", "medium", "high")


def confidence(rule: Rule, facts: Facts, closest: Sequence[Condition]) -> tuple[str, str]:
    """One of LEVELS, and the reason.

    Args:
        rule: whose verdict it is.
        facts: what it rests on.
        closest: its conditions, the one nearest to its limit first.
    """
    if rule.exact:
        return "high", "It rests on exact counts."
    if rule.kind == "mixed":
        return "low", "No rule fits; this is what is left."
    level, reason = min(
        _doubts(facts, closest), key=lambda doubt: LEVELS.index(doubt[0]), default=("high", "")
    )
    if level == "high":
        return "high", f"All deciding figures are well beyond their limits, over {facts.samples} samples."
    return level, reason


def _doubts(facts: Facts, closest: Sequence[Condition]) -> list[tuple[str, str]]:
    """Each reason for less confidence, with what it leaves."""
    limits = THRESHOLDS
    doubts = []
    if closest and closest[0].margin < limits.margin_high:
        nearest = closest[0]
        doubts.append((
            "low" if nearest.margin < limits.margin_low else "medium",
            (f"{nearest.what}: {quantity(nearest.value, nearest.unit)} is near the limit of "
            f"{quantity(nearest.limit, nearest.unit)}."),
        ))  # fmt: skip
    if facts.samples < limits.samples_high:
        few = facts.samples < 2 * limits.samples_min
        doubts.append(("low" if few else "medium", f"It rests on {facts.samples} samples only."))
    if facts.source == "py-spy" or facts.contention is None:
        doubts.append(("medium", "py-spy does not see who waits for the GIL."))
    if facts.unknown_share > limits.unknown_share:
        doubts.append((
            "low" if facts.unknown_share > 3 * limits.unknown_share else "medium",
            f"{percent(facts.unknown_share)} of the lanes' time could not be read.",
        ))  # fmt: skip
    if facts.machine_is_busy:
        doubts.append(("medium", "Other programs kept the cores busy while this was watched."))
    return doubts

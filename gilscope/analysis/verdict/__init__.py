"""What a summary means: one rule a kind, in the order of RULES; the first that fits is the verdict.

Pure: a summary in, a Verdict out. A new kind is a file in `kinds` and a line in `registry`; all limits stand
in one table, THRESHOLDS. `docs/verdicts.md` says for people what each kind is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gilscope.analysis.free_threaded import with_remarks
from gilscope.analysis.verdict.confidence import confidence
from gilscope.analysis.verdict.facts import Facts, facts_of, with_never_started
from gilscope.analysis.verdict.registry import BESIDE, KINDS, RULES
from gilscope.analysis.verdict.rule import Rule
from gilscope.analysis.verdict.thresholds import THRESHOLDS, Thresholds
from gilscope.model import Event, Verdict

__all__ = [
    "KINDS",
    "NEVER_STARTED",
    "RULES",
    "THRESHOLDS",
    "Thresholds",
    "judge",
    "verdict_fields",
    "verdict_from",
]

NEVER_STARTED = "never-started"
"""Events of this kind say how many threads were created and never started, and where."""
CLOSEST_SHOWN = 2


def judge(
    summary: Mapping[str, Any],
    events: Iterable[Event] = (),
    output: str = "",
    *,
    is_part: bool = False,
    stay: str | None = None,
    slack: float = 0.0,
) -> Verdict:
    """The verdict on a summary, with what the session's events and output add.

    Args:
        summary: of a session or a part of one; its own "verdict" is not looked at.
        events: what happened in it.
        output: what the target printed, as far as it is recorded: Python's own warning there says which
            import turned a GIL on.
        is_part: it is a selected part of a session of which there is more.
        stay: a kind that keeps its place as long as its figures are no further than `slack` (a part of each
            limit) on the wrong side; for a verdict that is made again and again.
        slack: see `stay`.
    """
    events = list(events)
    facts = replace(facts_of(summary), is_part=is_part)
    facts = with_never_started(facts, [event.text for event in events if event.kind == NEVER_STARTED])
    kept = (rule for rule in RULES if rule.kind == stay and rule.kind != "mixed" and rule.fits(facts, slack))
    rule = next(kept, None) or next(rule for rule in RULES if rule.fits(facts))
    return with_remarks(_verdict(rule, facts), events, output)


def _verdict(rule: Rule, facts: Facts) -> Verdict:
    told = rule.tell(facts)
    beside = [other for other in BESIDE if rule.kind in other.beside and other.fits(facts)]
    beside = [other for other in beside if other.kind != rule.kind]
    conditions = sorted(rule.conditions(facts) or (), key=lambda condition: condition.margin)
    level, reason = confidence(rule, facts, conditions)
    return Verdict(
        kind=rule.kind,
        headline=told.headline,
        evidence=told.evidence,
        advice=told.advice,
        also=tuple(line for other in beside for line in _beside(other, facts)),
        speedup_bound_processes=told.bound,
        also_kinds=tuple(other.kind for other in beside),
        confidence=level,
        confidence_reason=reason,
        would_change=(
            *told.would_change,
            *(condition.sentence(rule.kind) for condition in conditions[:CLOSEST_SHOWN]),
        ),
        limits=tuple(condition.told() for condition in conditions),
    )


def _beside(rule: Rule, facts: Facts) -> list[str]:
    told = rule.tell(facts)
    return [f"Also: {told.headline}", *told.evidence[:1]]


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """The verdict as it stands in the summary."""
    bound = verdict.speedup_bound_processes
    return {
        "kind": verdict.kind,
        "headline": verdict.headline,
        "evidence": list(verdict.evidence),
        "advice": list(verdict.advice),
        "also": list(verdict.also),
        "speedup_bound": {"processes": None if bound is None else round(bound, 2)},
        "also_kinds": list(verdict.also_kinds),
        "confidence": {"level": verdict.confidence, "reason": verdict.confidence_reason},
        "would_change": list(verdict.would_change),
        "limits": [{"figure": what, "value": value, "limit": limit} for what, value, limit in verdict.limits],
    }


def verdict_from(fields: Mapping[str, Any]) -> Verdict:
    """The verdict that stands in a summary; `verdict_fields` the other way round."""
    confidence = fields.get("confidence") or {}
    return Verdict(
        kind=fields["kind"],
        headline=fields["headline"],
        evidence=tuple(fields["evidence"]),
        advice=tuple(fields["advice"]),
        also=tuple(fields["also"]),
        speedup_bound_processes=fields["speedup_bound"]["processes"],
        also_kinds=tuple(fields.get("also_kinds", ())),
        confidence=confidence.get("level", "medium"),
        confidence_reason=confidence.get("reason", ""),
        would_change=tuple(fields.get("would_change", ())),
        limits=tuple((limit["figure"], limit["value"], limit["limit"]) for limit in fields.get("limits", ())),
    )

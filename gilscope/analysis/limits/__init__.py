"""Limits for continuous integration: `gil.contention > 0.5` says what is not allowed. Pure.

An expression is a metric, a comparison and a number with or without a unit. It is read before the target
starts; `check` holds the finished summary against it. What was not read neither passes nor fails silently: it
counts as crossed, and the outcome says so.
"""

from __future__ import annotations

from gilscope.analysis.limits.check import CROSSED, KEPT, UNKNOWN, Outcome, check, outcome_fields
from gilscope.analysis.limits.expression import Limit, LimitError, parse
from gilscope.analysis.limits.metrics import METRICS, Metric, help_text

__all__ = [
    "CROSSED",
    "KEPT",
    "METRICS",
    "UNKNOWN",
    "Limit",
    "LimitError",
    "Metric",
    "Outcome",
    "check",
    "help_text",
    "outcome_fields",
    "parse",
]

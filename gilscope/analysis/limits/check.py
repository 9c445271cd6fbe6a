"""A summary held against limits. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gilscope.analysis.limits.expression import Limit
from gilscope.analysis.limits.metrics import MILLISECONDS, SECONDS, SHARE
from gilscope.text import clean

KEPT, CROSSED, UNKNOWN = "kept", "crossed", "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session came to, by one limit."""

    limit: Limit
    status: str
    """KEPT, CROSSED or UNKNOWN; the last counts as crossed."""
    value: float | None
    """The measured one that is worst for the limit; None: not read."""
    of: str
    """Whose value that is: a thread, a GIL, a process; "" of the session."""
    crossing: int
    """How many of them cross it."""
    unread: int
    """How many of them were not read."""

    @property
    def passed(self) -> bool:
        """It was measured, and it is kept."""
        return self.status == KEPT

    @property
    def sentence(self) -> str:
        """The limit, the measured value and whose it is, in one line."""
        unit = self.limit.metric.unit
        of = f" ({clean(self.of)})" if self.of else ""
        if self.status == UNKNOWN:
            counts = f" of {self.unread}" if self.unread > 1 else ""
            why = f"not read{counts}{of}"
            return f"limit unknown: {self.limit.text}: {why}; what is not known counts as crossed"
        measured = f"measured {quantity(self.value, unit)}{of}"
        more = f", and {self.crossing - 1} more cross it" if self.crossing > 1 else ""
        return f"limit {self.status}: {self.limit.text}: {measured}{more}"


def check(summary: Mapping[str, Any], limit: Limit) -> Outcome:
    """Hold a summary against a limit; of several GILs, threads or processes each has to keep it."""
    readings = limit.metric.read(summary)
    known = [(of, value) for of, value in readings if value is not None and math.isfinite(value)]
    unread = [of for of, value in readings if value is None or not math.isfinite(value)]
    crossing = [(of, value) for of, value in known if limit.crossed_by(value)]
    worst = min if limit.comparison.startswith("<") else max
    if crossing:
        of, value = worst(crossing, key=lambda reading: reading[1])
        return Outcome(limit, CROSSED, value, of, len(crossing), len(unread))
    if unread or not known:
        return Outcome(limit, UNKNOWN, None, unread[0] if unread else "", 0, max(1, len(unread)))
    of, value = worst(known, key=lambda reading: reading[1])
    return Outcome(limit, KEPT, value, of, 0, 0)


def quantity(value: float | None, unit: str) -> str:
    """A measured value with its unit."""
    if value is None:
        return "unknown"
    if unit == SHARE:
        return f"{100 * value:.1f} %"
    return f"{value:.4g}" if unit == "count" else f"{value:.4g} {unit if unit in _SHORT else 'per s'}"


_SHORT = (SECONDS, MILLISECONDS, "MB", "cores")


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """The outcome as it stands in a summary's "limits"."""
    return {
        "limit": outcome.limit.text,
        "metric": outcome.limit.metric.name,
        "status": outcome.status,
        "value": outcome.value,
        "of": outcome.of or None,
        "crossing": outcome.crossing,
        "unread": outcome.unread,
    }

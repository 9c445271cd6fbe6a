"""A limit as people write it, read. Pure."""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from gilscope.analysis.limits.metrics import MEGABYTES, METRICS, MILLISECONDS, SECONDS, SHARE, Metric
from gilscope.errors import UsageError
from gilscope.text import clean, cut

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_TIMES = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0}
_SIZES = {"kB": 1e-3, "KB": 1e-3, "MB": 1.0, "GB": 1e3, "TB": 1e6}
_METRIC = re.compile(r"\s*([A-Za-z_][\w.]*)")
_COMPARISON = re.compile(r"\s*(>=|<=|==|!=|>|<)")
_NUMBER = re.compile(r"\s*([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_UNIT = re.compile(r"\s*(%|[A-Za-zµ]+)?\s*")
_LONGEST = 200


class LimitError(UsageError):
    """An expression that is no limit; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What is not allowed."""

    text: str
    """As it was written."""
    metric: Metric
    comparison: str
    value: float
    """In the metric's own unit."""

    def crossed_by(self, value: float) -> bool:
        """Whether this value is one of those that are not allowed."""
        return COMPARISONS[self.comparison](value, self.value)


def parse(text: str) -> Limit:
    """Read an expression.

    Raises:
        LimitError: it is none; what is wrong, where, and what could have been meant.
    """
    if len(text) > _LONGEST:
        raise LimitError(f"--fail-on takes at most {_LONGEST} characters, and this has {len(text)}.")
    shown = clean(text)
    at = 0
    if (found := _METRIC.match(text)) is None:
        raise _wrong(shown, at, "it has to begin with the name of a metric")
    metric = _metric(shown, found[1])
    at = found.end()
    if (found := _COMPARISON.match(text, at)) is None:
        raise _wrong(shown, at, f"after {metric.name} comes a comparison: {' '.join(COMPARISONS)}")
    comparison, at = found[1], found.end()
    if (found := _NUMBER.match(text, at)) is None:
        raise _wrong(shown, at, f"after {comparison} comes a number, such as 0.5 or 100")
    value, number_at, at = float(found[1].replace("_", "")), found.start(1), found.end()
    if not math.isfinite(value):
        raise _wrong(shown, number_at, "the number is too large")
    found = _UNIT.match(text, at)
    if found is None or found.end() != len(text):
        end = found.start(1) if found is not None and found[1] else at
        raise _wrong(shown, end, "nothing may follow the number but its unit; give --fail-on again for more")
    factor = _factor(metric, found[1])
    if factor is None:
        unit = f"{metric.name} is in {_words(metric.unit)}, not in {clean(str(found[1]))}"
        raise _wrong(shown, found.start(1), unit)
    value *= factor
    if metric.unit == SHARE and not 0 <= value <= 1:
        raise _wrong(shown, number_at, f"{metric.name} is a share, from 0 to 1; for per cent write %")
    return Limit(shown.strip(), metric, comparison, value)


def _wrong(text: str, at: int, why: str) -> LimitError:
    """The expression, a mark under the place, and the reason."""
    at += len(text[at:]) - len(text[at:].lstrip())
    mark = f"{' ' * at}^ here; gilscope run --fail-on help lists metrics"
    return LimitError(f"--fail-on: {why}.\n    {cut(text, _LONGEST)}\n    {mark}")


def _metric(text: str, name: str) -> Metric:
    metric = METRICS.get(name)
    if metric is not None:
        return metric
    near = difflib.get_close_matches(name, METRICS, n=1, cutoff=0.0)
    last = name.rpartition(".")[2]
    same = [known for known in METRICS if known.rpartition(".")[2] == last]
    raise LimitError(
        f"--fail-on: there is no metric {cut(clean(name), 60)} (in: {cut(text, 80)}).\n"
        f"The nearest is {(same or near)[0]}; gilscope run --fail-on help lists all."
    )


def _factor(metric: Metric, unit: str | None) -> float | None:
    """What a number in this unit is multiplied by for the metric's own; None: it is no unit of it."""
    if unit is None:
        return 1.0
    if metric.unit == SHARE:
        return 0.01 if unit == "%" else None
    if metric.unit in (SECONDS, MILLISECONDS):
        seconds = _TIMES.get(unit)
        return None if seconds is None else seconds / _TIMES[metric.unit]
    if metric.unit == MEGABYTES:
        return _SIZES.get(unit)
    return 1.0 if unit == metric.unit else None


def _words(unit: str) -> str:
    return {
        SHARE: "shares from 0 to 1, or %",
        SECONDS: "seconds (ns us ms s min h)",
        MILLISECONDS: "milliseconds (ns us ms s min h)",
        MEGABYTES: "megabytes (kB MB GB)",
        "count": "plain numbers",
        "cores": "cores",
        "per second": "times a second, a plain number",
    }[unit]

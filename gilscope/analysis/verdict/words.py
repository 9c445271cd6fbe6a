"""Figures as verdicts say them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gilscope.model import NS_PER_S
from gilscope.text import duration_text

NAMES_SHOWN = 3


def percent(share: float) -> str:
    """A share as per cent."""
    return f"{100 * share:.0f} %"


def cores(count: float) -> str:
    """A number of cores."""
    return "1 core" if count == 1 else f"{count:.1f} cores" if count != int(count) else f"{int(count)} cores"


def seconds(value: float) -> str:
    """A length of time: 5.4 ms, 1.2 s."""
    return duration_text(round(value * NS_PER_S))


def quantity(value: float, unit: str) -> str:
    """A figure with its unit: "share", "cores", "s", "times" or "" (a count)."""
    if unit == "share":
        return f"{100 * value:.1f} %" if 0 < value < 0.1 else percent(value)
    if unit == "cores":
        return f"{value:.2g} cores" if value != 1 else "1 core"
    if unit == "s":
        return seconds(value)
    return f"{value:.1f} times" if unit == "times" else f"{value:.4g}"


def names(of: Sequence[str]) -> str:
    """Names, or the first of them and how many more."""
    if len(of) <= NAMES_SHOWN:
        return of[0] if len(of) == 1 else f"{', '.join(of[:-1])} and {of[-1]}"
    return f"{', '.join(of[:NAMES_SHOWN])} and {len(of) - NAMES_SHOWN} more"

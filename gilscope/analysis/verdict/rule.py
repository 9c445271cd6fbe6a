"""What a rule is: conditions that can be measured, and what to tell when they hold. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.words import quantity


@dataclass(frozen=True, slots=True)
class Condition:
    """A figure on the right side of its limit, or not."""

    what: str
    """What the figure is, as the beginning of a sentence."""
    value: float
    limit: float
    above: bool
    """The value has to reach the limit; otherwise it has to stay below it."""
    unit: str
    """As `words.quantity` knows it."""

    @property
    def margin(self) -> float:
        """How far beyond its limit the value is, as a part of the limit; negative on the wrong side."""
        distance = self.value - self.limit if self.above else self.limit - self.value
        return distance / self.limit if self.limit else distance

    def holds(self, slack: float = 0.0) -> bool:
        """Whether it is on the right side, or no further from it than `slack` times the limit."""
        if slack:
            return self.margin >= -slack
        return self.value >= self.limit if self.above else self.value < self.limit

    def told(self) -> tuple[str, str, str]:
        """What the figure is, its value, and its limit."""
        side = "at least" if self.above else "below"
        return self.what, quantity(self.value, self.unit), f"{side} {quantity(self.limit, self.unit)}"

    def sentence(self, kind: str) -> str:
        """What would have to be different for another verdict."""
        side = "under" if self.above else "from"
        value, limit = quantity(self.value, self.unit), quantity(self.limit, self.unit)
        return f"{self.what}: {value}; {side} {limit} this would not be {kind}."


def reaches(what: str, value: float, limit: float, unit: str = "share") -> Condition:
    """The value is at least the limit."""
    return Condition(what, value, limit, above=True, unit=unit)


def below(what: str, value: float, limit: float, unit: str = "share") -> Condition:
    """The value is less than the limit."""
    return Condition(what, value, limit, above=False, unit=unit)


@dataclass(frozen=True, slots=True)
class Told:
    """A rule's words."""

    headline: str
    """For a beginner; no figure that needs explaining."""
    evidence: tuple[str, ...]
    """The figures, for an expert."""
    advice: tuple[str, ...]
    would_change: tuple[str, ...] = ()
    """What would have to be done for another verdict."""
    bound: float | None = None
    """At most so many times as fast with processes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of verdict."""

    kind: str
    conditions: Callable[[Facts], Sequence[Condition] | None]
    """All of them have to hold; None: what it takes to ask is not there, or not known."""
    tell: Callable[[Facts], Told]
    beside: frozenset[str] = frozenset()
    """Verdicts to which this one is added when both fit."""
    exact: bool = False
    """It rests on counts, not on samples."""

    def fits(self, facts: Facts, slack: float = 0.0) -> bool:
        """Whether it fits, or, with slack, would fit but for so much of each limit."""
        conditions = self.conditions(facts)
        return conditions is not None and all(condition.holds(slack) for condition in conditions)

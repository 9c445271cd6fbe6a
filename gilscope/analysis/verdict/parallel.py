"""What several rules ask and say of work side by side. Pure."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.rule import Condition, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import cores, percent

BLIND = "Who waits for the GIL is not known: py-spy cannot see it."


def concurrency(facts: Facts) -> Condition:
    """Whether several lanes compute at the same time, or would if they had cores."""
    return reaches("Lanes that could run, on average", facts.runnable, THRESHOLDS.parallel_cores, "")


def speedup_bound(facts: Facts) -> float | None:
    """At most so many times as fast with processes: usable cores or demand, over the cores used now.

    Cores that other programs kept from it are no gain of processes: they count as used. And nobody gets
    further than by never waiting: whoever holds the GIL gets on now, also if it does so off the CPU.
    """
    used = max(facts.cores_used, min(facts.runnable, facts.cores_usable))
    if used <= 0:
        return None
    getting_on = max(used, facts.utilisation)
    return max(1.0, min(min(facts.cores_usable, facts.demand) / used, facts.demand / getting_on))


def cores_line(facts: Facts) -> str:
    """How many cores are in use."""
    return f"{facts.cores_used:.1f} of {cores(facts.cores_usable)} used on average."


def contended(facts: Facts, which: str = "") -> str:
    """How contended the GIL is, as far as that is known."""
    if facts.contention is None:
        return BLIND
    if which:
        return f"{which} has a thread waiting for it {percent(facts.contention)} of the time."
    return f"A thread waits for the GIL {percent(facts.contention)} of the time."

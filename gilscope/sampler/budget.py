"""Pure: how often to read what, within the CPU budget."""

from __future__ import annotations

from dataclasses import dataclass, replace

SWEEP_HZ_MAX = 60.0
SWEEP_HZ_MIN = 20.0
RATE_HZ_MIN = 100.0
COMMIT_TICKS_MAX = 2
"""Ten pictures a second still look alive."""
STRETCH_FIRST, STRETCH_MAX, STRETCH_LAST = 2, 4, 8
"""How much longer ticks become before stacks give way, after, and when there is nothing else left to give."""
FAR = 2.0
"""So many times above the budget, all that may give way does so at once."""
HALF = 0.5
"""Of the rate asked: below it, very long ticks do less harm than still rarer samples."""
GENTLE, STEEP = 0.6, 0.25
"""To what part of itself the rate falls at once, at most; the other one if the budget is far away."""
COMFORT = 0.75
"""Below this part of the budget, readings become more frequent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often to read what."""

    rate_hz: float
    """GIL samples a second."""
    sweep_hz: float
    """Readings of every thread's kernel state a second."""
    commit_ticks: int = 1
    """After so many ticks they are written: what is written together costs less."""
    stacks: bool = True
    """Whether py-spy may run."""
    stretch: int = 1
    """Ticks are so many times as long as asked, and sweeps so many times as rare."""


def first_plan(rate_hz: float) -> Plan:
    """The plan to start with, a thrifty one: more as soon as the budget shows that there is room."""
    return Plan(rate_hz=rate_hz, sweep_hz=SWEEP_HZ_MIN, commit_ticks=2, stretch=STRETCH_FIRST)


def next_plan(plan: Plan, *, cost_share: float, limit_share: float, asked_rate_hz: float) -> Plan:
    """The plan for the next second.

    Sweeps give way first, then the wish to see each tick at once, then the length of a tick, then stacks,
    then samples: samples are what everything rests on. With very many processes half of them is
    still too much: ticks become longer once more, and then samples rarer still.

    Args:
        plan: the one in force.
        cost_share: CPU time over wall time of the last seconds, the helpers' included.
        limit_share: the budget, 0.05 for 5 % of a core.
        asked_rate_hz: never sample more often than this.
    """
    if cost_share > FAR * limit_share and plan.stretch < STRETCH_MAX:
        return replace(stretched(plan), stacks=False)
    if cost_share > limit_share:
        least_hz = min(RATE_HZ_MIN, asked_rate_hz)
        steepest = STEEP if cost_share > FAR * limit_share else GENTLE
        slower_hz = max(least_hz, plan.rate_hz * max(steepest, limit_share / cost_share))
        return _thriftier(plan, slower_hz, asked_rate_hz * HALF)
    if cost_share < limit_share * COMFORT:
        return _richer(plan, asked_rate_hz, stacks=cost_share < limit_share * 0.5)
    return plan


def stretched(plan: Plan) -> Plan:
    """The same samples in long ticks, with few sweeps: what costs most where there is much to read."""
    return replace(plan, sweep_hz=SWEEP_HZ_MIN, commit_ticks=COMMIT_TICKS_MAX, stretch=STRETCH_MAX)


def _thriftier(plan: Plan, slower_hz: float, half_hz: float) -> Plan:
    if plan.sweep_hz > SWEEP_HZ_MIN:
        return replace(plan, sweep_hz=max(SWEEP_HZ_MIN, plan.sweep_hz * 0.7))
    if plan.commit_ticks < COMMIT_TICKS_MAX:
        return replace(plan, commit_ticks=plan.commit_ticks * 2)
    if plan.stretch < STRETCH_FIRST:
        return replace(plan, stretch=STRETCH_FIRST)
    if plan.stacks:
        return replace(plan, stacks=False)
    if plan.stretch < STRETCH_MAX:
        return replace(plan, stretch=plan.stretch * 2)
    if plan.stretch < STRETCH_LAST and (plan.rate_hz <= half_hz or slower_hz >= plan.rate_hz):
        return replace(plan, stretch=plan.stretch * 2)
    return replace(plan, rate_hz=slower_hz)


def _richer(plan: Plan, asked_rate_hz: float, *, stacks: bool) -> Plan:
    if plan.stretch > STRETCH_MAX and plan.rate_hz >= asked_rate_hz * HALF:
        return replace(plan, stretch=plan.stretch // 2)
    if plan.rate_hz < asked_rate_hz:
        return replace(plan, rate_hz=min(asked_rate_hz, plan.rate_hz * 1.1))
    if plan.stretch > STRETCH_FIRST:
        return replace(plan, stretch=plan.stretch // 2)
    if not plan.stacks:
        return replace(plan, stacks=stacks)
    if plan.stretch > 1:
        return replace(plan, stretch=plan.stretch // 2)
    if plan.commit_ticks > 1:
        return replace(plan, commit_ticks=plan.commit_ticks // 2)
    return replace(plan, sweep_hz=min(SWEEP_HZ_MAX, plan.sweep_hz * 1.15))

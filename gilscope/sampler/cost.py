"""What watching costs, and the plan that keeps it within the budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gilscope.model import NS_PER_S
from gilscope.sampler.budget import FAR, STRETCH_MAX, Plan, first_plan, next_plan, stretched
from gilscope.sampler.config import SamplerConfig

WINDOW_NS = 3 * NS_PER_S
"""The cost that is held against the budget is that of so long: a start of py-spy alone is no reason."""
SHORTEST_NS = NS_PER_S * 9 // 10
"""A second shows that it is FAR above the budget, as with many processes: ticks become longer at once."""
MARKS = 5
AIM = 0.94
"""Part of the budget that is aimed at: what is noticed too late is made up for with the rest."""
SEVERE = 1.5
"""So far above the budget, plans follow each other faster than their effect can be seen."""
STACKS_REST_NS, STACKS_REST_MOST_NS = 60 * NS_PER_S, 600 * NS_PER_S
"""Stacks that gave way are tried again after so long, each time longer: that shows what room there is."""


class CostKeeper:
    """Adds up the CPU time of this process and its helpers since `begin`, and plans with it."""

    def __init__(self, config: SamplerConfig, helpers_cpu_ns: Callable[[], int]) -> None:
        """`helpers_cpu_ns`: CPU time of the processes that work for us."""
        self.plan: Plan = first_plan(config.rate_hz)
        self._config = config
        self._helpers_cpu_ns = helpers_cpu_ns
        self._start_ns = 0
        self._marks: list[tuple[int, int]] = []
        """Moments and the cost up to them; the first second, in which py-spy starts twice, is in none."""
        self._stacks_since_ns = 0
        self._stacks_due_ns = 0
        self._stacks_rest_ns = STACKS_REST_NS // 2

    def begin(self) -> None:
        """The watch begins: what was spent before is preparation, and slowed nobody."""
        self._start_ns = time.process_time_ns()

    def cpu_ns(self) -> int:
        """CPU time since the beginning."""
        return time.process_time_ns() - self._start_ns + self._helpers_cpu_ns()

    def keep_budget(self, now_ns: int) -> bool:
        """Once a second: compare the last seconds' cost with the budget; True when the rate has changed."""
        self._marks = [*self._marks, (now_ns, self.cpu_ns())][-MARKS:]
        (from_ns, from_cost), (to_ns, to_cost) = self._marks[0], self._marks[-1]
        span_ns, limit = to_ns - from_ns, AIM * self._config.budget_share
        if span_ns < SHORTEST_NS:
            return False
        before, share = self.plan, (to_cost - from_cost) / span_ns
        if span_ns < WINDOW_NS:
            if share > FAR * limit and before.stretch < STRETCH_MAX:
                self.plan, self._marks = stretched(before), self._marks[-1:]
            return False
        plan = next_plan(before, cost_share=share, limit_share=limit, asked_rate_hz=self._config.rate_hz)
        self.plan = self._with_stacks_again(plan, now_ns, has_room=share < limit)
        slower = self.plan.rate_hz != before.rate_hz
        if self.plan != before and (slower or share < limit * SEVERE):
            self._marks = self._marks[-1:]  # see what the change brings before the next one
        return slower

    def _with_stacks_again(self, plan: Plan, now_ns: int, *, has_room: bool) -> Plan:
        """Try stacks again that gave way: where waking is dear, the cost never falls far enough by itself."""
        if self.plan.stacks and not plan.stacks:
            lasted_ns = now_ns - self._stacks_since_ns
            longer_ns = min(STACKS_REST_MOST_NS, 2 * self._stacks_rest_ns)
            self._stacks_rest_ns = STACKS_REST_NS if lasted_ns > STACKS_REST_NS else longer_ns
            self._stacks_due_ns = now_ns + self._stacks_rest_ns
        elif has_room and not plan.stacks and now_ns >= self._stacks_due_ns:
            plan = replace(plan, stacks=True)
        if plan.stacks and not self.plan.stacks:
            self._stacks_since_ns = now_ns
        return plan

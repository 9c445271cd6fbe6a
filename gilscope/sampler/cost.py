"""What watching costs, and the plan that keeps it within the budget."""

from __future__ import annotations

import time
from collections.abc import Callable

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
        self.plan = next_plan(before, cost_share=share, limit_share=limit, asked_rate_hz=self._config.rate_hz)
        slower = self.plan.rate_hz != before.rate_hz
        if self.plan != before and (slower or share < limit * SEVERE):
            self._marks = self._marks[-1:]  # see what the change brings before the next one
        return slower

"""When the budget is looked at: after some seconds, or at once where it is far away."""

from __future__ import annotations

from pathlib import Path

from gilscope.launch.attached import AttachSpec
from gilscope.model import NS_PER_S
from gilscope.sampler.budget import STRETCH_MAX, Plan, first_plan
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.cost import CostKeeper


class Costing(CostKeeper):
    """Costs what it is told."""

    spent_ns = 0

    def cpu_ns(self) -> int:
        return self.spent_ns


def plans(shares: list[float]) -> list[Plan]:
    """The plan after each second that cost so much, of a budget of 5 %."""
    spec = AttachSpec(pid=1, start_ticks=1, command="x.py", python="python")
    keeper = Costing(SamplerConfig(spec=spec, recording=Path("x.gilscope")), lambda: 0)
    found = []
    for second, share in enumerate(shares, 1):
        keeper.spent_ns += round(share * NS_PER_S)
        keeper.keep_budget(second * NS_PER_S)
        found.append(keeper.plan)
    return found


def test_a_little_too_much_is_watched_for_some_seconds() -> None:
    before = first_plan(1000)
    assert plans([0.5, 0.07, 0.07])[-1] == before  # the first second counts for nothing
    assert plans([0.5, 0.07, 0.07, 0.07])[-1] != before


def test_far_too_much_makes_ticks_longer_at_once() -> None:
    found = plans([0.5, 0.4, 0.03, 0.03])
    assert found[0] == first_plan(1000)
    assert (found[1].stretch, found[1].stacks, found[1].rate_hz) == (STRETCH_MAX, True, 1000)
    assert found[3] == found[1]  # one bad second, as when py-spy reads a thousand threads, costs nothing else


def test_what_stays_far_too_much_costs_stacks_and_samples() -> None:
    found = plans([0.5, *[0.4] * 12])
    assert not found[-1].stacks
    assert found[-1].rate_hz < 1000

"""When the budget is looked at: after some seconds, or at once where it is far away."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
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


def an_hour(cost_of: Callable[[Plan], float]) -> list[Plan]:
    """The plan in each second of an hour, in which each costs what it does."""
    spec = AttachSpec(pid=1, start_ticks=1, command="x.py", python="python")
    keeper = Costing(SamplerConfig(spec=spec, recording=Path("x.gilscope")), lambda: 0)
    found = []
    for second in range(1, 3_601):
        keeper.spent_ns += round(cost_of(keeper.plan) * NS_PER_S)
        keeper.keep_budget(second * NS_PER_S)
        found.append(keeper.plan)
    return found


def test_stacks_that_gave_way_are_tried_again_within_the_budget() -> None:
    """GIVEN a machine on which waking alone takes most of the budget THEN there are stacks now and then."""

    def cost_of(plan: Plan) -> float:
        return 0.039 + 0.012 * plan.stacks

    found = an_hour(cost_of)
    tries = sum(not before.stacks and after.stacks for before, after in pairwise(found))
    assert 6 <= tries <= 20
    assert not all(plan.stacks for plan in found[10:60])
    assert sum(map(cost_of, found)) / len(found) < 0.041
    assert all(plan.rate_hz == 1000 for plan in found)


def test_stacks_for_which_there_is_no_room_are_not_tried_again() -> None:
    found = an_hour(lambda plan: 0.06 + 0.012 * plan.stacks)
    assert not any(plan.stacks for plan in found[60:])


def test_stacks_that_have_room_again_stay() -> None:
    """GIVEN a busy minute THEN stacks are back soon after it, and for good."""
    seconds = iter(range(3_600))
    found = an_hour(lambda plan: (0.045 if next(seconds) < 60 else 0.03) + 0.012 * plan.stacks)
    assert not found[30].stacks
    assert all(plan.stacks for plan in found[300:])

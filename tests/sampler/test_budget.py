"""How often to read what: properties of the plan."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gilscope.sampler.budget import (
    COMMIT_TICKS_MAX,
    HALF,
    RATE_HZ_MIN,
    STRETCH_FIRST,
    STRETCH_LAST,
    STRETCH_MAX,
    SWEEP_HZ_MAX,
    SWEEP_HZ_MIN,
    Plan,
    first_plan,
    next_plan,
)

rates = st.floats(1, 20_000)
costs = st.floats(0, 10)


def follow(asked: float, limit: float, spent: list[float]) -> list[Plan]:
    plans = [first_plan(asked)]
    for cost in spent:
        plans.append(next_plan(plans[-1], cost_share=cost, limit_share=limit, asked_rate_hz=asked))
    return plans


@given(rates, st.floats(0.001, 1), st.lists(costs, max_size=60))
def test_never_below_the_least_and_never_above_what_was_asked(
    asked: float, limit: float, spent: list[float]
) -> None:
    for plan in follow(asked, limit, spent):
        assert min(asked, RATE_HZ_MIN) <= plan.rate_hz <= asked
        assert SWEEP_HZ_MIN <= plan.sweep_hz <= SWEEP_HZ_MAX
        assert 1 <= plan.commit_ticks <= COMMIT_TICKS_MAX
        assert 1 <= plan.stretch <= STRETCH_LAST


@given(rates, st.floats(0.001, 1))
def test_sweeps_give_way_first_and_samples_last(asked: float, limit: float) -> None:
    calm = follow(asked, limit, [0.0] * 60)[-1]
    assert calm == Plan(rate_hz=asked, sweep_hz=SWEEP_HZ_MAX, stacks=True)
    plans = [calm]
    for _ in range(60):
        plans.append(next_plan(plans[-1], cost_share=1.5 * limit, limit_share=limit, asked_rate_hz=asked))
    for before, after in pairwise(plans):
        if after.commit_ticks > before.commit_ticks:
            assert before.sweep_hz == SWEEP_HZ_MIN
        if after.stacks < before.stacks:
            assert before.commit_ticks == COMMIT_TICKS_MAX
        if after.stretch > STRETCH_FIRST:
            assert not after.stacks
        if not after.stacks:
            assert after.stretch >= STRETCH_FIRST
        if after.rate_hz < before.rate_hz:
            assert before.stretch >= STRETCH_MAX
        if after.stretch > STRETCH_MAX:
            assert after.rate_hz <= max(HALF * asked, min(asked, RATE_HZ_MIN))
    assert plans[-1] == Plan(
        rate_hz=min(asked, RATE_HZ_MIN),
        sweep_hz=SWEEP_HZ_MIN,
        commit_ticks=COMMIT_TICKS_MAX,
        stacks=False,
        stretch=STRETCH_LAST,
    )


@given(rates, st.floats(0.001, 1))
def test_all_comes_back_when_there_is_room(asked: float, limit: float) -> None:
    plans = follow(asked, limit, [10.0] * 60 + [0.0] * 120)
    for before, after in pairwise(plans[61:]):
        if after.stacks > before.stacks:
            assert before.rate_hz == asked
    assert plans[-1] == Plan(rate_hz=asked, sweep_hz=SWEEP_HZ_MAX, stacks=True)


@given(rates, st.floats(0.001, 1), st.floats(0.76, 1), st.lists(costs, max_size=20))
def test_near_the_budget_nothing_changes(asked: float, limit: float, part: float, spent: list[float]) -> None:
    plan = follow(asked, limit, spent)[-1]
    assert next_plan(plan, cost_share=limit * part, limit_share=limit, asked_rate_hz=asked) == plan


@given(rates, st.floats(0.001, 1))
def test_far_above_the_budget_all_but_samples_gives_way_at_once(asked: float, limit: float) -> None:
    plan = follow(asked, limit, [3 * limit])[-1]
    assert plan == Plan(
        rate_hz=asked,
        sweep_hz=SWEEP_HZ_MIN,
        commit_ticks=COMMIT_TICKS_MAX,
        stacks=False,
        stretch=STRETCH_MAX,
    )

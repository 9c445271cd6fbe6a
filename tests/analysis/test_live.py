"""The live verdict: it follows the program, and does not flicker."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.verdict import THRESHOLDS
from gilscope.analysis.verdict.live import LiveVerdict
from gilscope.model import NS_PER_S
from tests.analysis.test_verdict import CPU_THREADS, PROGRAMS, summary

STEP_NS = NS_PER_S // 4
SETTLE = THRESHOLDS.live_settle_s


def gil_bound(contention: float) -> dict[str, object]:
    return summary(*CPU_THREADS, utilisation=0.9, contention=contention, waiters=contention)


def kinds(*summaries: dict[str, object]) -> list[str]:
    """What is shown after each, four a second."""
    live, shown = LiveVerdict(), []
    for number, one in enumerate(summaries):
        live = live.after(number * STEP_NS, one)
        assert live.shown is not None
        shown.append(live.shown.kind)
    return shown


def test_the_first_is_shown_at_once() -> None:
    assert LiveVerdict().shown is None
    assert kinds(PROGRAMS["io-bound"]) == ["io-bound"]


def test_another_kind_has_to_stand() -> None:
    shown = kinds(PROGRAMS["io-bound"], *[PROGRAMS["gil-bound"]] * 20)
    changed = shown.index("gil-bound")
    # The first reading at which it had stood so long.
    assert (changed - 1) * STEP_NS == SETTLE * NS_PER_S
    assert set(shown[changed:]) == {"gil-bound"}


def test_a_moment_of_something_else_is_not_shown() -> None:
    moment = int(SETTLE * NS_PER_S / STEP_NS)
    shown = kinds(
        *[PROGRAMS["gil-bound"]] * 4, *[PROGRAMS["io-bound"]] * moment, *[PROGRAMS["gil-bound"]] * 4
    )
    assert set(shown) == {"gil-bound"}


def test_the_words_follow_the_figures() -> None:
    live = LiveVerdict().after(0, gil_bound(0.9)).after(STEP_NS, gil_bound(0.5))
    assert live.shown is not None
    assert "50 %" in live.shown.evidence[0]


@given(st.lists(st.floats(1 - THRESHOLDS.live_slack + 0.01, 1.3), min_size=1, max_size=40))
def test_figures_around_a_limit_do_not_make_it_flicker(factors: list[float]) -> None:
    shown = kinds(gil_bound(0.9), *[gil_bound(THRESHOLDS.contended * factor) for factor in factors])
    assert set(shown) == {"gil-bound"}


@given(st.lists(st.sampled_from(sorted(PROGRAMS)), min_size=1, max_size=60))
def test_however_figures_jump_it_changes_slowly(names: list[str]) -> None:
    shown = kinds(*[PROGRAMS[name] for name in names])
    moments = [
        number
        for number, (before, after) in enumerate(itertools.pairwise(shown))
        if before not in (after, "too-short")
    ]
    least = min(SETTLE, THRESHOLDS.live_give_up_s) * NS_PER_S / STEP_NS
    assert all(second - first >= least for first, second in itertools.pairwise(moments))


def test_what_does_not_fit_any_more_is_given_up_even_for_what_does_not_stand() -> None:
    others = ["io-bound", "native-parallel"] * 60
    shown = kinds(PROGRAMS["gil-bound"], *[PROGRAMS[name] for name in others])
    gone = next(number for number, kind in enumerate(shown) if kind != "gil-bound")
    assert (gone - 1) * STEP_NS == pytest.approx(THRESHOLDS.live_give_up_s * NS_PER_S, abs=STEP_NS)


def test_a_moment_without_samples_says_nothing_against_it() -> None:
    shown = kinds(PROGRAMS["gil-bound"], *[PROGRAMS["too-short"]] * 40)
    assert set(shown) == {"gil-bound"}
    assert kinds(PROGRAMS["too-short"], PROGRAMS["gil-bound"]) == ["too-short", "gil-bound"]

"""Which thread runs an interpreter whose thread state names another one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gilscope.sampler.attribute import attribute

MAIN, ONE, TWO = 100, 101, 102
STATE, OTHER = -7_000, -8_000


def test_the_thread_that_used_the_cpu_is_the_holder() -> None:
    """GIVEN a state that names the main thread, which slept THEN the one that computed held the GIL."""
    found = attribute({STATE: 50}, {STATE: MAIN}, {MAIN: 0, ONE: 49}, set(), {}, span_ns=50)
    assert found == {STATE: ONE}


def test_the_named_thread_stays_where_it_computes_itself() -> None:
    found = attribute({STATE: 50}, {STATE: MAIN}, {MAIN: 48, ONE: 50}, set(), {}, span_ns=50)
    assert found == {STATE: MAIN}


def test_a_thread_that_only_waited_is_not_the_holder() -> None:
    found = attribute({STATE: 50}, {STATE: MAIN}, {MAIN: 0, ONE: 40, TWO: 30}, {ONE}, {}, span_ns=50)
    assert found == {STATE: TWO}


def test_two_holders_are_two_threads() -> None:
    """GIVEN two interpreters with a GIL each, run at the same time THEN one thread is not both."""
    found = attribute(
        {STATE: 50, OTHER: 49}, {STATE: MAIN, OTHER: MAIN}, {ONE: 50, TWO: 49}, set(), {}, span_ns=50
    )
    assert sorted(found.values()) == [ONE, TWO]


def test_two_holders_are_two_threads_also_where_they_hardly_got_a_cpu() -> None:
    found = attribute(
        {STATE: 50, OTHER: 49}, {STATE: MAIN, OTHER: MAIN}, {ONE: 9, TWO: 8}, set(), {}, span_ns=50
    )
    assert len(set(found.values())) == 2
    before = {STATE: ONE, OTHER: ONE}
    found = attribute(
        {STATE: 50, OTHER: 49}, {STATE: MAIN, OTHER: MAIN}, {ONE: 9, TWO: 8}, set(), before, span_ns=50
    )
    assert found == {STATE: ONE, OTHER: TWO}


def test_one_thread_can_hold_two_gils_in_turn() -> None:
    held, claims = {STATE: 20, OTHER: 4}, {STATE: MAIN, OTHER: MAIN}
    assert attribute(held, claims, {ONE: 24}, set(), {}, span_ns=50) == {STATE: ONE, OTHER: ONE}


def test_what_a_thread_held_by_its_own_state_explains_its_cpu_time() -> None:
    found = attribute({STATE: 25, ONE: 25}, {STATE: MAIN}, {ONE: 25, TWO: 24}, set(), {}, span_ns=50)
    assert found == {STATE: TWO}


def test_a_holder_that_sleeps_with_the_gil_is_the_one_found_before() -> None:
    assert attribute({STATE: 50}, {STATE: MAIN}, {ONE: 0}, set(), {STATE: ONE}, span_ns=50) == {STATE: ONE}
    assert attribute({STATE: 50}, {STATE: MAIN}, {ONE: 0}, set(), {}, span_ns=50) == {STATE: MAIN}


_TIDS = st.integers(1, 6)
_TIMES = st.integers(0, 1_000)


@given(
    held=st.dictionaries(st.one_of(_TIDS, st.integers(-6, -2)), _TIMES),
    cpu=st.dictionaries(_TIDS, _TIMES),
    waiting=st.sets(_TIDS),
)
def test_each_doubtful_holder_gets_one_thread(
    held: dict[int, int], cpu: dict[int, int], waiting: set[int]
) -> None:
    claims = {holder: 1 for holder in held if holder < 0}
    found = attribute(held, claims, cpu, waiting, {}, span_ns=1_000)
    assert found.keys() == claims.keys()
    assert all(tid == 1 or tid in cpu for tid in found.values())

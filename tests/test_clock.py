"""When to read next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gilscope.clock import BootClock, FakeClock, MonotonicClock, SleepWatch, Ticker
from gilscope.model import NS_PER_S


def deadlines(ticker: Ticker, count: int, start_ns: int = 0) -> list[int]:
    """Deadlines of a reader that is always on time."""
    clock = FakeClock(start_ns)
    found = []
    for _ in range(count):
        deadline = ticker.next_deadline(clock.now_ns())
        clock.advance(max(0, deadline - clock.now_ns()))
        found.append(deadline)
    return found


@given(st.floats(1, 20_000), st.integers(0, 2**62), st.integers(0, 1000))
def test_the_mean_rate_is_that_asked_for(rate_hz: float, start_ns: int, seed: int) -> None:
    ticker = Ticker(rate_hz, start_ns, seed=seed)
    found = deadlines(ticker, 500, start_ns)
    period = round(NS_PER_S / rate_hz)
    for number, deadline in enumerate(found, 1):
        assert abs(deadline - start_ns - number * period) <= period // 2 + 1
    assert found == sorted(found)
    assert ticker.skipped == 0


def test_there_is_jitter_and_it_is_uniform() -> None:
    found = deadlines(Ticker(1000, 0, seed=3), 4000)
    offsets = [deadline - number * 1_000_000 for number, deadline in enumerate(found, 1)]
    assert -500_000 <= min(offsets) < -490_000
    assert 490_000 < max(offsets) <= 500_000
    assert abs(sum(offsets) / len(offsets)) < 20_000
    quarters = [sum(offset // 250_000 == quarter for offset in offsets) for quarter in (-2, -1, 0, 1)]
    assert all(850 < count < 1150 for count in quarters)


def test_two_tickers_differ_and_a_seed_makes_them_equal() -> None:
    assert deadlines(Ticker(1000, 0), 20) != deadlines(Ticker(1000, 0), 20)
    assert deadlines(Ticker(1000, 0, seed=1), 20) == deadlines(Ticker(1000, 0, seed=1), 20)


@given(st.lists(st.integers(0, 20_000_000), min_size=1, max_size=50))
def test_what_was_missed_is_skipped_and_counted(pauses: list[int]) -> None:
    ticker = Ticker(1000, 0, seed=1)
    clock = FakeClock()
    taken = 0
    for pause in pauses:
        before = clock.now_ns()
        deadline = ticker.next_deadline(before)
        taken += 1
        # Never a burst: a deadline lies at most a period and its jitter back.
        assert before - deadline <= 1_500_000
        clock.advance(max(0, deadline - before) + pause)
    last = ticker.next_deadline(clock.now_ns())
    # Each cell of the grid was taken or skipped.
    assert abs(last - (taken + 1 + ticker.skipped) * 1_000_000) <= 500_000


def test_is_due() -> None:
    ticker = Ticker(1000, 0, seed=1)
    assert not ticker.is_due(999_999)
    assert ticker.is_due(1_000_000)
    ticker.next_deadline(1_000_000)
    assert not ticker.is_due(1_000_000)


def test_another_rate_from_now_on() -> None:
    ticker = Ticker(1000, 0, seed=1)
    deadlines(ticker, 10)
    ticker.set_rate(100)
    found = deadlines(ticker, 10, 10_000_000)
    assert abs(found[-1] - 110_000_000) <= 5_000_000
    assert Ticker(1e12, 0).period_ns == 1


def test_clocks() -> None:
    clock = MonotonicClock()
    assert clock.now_ns() <= clock.now_ns()
    fake = FakeClock(5)
    fake.advance(7)
    assert fake.now_ns() == 12


@given(st.integers(0, 10**7), st.integers(1, 200), st.integers(0, 2**31))
def test_deadlines_at_once_are_those_one_by_one(start_ns: int, count: int, seed: int) -> None:
    at_once, one_by_one = Ticker(1000, start_ns, seed=seed), Ticker(1000, start_ns, seed=seed)
    until_ns = start_ns + count * 1_000_000
    found = at_once.deadlines(start_ns, until_ns)
    assert found == [one_by_one.next_deadline(start_ns) for _ in found]
    assert found[-1] >= until_ns
    assert all(deadline < until_ns for deadline in found[:-1])
    assert at_once.next_deadline(found[-1]) == one_by_one.next_deadline(found[-1])


@given(st.integers(0, 49))
def test_what_is_given_back_comes_again(count: int) -> None:
    ticker = Ticker(1000, 0, seed=1)
    found = ticker.deadlines(0, 50_000_000)
    ticker.give_back(count)
    used = len(found) - count
    assert ticker.next_deadline(0) // 500_000 in (2 * used + 1, 2 * used + 2)  # its cell of the grid
    assert ticker.skipped == 0


class TestSleepWatch:
    """The machine is suspended: one clock goes on."""

    def test_it_is_noticed_once(self) -> None:
        awake, all_time = FakeClock(5), FakeClock(1_000)
        sleeps = SleepWatch(awake, all_time)
        for clock in (awake, all_time):
            clock.advance(3_600 * NS_PER_S)
        assert sleeps.slept_ns() == 0
        all_time.advance(7_200 * NS_PER_S)
        assert sleeps.slept_ns() == 7_200 * NS_PER_S
        assert sleeps.slept_ns() == 0

    def test_what_is_too_short_adds_up(self) -> None:
        awake, all_time = FakeClock(), FakeClock()
        sleeps = SleepWatch(awake, all_time)
        all_time.advance(NS_PER_S - 1)
        assert sleeps.slept_ns() == 0
        all_time.advance(1)
        assert sleeps.slept_ns() == NS_PER_S

    def test_the_real_clocks_agree_while_nobody_sleeps(self) -> None:
        assert SleepWatch(MonotonicClock(), BootClock()).slept_ns() == 0

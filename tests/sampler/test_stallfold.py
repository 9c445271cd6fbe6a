"""Holds that others wait for, added up over ticks: tables and properties."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS
from gilscope.sampler.merge import FREE, GilFold
from gilscope.sampler.stallfold import LongHold
from tests.sampler.test_merge import S, runs

MS = NS_PER_MS
STALL_NS = 100 * MS


def long_holds(samples: Sequence[S], tick_ns: int = 50 * MS, stall_ns: int = STALL_NS) -> list[LongHold]:
    """All long holds that ended, as the loop takes them."""
    fold = GilFold(tick_ns, stall_ns)
    end_ns, found = tick_ns, []
    for sample in samples:
        fold.add(sample.at_ns, sample.tid, sample.switch_number, sample.waiters)
        while sample.at_ns >= end_ns:
            end_ns += tick_ns
            fold.finish(end_ns)
            found += fold.stalls.take_ended()
    fold.finish(end_ns + tick_ns)
    return found + fold.stalls.take_ended()


def every_ms(*parts: tuple[int, int, int]) -> list[S]:
    """Samples a millisecond apart: for each part its length in ms, the holder and the waiters."""
    samples: list[S] = []
    number, last = 0, FREE
    for length, tid, waiters in parts:
        if tid not in (FREE, last):
            number, last = number + 1, tid
        samples += [S((len(samples) + n) * MS, tid, number, waiters) for n in range(length)]
    return samples


def stalls(samples: Sequence[S], **options: int) -> list[LongHold]:
    return [hold for hold in long_holds(samples, **options) if hold.is_stall(STALL_NS)]


def test_a_stall() -> None:
    (stall,) = stalls(every_ms((70, 1, 0), (300, 2, 3), (50, 1, 1)))
    assert stall.tid == 2
    assert stall.length_ns == pytest.approx(300 * MS, abs=MS)
    assert stall.start_ns == pytest.approx(70 * MS, abs=MS)
    assert stall.waiters_mean == pytest.approx(3, abs=0.01)
    assert stall.waiters_max == 3


def test_waiters_that_come_later() -> None:
    (stall,) = stalls(every_ms((10, 1, 0), (100, 2, 0), (100, 2, 1), (200, 2, 4), (9, 1, 0)))
    assert stall.waiters_mean == pytest.approx((100 * 1 + 200 * 4) / 400, abs=0.02)
    assert stall.contended_ns == pytest.approx(300 * MS, abs=MS)
    assert stall.waiters_max == 4


@pytest.mark.parametrize(
    "samples",
    [
        every_ms(*((5, 1 + turn % 4, 3) for turn in range(400))),
        every_ms((500, 1, 0), (20, 2, 0)),
        # Nobody asked for it before; then it was given within a few milliseconds.
        every_ms((900, 1, 0), (8, 1, 1), (20, 2, 0)),
        every_ms((90, 1, 2), (20, 2, 1)),
        every_ms((400, FREE, 0), (20, 2, 1)),
        # It sleeps in between: nobody holds it then.
        every_ms(*((90, 1, 1), (5, FREE, 0)) * 5),
    ],
    ids=["turns", "no waiter", "let go when asked", "short", "free", "dropped and taken again"],
)
def test_no_stall(samples: list[S]) -> None:
    assert stalls(samples) == []


def test_a_holder_without_a_cpu_is_no_stall() -> None:
    (hold,) = stalls(every_ms((10, 1, 0), (150, 2, 2), (10, 1, 0)))
    hold.queued_ns = 120 * MS
    assert not hold.is_stall(STALL_NS)


@pytest.mark.parametrize("at_ms", [120, 170, 249])
def test_while_it_goes_on(at_ms: int) -> None:
    """It is known in the middle of a tick too, and asking does not change what comes out."""
    samples = every_ms((20, 1, 0), (300, 2, 3), (30, 1, 0))
    fold = GilFold(50 * MS, STALL_NS)
    end_ns, found = 50 * MS, []
    for sample in samples:
        fold.add(sample.at_ns, sample.tid, sample.switch_number, sample.waiters)
        while sample.at_ns >= end_ns:
            end_ns += 50 * MS
            fold.finish(end_ns)
            found += fold.stalls.take_ended()
        if sample.at_ns == at_ms * MS:
            hold = fold.hold_now()
            assert hold is not None
            assert hold.length_ns == pytest.approx((at_ms - 20) * MS, abs=MS)
    fold.finish(end_ns + 50 * MS)
    (stall,) = found + fold.stalls.take_ended()
    assert stall.waiter_ns == pytest.approx(900 * MS, rel=0.01)


@given(runs())
def test_any_length_of_ticks_gives_the_same(samples: list[S]) -> None:
    def plain(holds: list[LongHold]) -> list[tuple[int, ...]]:
        return [(h.tid, h.start_ns, h.end_ns, h.waiter_ns, h.contended_ns, h.waiters_max) for h in holds]

    whole = long_holds(samples, tick_ns=10_000 * MS, stall_ns=20 * MS)
    assert plain(long_holds(samples, tick_ns=50 * MS, stall_ns=20 * MS)) == plain(whole)
    assert plain(long_holds(samples, tick_ns=7 * MS, stall_ns=20 * MS)) == plain(whole)
    for hold in whole:
        assert hold.contended_ns <= hold.length_ns
        assert hold.contended_ns <= hold.waiter_ns <= hold.length_ns * max(1, hold.waiters_max)


def held(start_ms: int, end_ms: int) -> LongHold:
    length_ns = (end_ms - start_ms) * MS
    return LongHold(1, start_ms * MS, end_ms * MS, contended_ns=length_ns, waiters_max=3)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "queues", "is_stall"),
    [
        # Before it got the GIL, and after it gave it away, its thread stood in the queue of a busy machine.
        (624, 842, {600: 104, 700: 0, 800: 58}, True),
        (620, 740, {600: 20, 700: 60}, True),
        # It had the GIL and no CPU: told of in the tick in which it got one.
        (610, 730, {600: 0, 700: 115}, False),
        (600, 800, {600: 100, 700: 40}, False),
        (610, 690, {600: 70}, False),
        (500, 760, {500: 0, 600: 0, 700: 240}, False),
    ],
)
def test_the_queue_before_and_after(
    start_ms: int, end_ms: int, queues: dict[int, int], *, is_stall: bool
) -> None:
    hold = held(start_ms, end_ms)
    for tick_ms, queued_ms in queues.items():
        hold.book_queue(queued_ms * MS, tick_ms * MS, (tick_ms + 100) * MS)
    assert hold.is_stall(STALL_NS) is is_stall


@given(st.integers(0, 300), st.integers(1, 400), st.lists(st.integers(0, 500), min_size=8, max_size=8))
def test_no_more_queue_than_there_was(start_ms: int, length_ms: int, queues: list[int]) -> None:
    hold = held(start_ms, start_ms + length_ms)
    for number, queued_ms in enumerate(queues):
        if number * 100 < start_ms + length_ms and (number + 1) * 100 > start_ms:
            before_ns = hold.queued_ns
            hold.book_queue(queued_ms * MS, number * 100 * MS, (number + 1) * 100 * MS)
            assert before_ns <= hold.queued_ns <= before_ns + queued_ms * MS

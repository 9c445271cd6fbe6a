"""Samples that are noted now and understood later: the same sums as when each is told at once."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, Gil
from gilscope.sampler.gilwatch import GilWatch
from gilscope.sampler.merge import GilFold, GilSums
from gilscope.sources.gil import GilProbe
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.layouts import from_table

MS = NS_PER_MS
TICK_NS = 50 * MS
STATES = (0x1000, 0x2000, 0x3000)
"""Addresses of thread states; each one's tid is a hundredth of it."""


class Reader(InterpreterReader):
    """A reader of memory that the test sets; it counts how often it is asked for a tid."""

    def __init__(self) -> None:
        memory: Any = SimpleNamespace(pid=1, fd=-1)
        layout = from_table((3, 12))
        assert layout is not None
        super().__init__(memory, layout, 0, counts_waiters=True)
        self.asked = 0

    def walk(self) -> None:
        self._thread_states = set(STATES)

    def read_tid(self, thread_state: int) -> int:
        self.asked += 1
        return thread_state // 100


class Probe(GilProbe):
    """A probe whose next reading is `now`."""

    now: tuple[int, ...] = (0, 0, 0, 0)

    def read(self) -> tuple[int, ...]:
        return self.now


def make(*, steady: bool) -> tuple[Reader, Probe, GilWatch]:
    reader = Reader()
    reader.steady([state // 100 for state in STATES] if steady else None)
    probe = Probe(reader, 0, 0, "shared")
    gil = Gil(key=1, process=1, interpreter=0, kind="shared")
    return reader, probe, GilWatch(gil, probe, GilFold(TICK_NS))


turns = st.lists(
    st.tuples(st.sampled_from((0, *STATES)), st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=60
)


def readings(drawn: list[tuple[int, int, int]]) -> list[tuple[int, ...]]:
    """What stands in memory, millisecond by millisecond: the last holder stays there while it is free."""
    found: list[tuple[int, ...]] = []
    holder, switches = 0, 1
    for state, waiters, times in drawn:
        if state and state != holder:
            holder, switches = state, switches + 1
        found += [(holder, int(bool(state)), switches, waiters << 3)] * times
    return found


def feed(gil: GilWatch, probe: Probe, values: list[tuple[int, ...]], *, at_once: bool) -> list[GilSums]:
    sums = []
    end_ns = TICK_NS
    for number, fields in enumerate(values, 1):
        probe.now = fields
        gil.read(number * MS)
        if at_once:
            gil.settle()
        if number * MS >= end_ns:
            end_ns += TICK_NS
            gil.settle()
            sums.append(gil.fold.finish(end_ns))
    gil.settle()
    return [*sums, gil.fold.finish(end_ns + TICK_NS)]


@given(turns, st.booleans())
def test_later_is_the_same_as_at_once(drawn: list[tuple[int, int, int]], steady: bool) -> None:
    values = readings(drawn)
    _, probe, gil = make(steady=steady)
    _, other_probe, other = make(steady=False)
    assert feed(gil, probe, values, at_once=False) == feed(other, other_probe, values, at_once=True)
    assert probe.torn == 0


def test_tids_are_asked_for_once_while_threads_stay_the_same() -> None:
    values = readings([(STATES[0], 1, 2), (STATES[1], 1, 2)] * 10)
    reader, probe, gil = make(steady=True)
    feed(gil, probe, values, at_once=False)
    assert reader.asked == 2
    reader.steady(None)
    assert not reader.tids
    feed(gil, probe, values, at_once=False)
    assert reader.asked >= 20


def test_threads_that_ended_are_asked_for_again() -> None:
    reader, probe, gil = make(steady=True)
    feed(gil, probe, readings([(STATES[0], 0, 1), (STATES[1], 0, 1)]), at_once=False)
    reader.steady([STATES[1] // 100])
    assert set(reader.tids) == {STATES[1]}


def test_a_reading_that_contradicts_itself_is_read_again_at_once() -> None:
    _, probe, gil = make(steady=True)
    values = readings([(STATES[0], 0, 1), (STATES[1], 0, 1), (STATES[0], 0, 1)])
    feed(gil, probe, values, at_once=False)
    probe.now = (STATES[0], 1, values[-1][2], 0)
    torn = (STATES[1], 1, values[-1][2], 0)  # the holder has changed, the counter not yet
    assert not probe.is_plain(torn)
    gil.note(10 * MS, torn)
    gil.settle()
    assert probe.torn == 1
    assert probe.fields == probe.now


def test_an_idle_gil_becomes_cold_and_a_change_makes_it_warm() -> None:
    _, probe, gil = make(steady=True)
    feed(gil, probe, [(0, 0, 1, 0)] * 200, at_once=False)
    assert gil.is_free
    assert gil.is_cold
    probe.now = (STATES[0], 1, 2, 0)
    gil.read(300 * MS)
    gil.settle()
    assert not gil.is_cold
    assert not gil.is_free


def test_the_fields_are_taken_apart_as_they_stand() -> None:
    probe = make(steady=True)[1]
    raw = bytearray(probe.place[1])
    gil = probe.reader.layout.gil
    struct.pack_into("<Q", raw, gil.last_holder, STATES[0])
    struct.pack_into("<i", raw, gil.locked, 1)
    struct.pack_into("<Q", raw, gil.switch_number, 7)
    struct.pack_into("<I", raw, gil.waiters, 2 << 3)
    assert probe.take(probe.unpack(bytes(raw))) == (STATES[0] // 100, 7, 2)

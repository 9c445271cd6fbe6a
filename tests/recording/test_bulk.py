"""Rows made into objects at once are what the constructor makes of each."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import CoreTick, Hold
from gilscope.recording.bulk import by_tick, made

numbers = st.integers(0, 1 << 62)
rows = st.lists(st.tuples(numbers, st.floats(0, 1), st.none() | numbers, st.floats(0, 1)))


@given(rows)
def test_they_equal_what_the_constructor_makes(rows: list[tuple[int, float, int | None, float]]) -> None:
    expected = [
        CoreTick(core=core, busy_share=busy, lane=lane, target_share=share)
        for core, busy, lane, share in rows
    ]
    found = made(CoreTick, tuple(zip(*rows, strict=True)))
    assert found == expected
    assert list(map(hash, found)) == list(map(hash, expected))
    assert list(map(repr, found)) == list(map(repr, expected))


def test_they_are_frozen_and_need_each_field() -> None:
    hold = made(Hold, ((1,), (None,), (3,), (4,)))[0]
    with pytest.raises(FrozenInstanceError):
        hold.gil = 2  # type: ignore[misc]
    with pytest.raises(ValueError, match="zip"):
        made(Hold, ((1,), (2,)))


@given(st.lists(st.integers(0, 6)).map(sorted))
def test_each_tick_has_its_own(ticks: list[int]) -> None:
    objects = list(range(len(ticks)))
    expected = {
        tick: tuple(at for at, _ in group)
        for tick, group in groupby(enumerate(ticks), key=lambda pair: pair[1])
    }
    assert by_tick(ticks, objects) == expected

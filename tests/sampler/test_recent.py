"""What is kept of things that come and go without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gilscope.sampler.recent import Recent


@given(st.lists(st.tuples(st.integers(0, 9), st.integers())), st.integers(1, 8))
def test_the_latest_are_kept(puts: list[tuple[int, int]], most: int) -> None:
    kept: Recent[int, int] = Recent(most)
    for key, value in puts:
        kept.put(key, value)
    last = {key: (number, value) for number, (key, value) in enumerate(puts)}
    latest = sorted(last, key=lambda key: -last[key][0])[:most]
    assert len(kept) == len(latest)
    assert {key: kept.get(key) for key in range(10)} == {
        key: last[key][1] if key in latest else None for key in range(10)
    }

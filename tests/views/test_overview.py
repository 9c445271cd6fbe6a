"""The session from afar, and the bar that shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.views.overview import BUCKETS_MOST, Overview
from gilscope.views.render.palette import Palette
from gilscope.views.render.scrub import ScrubState, bar_span, column_of, moment_at, render_scrub

PALETTE = Palette()
shares = st.none() | st.floats(0, 1)


@given(st.lists(st.tuples(st.integers(1, 10 * NS_PER_S), shares), max_size=60), st.integers(1, 200))
def test_the_mean_over_all_columns_lies_within_the_shares(
    spans: list[tuple[int, float | None]], count: int
) -> None:
    rows, at_ns = [], 0
    for length, share in spans:
        rows.append((at_ns, at_ns + length, share))
        at_ns += length
    overview = Overview()
    overview.add(rows)
    columns = overview.columns(count, 0, at_ns)
    assert len(columns) == count
    known = [share for _, share in spans if share is not None]
    for column in columns:
        assert column is None or min(known) - 1e-9 <= column <= max(known) + 1e-9
    if known and len(known) == len(spans):
        assert None not in columns


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_in_pieces_or_at_once(cuts: list[int]) -> None:
    rows = [(n * 50 * NS_PER_MS, (n + 1) * 50 * NS_PER_MS, (n % 7) / 6) for n in range(200)]
    whole, pieces = Overview(), Overview()
    whole.add(rows)
    at = 0
    for cut in [*cuts, 200]:
        pieces.add(rows[max(0, at - 3) : at + cut])  # what came already is not counted twice
        at += cut
    assert pieces.columns(100, 0, 10 * NS_PER_S) == pytest.approx(whole.columns(100, 0, 10 * NS_PER_S))


def test_it_stays_as_small_as_it_is() -> None:
    overview = Overview()
    for second in range(100_000):
        overview.add([(second * NS_PER_S, (second + 1) * NS_PER_S, 0.25 if second < 50_000 else 0.75)])
    assert len(overview._held) <= BUCKETS_MOST
    assert not overview.fine
    columns = overview.columns(10, 0, 100_000 * NS_PER_S)
    assert columns[:4] == pytest.approx([0.25] * 4)
    assert columns[6:] == pytest.approx([0.75] * 4)
    assert Overview(100_000 * NS_PER_S).bucket_ns == overview.bucket_ns


@given(
    st.integers(1, 200), st.integers(1, 2), st.integers(0, 10**15), st.integers(0, 10**15),
    st.lists(st.integers(-5, 2 * 10**15), max_size=4),
)  # fmt: skip
def test_every_bar_has_its_width(
    width: int, height: int, first_ns: int, length: int, moments: list[int]
) -> None:
    head_ns = first_ns + length
    state = ScrubState(
        shares=[0.0, 0.5, None, 1.0],
        first_ns=first_ns,
        head_ns=head_ns,
        position_ns=max(moments, default=0),
        selection=(min(moments), max(moments)) if moments else None,
        begin_ns=moments[0] if moments else None,
        marks=moments,
        stalls=[(moment, moment + 5) for moment in moments],
    )
    strips = render_scrub(state, width, height, PALETTE)
    assert len(strips) == height
    for strip in strips:
        assert strip.cell_length == len(strip.text) == width


@given(st.integers(1, 300), st.integers(0, 10**12))
def test_columns_and_moments(columns: int, length: int) -> None:
    assert moment_at(0, 7, 7 + length, columns) == 7
    if columns > 1:
        assert moment_at(columns - 1, 7, 7 + length, columns) == 7 + length
    for column in range(columns):
        moment = moment_at(column, 7, 7 + length, columns)
        assert 7 <= moment <= 7 + length
        assert 0 <= column_of(moment, 7, 7 + length, columns) < columns
    assert bar_span(columns)[1] <= max(1, columns)

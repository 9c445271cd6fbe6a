"""Lines of output that have a text in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import Output
from gilscope.views.searching import Found, find_line
from gilscope.views.terminal import lines_of

PIECES = [
    Output(at_ns=10, data=b"One lin"),
    Output(at_ns=20, data=b"e\nTwo \x1b[31mred\x1b[0m lines\n"),
    Output(at_ns=30, data=b"three\n"),
    Output(at_ns=40, data=b"an other line"),
]


@pytest.mark.parametrize(
    ("text", "at_ns", "direction", "expected"),
    [
        ("one line", 0, 1, 20),
        ("One line", 0, 1, 20),
        ("ONE line", 0, 1, None),
        ("red lines", 0, 1, 20),
        ("line", 20, 1, 40),
        ("line", 40, 1, None),
        ("line", 40, -1, 20),
        ("three", 40, -1, 30),
        ("line", 20, -1, None),
        ("four", 0, 1, None),
    ],
)
def test_find_line(text: str, at_ns: int, direction: int, expected: int | None) -> None:
    assert find_line(PIECES, text, at_ns, direction).at_ns == expected


def test_an_answer_that_nobody_wants() -> None:
    assert find_line(PIECES, "line", 0, 1, stop=lambda: True).at_ns is None


def test_which_of_how_many_it_is() -> None:
    assert find_line(PIECES, "line", 0, 1) == Found(20, 2, 3), "two lines came at once"
    assert find_line(PIECES, "line", 20, 1) == Found(40, 3, 3)
    assert find_line(PIECES, "line", 40, -1) == Found(20, 2, 3)
    assert find_line(PIECES, "line", 40, 1) == Found(None, 0, 3)


def test_many_blocks() -> None:
    pieces = [Output(at_ns=n, data=b"%d " % n + b"x" * 1_000 + b"\n") for n in range(1, 1_000)]
    assert find_line(pieces, "777 ", 0, 1) == Found(777, 1, 1)
    assert find_line(pieces, "777 ", 999, -1) == Found(777, 1, 1)
    assert find_line(pieces, "777 ", 777, -1) == Found(None, 0, 1)


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_a_line_ends_no_earlier_than_it_begins(chunks: list[bytes]) -> None:
    pieces = [Output(at_ns=n, data=chunk) for n, chunk in enumerate(chunks)]
    lines = lines_of(pieces, last=1_000)
    for line in lines:
        assert 0 <= line.at_ns <= line.end_ns < len(chunks)

"""Finding a line of the target's output by its text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gilscope.model import Output
from gilscope.views.terminal import OutputLine, lines_of

BLOCK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    at_ns: int | None
    """The moment of the line; None: there is none in that direction."""
    number: int
    """Which of them it is, from 1: the last one of those that came at that moment. 0: none."""
    total: int
    """How many lines have the text in them."""


def find_line(
    pieces: Iterable[Output],
    text: str,
    at_ns: int,
    direction: int,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Found:
    """The nearest line after (1) or before (-1) `at_ns` that has `text` in it.

    Small letters in `text` find capitals as well. A line's moment is that of its end: then all of it is to be
    seen. `stop` is asked now and then whether the answer is still wanted.
    """
    exact = text != text.lower()
    found: int | None = None
    number = total = 0
    for block in _blocks(pieces):
        if stop():
            return Found(None, 0, 0)
        for line in block:
            if text not in (line.text if exact else line.text.lower()):
                continue
            total += 1
            here = line.end_ns
            if here == found or (here < at_ns if direction < 0 else here > at_ns and found is None):
                found, number = here, total
    return Found(found, number, total)


def _blocks(pieces: Iterable[Output]) -> Iterator[tuple[OutputLine, ...]]:
    """All lines, many at once; a block ends with a piece that ends a line, as far as there is one."""
    block: list[Output] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += len(piece.data)
        if size >= BLOCK_BYTES and (piece.data.endswith(b"\n") or size >= 16 * BLOCK_BYTES):
            yield lines_of(block, last=1 << 30)
            block, size = [], 0
    yield lines_of(block, last=1 << 30)

"""Finding a line of the target's output by its text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gilscope.model import Output
from gilscope.views.terminal import OutputLine, lines_of

BLOCK_BYTES = 65_536


def find_line(
    pieces: Iterable[Output],
    text: str,
    at_ns: int,
    direction: int,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> int | None:
    """The moment of the nearest line after (1) or before (-1) `at_ns` that has `text` in it; None: none.

    Small letters in `text` find capitals as well. A line's moment is that of its end: then all of it is to be
    seen. `stop` is asked now and then whether the answer is still wanted.
    """
    exact = text != text.lower()
    found = None
    for block in _blocks(pieces):
        if stop():
            return None
        for line in block:
            if text not in (line.text if exact else line.text.lower()):
                continue
            if direction > 0 and line.end_ns > at_ns:
                return line.end_ns
            if direction < 0 and line.end_ns < at_ns:
                found = line.end_ns
        if direction < 0 and block and block[-1].end_ns >= at_ns:
            return found
    return found


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

"""How cells of the timeline are read: so much at once that a frame can wait for it, as coarse as will do."""

from __future__ import annotations

from typing import Protocol

from gilscope.model import NS_PER_S, Window
from gilscope.views.cells import fold
from gilscope.views.timeline import Timeline

ROWS_PER_FRAME = 2_500
"""So many rows, of lanes and cores, a frame may read for the timeline; about 10 ms."""
TICKS_LEAST = 4
COARSE_TICKS = 2_000
"""A window of more ticks comes in sums by the second, and one of more seconds in sums by the minute."""
HOLDS_TICKS = 100
"""A window of more ticks comes without holds."""
MINUTE_NS = 60 * NS_PER_S


class Windows(Protocol):
    """What is read from; RecordingReader has it."""

    def window(self, start_ns: int, end_ns: int) -> Window: ...  # noqa: D102


def read_cells(
    recording: Windows, held: Timeline, span: tuple[int, int], *, tick_ns: int, rows_a_tick: int
) -> None:
    """Read a part of the cells that `held.missing` asked for, the newest first, and put them there.

    Args:
        recording: gives the windows.
        held: the timeline to fill.
        span: what it misses.
        tick_ns: the length of the recording's ticks.
        rows_a_tick: how many rows a tick has, about.
    """
    first, end = span
    ticks = max(TICKS_LEAST, ROWS_PER_FRAME // max(1, rows_a_tick))
    if held.cell_ns < tick_ns:
        # Turns are seen only with holds, and those come only with short windows.
        ticks = min(ticks, HOLDS_TICKS - 4)
    length_ns, finer_ns = tick_ns, 0
    for coarser_ns in (NS_PER_S, MINUTE_NS):
        if held.cell_ns >= coarser_ns > length_ns:
            length_ns, finer_ns = coarser_ns, length_ns
    count = min(end - first, max(1, ticks * length_ns // held.cell_ns))
    if held.first == held.end or not held.first <= first <= held.end:
        first = end - count
    end = first + count
    start_ns = first * held.cell_ns
    if finer_ns:
        # The sums are enough: a window this long is read from them.
        start_ns = min(start_ns, end * held.cell_ns - (COARSE_TICKS + 1) * finer_ns)
    # A tick that is only partly wanted is laid out by all of its holds, so they are read with a margin.
    margin_ns = tick_ns if held.cell_ns < tick_ns else 0
    window = recording.window(start_ns - margin_ns, end * held.cell_ns + margin_ns)
    held.put(fold(window, held.cell_ns, first, count), window.head_ns)

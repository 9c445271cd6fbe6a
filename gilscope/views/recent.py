"""The newest ticks and holds that were read: windows overlap, and what is past does not change."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Protocol

from gilscope.model import Hold, Tick, Window

HOLDS_TICKS = 100
"""Longer windows come without holds, and maybe in sums: they are not kept."""
KEPT_TICKS, FORGOTTEN_TICKS = 110, 20
"""So many stay, and so many go at once."""


KEPT_LEAST, ROWS_KEPT = 62, 15_000
"""With many lanes and cores fewer stay: of the usual ones two seconds, by which lanes are sorted, and what is
read ahead of the position. With one tick less all of them are read again each second."""


class TickWindows(Protocol):
    """What is read from; RecordingReader has it."""

    def window(self, start_ns: int, end_ns: int, *, ticks_from_ns: int = ...) -> Window: ...  # noqa: D102


class RecentWindows:
    """Gives the same windows as the recording, and reads each tick of the last seconds once."""

    def __init__(self, recording: TickWindows, tick_ns: int) -> None:
        self._recording = recording
        self._tick_ns = tick_ns
        self._from_ns, self._until_ns = 0, -1
        """Between these all is known."""
        self._ticks: deque[Tick] = deque()
        """Without a hole, all that end after `_from_ns`."""
        self._holds: dict[tuple[int, int], Hold] = {}
        """By GIL and start, in order of their start: one that goes on is read again."""

    def window(self, start_ns: int, end_ns: int) -> Window:
        """As the recording's."""
        if end_ns - start_ns > HOLDS_TICKS * self._tick_ns:
            return self._recording.window(start_ns, end_ns)
        if not self._from_ns <= start_ns <= self._until_ns:
            read = self._recording.window(start_ns, end_ns)
            self._ticks.clear()
            self._holds.clear()
            self._from_ns = start_ns
            self._keep(read)
            return read
        read = self._recording.window(start_ns, end_ns, ticks_from_ns=min(self._until_ns, end_ns))
        if end_ns > self._until_ns:
            self._keep(read)
        found = replace(
            read,
            ticks=self._between(start_ns, end_ns),
            holds=tuple(
                hold for hold in self._holds.values() if hold.end_ns > start_ns and hold.start_ns < end_ns
            ),
        )
        self._forget()
        return found

    def ticks(self, start_ns: int, end_ns: int) -> tuple[tuple[Tick, ...], int]:
        """The window's ticks, and a moment until when all is known: read only where they are not kept."""
        if not self._from_ns <= start_ns <= end_ns <= self._until_ns:
            window = self.window(start_ns, end_ns)
            return window.ticks, window.head_ns
        return self._between(start_ns, end_ns), self._until_ns

    def _between(self, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        return tuple(tick for tick in self._ticks if tick.end_ns > start_ns and tick.start_ns < end_ns)

    def _keep(self, read: Window) -> None:
        until_ns = self._ticks[-1].end_ns if self._ticks else -1
        self._ticks.extend(tick for tick in read.ticks if tick.end_ns > until_ns)
        for hold in read.holds:
            self._holds[hold.gil, hold.start_ns] = hold
        # Of a tick that reaches out of the window not all holds were read, and later ones may still come.
        self._until_ns = min(self._ticks[-1].end_ns, read.end_ns) if self._ticks else -1

    def _forget(self) -> None:
        newest = self._ticks[-1] if self._ticks else None
        rows = len(newest.lanes) + len(newest.cores) + 1 if newest else 1
        kept = max(KEPT_LEAST, min(KEPT_TICKS, ROWS_KEPT // rows))
        if len(self._ticks) <= kept + FORGOTTEN_TICKS:
            return
        while len(self._ticks) > kept:
            self._from_ns = self._ticks.popleft().end_ns
        self._holds = {key: hold for key, hold in self._holds.items() if hold.end_ns > self._from_ns}

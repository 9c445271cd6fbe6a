"""The whole session from afar: how much the busiest GIL was held, in a bounded number of buckets. Pure.

While a session grows, buckets become twice as long and half as many: memory stays flat, and nothing that
was read is read again.
"""

from __future__ import annotations

from collections.abc import Iterable

from gilscope.model import NS_PER_MS, NS_PER_S

BUCKETS_MOST = 2_048
FIRST_BUCKET_NS = 50 * NS_PER_MS
COARSE_FROM_NS = NS_PER_S
"""Buckets of this length and more are filled from sums by the second."""


class Overview:
    """Shares by bucket; bucket n is of [n × bucket_ns, (n + 1) × bucket_ns)."""

    def __init__(self, head_ns: int = 0) -> None:
        """Empty, its buckets long enough for a session of this length."""
        self.bucket_ns = FIRST_BUCKET_NS
        while head_ns > BUCKETS_MOST * self.bucket_ns:
            self.bucket_ns *= 2
        self.until_ns = 0
        """How far it is filled."""
        self._held: list[float] = []
        self._watched: list[int] = []

    @property
    def fine(self) -> bool:
        """Whether it wants ticks, not seconds."""
        return self.bucket_ns < COARSE_FROM_NS

    def add(self, rows: Iterable[tuple[int, int, float | None]]) -> None:
        """Add spans with the share that was held in each, in order of time."""
        for start_ns, end_ns, share in rows:
            if end_ns <= self.until_ns or start_ns < 0 or end_ns <= start_ns:
                continue
            while end_ns > BUCKETS_MOST * self.bucket_ns:
                self._halve()
            first, last = start_ns // self.bucket_ns, (end_ns - 1) // self.bucket_ns
            missing = last + 1 - len(self._held)
            if missing > 0:
                self._held += [0.0] * missing
                self._watched += [0] * missing
            self.until_ns = end_ns
            if share is None:
                continue
            for number in range(first, last + 1):
                inside = min(end_ns, (number + 1) * self.bucket_ns) - max(start_ns, number * self.bucket_ns)
                self._held[number] += min(1.0, max(0.0, share)) * inside
                self._watched[number] += inside

    def _halve(self) -> None:
        self.bucket_ns *= 2
        for name in ("_held", "_watched"):
            values = getattr(self, name)
            setattr(self, name, [sum(values[at : at + 2]) for at in range(0, len(values), 2)])

    def columns(self, count: int, first_ns: int, end_ns: int) -> list[float | None]:
        """The share in each of `count` equal parts of a span; None where no GIL was watched."""
        found: list[float | None] = []
        length = max(1, end_ns - first_ns)
        for column in range(count):
            begin = (first_ns + length * column // count) // self.bucket_ns
            end = max(begin + 1, -(-(first_ns + length * (column + 1) // count) // self.bucket_ns))
            watched = sum(self._watched[begin:end])
            found.append(sum(self._held[begin:end]) / watched if watched else None)
        return found

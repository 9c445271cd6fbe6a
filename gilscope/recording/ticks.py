"""The tick tables of a recording and their roll-ups: finding the ticks of a span, as fine as it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gilscope.model import CoreTick, GilTick, LaneTick, Session, Tick
from gilscope.recording import schema
from gilscope.recording.bulk import by_tick, made
from gilscope.recording.opening import Rows

COARSE_FROM_TICKS = 2_000
"""A window of more ticks than this is read from the 1 s roll-up, and of more of those from the 60 s one."""


class TickTables:
    """Ticks of one open recording."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def for_view(self, session: Session, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        """Those that overlap a span; coarser where it has very many."""
        return self._ticks(self._table_for(session, end_ns - start_ns), start_ns, end_ns)

    @staticmethod
    def _table_for(session: Session, span_ns: int) -> str:
        lengths = [("", session.tick_ns), *schema.ROLLUPS]
        for suffix, length_ns in lengths:
            if span_ns <= COARSE_FROM_TICKS * length_ns:
                return suffix
        return lengths[-1][0]

    def each(self, *, chunk: int = 2_000) -> Iterator[Tick]:
        """All ticks in order, a chunk at a time: memory does not grow with the file."""
        first: int | None = 0
        while first is not None:
            with self._rows.one_moment():
                ticks = self._ticks_between("", first, first + chunk - 1)
                first = self._rows.one("SELECT idx FROM tick WHERE idx >= ? LIMIT 1", (first + chunk,))
            yield from ticks

    def coarse(self, end_ns: int, start_ns: int = -1) -> tuple[Tick, ...]:
        """The ticks that start in a span, as coarse as they come: a few rows an hour, with the same sums."""
        with self._rows.one_moment():
            return self._coarse(len(schema.ROLLUPS), start_ns, end_ns)

    def _coarse(self, level: int, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        """Level 0 is the ticks themselves, others their roll-ups."""
        if start_ns >= end_ns:
            return ()
        if level == 0:
            return tuple(
                tick for tick in self._overlapping("", start_ns, end_ns) if tick.start_ns >= start_ns
            )
        # A second, or minute, that reaches out of the span is taken in smaller pieces, as is what is not
        # rolled up yet.
        found = tuple(
            tick
            for tick in self._overlapping(schema.ROLLUPS[level - 1][0], start_ns, end_ns)
            if tick.start_ns >= start_ns and tick.end_ns <= end_ns
        )
        if not found:
            return self._coarse(level - 1, start_ns, end_ns)
        return (
            *self._coarse(level - 1, start_ns, found[0].start_ns),
            *found,
            *self._coarse(level - 1, found[-1].end_ns, end_ns),
        )

    def whole(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """A span, widened to the borders of the ticks at its ends."""
        first, last = self.first_from(start_ns + 1), self.first_from(end_ns)
        begin = self._rows.one("SELECT start_ns FROM tick WHERE idx = ?", (first,))
        end = self._rows.one("SELECT end_ns FROM tick WHERE idx = ?", (last,))
        return (
            start_ns if begin is None else min(start_ns, begin),
            end_ns if end is None else max(end_ns, end),
        )

    def _ticks(self, suffix: str, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        ticks = self._overlapping(suffix, start_ns, end_ns)
        # The newest second, or minute, is not rolled up yet.
        return ticks + self._finer_ticks(
            suffix, max(start_ns, ticks[-1].end_ns) if ticks else start_ns, end_ns
        )

    def _overlapping(self, suffix: str, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        """The ticks of one table that overlap a span."""
        span = self.indexes(suffix, start_ns, end_ns)
        if span is None:
            return ()
        return tuple(tick for tick in self._ticks_between(suffix, *span) if tick.start_ns < end_ns)

    def indexes(self, suffix: str, start_ns: int, end_ns: int) -> tuple[int, int] | None:
        """The first and the last tick of a table that overlap a span, maybe one too many at its end."""
        first = self.first_from(start_ns + 1, suffix)
        if first is None:
            return None
        last = self.first_from(end_ns, suffix)
        if last is None:
            last = int(self._rows.one(f"SELECT max(idx) FROM tick{suffix}"))
        return first, last

    def _finer_ticks(self, suffix: str, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        if not suffix or start_ns >= end_ns:
            return ()
        return self._ticks({"_1s": "", "_60s": "_1s"}[suffix], start_ns, end_ns)

    def first_from(self, at_ns: int, suffix: str = "") -> int | None:
        """Index of the first tick that ends at or after a moment, found by halves: no index to keep up."""
        low = 0
        high = int(self._rows.one(f"SELECT max(idx) FROM tick{suffix}") or 0) + 1
        # Most ticks are as long as each other, so that the first guesses mostly hit.
        for guess in self._guesses(suffix, at_ns):
            if not low <= guess < high:
                continue
            row = self._tick_from(suffix, guess)
            if row is None or row[1] >= at_ns:
                high = guess
            else:
                low = row[0] + 1
        while low < high:
            middle = (low + high) // 2
            row = self._tick_from(suffix, middle)
            if row is None or row[1] >= at_ns:
                high = middle
            else:
                low = row[0] + 1
        found = self._rows.one(f"SELECT idx FROM tick{suffix} WHERE idx >= ? LIMIT 1", (low,))
        return None if found is None else int(found)

    def _tick_from(self, suffix: str, index: int) -> tuple[int, int] | None:
        """Index and end of the first tick with this index or a greater one."""
        rows = self._rows.all(f"SELECT idx, end_ns FROM tick{suffix} WHERE idx >= ? LIMIT 1", (index,))
        return rows[0] if rows else None

    def _guesses(self, suffix: str, at_ns: int) -> tuple[int, ...]:
        """Indexes around the tick that would end at a moment, were all of one length."""
        length_ns = dict(schema.ROLLUPS).get(suffix) or self._rows.one(
            "SELECT value FROM meta WHERE key = 'tick_ns'"
        )
        if not isinstance(length_ns, int) or length_ns <= 0:
            return ()  # a damaged file
        middle = at_ns // length_ns
        return (middle - 2, middle + 2, middle, middle - 1, middle + 1)

    def _ticks_between(self, suffix: str, first: int, last: int) -> tuple[Tick, ...]:
        span = (first, last)
        gils: dict[int, list[GilTick]] = {}
        for index, *values in self._rows.all(
            "SELECT tick, gil, samples, locked_samples, watched_ns, held_ns, contended_ns, waiter_ns,"
            " waiters_max, handoffs, handoffs_seen, longest_hold_ns, holder"
            f" FROM gil_tick{suffix} WHERE tick BETWEEN ? AND ? ORDER BY tick, gil",
            span,
        ):
            gils.setdefault(index, []).append(_gil_tick(values))
        lanes = self._lanes_between(suffix, span)
        cores = self._cores_between(suffix, span)
        rows = self._rows.all(
            f"SELECT idx, start_ns, end_ns FROM tick{suffix} WHERE idx BETWEEN ? AND ? ORDER BY idx",
            span,
        )
        return tuple(
            Tick(
                index=index, start_ns=start, end_ns=end, gils=tuple(gils.get(index, ())),
                lanes=lanes.get(index, ()), cores=cores.get(index, ()),
            )
            for index, start, end in rows
        )  # fmt: skip

    def _lanes_between(self, suffix: str, span: tuple[int, int]) -> dict[int, tuple[LaneTick, ...]]:
        rows = self._rows.all(
            f"SELECT * FROM lane_tick{suffix} WHERE tick BETWEEN ? AND ? ORDER BY tick, lane", span
        )
        if not rows:
            return {}
        ticks, lanes, *states, held, cores = zip(*rows, strict=True)
        return by_tick(ticks, made(LaneTick, (lanes, list(zip(*states, strict=True)), held, cores)))

    def _cores_between(self, suffix: str, span: tuple[int, int]) -> dict[int, tuple[CoreTick, ...]]:
        rows = self._rows.all(
            f"SELECT * FROM core_tick{suffix} WHERE tick BETWEEN ? AND ? ORDER BY tick, core", span
        )
        if not rows:
            return {}
        ticks, cores, busy, lanes, shares = zip(*rows, strict=True)
        return by_tick(ticks, made(CoreTick, (cores, busy, lanes, shares)))


def _gil_tick(values: list[Any]) -> GilTick:
    gil, samples, locked, watched, held, contended, waiter, w_max, handoffs, seen, longest, holder = values
    return GilTick(
        gil=gil, samples=samples, locked_samples=locked, watched_ns=watched, held_ns=held,
        contended_ns=contended, waiter_ns=waiter, waiters_max=w_max, handoffs=handoffs,
        handoffs_seen=seen, longest_hold_ns=longest, holder=holder,
    )  # fmt: skip

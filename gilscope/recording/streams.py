"""A recording from its first row to its last, piece by piece: what exports are made of.

Nothing here grows with the length of a recording. A recording that is still written is read as far as it
reached when it was opened, so that a format that needs several passes sees the same rows in each.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gilscope.model import Event, Frame, Hold, ProcessTick, Tick
from gilscope.recording.opening import text
from gilscope.recording.reader import RecordingReader

CHUNK_TICKS = 500
"""So many ticks are in memory at once."""
SPANS_KEPT = 64
"""For so many spans of stacks the held times are kept: the stacks of several lanes share their spans."""
DEEPEST = 1_000
"""Frames of a stack at most: a damaged file may hold a ring."""

Step = tuple[Tick, tuple[Hold, ...]]
"""A tick, and the holds that overlap it, in order of time."""


class RecordingStreams(RecordingReader):
    """A reader that also iterates over everything."""

    def __init__(self, path: Path, *, checked: bool = False) -> None:
        """Open and check `path`.

        Args:
            path: the recording.
            checked: another reader has checked every page of it just now.

        Raises:
            RecordingError: as RecordingReader does.
        """
        super().__init__(path, live=checked)
        self.until_ns = self.head_ns()
        """The end of what is read."""
        self._last_stack = int(self._value("SELECT max(id) FROM stack_sample") or 0)
        self._held: dict[tuple[int, int], dict[int, float]] = {}

    def _each(self, sql: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, one by one; all queries of this class go through here."""
        return self._db.each(sql, values)

    def _value(self, sql: str, values: tuple[object, ...] = ()) -> Any:
        return next(self._each(sql, values), (None,))[0]

    # --- tables as they are ---

    def tables(self) -> tuple[str, ...]:
        """Names of all tables, sorted."""
        return tuple(
            row[0] for row in self._each("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        )

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of the columns of a table."""
        return tuple(row[0] for row in self._each("SELECT name FROM pragma_table_info(?)", (table,)))

    def rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        """All rows of one of `tables()`, in the order in which they are stored."""
        if table not in self.tables():
            raise ValueError(table)
        return self._each(f"SELECT * FROM {table}")

    # --- ticks and holds ---

    def tick_count(self) -> int:
        """How many ticks there are."""
        return int(self._value("SELECT count(*) FROM tick"))

    def holds(self, gil: int) -> Iterator[Hold]:
        """The holds of one GIL in order of time; none overlaps the next, none is longer than the file."""
        held: Hold | None = None
        for lane, start, end in self._each(
            "SELECT lane, start_ns, end_ns FROM hold WHERE gil = ? AND start_ns < ? ORDER BY start_ns",
            (gil, self.until_ns),
        ):
            if held is not None:
                yield held if held.end_ns <= start else _ending(held, start)
            held = Hold(gil=gil, lane=lane, start_ns=start, end_ns=max(start, min(end, self.until_ns)))
        if held is not None:
            yield held

    def all_holds(self) -> Iterator[Hold]:
        """The holds of all GILs, in order of their start."""
        return heapq.merge(*(self.holds(gil.key) for gil in self.gils()), key=lambda hold: hold.start_ns)

    def steps(self) -> Iterator[Step]:
        """All ticks in order of time, each with its holds."""
        return with_holds(
            (tick for tick in self.ticks(chunk=CHUNK_TICKS) if tick.start_ns < self.until_ns),
            self.all_holds(),
        )

    def held_between(self, start_ns: int, end_ns: int) -> dict[int, float]:
        """By lane: the nanoseconds in which it held a GIL in a span, ticks at its ends taken in part."""
        known = self._held.get((start_ns, end_ns))
        if known is None:
            if len(self._held) >= SPANS_KEPT:
                self._held.clear()
            known = self._held[start_ns, end_ns] = self._sum_held(start_ns, end_ns)
        return known

    def _sum_held(self, start_ns: int, end_ns: int) -> dict[int, float]:
        held: dict[int, float] = {}
        for lane, ns, since, until in self._each(
            "SELECT lane, held_ns, start_ns, end_ns FROM tick JOIN lane_tick ON tick = idx"
            " WHERE idx BETWEEN ? AND ? AND held_ns > 0",
            (self._tick_at(start_ns), self._tick_at(end_ns)),
        ):
            inside = min(until, end_ns) - max(since, start_ns)
            if inside > 0:
                held[lane] = held.get(lane, 0.0) + ns * inside / (until - since)
        return held

    def _tick_at(self, at_ns: int) -> int:
        """Index of the first tick that ends behind a moment (of the last one, if none does), by halves."""
        low, high = 0, int(self._value("SELECT max(idx) FROM tick") or 0)
        while low < high:
            middle = (low + high) // 2
            row = next(
                self._each("SELECT idx, end_ns FROM tick WHERE idx >= ? ORDER BY idx LIMIT 1", (middle,)),
                None,
            )
            if row is None or row[1] > at_ns:
                high = middle
            else:
                low = row[0] + 1
        return low

    # --- stacks ---

    def lanes_with_stacks(self) -> tuple[int, ...]:
        """Keys of the lanes of which there are stacks."""
        rows = self._each(
            "SELECT DISTINCT lane FROM stack_sample WHERE id <= ? ORDER BY lane", (self._last_stack,)
        )
        return tuple(row[0] for row in rows)

    def any_held(self) -> bool:
        """Whether any lane was seen to hold a GIL."""
        return self._value("SELECT 1 FROM lane_tick WHERE held_ns > 0 LIMIT 1") is not None

    def stack_spans(self) -> Iterator[tuple[int, int, int]]:
        """Lane, start and end of all spans of which there are stacks."""
        return self._each(
            "SELECT DISTINCT lane, start_ns, end_ns FROM stack_sample WHERE id <= ?", (self._last_stack,)
        )

    def stacks_between(self, lane: int, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """The stacks of one lane in just this span: key of the stack, how often it was seen."""
        rows = self._each(
            "SELECT stack, count FROM stack_sample"
            " WHERE end_ns = ? AND start_ns = ? AND lane = ? AND id <= ? AND count > 0 ORDER BY id",
            (end_ns, start_ns, lane, self._last_stack),
        )
        return [(stack, count) for stack, count in rows]

    def frame_rows(self) -> Iterator[tuple[int, Frame]]:
        """All frames with their keys."""
        for key, function, file, line in self._each(
            f"SELECT id, {text('function')}, {text('file')}, line FROM frame ORDER BY id"
        ):
            yield key, Frame(function=function, file=file, line=line)

    def stack_rows(self) -> Iterator[tuple[int, int, int]]:
        """Of all stacks: its key, that of its outer part (0: none), and that of its innermost frame."""
        return self._each("SELECT id, parent, frame FROM stack ORDER BY id")

    def frame_keys(self, stack: int) -> tuple[int, ...]:
        """Keys of the frames of a stack, outermost first."""
        found: list[int] = []
        while stack and len(found) < DEEPEST:
            row = next(self._each("SELECT parent, frame FROM stack WHERE id = ?", (stack,)), None)
            if row is None:
                break
            stack = row[0]
            found.append(row[1])
        return tuple(reversed(found))

    # --- what happened ---

    def each_event(self) -> Iterator[Event]:
        """All events, in order of time."""
        for at, kind, process, lane, words in self._each(
            f"SELECT at_ns, {text('kind')}, process, lane, {text('text')} FROM event ORDER BY at_ns, id"
        ):
            yield Event(at_ns=at, kind=kind, process=process, lane=lane, text=words)

    def each_process_tick(self) -> Iterator[ProcessTick]:
        """All readings of what processes cost, those of a process in order of time."""
        for at, process, cpu, rss, pss, uss, threads in self._each(
            "SELECT at_ns, process, cpu_ns, rss_bytes, pss_bytes, uss_bytes, threads FROM process_tick"
        ):
            yield ProcessTick(
                process=process, at_ns=at, cpu_ns=cpu, rss_bytes=rss, pss_bytes=pss, uss_bytes=uss,
                threads=threads,
            )  # fmt: skip

    def each_mark(self) -> Iterator[tuple[int, str]]:
        """Moments that a user marked, with their notes, in order of time."""
        if "mark" in self.tables():
            yield from self._each(f"SELECT at_ns, {text('text')} FROM mark ORDER BY at_ns, id")

    def each_stall(self) -> Iterator[tuple[int, int | None, int, int, int, int | None]]:
        """Stalls in order of time: GIL, lane, start, end, most waiters, key of the stack that was caught."""
        if "stall" in self.tables():
            yield from self._each(
                "SELECT gil, lane, start_ns, end_ns, waiters_max, stack FROM stall ORDER BY start_ns, id"
            )


def with_holds(ticks: Iterable[Tick], holds: Iterable[Hold]) -> Iterator[Step]:
    """Each tick with the holds that overlap it; both come, and go, in order of time."""
    coming = iter(holds)
    following = next(coming, None)
    open_ones: list[Hold] = []
    for tick in ticks:
        open_ones = [hold for hold in open_ones if hold.end_ns > tick.start_ns]
        while following is not None and following.start_ns < tick.end_ns:
            if following.end_ns > tick.start_ns:
                open_ones.append(following)
            following = next(coming, None)
        yield tick, tuple(open_ones)


def _ending(hold: Hold, end_ns: int) -> Hold:
    return Hold(gil=hold.gil, lane=hold.lane, start_ns=hold.start_ns, end_ns=end_ns)

"""Reads recordings, finished or still growing.

The same reader serves the live screen, replay, reports and exports.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gilscope.errors import RecordingError
from gilscope.model import (
    Event,
    Frame,
    Gap,
    Gil,
    Hold,
    Lane,
    Mark,
    Output,
    Process,
    ProcessTick,
    Session,
    StackSample,
    Stall,
    Tick,
    WaitingStack,
    Window,
)
from gilscope.recording.bulk import made
from gilscope.recording.opening import open_recording, text
from gilscope.recording.places import Places
from gilscope.recording.ticks import TickTables

STACKS_NS = 12_000_000_000
"""How far back from a window's end stacks are gathered."""


class RecordingReader:
    """Reads one recording. Each answer is of one moment: no writer's commit falls in the middle of it."""

    def __init__(self, path: Path, *, live: bool = False, pages: bool = True) -> None:
        """Open and check `path`.

        Args:
            path: the recording.
            live: it is being written by a sampler of ours; skip the check of every page and row.
            pages: check every page; what rests on one that is damaged raises anything without.

        Raises:
            RecordingError: it is no recording, a damaged one, or one of a newer gilscope.
        """
        self.path = path
        self._db = open_recording(path, live=live, pages=pages)
        self._ticks = TickTables(self._db)
        self.places = Places(self._db, self._ticks)
        self._stacks: dict[int, tuple[Frame, ...]] = {}
        self._links: dict[int, tuple[int, Frame] | None] = {}
        """By stack, what `_link_of` says of it: most stacks share most of their frames."""
        self._cached_at: object = None
        self._cached: tuple[tuple[Process, ...], tuple[Lane, ...], tuple[Gil, ...]] = ((), (), ())

    def close(self) -> None:
        """Close the file. The last to close a finished live recording folds its WAL file in."""
        self._db.close()

    @property
    def written_with(self) -> int:
        """The schema version that it was written with; what later ones brought is empty in it."""
        return self._db.version

    def making_sense(self) -> contextlib.AbstractContextManager[None]:
        """Counting with rows that were not checked (`live`) raises RecordingError and nothing else."""
        return self._db.making_sense()

    def session(self) -> Session:
        """What the recording is of."""
        with self._db.one_moment():
            return self._session()

    def _session(self) -> Session:
        values = dict(self._db.each(f"SELECT {text('key')}, {text('value')} FROM meta"))
        known = {field.name: str(field.type) for field in dataclasses.fields(Session)}
        fields = {key: value for key, value in values.items() if key in known}
        wrong = next((key for key, value in fields.items() if not _fits(value, known[key])), None)
        if wrong is not None:
            raise RecordingError(f"{self.path} is damaged: the {wrong} in its description is none.")
        try:
            return Session(**fields)
        except TypeError as error:
            raise RecordingError(f"{self.path} is damaged: its description lacks fields.") from error

    def head_ns(self) -> int:
        """The newest recorded moment."""
        with self._db.making_sense():
            return int(self._db.one("SELECT end_ns FROM tick ORDER BY idx DESC LIMIT 1") or 0)

    def first_ns(self) -> int:
        """The oldest moment that is kept; 0 where nothing was let go."""
        with self._db.making_sense():
            return int(self._db.one("SELECT start_ns FROM tick ORDER BY idx LIMIT 1") or 0)

    def processes(self) -> tuple[Process, ...]:
        """All processes, in order of their start."""
        rows = self._db.each(
            f"SELECT key, pid, ppid, {text('command')}, {text('python')}, start_ns, end_ns, exit_code,"
            f" cpu_ns, {text('name')} FROM process ORDER BY key"
        )
        return tuple(
            Process(
                key=key, pid=pid, ppid=ppid, command=command, python=python,
                start_ns=start, end_ns=end, exit_code=code, cpu_ns=cpu, name=name,
            )
            for key, pid, ppid, command, python, start, end, code, cpu, name in rows
        )  # fmt: skip

    def lanes(self) -> tuple[Lane, ...]:
        """All lanes, in order of their start."""
        rows = self._db.each(
            f"SELECT key, process, tid, {text('kind')}, {text('name')}, start_ns, end_ns, cpu_ns FROM thread"
            " ORDER BY key"
        )
        return tuple(
            Lane(
                key=key, process=process, tid=tid, kind=kind, name=name,
                start_ns=start, end_ns=end, cpu_ns=cpu,
            )
            for key, process, tid, kind, name, start, end, cpu in rows
        )  # fmt: skip

    def gils(self) -> tuple[Gil, ...]:
        """All GILs, in the order in which they were found."""
        rows = self._db.each(
            f"SELECT key, process, interpreter, {text('kind')}, switch_interval_us, {text('source')}"
            " FROM interpreter ORDER BY key"
        )
        return tuple(
            Gil(
                key=key, process=process, interpreter=number, kind=kind,
                switch_interval_us=interval, source=source,
            )
            for key, process, number, kind, interval, source in rows
        )  # fmt: skip

    def window(self, start_ns: int, end_ns: int, *, ticks_from_ns: int = 0) -> Window:
        """All that a view needs of a span; ticks come coarser where the span has very many.

        Args:
            start_ns: of the span.
            end_ns: of the span.
            ticks_from_ns: ticks and holds before this moment are known, and left out.
        """
        with self._db.one_moment():
            session = self._session()
            processes, lanes, gils = self._things()
            return Window(
                session=session,
                start_ns=start_ns,
                end_ns=end_ns,
                head_ns=self.head_ns(),
                processes=tuple(p for p in processes if p.start_ns <= end_ns),
                lanes=tuple(n for n in lanes if n.start_ns <= end_ns),
                gils=gils,
                ticks=self._ticks.for_view(session, max(start_ns, ticks_from_ns), end_ns),
                holds=self._holds(gils, max(start_ns, ticks_from_ns), end_ns)
                if end_ns - start_ns <= 100 * session.tick_ns
                else (),
                gaps=self._gaps(start_ns, end_ns),
                events=self._events(start_ns, end_ns),
                stacks=self._stack_samples(end_ns - STACKS_NS, end_ns),
                process_ticks=self._last_process_ticks(processes, end_ns),
            )

    def _things(self) -> tuple[tuple[Process, ...], tuple[Lane, ...], tuple[Gil, ...]]:
        """Processes, lanes and GILs, read again only when the writer has changed one."""
        changes = self._db.one("SELECT value FROM meta WHERE key = 'changes'")
        if changes is None or changes != self._cached_at:
            self._cached = (self.processes(), self.lanes(), self.gils())
            self._cached_at = changes
        return self._cached

    def ticks(self, *, chunk: int = 2_000) -> Iterator[Tick]:
        """All ticks in order, a chunk at a time: memory does not grow with the file."""
        return self._ticks.each(chunk=chunk)

    def coarse_ticks(self, end_ns: int, *, start_ns: int = -1) -> tuple[Tick, ...]:
        """The ticks that start in a span, as coarse as they come: a few rows an hour, with the same sums."""
        return self._ticks.coarse(end_ns, start_ns)

    def whole_ticks(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """A span, widened to the borders of the ticks at its ends: of less there are no figures."""
        with self._db.one_moment():
            return self._ticks.whole(start_ns, end_ns)

    def _holds(self, gils: tuple[Gil, ...], start_ns: int, end_ns: int) -> tuple[Hold, ...]:
        holds: list[Hold] = []
        for gil in gils:
            before = self._db.one(
                "SELECT max(start_ns) FROM hold WHERE gil = ? AND start_ns <= ?", (gil.key, start_ns)
            )
            rows = self._db.all(
                "SELECT gil, lane, start_ns, end_ns FROM hold"
                " WHERE gil = ? AND start_ns >= ? AND start_ns < ? AND end_ns > ? ORDER BY start_ns",
                (gil.key, start_ns if before is None else before, end_ns, start_ns),
            )
            holds += made(Hold, tuple(zip(*rows, strict=True)))
        holds.sort(key=lambda hold: hold.start_ns)
        return tuple(holds)

    def gaps(self, start_ns: int = -1, end_ns: int = 1 << 62) -> tuple[Gap, ...]:
        """The gaps that reach into a span, as they were written; without a span, all."""
        return self._gaps(start_ns, end_ns)

    def _gaps(self, start_ns: int, end_ns: int) -> tuple[Gap, ...]:
        rows = self._db.each(
            f"SELECT {text('source')}, pid, {text('reason')}, start_ns, end_ns FROM gap"
            " WHERE start_ns < ? AND end_ns > ?"
            " ORDER BY id",
            (end_ns, start_ns),
        )
        return tuple(
            Gap(source=source, pid=pid, reason=reason, start_ns=start, end_ns=end)
            for source, pid, reason, start, end in rows
        )

    def events(self, start_ns: int = -1, end_ns: int = 1 << 62) -> tuple[Event, ...]:
        """The events of a span, in order of time; without a span, all."""
        return self._events(start_ns, end_ns)

    def _events(self, start_ns: int, end_ns: int) -> tuple[Event, ...]:
        rows = self._db.each(
            f"SELECT at_ns, {text('kind')}, process, lane, {text('text')} FROM event"
            " WHERE at_ns >= ? AND at_ns < ?"
            " ORDER BY at_ns, id",
            (start_ns, end_ns),
        )
        return tuple(
            Event(at_ns=at, kind=kind, process=process, lane=lane, text=words)
            for at, kind, process, lane, words in rows
        )

    def stack_samples(self, start_ns: int = -1, end_ns: int = 1 << 62) -> tuple[StackSample, ...]:
        """The stacks that overlap a span, with their counts; without a span, all."""
        return self._stack_samples(start_ns, end_ns)

    def stack_count(self) -> int:
        """How many stacks there are, each as often as it was seen."""
        return int(self._db.one("SELECT coalesce(sum(count), 0) FROM stack_sample"))

    def waiting_stacks(self, start_ns: int = -1, end_ns: int = 1 << 62) -> tuple[WaitingStack, ...]:
        """Where threads were that waited at moments of a span; without a span, all."""
        rows = self._db.each(
            "SELECT lane, at_ns, stack FROM waiting_stack WHERE at_ns >= ? AND at_ns < ? ORDER BY at_ns, id",
            (start_ns, end_ns),
        )
        found = (WaitingStack(lane=lane, at_ns=at, frames=self._frames_of(stack)) for lane, at, stack in rows)
        return tuple(stack for stack in found if stack.frames)

    def _stack_samples(self, start_ns: int, end_ns: int) -> tuple[StackSample, ...]:
        rows = self._db.all(
            "SELECT lane, start_ns, end_ns, count, stack FROM stack_sample WHERE end_ns > ? AND start_ns < ?"
            " ORDER BY id",
            (start_ns, end_ns),
        )
        if not rows:
            return ()
        *columns, stacks = zip(*rows, strict=True)
        return tuple(made(StackSample, (*columns, tuple(map(self._frames_of, stacks)))))

    def _frames_of(self, stack: int) -> tuple[Frame, ...]:
        known = self._stacks.get(stack)
        if known is not None:
            return known
        frames: list[Frame] = []
        parent = stack
        while parent and len(frames) < 1_000:  # a damaged file may hold a ring
            if parent not in self._links:
                self._links[parent] = self._link_of(parent)
            link = self._links[parent]
            if link is None:
                break
            parent, frame = link
            frames.append(frame)
        self._stacks[stack] = tuple(reversed(frames))
        return self._stacks[stack]

    def _link_of(self, stack: int) -> tuple[int, Frame] | None:
        """Of a stack, its outer part (0: none) and its innermost frame."""
        sql = (
            f"SELECT stack.parent, {text('function')}, {text('file')}, line FROM stack"
            " JOIN frame ON frame.id = stack.frame WHERE stack.id = ?"
        )
        rows = self._db.all(sql, (stack,))
        return (rows[0][0], Frame(function=rows[0][1], file=rows[0][2], line=rows[0][3])) if rows else None

    def stalls(self, start_ns: int = -1, end_ns: int = 1 << 62) -> tuple[Stall, ...]:
        """The stalls that overlap a span, in order of their start; without a span, all."""
        rows = self._db.all(
            "SELECT gil, lane, start_ns, end_ns, waiters_mean, waiters_max, stack FROM stall"
            " WHERE start_ns < ? AND end_ns > ? ORDER BY start_ns, id",
            (end_ns, start_ns),
        )
        return tuple(
            Stall(
                gil=gil, lane=lane, start_ns=start, end_ns=end, waiters_mean=mean, waiters_max=most,
                frames=() if stack is None else self._frames_of(stack),
            )
            for gil, lane, start, end, mean, most, stack in rows
        )  # fmt: skip

    def marks(self) -> tuple[Mark, ...]:
        """All marks, in order of time."""
        rows = self._db.all(f"SELECT at_ns, {text('text')} FROM mark ORDER BY at_ns, id")
        return tuple(Mark(at_ns=at, text=note) for at, note in rows)

    def process_ticks(self, start_ns: int | None = None, end_ns: int = 1 << 62) -> tuple[ProcessTick, ...]:
        """All readings of what processes cost, or those of a span and the last of each process before."""
        if start_ns is None:
            rows = self._db.each("SELECT * FROM process_tick ORDER BY at_ns, process")
            return tuple(_process_tick(row) for row in rows)
        found = list(self._last_process_ticks(self.processes(), start_ns - 1))
        for process in self.processes():
            rows = self._db.each(
                "SELECT * FROM process_tick WHERE process = ? AND at_ns >= ? AND at_ns < ?",
                (process.key, start_ns, end_ns),
            )
            found += [_process_tick(row) for row in rows]
        return tuple(sorted(found, key=lambda tick: (tick.at_ns, tick.process)))

    def _last_process_ticks(self, processes: tuple[Process, ...], at_ns: int) -> tuple[ProcessTick, ...]:
        found: list[tuple[Any, ...]] = []
        for process in processes:
            found += self._db.each(
                "SELECT * FROM process_tick WHERE process = ? AND at_ns <= ? ORDER BY at_ns DESC LIMIT 1",
                (process.key, at_ns),
            )
        return tuple(_process_tick(row) for row in found)

    def output_until(self, at_ns: int, *, max_bytes: int = 65_536) -> tuple[Output, ...]:
        """The newest output at or before a moment, in order of time, about `max_bytes` of it."""
        pieces: list[Output] = []
        size = 0
        for at, data in self._db.each(
            "SELECT at_ns, data FROM output WHERE at_ns <= ? ORDER BY at_ns DESC, id DESC", (at_ns,)
        ):
            pieces.append(Output(at_ns=at, data=data))
            size += len(data)
            if size >= max_bytes:
                break
        return tuple(reversed(pieces))

    def output(self) -> Iterator[Output]:
        """All output, in order of time."""
        for at, data in self._db.each("SELECT at_ns, data FROM output ORDER BY id"):
            yield Output(at_ns=at, data=data)

    def output_size(self, at_ns: int) -> int:
        """Number of the newest piece of output up to a moment: changes when there is something new."""
        sql = "SELECT id FROM output WHERE at_ns <= ? ORDER BY at_ns DESC, id DESC LIMIT 1"
        return int(self._db.one(sql, (at_ns,)) or 0)


def _fits(value: object, annotation: str) -> bool:
    """Whether a value of the meta table, which has no types, is what a field of Session holds."""
    kind, _, optional = annotation.partition(" | ")
    if value is None:
        return optional == "None"
    if kind == "str":
        return isinstance(value, str)
    return isinstance(value, int if kind == "int" else int | float) and 0 <= value < 1 << 63


def _process_tick(row: tuple[Any, ...]) -> ProcessTick:
    at, process, cpu, rss, pss, uss, threads = row
    return ProcessTick(
        process=process, at_ns=at, cpu_ns=cpu, rss_bytes=rss, pss_bytes=pss, uss_bytes=uss, threads=threads
    )

"""Reads recordings, finished or still growing. A recording is data from a stranger: it is checked first.

The same reader serves the live screen, replay, reports and exports.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gilscope.errors import RecordingError
from gilscope.model import (
    CoreTick,
    Event,
    Frame,
    Gap,
    Gil,
    GilTick,
    Hold,
    Lane,
    LaneTick,
    Output,
    Process,
    ProcessTick,
    Session,
    StackSample,
    Tick,
    Window,
)
from gilscope.recording import schema
from gilscope.text import clean

COARSE_FROM_TICKS = 2_000
"""A window of more ticks than this is read from the 1 s roll-up, and of more of those from the 60 s one."""
STACKS_NS = 12_000_000_000
"""How far back from a window's end stacks are gathered."""

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What it raises for a damaged file: its own message may quote bytes that are no text."""


class RecordingReader:
    """Reads one recording. Each answer is of one moment: no writer's commit falls in the middle of it."""

    def __init__(self, path: Path, *, live: bool = False) -> None:
        """Open and check `path`.

        Args:
            path: the recording.
            live: it is being written by a sampler of ours; skip the check of every page.

        Raises:
            RecordingError: it is no recording, a damaged one, or one of a newer gilscope.
        """
        self.path = path
        with contextlib.ExitStack() as undo:
            try:
                self._db = _connect(path)
                undo.callback(self._db.close)
                self._check(full=not live)
            except OSError as error:
                raise RecordingError(f"Cannot read {path}: {error.strerror}.") from error
            except SQLITE_ERRORS as error:
                raise RecordingError(_damaged(path, error)) from error
            undo.pop_all()
        self._stacks: dict[int, tuple[Frame, ...]] = {}
        self._cached_at: object = None
        self._cached: tuple[tuple[Process, ...], tuple[Lane, ...], tuple[Gil, ...]] = ((), (), ())

    def _check(self, *, full: bool) -> None:
        if self._one("PRAGMA application_id") != schema.APPLICATION_ID:
            raise RecordingError(
                f"{self.path} is no recording of gilscope.\nRecordings end in .gilscope: gilscope recordings"
            )
        version = schema.version_of(self._db)
        if version > schema.VERSION:
            raise RecordingError(
                f"{self.path} was made by a newer gilscope (schema {version}, this one reads up to "
                f"{schema.VERSION}).\nUpgrade gilscope to read it."
            )
        if version < schema.VERSION:
            raise RecordingError(f"{self.path} is damaged: there is no schema {version}.")
        if schema.objects(self._db) != schema.expected_objects():
            raise RecordingError(
                f"{self.path} has tables that gilscope did not make, so it is not trusted.\n"
                "Only a file that gilscope wrote can be replayed."
            )
        if full and self._one("PRAGMA quick_check(1)") != "ok":
            raise RecordingError(f"{self.path} is damaged: SQLite's check of its pages failed.")

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """All reads go through here: what SQLite finds wrong with a file becomes an error of ours."""
        try:
            # Not `yield from`, which would close a cursor that is left half read, maybe after its database.
            for row in self._db.execute(sql, values):  # noqa: UP028
                yield row
        except SQLITE_ERRORS as error:
            raise RecordingError(_damaged(self.path, error)) from error

    def _all(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The same at once, which is much faster where there are not very many."""
        try:
            return self._db.execute(sql, values).fetchall()
        except SQLITE_ERRORS as error:
            raise RecordingError(_damaged(self.path, error)) from error

    def _one(self, sql: str, values: tuple[object, ...] = ()) -> Any:
        try:
            row = self._db.execute(sql, values).fetchone()
        except SQLITE_ERRORS as error:
            raise RecordingError(_damaged(self.path, error)) from error
        return None if row is None else row[0]

    @contextlib.contextmanager
    def _one_moment(self) -> Iterator[None]:
        """All reads inside see the same state of the file."""
        self._all("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file. The last to close a finished live recording folds its WAL file in."""
        self._db.close()

    def session(self) -> Session:
        """What the recording is of."""
        with self._one_moment():
            return self._session()

    def _session(self) -> Session:
        values = dict(self._rows("SELECT key, value FROM meta"))
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
        return int(self._one("SELECT end_ns FROM tick ORDER BY idx DESC LIMIT 1") or 0)

    def processes(self) -> tuple[Process, ...]:
        """All processes, in order of their start."""
        rows = self._rows(
            "SELECT key, pid, ppid, command, python, start_ns, end_ns, exit_code, cpu_ns FROM process"
            " ORDER BY key"
        )
        return tuple(
            Process(
                key=key, pid=pid, ppid=ppid, command=command, python=python,
                start_ns=start, end_ns=end, exit_code=code, cpu_ns=cpu,
            )
            for key, pid, ppid, command, python, start, end, code, cpu in rows
        )  # fmt: skip

    def lanes(self) -> tuple[Lane, ...]:
        """All lanes, in order of their start."""
        rows = self._rows(
            "SELECT key, process, tid, kind, name, start_ns, end_ns, cpu_ns FROM thread ORDER BY key"
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
        rows = self._rows(
            "SELECT key, process, interpreter, kind, switch_interval_us, source FROM interpreter ORDER BY key"
        )
        return tuple(
            Gil(
                key=key, process=process, interpreter=number, kind=kind,
                switch_interval_us=interval, source=source,
            )
            for key, process, number, kind, interval, source in rows
        )  # fmt: skip

    def window(self, start_ns: int, end_ns: int) -> Window:
        """All that a view needs of a span; ticks come coarser where the span has very many."""
        with self._one_moment():
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
                ticks=self._ticks(self._table_for(session, end_ns - start_ns), start_ns, end_ns),
                holds=self._holds(gils, start_ns, end_ns)
                if end_ns - start_ns <= 100 * session.tick_ns
                else (),
                gaps=self._gaps(start_ns, end_ns),
                events=self._events(start_ns, end_ns),
                stacks=self._stack_samples(end_ns - STACKS_NS, end_ns),
                process_ticks=self._last_process_ticks(processes, end_ns),
            )

    def _things(self) -> tuple[tuple[Process, ...], tuple[Lane, ...], tuple[Gil, ...]]:
        """Processes, lanes and GILs, read again only when the writer has changed one."""
        changes = self._one("SELECT value FROM meta WHERE key = 'changes'")
        if changes is None or changes != self._cached_at:
            self._cached = (self.processes(), self.lanes(), self.gils())
            self._cached_at = changes
        return self._cached

    @staticmethod
    def _table_for(session: Session, span_ns: int) -> str:
        lengths = [("", session.tick_ns), *schema.ROLLUPS]
        for suffix, length_ns in lengths:
            if span_ns <= COARSE_FROM_TICKS * length_ns:
                return suffix
        return lengths[-1][0]

    def ticks(self, *, chunk: int = 2_000) -> Iterator[Tick]:
        """All ticks in order, a chunk at a time: memory does not grow with the file."""
        first: int | None = 0
        while first is not None:
            with self._one_moment():
                ticks = self._ticks_between("", first, first + chunk - 1)
                first = self._one("SELECT idx FROM tick WHERE idx >= ? LIMIT 1", (first + chunk,))
            yield from ticks

    def coarse_ticks(self, end_ns: int) -> tuple[Tick, ...]:
        """All ticks up to a moment, as coarse as they come: a few rows an hour, with the same sums."""
        found: list[Tick] = []
        with self._one_moment():
            for suffix in (*(suffix for suffix, _ in reversed(schema.ROLLUPS)), ""):
                ticks = self._overlapping(suffix, found[-1].end_ns if found else -1, end_ns)
                # A second, or minute, that goes on behind that moment is taken in smaller pieces.
                found += [tick for tick in ticks if not suffix or tick.end_ns <= end_ns]
        return tuple(found)

    def _ticks(self, suffix: str, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        ticks = self._overlapping(suffix, start_ns, end_ns)
        # The newest second, or minute, is not rolled up yet.
        return ticks + self._finer_ticks(
            suffix, max(start_ns, ticks[-1].end_ns) if ticks else start_ns, end_ns
        )

    def _overlapping(self, suffix: str, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        """The ticks of one table that overlap a span."""
        first = self._first_tick(suffix, start_ns + 1)
        if first is None:
            return ()
        last = self._first_tick(suffix, end_ns)
        if last is None:
            last = int(self._one(f"SELECT max(idx) FROM tick{suffix}"))
        return tuple(tick for tick in self._ticks_between(suffix, first, last) if tick.start_ns < end_ns)

    def _finer_ticks(self, suffix: str, start_ns: int, end_ns: int) -> tuple[Tick, ...]:
        if not suffix or start_ns >= end_ns:
            return ()
        return self._ticks({"_1s": "", "_60s": "_1s"}[suffix], start_ns, end_ns)

    def _first_tick(self, suffix: str, at_ns: int) -> int | None:
        """Index of the first tick that ends at or after a moment, found by halves: no index to keep up."""
        low = 0
        high = int(self._one(f"SELECT max(idx) FROM tick{suffix}") or 0) + 1
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
        found = self._one(f"SELECT idx FROM tick{suffix} WHERE idx >= ? LIMIT 1", (low,))
        return None if found is None else int(found)

    def _tick_from(self, suffix: str, index: int) -> tuple[int, int] | None:
        """Index and end of the first tick with this index or a greater one."""
        rows = self._all(f"SELECT idx, end_ns FROM tick{suffix} WHERE idx >= ? LIMIT 1", (index,))
        return rows[0] if rows else None

    def _guesses(self, suffix: str, at_ns: int) -> tuple[int, ...]:
        """Indexes around the tick that would end at a moment, were all of one length."""
        length_ns = dict(schema.ROLLUPS).get(suffix) or self._one(
            "SELECT value FROM meta WHERE key = 'tick_ns'"
        )
        if not isinstance(length_ns, int) or length_ns <= 0:
            return ()  # a damaged file
        middle = at_ns // length_ns
        return (middle - 2, middle + 2, middle, middle - 1, middle + 1)

    def _ticks_between(self, suffix: str, first: int, last: int) -> tuple[Tick, ...]:
        span = (first, last)
        gils: dict[int, list[GilTick]] = {}
        for index, *values in self._all(
            "SELECT tick, gil, samples, locked_samples, watched_ns, held_ns, contended_ns, waiter_ns,"
            " waiters_max, handoffs, handoffs_seen, longest_hold_ns, holder"
            f" FROM gil_tick{suffix} WHERE tick BETWEEN ? AND ? ORDER BY tick, gil",
            span,
        ):
            gils.setdefault(index, []).append(_gil_tick(values))
        lanes: dict[int, list[LaneTick]] = {}
        for index, lane, *states, held, core in self._all(
            f"SELECT * FROM lane_tick{suffix} WHERE tick BETWEEN ? AND ? ORDER BY tick, lane",
            span,
        ):
            lanes.setdefault(index, []).append(
                LaneTick(lane=lane, states=tuple(states), held_ns=held, core=core)
            )
        cores: dict[int, list[CoreTick]] = {}
        for index, core, busy, lane, share in self._all(
            f"SELECT * FROM core_tick{suffix} WHERE tick BETWEEN ? AND ? ORDER BY tick, core",
            span,
        ):
            cores.setdefault(index, []).append(
                CoreTick(core=core, busy_share=busy, lane=lane, target_share=share)
            )
        rows = self._all(
            f"SELECT idx, start_ns, end_ns FROM tick{suffix} WHERE idx BETWEEN ? AND ? ORDER BY idx",
            span,
        )
        return tuple(
            Tick(
                index=index, start_ns=start, end_ns=end, gils=tuple(gils.get(index, ())),
                lanes=tuple(lanes.get(index, ())), cores=tuple(cores.get(index, ())),
            )
            for index, start, end in rows
        )  # fmt: skip

    def _holds(self, gils: tuple[Gil, ...], start_ns: int, end_ns: int) -> tuple[Hold, ...]:
        holds = []
        for gil in gils:
            before = self._one(
                "SELECT max(start_ns) FROM hold WHERE gil = ? AND start_ns <= ?", (gil.key, start_ns)
            )
            rows = self._rows(
                "SELECT gil, lane, start_ns, end_ns FROM hold"
                " WHERE gil = ? AND start_ns >= ? AND start_ns < ? AND end_ns > ? ORDER BY start_ns",
                (gil.key, start_ns if before is None else before, end_ns, start_ns),
            )
            holds += [Hold(gil=key, lane=lane, start_ns=start, end_ns=end) for key, lane, start, end in rows]
        holds.sort(key=lambda hold: hold.start_ns)
        return tuple(holds)

    def gaps(self) -> tuple[Gap, ...]:
        """All gaps."""
        return self._gaps(-1, 1 << 62)

    def _gaps(self, start_ns: int, end_ns: int) -> tuple[Gap, ...]:
        rows = self._rows(
            "SELECT source, pid, reason, start_ns, end_ns FROM gap WHERE start_ns < ? AND end_ns > ?"
            " ORDER BY id",
            (end_ns, start_ns),
        )
        return tuple(
            Gap(source=source, pid=pid, reason=reason, start_ns=start, end_ns=end)
            for source, pid, reason, start, end in rows
        )

    def events(self) -> tuple[Event, ...]:
        """All events, in order of time."""
        return self._events(-1, 1 << 62)

    def _events(self, start_ns: int, end_ns: int) -> tuple[Event, ...]:
        rows = self._rows(
            "SELECT at_ns, kind, process, lane, text FROM event WHERE at_ns >= ? AND at_ns < ?"
            " ORDER BY at_ns, id",
            (start_ns, end_ns),
        )
        return tuple(
            Event(at_ns=at, kind=kind, process=process, lane=lane, text=text)
            for at, kind, process, lane, text in rows
        )

    def stack_samples(self) -> tuple[StackSample, ...]:
        """All stacks with their counts."""
        return self._stack_samples(-1, 1 << 62)

    def stack_count(self) -> int:
        """How many stacks there are, each as often as it was seen."""
        return int(self._one("SELECT coalesce(sum(count), 0) FROM stack_sample"))

    def _stack_samples(self, start_ns: int, end_ns: int) -> tuple[StackSample, ...]:
        rows = self._rows(
            "SELECT lane, start_ns, end_ns, count, stack FROM stack_sample WHERE end_ns > ? AND start_ns < ?"
            " ORDER BY id",
            (start_ns, end_ns),
        )
        return tuple(
            StackSample(lane=lane, start_ns=start, end_ns=end, count=count, frames=self._frames_of(stack))
            for lane, start, end, count, stack in rows
        )

    def _frames_of(self, stack: int) -> tuple[Frame, ...]:
        known = self._stacks.get(stack)
        if known is not None:
            return known
        frames: list[Frame] = []
        parent = stack
        while parent and len(frames) < 1_000:  # a damaged file may hold a ring
            row = next(
                self._rows(
                    "SELECT stack.parent, function, file, line FROM stack"
                    " JOIN frame ON frame.id = stack.frame WHERE stack.id = ?",
                    (parent,),
                ),
                None,
            )
            if row is None:
                break
            parent = row[0]
            frames.append(Frame(function=row[1], file=row[2], line=row[3]))
        self._stacks[stack] = tuple(reversed(frames))
        return self._stacks[stack]

    def process_ticks(self) -> tuple[ProcessTick, ...]:
        """All readings of what processes cost."""
        rows = self._rows("SELECT * FROM process_tick ORDER BY at_ns, process")
        return tuple(_process_tick(row) for row in rows)

    def _last_process_ticks(self, processes: tuple[Process, ...], at_ns: int) -> tuple[ProcessTick, ...]:
        found: list[tuple[Any, ...]] = []
        for process in processes:
            found += self._rows(
                "SELECT * FROM process_tick WHERE process = ? AND at_ns <= ? ORDER BY at_ns DESC LIMIT 1",
                (process.key, at_ns),
            )
        return tuple(_process_tick(row) for row in found)

    def output_until(self, at_ns: int, *, max_bytes: int = 65_536) -> tuple[Output, ...]:
        """The newest output at or before a moment, in order of time, about `max_bytes` of it."""
        pieces: list[Output] = []
        size = 0
        for at, data in self._rows(
            "SELECT at_ns, data FROM output WHERE at_ns <= ? ORDER BY at_ns DESC, id DESC", (at_ns,)
        ):
            pieces.append(Output(at_ns=at, data=data))
            size += len(data)
            if size >= max_bytes:
                break
        return tuple(reversed(pieces))

    def output(self) -> Iterator[Output]:
        """All output, in order of time."""
        for at, data in self._rows("SELECT at_ns, data FROM output ORDER BY id"):
            yield Output(at_ns=at, data=data)

    def output_size(self, at_ns: int) -> int:
        """Number of the newest piece of output up to a moment: changes when there is something new."""
        sql = "SELECT id FROM output WHERE at_ns <= ? ORDER BY at_ns DESC, id DESC LIMIT 1"
        return int(self._one(sql, (at_ns,)) or 0)


def _connect(path: Path) -> sqlite3.Connection:
    """Open for reading; a file with a live WAL needs write access to its index, never to its rows."""
    quoted = path.absolute().as_posix().replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\x00":
            raise RecordingError(
                f"{path} is no recording of gilscope.\nRecordings end in .gilscope: gilscope recordings"
            )
    modes = ["mode=rw", "mode=ro", "immutable=1"]
    for number, mode in enumerate(modes):
        db = sqlite3.connect(f"file:{quoted}?{mode}", uri=True, isolation_level=None, timeout=5.0)
        try:
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA query_only = ON")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except SQLITE_ERRORS as error:
            db.close()
            if number == len(modes) - 1 or not isinstance(error, sqlite3.OperationalError):
                raise
        else:
            return db
    raise AssertionError  # the loop returns or raises


def _fits(value: object, annotation: str) -> bool:
    """Whether a value of the meta table, which has no types, is what a field of Session holds."""
    kind, _, optional = annotation.partition(" | ")
    if value is None:
        return optional == "None"
    if kind == "str":
        return isinstance(value, str)
    return isinstance(value, int if kind == "int" else int | float) and 0 <= value < 1 << 63


def _damaged(path: Path, error: Exception) -> str:
    # SQLite quotes the file, at length: of that, what a terminal can show.
    said = clean(str(error).partition("\n")[0])[:100]
    return f"{path} cannot be read as a recording: {said}."


def _gil_tick(values: list[Any]) -> GilTick:
    gil, samples, locked, watched, held, contended, waiter, w_max, handoffs, seen, longest, holder = values
    return GilTick(
        gil=gil, samples=samples, locked_samples=locked, watched_ns=watched, held_ns=held,
        contended_ns=contended, waiter_ns=waiter, waiters_max=w_max, handoffs=handoffs,
        handoffs_seen=seen, longest_hold_ns=longest, holder=holder,
    )  # fmt: skip


def _process_tick(row: tuple[Any, ...]) -> ProcessTick:
    at, process, cpu, rss, pss, uss, threads = row
    return ProcessTick(
        process=process, at_ns=at, cpu_ns=cpu, rss_bytes=rss, pss_bytes=pss, uss_bytes=uss, threads=threads
    )

"""The one place that writes recordings.

Rows gather in a transaction and become visible, and safe from any kill, with `commit`, once a tick.
`synchronous` is off: it guards against loss of power, not against the death of a process, and a sync
would stop the sampler for milliseconds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

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
)
from gilscope.recording import schema
from gilscope.recording.keeping import Keeper


class RecordingWriter:
    """Writes one recording. Not for use from several threads."""

    def __init__(self, path: Path, session: Session, *, keep_ns: int | None = None) -> None:
        """Create `path` (0600), replacing a recording of that name.

        With `keep_ns` only about so much of the newest is kept.

        Raises:
            RecordingError: the file cannot be created, or is something else than a recording.
        """
        self.path = path
        self._frames: dict[Frame, int] = {}
        self._stacks: dict[tuple[int, int], int] = {}
        self._open_buckets: list[tuple[int, int] | None] = [None] * len(schema.ROLLUPS)
        """Per roll-up: the second (or minute) that goes on, and its first row in the finer table."""
        self._session: dict[str, object] = {}
        self._changes = 0
        self._head_ns = self._came = 0
        """Of the ticks since the last commit: the end of the last, and how many."""
        self._keeper: Keeper | None = None
        make_way(path)
        _create(path)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            self._db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute("PRAGMA temp_store = MEMORY")
            schema.migrate(self._db)
            if keep_ns is not None:
                self._keeper = Keeper(self._db, keep_ns)
            self.put_session(session)
            self.commit()
        except sqlite3.Error as error:
            raise RecordingError(
                f"Cannot write the recording {path}: {error}.\nName a file elsewhere with -o FILE."
            ) from error

    def _run(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            return
        try:
            if not self._db.in_transaction:
                self._db.execute("BEGIN")
            self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._cannot_go_on(error) from error

    def _cannot_go_on(self, error: sqlite3.Error) -> RecordingError:
        return RecordingError(f"Cannot go on writing the recording {self.path}: {error}.")

    # Every method that writes raises RecordingError when the disk is full or the file cannot be written.

    def put_session(self, session: Session) -> None:
        """Write the fields that changed since the last call."""
        fields = {field.name: getattr(session, field.name) for field in dataclasses.fields(session)}
        fields = {key: _text(value) if isinstance(value, str) else value for key, value in fields.items()}
        changed = [(k, v) for k, v in fields.items() if k not in self._session or self._session[k] != v]
        if changed:
            self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", changed)
            self._session.update(changed)

    def _note_change(self) -> None:
        """Tell readers that processes, lanes or GILs are to be read again."""
        self._changes += 1
        self._run("INSERT OR REPLACE INTO meta VALUES ('changes', ?)", [(self._changes,)])

    def put_processes(self, processes: Sequence[Process]) -> None:
        """Write processes, new or changed."""
        if not processes:
            return
        self._note_change()
        self._run(
            "INSERT OR REPLACE INTO process VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    p.key,
                    p.pid,
                    p.ppid,
                    _text(p.command),
                    p.python,
                    p.start_ns,
                    p.end_ns,
                    p.exit_code,
                    p.cpu_ns,
                    _text(p.name),
                )
                for p in processes
            ],
        )

    def put_gils(self, gils: Sequence[Gil]) -> None:
        """Write GILs, new or changed."""
        if not gils:
            return
        self._note_change()
        self._run(
            "INSERT OR REPLACE INTO interpreter VALUES (?, ?, ?, ?, ?, ?)",
            [(g.key, g.process, g.interpreter, g.kind, g.switch_interval_us, g.source) for g in gils],
        )

    def put_lanes(self, lanes: Sequence[Lane]) -> None:
        """Write lanes, new or changed."""
        if not lanes:
            return
        self._note_change()
        self._run(
            "INSERT OR REPLACE INTO thread VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(n.key, n.process, n.tid, n.kind, _text(n.name), n.start_ns, n.end_ns, n.cpu_ns) for n in lanes],
        )

    def put_tick(self, tick: Tick, holds: Iterable[Hold] = ()) -> None:
        """Write a tick, the holds that ended in it or go on, and the roll-ups that it completes.

        A hold that still goes on is written again, longer, tick by tick.
        """
        self._run("INSERT INTO tick VALUES (?, ?, ?)", [(tick.index, tick.start_ns, tick.end_ns)])
        self._run(
            "INSERT INTO gil_tick VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    tick.index, g.gil, g.samples, g.locked_samples, g.watched_ns, g.held_ns, g.contended_ns,
                    g.waiter_ns, g.waiters_max, g.handoffs, g.handoffs_seen, g.longest_hold_ns, g.holder,
                )
                for g in tick.gils
            ],
        )  # fmt: skip
        self._run(
            "INSERT INTO lane_tick VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(tick.index, n.lane, *n.states, n.held_ns, n.core) for n in tick.lanes],
        )
        self._run(
            "INSERT INTO core_tick VALUES (?, ?, ?, ?, ?)",
            [(tick.index, c.core, c.busy_share, c.lane, c.target_share) for c in tick.cores],
        )
        self._run(
            "INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?)",
            [(h.gil, h.start_ns, h.end_ns, h.lane) for h in holds],
        )
        self._roll_up(0, tick.index, tick.end_ns)
        self._head_ns, self._came = tick.end_ns, self._came + 1

    def _roll_up(self, level: int, index: int, end_ns: int) -> None:
        """Row `index` ends at `end_ns`: fold those before it that end in an earlier second (or minute)."""
        suffix, length_ns = schema.ROLLUPS[level]
        before, now = self._open_buckets[level], (end_ns - 1) // length_ns
        if before is None or now != before[0]:
            self._open_buckets[level] = (now, index)
            if before is not None:
                bucket, first = before
                source = schema.ROLLUPS[level - 1][0] if level else ""
                try:
                    bucket_end_ns = _roll_up_one(self._db, source, suffix, bucket, (first, index - 1))
                except sqlite3.Error as error:
                    raise self._cannot_go_on(error) from error
                if level + 1 < len(schema.ROLLUPS):
                    self._roll_up(level + 1, bucket, bucket_end_ns)

    def put_process_ticks(self, ticks: Iterable[ProcessTick]) -> None:
        """Write what processes cost."""
        self._run(
            "INSERT OR REPLACE INTO process_tick VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(p.at_ns, p.process, p.cpu_ns, p.rss_bytes, p.pss_bytes, p.uss_bytes, p.threads) for p in ticks],
        )

    def put_output(self, output: Iterable[Output]) -> None:
        """Write the target's output."""
        self._run("INSERT INTO output (at_ns, data) VALUES (?, ?)", [(o.at_ns, o.data) for o in output])

    def put_events(self, events: Iterable[Event]) -> None:
        """Write events."""
        self._run(
            "INSERT INTO event (at_ns, kind, process, lane, text) VALUES (?, ?, ?, ?, ?)",
            [(e.at_ns, e.kind, e.process, e.lane, _text(e.text)) for e in events],
        )

    def put_gaps(self, gaps: Iterable[Gap]) -> None:
        """Write gaps."""
        self._run(
            "INSERT INTO gap (source, pid, reason, start_ns, end_ns) VALUES (?, ?, ?, ?, ?)",
            [(g.source, g.pid, _text(g.reason), g.start_ns, g.end_ns) for g in gaps],
        )

    def put_stacks(self, stacks: Iterable[StackSample]) -> None:
        """Write stacks, each frame and each way to a frame only once."""
        self._run(
            "INSERT INTO stack_sample (start_ns, end_ns, lane, stack, count) VALUES (?, ?, ?, ?, ?)",
            [(s.start_ns, s.end_ns, s.lane, self._stack_id(s.frames), s.count) for s in stacks],
        )

    def put_waiting_stacks(self, stacks: Iterable[WaitingStack]) -> None:
        """Write where threads were that waited."""
        self._run(
            "INSERT INTO waiting_stack (at_ns, lane, stack) VALUES (?, ?, ?)",
            [(s.at_ns, s.lane, self._stack_id(s.frames)) for s in stacks],
        )

    def put_stalls(self, stalls: Iterable[Stall]) -> None:
        """Write stalls."""
        self._run(
            "INSERT INTO stall (gil, lane, start_ns, end_ns, waiters_mean, waiters_max, stack)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    s.gil, s.lane, s.start_ns, s.end_ns, s.waiters_mean, s.waiters_max,
                    self._stack_id(s.frames) or None,
                )
                for s in stalls
            ],
        )  # fmt: skip

    def put_marks(self, marks: Iterable[Mark]) -> None:
        """Write marks."""
        self._run("INSERT INTO mark (at_ns, text) VALUES (?, ?)", [(m.at_ns, _text(m.text)) for m in marks])

    def _stack_id(self, frames: Sequence[Frame]) -> int:
        parent = 0
        for frame in frames:
            number = self._frames.get(frame)
            if number is None:
                number = self._frames[frame] = len(self._frames) + 1
                self._run(
                    "INSERT INTO frame VALUES (?, ?, ?, ?)",
                    [(number, _text(frame.function), _text(frame.file), frame.line)],
                )
            stack = self._stacks.get((parent, number))
            if stack is None:
                stack = self._stacks[parent, number] = len(self._stacks) + 1
                self._run("INSERT INTO stack VALUES (?, ?, ?)", [(stack, parent, number)])
            parent = stack
        return parent

    def commit(self) -> None:
        """Make all that was put visible to viewers."""
        try:
            if self._db.in_transaction:
                if self._keeper is not None and self._keeper.trim(self._head_ns, self._came):
                    self._note_change()
                self._came = 0
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._cannot_go_on(error) from error

    def discard(self) -> None:
        """Close and remove the recording: the session did not begin."""
        self._db.close()
        for name in (self.path.name, self.path.name + "-wal", self.path.name + "-shm"):
            self.path.with_name(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Make the recording one single file.

        A viewer that has it open keeps the WAL file alive; the last one to close it folds it in.
        """
        try:
            self.commit()
            # Locked: somebody views it. Full: the rows that are in it stay readable through the WAL.
            with contextlib.suppress(sqlite3.OperationalError):
                self._db.execute("PRAGMA busy_timeout = 0")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._db.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._db.close()


def make_way(path: Path) -> None:
    """Remove the recording that a new one at `path` replaces.

    Raises:
        RecordingError: it is something else than a recording, or cannot be removed.
    """
    try:
        if path.exists():
            _refuse_to_replace_others(path)
            for name in (path.name, path.name + "-wal", path.name + "-shm"):
                path.with_name(name).unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _create(path: Path) -> None:
    """Make a new, private file."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> RecordingError:
    return RecordingError(
        f"Cannot write the recording {path}: {error.strerror}.\nName a file elsewhere with -o FILE."
    )


def _refuse_to_replace_others(path: Path) -> None:
    with path.open("rb") as file:
        header = file.read(100)
    ours = header[:15] == b"SQLite format 3" and header[68:72] == schema.APPLICATION_ID.to_bytes(4, "big")
    if header and not ours:
        raise RecordingError(
            f"{path} exists and is no recording of gilscope, so it is not overwritten.\n"
            "Name another file with -o FILE."
        )


def _text(text: str | None) -> str | None:
    """Text that SQLite can hold: names from outside may carry undecodable bytes."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _roll_up_one(db: sqlite3.Connection, source: str, suffix: str, index: int, rows: tuple[int, int]) -> int:
    """Fold rows (first, last) of the tick tables `source` into row `index` of tables `suffix`; its end."""
    span = (index, *rows)
    states = ", ".join(f"sum({state}_ns)" for state in schema.LANE_STATES)
    db.execute(
        f"INSERT INTO tick{suffix} SELECT ?, min(start_ns), max(end_ns) FROM tick{source}"
        " WHERE idx BETWEEN ? AND ?",
        span,
    )
    db.execute(
        f"INSERT INTO gil_tick{suffix} SELECT ?, gil, sum(samples), sum(locked_samples), sum(watched_ns),"
        " sum(held_ns), sum(contended_ns), sum(waiter_ns), max(waiters_max), sum(handoffs),"
        " sum(handoffs_seen), max(longest_hold_ns), holder"
        f" FROM gil_tick{source} WHERE tick BETWEEN ? AND ? GROUP BY gil",
        span,
    )
    db.execute(
        f"INSERT INTO lane_tick{suffix} SELECT ?, lane, {states}, sum(held_ns), max(core)"
        f" FROM lane_tick{source} WHERE tick BETWEEN ? AND ? GROUP BY lane",
        span,
    )
    db.execute(
        f"INSERT INTO core_tick{suffix} SELECT ?, core, avg(busy_share), max(lane), avg(target_share)"
        f" FROM core_tick{source} WHERE tick BETWEEN ? AND ? GROUP BY core",
        span,
    )
    row = db.execute(f"SELECT end_ns FROM tick{suffix} WHERE idx = ?", (index,)).fetchone()
    return int(row[0])

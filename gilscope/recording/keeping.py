"""Letting go of what is older than a recording is to be long, a little with each commit.

What goes in one step is about what came since the last one, so that no commit takes long however much is
kept. SQLite fills the pages that are freed with what comes next: the file stops growing.
"""

from __future__ import annotations

import sqlite3

from gilscope.recording import schema

MORE_TICKS = 2
"""So many more ticks go with a commit than came with it: a pause is made up for, a little with each."""
TIDY_NS = 10_000_000_000
"""How often what has no order of time is looked through: gaps, threads and processes that ended."""
_TICK_TABLES = ("gil_tick", "lane_tick", "core_tick")


class Keeper:
    """Trims one recording that is being written."""

    def __init__(self, db: sqlite3.Connection, keep_ns: int) -> None:
        self._db = db
        self._keep_ns = keep_ns
        self._tidy_at_ns = keep_ns + TIDY_NS
        self._oldest_ns = 0

    def trim(self, head_ns: int, came: int) -> bool:
        """Let go of a little; whether threads or processes went. Inside the caller's transaction.

        Args:
            head_ns: the newest moment.
            came: how many ticks came since the last time.
        """
        before_ns = head_ns - self._keep_ns
        if before_ns <= self._oldest_ns:
            return False
        oldest = self._db.execute(
            "SELECT idx, end_ns FROM tick ORDER BY idx LIMIT ?", (came + MORE_TICKS,)
        ).fetchall()
        rows = [row for row in oldest if row[1] <= before_ns]
        if rows:
            # Views and sums begin at the first tick that is left, and so does all else.
            self._oldest_ns = rows[-1][1]
            self._trim_ticks("", rows[0][0], rows[-1][0])
            self._trim_spans(self._oldest_ns)
            for suffix, _ in schema.ROLLUPS:
                self._trim_rollup(suffix)
        if head_ns < self._tidy_at_ns:
            return False
        self._tidy_at_ns = head_ns + TIDY_NS
        return self._tidy()

    def _trim_ticks(self, suffix: str, first: int, last: int) -> None:
        self._db.execute(f"DELETE FROM tick{suffix} WHERE idx BETWEEN ? AND ?", (first, last))
        for table in _TICK_TABLES:
            self._db.execute(f"DELETE FROM {table}{suffix} WHERE tick BETWEEN ? AND ?", (first, last))

    def _trim_rollup(self, suffix: str) -> None:
        row = self._db.execute(f"SELECT idx, end_ns FROM tick{suffix} ORDER BY idx LIMIT 1").fetchone()
        if row is not None and row[1] <= self._oldest_ns:
            self._trim_ticks(suffix, row[0], row[0])

    def _trim_spans(self, before_ns: int) -> None:
        """All that has an index of time, or a key that begins with something else than the time."""
        execute = self._db.execute
        for (gil,) in execute("SELECT key FROM interpreter").fetchall():
            execute(
                "DELETE FROM hold WHERE gil = ? AND start_ns < ? AND end_ns <= ?", (gil, before_ns, before_ns)
            )
        execute("DELETE FROM output WHERE at_ns < ?", (before_ns,))
        execute("DELETE FROM event WHERE at_ns < ?", (before_ns,))
        execute("DELETE FROM stack_sample WHERE end_ns <= ?", (before_ns,))
        execute("DELETE FROM waiting_stack WHERE at_ns < ?", (before_ns,))
        execute("DELETE FROM stall WHERE start_ns < ? AND end_ns <= ?", (before_ns, before_ns))
        # The last reading before the first moment holds until the next one.
        for (process,) in execute("SELECT key FROM process").fetchall():
            execute(
                "DELETE FROM process_tick WHERE process = ? AND at_ns < (SELECT max(at_ns) FROM process_tick"
                " WHERE process = ? AND at_ns <= ?)",
                (process, process, before_ns),
            )

    def _tidy(self) -> bool:
        """What ended before all that is kept; the target's first process stays."""
        execute, before_ns = self._db.execute, self._oldest_ns
        execute("DELETE FROM gap WHERE end_ns <= ?", (before_ns,))
        gone = execute("DELETE FROM thread WHERE end_ns <= ?", (before_ns,)).rowcount
        first = "(SELECT min(key) FROM process)"
        ended = f"SELECT key FROM process WHERE end_ns <= ? AND key > {first}"
        for table in ("interpreter", "process_tick"):
            execute(f"DELETE FROM {table} WHERE process IN ({ended})", (before_ns,))
        gone += execute(f"DELETE FROM process WHERE key IN ({ended})", (before_ns,)).rowcount
        return gone > 0

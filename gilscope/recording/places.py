"""Places in a recording that one jumps to, and what the whole session looks like from afar."""

from __future__ import annotations

from gilscope.recording import schema
from gilscope.recording.opening import Rows
from gilscope.recording.ticks import TickTables

BUSY_SHARE = 0.02
"""From this share of a tick in which any lane did something else than sleep, the target works."""
IDLE_TICKS_MOST = 5_000
"""So many ticks at once are looked through for work."""


class Places:
    """Finds the nearest handoff, stall or tick; all by index, none by reading on."""

    def __init__(self, rows: Rows, ticks: TickTables) -> None:
        self._rows = rows
        self._ticks = ticks

    def tick_beside(self, at_ns: int, direction: int) -> int | None:
        """The next border between ticks after a moment (1), or before it (-1)."""
        with self._rows.one_moment():
            index = self._ticks.first_from(at_ns + 1 if direction > 0 else at_ns)
            if direction > 0:
                found = self._rows.one("SELECT end_ns FROM tick WHERE idx = ?", (index,))
            elif index is None:
                found = self._rows.one("SELECT end_ns FROM tick ORDER BY idx DESC LIMIT 1")
            else:
                found = self._rows.one("SELECT start_ns FROM tick WHERE idx = ?", (index,))
        return None if found is None else int(found)

    def handoff_beside(self, at_ns: int, direction: int) -> int | None:
        """The start of the next hold of any GIL after a moment (1), or before it (-1)."""
        order, side, best = ("ASC", ">", min) if direction > 0 else ("DESC", "<", max)
        found = [
            self._rows.one(
                f"SELECT start_ns FROM hold WHERE gil = ? AND start_ns {side} ?"
                f" ORDER BY start_ns {order} LIMIT 1",
                (gil, at_ns),
            )
            for (gil,) in self._rows.all("SELECT key FROM interpreter")
        ]
        known = [moment for moment in found if moment is not None]
        return int(best(known)) if known else None

    def stall_beside(self, at_ns: int, direction: int) -> int | None:
        """The start of the next stall after a moment (1), or before it (-1)."""
        if direction > 0:
            return self._maybe("SELECT min(start_ns) FROM stall WHERE start_ns > ?", at_ns)
        return self._maybe("SELECT max(start_ns) FROM stall WHERE start_ns < ?", at_ns)

    def _maybe(self, sql: str, at_ns: int) -> int | None:
        found = self._rows.one(sql, (at_ns,))
        return None if found is None else int(found)

    def busy_from(self, at_ns: int) -> int | None:
        """When the target works at or after a moment; None: not before the recording's end."""
        states = " + ".join(
            f"{state}_ns" for state in schema.LANE_STATES if state not in ("blocked", "unknown")
        )
        with self._rows.one_moment():
            first = self._ticks.first_from(at_ns + 1)
            while first is not None:
                found = self._rows.one(
                    "SELECT tick.start_ns FROM lane_tick JOIN tick ON tick.idx = lane_tick.tick"
                    " WHERE lane_tick.tick BETWEEN ? AND ?"
                    f" AND {states} > {BUSY_SHARE} * (tick.end_ns - tick.start_ns)"
                    " ORDER BY lane_tick.tick LIMIT 1",
                    (first, first + IDLE_TICKS_MOST - 1),
                )
                if found is not None:
                    return max(at_ns, int(found))
                first = self._rows.one(
                    "SELECT idx FROM tick WHERE idx >= ? LIMIT 1", (first + IDLE_TICKS_MOST,)
                )
        return None

    def utilisation(self, start_ns: int, end_ns: int, *, fine: bool) -> list[tuple[int, int, float | None]]:
        """How much of the time the busiest GIL was held: start, end, share; None where none was watched.

        Args:
            start_ns: from ticks on that end after this moment.
            end_ns: to those that start before this.
            fine: by ticks, else by seconds.
        """
        suffix = "" if fine else schema.ROLLUPS[0][0]
        with self._rows.one_moment():
            span = self._ticks.indexes(suffix, start_ns, end_ns)
            if span is None:
                return []
            return self._rows.all(
                "SELECT t.start_ns, t.end_ns, max(CAST(g.held_ns AS REAL) / g.watched_ns)"
                f" FROM tick{suffix} AS t LEFT JOIN gil_tick{suffix} AS g"
                " ON g.tick = t.idx AND g.watched_ns > 0"
                " WHERE t.idx BETWEEN ? AND ? GROUP BY t.idx",
                span,
            )

    def stall_spans(self) -> list[tuple[int, int]]:
        """Start and end of all stalls, in order of time, without what else is known of them."""
        return self._rows.all("SELECT start_ns, end_ns FROM stall ORDER BY start_ns")

    def counts(self) -> tuple[int, int]:
        """Grow with each stall and each mark: nothing else is to be read to know that there is none anew."""
        return (
            int(self._rows.one("SELECT coalesce(max(id), 0) FROM stall")),
            int(self._rows.one("SELECT coalesce(max(id), 0) FROM mark")),
        )

"""Whether the rows of a recording make sense: what readers count with is checked once, when it is opened.

SQLite's own check holds the types of the columns. This one holds what all reading rests on: ticks follow
each other in time, and nothing is infinite or so far away that a timeline of it would have no end.
"""

from __future__ import annotations

from collections.abc import Iterator

from gilscope.model import NS_PER_S
from gilscope.recording import schema

MOST_NS = 20 * 366 * 24 * 3_600 * NS_PER_S
"""The end of the longest session: twenty years."""
MOST_LANES = 1_000_000
"""Threads and processes of one recording: each is in memory while it is read."""
MOST_CORES = 65_536
MOST_TIMES = 1_000_000
"""How often a stack can be seen in one span: a quarter of an hour at the highest rate, spans are seconds."""
_FAR = 1 << 62
"""Moments of single things may be anywhere, as long as they can be counted with."""

_SUFFIXES = ("", *(suffix for suffix, _ in schema.ROLLUPS))
_MOMENTS: dict[str, tuple[str, ...]] = {
    "process": ("start_ns", "coalesce(end_ns, 0)"),
    "thread": ("start_ns", "coalesce(end_ns, 0)"),
    "hold": ("start_ns", "end_ns"),
    "stack_sample": ("start_ns", "end_ns"),
    "output": ("at_ns",),
    "event": ("at_ns",),
    "gap": ("start_ns", "end_ns"),
    "process_tick": ("at_ns",),
    "mark": ("at_ns",),
    "stall": ("start_ns", "end_ns"),
    "waiting_stack": ("at_ns",),
}


def questions(version: int) -> Iterator[tuple[str, str]]:
    """Queries that answer 1 where something is wrong, each with what that is, for a file of this schema."""
    for table in ("process", "thread", "interpreter"):
        yield (
            f"SELECT count(*) > {MOST_LANES} FROM {table}",
            f"it has more than {MOST_LANES} threads or processes",
        )
    for suffix in _SUFFIXES:
        before = "lag(end_ns, 1, 0) OVER (ORDER BY idx) AS before"
        yield _not(
            f"(SELECT idx, start_ns, end_ns, {before} FROM tick{suffix})",
            f"idx >= 0 AND start_ns >= before AND end_ns > start_ns AND end_ns <= {MOST_NS}",
            "its ticks do not follow each other",
        )
        yield _not(
            f"core_tick{suffix}",
            f"core BETWEEN 0 AND {MOST_CORES} AND max(abs(busy_share), abs(target_share)) <= 1e6",
            "the load of a core is none",
        )
    known = schema.expected_objects(version)
    for table, moments in _MOMENTS.items():
        if f"table {table}" in known:
            good = " AND ".join(f"{moment} BETWEEN {-_FAR} AND {_FAR}" for moment in moments)
            yield _not(table, good, "a moment in it is too far away")
    yield _not(
        "stack_sample", f"count BETWEEN 0 AND {MOST_TIMES}", "a stack in it was seen more often than can be"
    )
    if "table stall" in known:
        yield _not("stall", "waiters_mean BETWEEN 0 AND 1e9", "a stall in it has no number of waiters")


def _not(table: str, good: str, wrong: str) -> tuple[str, str]:
    return f"SELECT 1 FROM {table} WHERE ({good}) IS NOT TRUE LIMIT 1", wrong

"""Whether the rows of a recording make sense: what readers count with is checked once, when it is opened.

SQLite's own check holds the types of the columns. This one holds what all reading rests on: ticks follow
each other in time, and nothing is infinite or so far away that a timeline of it would have no end.
"""

from __future__ import annotations

from gilscope.model import NS_PER_S
from gilscope.recording import schema

MOST_NS = 20 * 366 * 24 * 3_600 * NS_PER_S
"""The end of the longest session: twenty years."""
MOST_LANES = 1_000_000
"""Threads and processes of one recording: each is in memory while it is read."""
MOST_CORES = 65_536
_FAR = 1 << 62
"""Moments of single things may be anywhere, as long as they can be counted with."""

_SUFFIXES = ("", *(suffix for suffix, _ in schema.ROLLUPS))
_MOMENTS = (
    ("process", "start_ns"), ("process", "coalesce(end_ns, 0)"),
    ("thread", "start_ns"), ("thread", "coalesce(end_ns, 0)"),
    ("hold", "start_ns"), ("hold", "end_ns"), ("stack_sample", "start_ns"), ("stack_sample", "end_ns"),
    ("output", "at_ns"), ("event", "at_ns"), ("gap", "start_ns"), ("gap", "end_ns"), ("process_tick", "at_ns"),
    ("mark", "at_ns"), ("stall", "start_ns"), ("stall", "end_ns"),
)  # fmt: skip


def questions(version: int) -> list[tuple[str, str]]:
    """Queries that answer 1 where something is wrong, each with what that is, for a file of this schema."""
    asked: list[tuple[str, str]] = []
    for suffix in _SUFFIXES:
        asked.append(
            (
                "SELECT 1 FROM (SELECT idx, start_ns, end_ns, lag(end_ns, 1, 0) OVER (ORDER BY idx) AS before"
                f" FROM tick{suffix}) WHERE (idx >= 0 AND start_ns >= before AND end_ns > start_ns"
                f" AND end_ns <= {MOST_NS}) IS NOT TRUE LIMIT 1",
                "its ticks do not follow each other",
            )
        )
        asked.append(
            (
                f"SELECT 1 FROM core_tick{suffix} WHERE (core BETWEEN 0 AND {MOST_CORES} AND busy_share"
                " BETWEEN -1 AND 1e6 AND target_share BETWEEN -1 AND 1e6) IS NOT TRUE LIMIT 1",
                "the load of a core is none",
            )
        )
    for table in ("process", "thread", "interpreter"):
        asked.append(
            (
                f"SELECT count(*) > {MOST_LANES} FROM {table}",
                f"it has more than {MOST_LANES} threads or processes",
            )
        )
    first = schema.expected_objects(version)
    for table, moment in _MOMENTS:
        if f"table {table}" in first:
            asked.append(
                (
                    f"SELECT 1 FROM {table} WHERE ({moment} BETWEEN {-_FAR} AND {_FAR}) IS NOT TRUE LIMIT 1",
                    "a moment in it is too far away",
                )
            )
    if "table stall" in first:
        asked.append(
            (
                "SELECT 1 FROM stall WHERE (waiters_mean BETWEEN 0 AND 1e9) IS NOT TRUE LIMIT 1",
                "a stall in it has no number of waiters",
            )
        )
    return asked

"""A comparison for people: one row a figure, one column a way, in 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gilscope.text import clean, cut, pad, width, wrap

WIDTH = 80
WORDS = 22
WAYS_BESIDE = 4
"""More ways than this come in several tables, one below the other."""

OUTPUTS_DIFFER = "The output differs between the ways: compare the results before you choose by the time."


def _with_error(value: float | None, error: float | None, unit: str, digits: int = 2) -> str:
    if value is None:
        return "?"
    return f"{value:.{digits}f}" + ("" if error is None else f" ± {error:.{digits}f}") + unit


def _figure(key: str, unit: str, digits: int) -> Callable[[Mapping[str, Any]], str]:
    return lambda way: _with_error(way[key], None, unit, digits)


_ROWS: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("wall time", lambda way: _with_error(way["wall_s"], way["wall_s_error"], " s")),
    ("times as fast", lambda way: _with_error(way["speedup"], way["speedup_error"], " ×")),
    ("cores used", _figure("cores_used", "", 1)),
    ("GIL held (busiest)", lambda way: "?" if way["gil_held"] is None else f"{100 * way['gil_held']:.0f} %"),
    ("waited for the GIL", _figure("waiting_s", " s", 2)),
    ("last worker started", lambda way: "–" if way["startup_s"] is None else f"{way['startup_s']:.2f} s"),
    ("memory at most", _figure("memory_peak_mb", " MB", 0)),
    ("processes", _figure("processes", "", 0)),
    ("runs", lambda way: f"{way['runs']}" + (f", {way['failed']} failed" if way["failed"] else "")),
    ("verdict", lambda way: way["verdict"] or "?"),
)


def render(comparison: Mapping[str, Any]) -> str:
    """The comparison as text, ending in a newline. No line is wider than WIDTH."""
    ways = comparison["ways"]
    lines: list[str] = []
    for first in range(0, len(ways), WAYS_BESIDE):
        lines += [*_table(ways[first : first + WAYS_BESIDE]), ""]
    for number, text in enumerate(comparison["advice"]):
        lines += wrap(
            clean(text), WIDTH, first="" if number == 0 else "  · ", then="" if number == 0 else "    "
        )
    if comparison["outputs_differ"]:
        lines += wrap(OUTPUTS_DIFFER, WIDTH)
    return "\n".join(cut(line, WIDTH).rstrip() for line in lines) + "\n"


def figures(comparison: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """The table's rows, for a screen that lays them out itself: words, and a value a way."""
    ways = comparison["ways"]
    return [(word, tuple(figure(way) for way in ways)) for word, figure in _ROWS]


def sentences(comparison: Mapping[str, Any]) -> list[str]:
    """What the comparison says, the advice first."""
    return [*comparison["advice"], *([OUTPUTS_DIFFER] if comparison["outputs_differ"] else [])]


def _table(ways: list[Mapping[str, Any]]) -> list[str]:
    cells = (WIDTH - WORDS) // max(1, len(ways))
    lines = [" " * WORDS + "".join(_right(str(way["label"]), cells) for way in ways)]
    for word, figure in _ROWS:
        lines.append(pad(word, WORDS) + "".join(_right(figure(way), cells) for way in ways))
    return lines


def _right(text: str, cells: int) -> str:
    text = cut(clean(text), cells - 1)
    return " " * (cells - width(text)) + text

"""Functions by their share of the time in which a GIL was held, and of the time waited for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gilscope.analysis.weights import WeightedStack

SHOWN = 100
"""So many functions at most are in a summary: those with the largest shares."""
_DIGITS = 6
_Place = tuple[str, str]
"""Function and file."""


@dataclass(slots=True)
class _Sums:
    """What one place comes to, in one kind of time."""

    own_ns: float = 0.0
    total_ns: float = 0.0
    samples: int = 0
    lines_ns: dict[int, float] = field(default_factory=dict)


def functions(held: Sequence[WeightedStack], waiting: Sequence[WeightedStack] = ()) -> list[dict[str, Any]]:
    """The rows of "functions" in a summary, the largest share of held time first.

    A row's `held_share` is the function's own, `total_share` includes what it called; `line` is the one in
    which it was for longest; `samples` counts the stacks in which it was innermost. `waiting_share` and
    `waiting_samples` are of the time in which it waited itself. What no stack tells of is None.

    Args:
        held: stacks with their parts of the held time.
        waiting: likewise of the waiting time.
    """
    held_ns, waiting_ns = (sum(stack.weight_ns for stack in stacks) for stacks in (held, waiting))
    in_held = _sums(held) if held_ns else {}
    in_waiting = _sums(waiting) if waiting_ns else {}
    none = _Sums()

    def rank(place: _Place) -> tuple[float, float, float, _Place]:
        one, other = in_held.get(place, none), in_waiting.get(place, none)
        return (-one.own_ns, -other.own_ns, -one.total_ns, place)

    rows = []
    for place in sorted(in_held.keys() | in_waiting.keys(), key=rank)[:SHOWN]:
        one, other = in_held.get(place, none), in_waiting.get(place, none)
        lines_ns = one.lines_ns or other.lines_ns
        rows.append(
            {
                "function": place[0],
                "file": place[1],
                "line": max(lines_ns, key=lambda line: lines_ns[line]),
                "held_share": _share(one.own_ns, held_ns),
                "total_share": _share(one.total_ns, held_ns),
                "waiting_share": _share(other.own_ns, waiting_ns),
                "samples": one.samples,
                "waiting_samples": other.samples,
            }
        )
    return rows


def _sums(stacks: Sequence[WeightedStack]) -> dict[_Place, _Sums]:
    found: dict[_Place, _Sums] = {}
    for stack in stacks:
        lines = {(frame.function, frame.file): frame.line for frame in stack.frames}
        for place, line in lines.items():
            sums = found.setdefault(place, _Sums())
            sums.total_ns += stack.weight_ns
            sums.lines_ns[line] = sums.lines_ns.get(line, 0.0) + stack.weight_ns
        own = found[stack.frames[-1].function, stack.frames[-1].file]
        own.own_ns += stack.weight_ns
        own.samples += stack.count
    return found


def _share(ns: float, of_ns: float) -> float | None:
    return round(ns / of_ns, _DIGITS) if of_ns else None


def rest_on(
    held: Sequence[WeightedStack],
    held_ns: int,
    waiting: Sequence[WeightedStack] = (),
    waiting_ns: int | None = None,
) -> dict[str, Any]:
    """What "functions" rests on: how many stacks, and how much of all such time they speak for.

    Args:
        held: stacks with their parts of the held time.
        held_ns: all held time.
        waiting: likewise of the waiting time.
        waiting_ns: all waiting time; None: not known.
    """
    covered_ns, covered_waiting_ns = (sum(stack.weight_ns for stack in stacks) for stacks in (held, waiting))
    known = waiting_ns is not None and waiting_ns > 0
    return {
        "stacks": sum(stack.count for stack in held),
        "held_share": round(min(1.0, covered_ns / held_ns), _DIGITS) if held_ns else None,
        "waiting_stacks": sum(stack.count for stack in waiting),
        "waiting_share": round(min(1.0, covered_waiting_ns / (waiting_ns or 1)), _DIGITS) if known else None,
    }

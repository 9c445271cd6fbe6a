"""Pure: how long threads held a GIL in a span, spread over the ticks of that span.

py-spy counts who held the GIL in a second, and does not say when. The kernel's CPU times do, tick by tick:
a thread runs Python only while it is on a CPU, and only one of them at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gilscope.sampler.merge import TOLERANCE_NS

Z95 = 1.96
SLACK_NS_MAX = 500_000_000
"""Chance adds up ever more slowly than time: above this a difference between held and CPU time is none."""


@dataclass(slots=True)
class Cell:
    """The part of one tick that lies in the span."""

    length_ns: int
    cpu_ns: Mapping[int, int]
    """By tid: CPU time in that part."""
    alive_ns: Mapping[int, int] = field(default_factory=dict)
    """By tid, of threads that lived in a part of it only."""


def spread_held(
    cells: Sequence[Cell], held_ns: Mapping[int, int], slack_ns: Mapping[int, int]
) -> list[dict[int, int]]:
    """How long each thread held the GIL in each cell.

    In no cell do all threads together hold it for longer than the cell lasts. A thread holds it first where
    it used the CPU. What it held beyond its CPU time stands beside that as far as chance explains it, and
    over all the rest where it does not: then it kept the GIL while it slept.

    Args:
        cells: in order of time.
        held_ns: by tid, in all cells together.
        slack_ns: by tid: the sampling error of that.
    """
    rooms = [max(0, cell.length_ns) for cell in cells]
    spread: list[dict[int, int]] = [{} for _ in cells]

    def place(tid: int, amount: int, weights: Sequence[int]) -> int:
        """Put an amount where the weights are, at most the weight of each; what does not fit comes back."""
        total = sum(weights)
        amount_here = min(amount, total)
        done = seen = 0
        for index, weight in enumerate(weights):
            seen += weight
            # Cumulative, so that rounding loses nothing.
            part = amount_here * seen // total - done if total else 0
            if part:
                spread[index][tid] = spread[index].get(tid, 0) + part
                rooms[index] -= part
                done += part
        return amount - done

    def on_cpu(tid: int) -> list[int]:
        return [min(max(0, cell.cpu_ns.get(tid, 0)), room) for cell, room in zip(cells, rooms, strict=True)]

    def anywhere(tid: int, *, active: bool) -> list[int]:
        return [
            max(0, min(room, cell.alive_ns.get(tid, cell.length_ns) - done.get(tid, 0)))
            if not active or cell.cpu_ns.get(tid, 0) > 0
            else 0
            for cell, room, done in zip(cells, rooms, spread, strict=True)
        ]

    # Those with the least choice first: who used just as much CPU as it held was nowhere else.
    def choice(tid: int) -> int:
        return sum(on_cpu(tid)) - held_ns[tid]

    for tid in sorted(held_ns, key=choice):
        left = place(tid, max(0, held_ns[tid]), on_cpu(tid))
        by_chance = min(left, slack_ns.get(tid, 0))
        left += place(tid, by_chance, anywhere(tid, active=True)) - by_chance
        place(tid, left, anywhere(tid, active=False))
    return spread


def variance_ns2(count: float, samples: float, length_ns: int) -> float:
    """Variance, in ns², of the held time that `count` of `samples` samples stand for.

    Of none and of all it is not zero: a sample more or less is always possible.
    """
    if samples <= 0:
        return 0.0
    period_ns = length_ns / samples
    share = min(1.0, count / samples)
    return max(1.0, samples * share * (1 - share)) * period_ns**2


def slack_ns(variance: float) -> int:
    """How far sampled held time and exact CPU time may be apart, and still be the same but for chance."""
    return min(SLACK_NS_MAX, TOLERANCE_NS + round(Z95 * math.sqrt(max(0.0, variance))))

"""What gilscope says of a service under load, and what the service serves with it beside and without."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.pausing import SETTLE_S, Slowdown, estimate
from tests.services.catalogue import Service
from tests.services.running import Attached, Running, running

WARM_S = 1.0


@dataclass
class Measured:
    """What came out for one service."""

    service: Service
    summary: dict[str, Any]
    """Of a watch that went on without a pause."""
    served: float
    """Per second, during that watch."""
    failed: int
    slower: Slowdown | None = None
    """By how much less is served beside gilscope than without it; None: not measured."""
    dearer: Slowdown | None = None
    """By how much more CPU time each takes."""

    @property
    def verdict(self) -> str:
        kind: str = self.summary["verdict"]["kind"]
        return kind

    @property
    def is_right(self) -> bool:
        return self.verdict in self.service.verdicts


def measure(service: Service, seconds: float, *, compared_s: float = 0.0, block_s: float = 1.0) -> Measured:
    """Attach to a service under load.

    Args:
        service: it.
        seconds: how long to watch it without a pause.
        compared_s: how long to watch it after that in blocks, gilscope being stopped in between.
        block_s: how long a block is.
    """
    with running(service) as started:
        time.sleep(WARM_S)
        attached = Attached(started.pid, started.folder, "watched")
        served = rate(started, seconds)
        summary = attached.end()
        slower, dearer = compare(started, compared_s, block_s) if compared_s else (None, None)
        return Measured(service, summary, served, started.failed(), slower, dearer)


def compare(started: Running, seconds: float, block_s: float) -> tuple[Slowdown, Slowdown]:
    """How much less is served while gilscope runs than while it is stopped; and how much more CPU each takes.

    In neighbouring blocks of one attachment, in fours: from one minute to the next a machine changes by
    more than what is looked for (tests/benchmarks/pausing.py). What is served a second follows all that
    goes on here; CPU time for each does less so.
    """
    attached = Attached(started.pid, started.folder, "compared")
    slower, dearer = [], []
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            blocks: dict[bool, list[Block]] = {True: [], False: []}
            first = random.random() < 0.5
            for on in (first, not first, not first, first):
                attached.pause(on=not on)
                time.sleep(SETTLE_S)
                blocks[on].append(block(started, block_s))
            beside, without = Block.total(blocks[True]), Block.total(blocks[False])
            if beside.served and without.served:
                slower.append(without.served / without.seconds / (beside.served / beside.seconds) - 1)
                dearer.append(beside.cpu_s / beside.served / (without.cpu_s / without.served) - 1)
    finally:
        attached.pause(on=False)
        attached.end()
    return estimate(slower), estimate(dearer)


@dataclass(frozen=True)
class Block:
    """What was served in some time, and the CPU time that the service took for it."""

    served: int
    seconds: float
    cpu_s: float

    @classmethod
    def total(cls, blocks: list[Block]) -> Block:
        return cls(
            sum(each.served for each in blocks),
            sum(each.seconds for each in blocks),
            sum(each.cpu_s for each in blocks),
        )


def block(started: Running, seconds: float) -> Block:
    """Look at the service for some time."""
    served, began, cpu_s = started.served(), time.monotonic(), started.cpu_s()
    time.sleep(seconds)
    return Block(started.served() - served, time.monotonic() - began, started.cpu_s() - cpu_s)


def rate(started: Running, seconds: float) -> float:
    """Served per second over some time."""
    before, began = started.served(), time.monotonic()
    time.sleep(seconds)
    return (started.served() - before) / (time.monotonic() - began)


def held(summary: dict[str, Any]) -> float:
    """The busiest GIL's share of time in which it is held."""
    return max((float(gil["utilisation"] or 0.0) for gil in summary["gils"]), default=0.0)


def gaps_s(summary: dict[str, Any]) -> float:
    """Seconds that were not read."""
    return sum(float(gap["seconds"]) for gap in summary["gilscope"]["gaps"])


def wrong_lanes(summary: dict[str, Any], service: Service) -> list[str]:
    """What is wrong with the lanes of a summary."""
    lanes = [lane for lane in summary["lanes"] if lane["cpu_s"] or lane["held_share"]]
    names = [lane["name"] or "" for lane in summary["lanes"]]
    wrong = [
        f"no lane named {wanted}"
        for wanted in sorted(service.lanes)
        if not any(wanted in name for name in names)
    ]
    # On a busy machine a worker that computes stands in a run queue for much of the time.
    computing = {lane["pid"] for lane in lanes if lane["cpu_s"] + lane["ready_s"] > 0.2 * lane["alive_s"]}
    if len(computing) < service.processes_min:
        wrong.append(f"{len(computing)} processes compute, not {service.processes_min}")
    wrong += [
        f"no name: {lane['pid']}/{lane['tid']}"
        for lane in lanes
        if not lane["name"] and (lane["held_share"] or 0) > 0.01
    ]
    return wrong

"""What a service serves with gilscope beside it and without, in spans that alternate."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from tests.services.catalogue import Service
from tests.services.running import Attached, Running, running

STUDENT_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
"""Of Student's t for 1, 2, 3 … degrees of freedom."""


@dataclass
class Measured:
    """What came out for one service."""

    service: Service
    without: list[float] = field(default_factory=list)
    """Served per second, a figure a span."""
    beside: list[float] = field(default_factory=list)
    """The same with gilscope attached, each span just before or after its one of `without`."""
    summaries: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0

    @property
    def difference(self) -> tuple[float, float]:
        """Mean and half of the 95 % interval of how much more is served with gilscope, as a share."""
        shares = [b / a - 1 for a, b in zip(self.without, self.beside, strict=True)]
        if len(shares) < 2:
            return statistics.fmean(shares), math.inf
        freedom = min(len(shares) - 1, len(STUDENT_95))
        error = statistics.stdev(shares) / math.sqrt(len(shares))
        return statistics.fmean(shares), STUDENT_95[freedom - 1] * error

    @property
    def verdicts(self) -> list[str]:
        return [summary["verdict"]["kind"] for summary in self.summaries]

    @property
    def is_right(self) -> bool:
        return set(self.verdicts) <= self.service.verdicts


def measure(service: Service, seconds: float, spans: int) -> Measured:
    """Watch a service in `spans` spans of `seconds` seconds, and leave it alone in as many."""
    found = Measured(service)
    with running(service) as started:
        rate(started, 1.0)
        for number in range(spans):
            # First one, then the other: what drifts does not favour either.
            for beside in (False, True) if number % 2 == 0 else (True, False):
                if beside:
                    attached = Attached(started.pid, started.folder, number)
                    found.beside.append(rate(started, seconds))
                    found.summaries.append(attached.end())
                else:
                    found.without.append(rate(started, seconds))
        found.failed = started.failed()
    return found


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

"""What a service serves of what is asked of it in a second, which is less than it could, with and without."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass, field

from tests.benchmarks.pausing import SETTLE_S
from tests.services.catalogue import Service
from tests.services.measure import WARM_S, rate
from tests.services.running import Attached, Running, running

CAPACITY_S = 5.0
HEAD = (
    f"{'service':<22}{'asked/s':>9}{'served with':>13}{'without':>9}{'fewer':>8}"
    f"{'median ms':>12}{'without':>9}{'p99 ms':>10}{'without':>9}{'errors':>8}"
)


@dataclass
class Blocks:
    """Those with gilscope, or those without."""

    served: int = 0
    seconds: float = 0.0
    took_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Served in a second."""
        return self.served / self.seconds

    def took_ms(self, percent: int) -> float:
        """How long so many per cent took at the most, from when they were due."""
        return 1e3 * statistics.quantiles(self.took_s, n=100, method="inclusive")[percent - 1]


@dataclass
class Paced:
    """What came out for one service."""

    service: Service
    asked: float
    """In a second."""
    beside: Blocks
    without: Blocks
    failed: int

    def row(self) -> str:
        """One line of the table."""
        fewer = 1 - self.beside.rate / self.without.rate
        return (
            f"{self.service.name:<22}{self.asked:>9.1f}{self.beside.served:>13}{self.without.served:>9}"
            f"{fewer:>+8.2%}{self.beside.took_ms(50):>12.1f}{self.without.took_ms(50):>9.1f}"
            f"{self.beside.took_ms(99):>10.1f}{self.without.took_ms(99):>9.1f}{self.failed:>8}"
        )


def measure_paced(service: Service, part: float, seconds: float, block_s: float) -> Paced:
    """Ask a part of what a service can serve, in blocks with gilscope and without.

    Args:
        service: it.
        part: of what it serves when the next is asked as soon as the last is answered, without gilscope.
        seconds: of the blocks with gilscope; as long without.
        block_s: how long a block is.
    """
    with running(service) as started:
        time.sleep(WARM_S)
        asked = part * rate(started, CAPACITY_S)
    with running(service, asked) as started:
        time.sleep(WARM_S)
        attached = Attached(started.pid, started.folder, "paced")
        found = {True: Blocks(), False: Blocks()}
        try:
            while found[True].seconds + found[False].seconds < 2 * seconds:
                first = random.random() < 0.5
                for on in (first, not first, not first, first):
                    attached.pause(on=not on)
                    time.sleep(SETTLE_S)
                    _look(started, block_s, found[on])
        finally:
            attached.pause(on=False)
            attached.end()
        return Paced(service, asked, found[True], found[False], started.failed())


def _look(started: Running, seconds: float, into: Blocks) -> None:
    served, began, first = started.served(), time.monotonic(), len(started.took_s())
    time.sleep(seconds)
    into.served += started.served() - served
    into.seconds += time.monotonic() - began
    into.took_s += started.took_s(first)

"""Time: a clock that tests can replace, and the ticker that says when to read next."""

from __future__ import annotations

import random
import sys
import time
from typing import Protocol

from gilscope.model import NS_PER_S


class Clock(Protocol):
    """A monotonic clock."""

    def now_ns(self) -> int:
        """Nanoseconds since an arbitrary moment; never goes back."""
        ...


class MonotonicClock:
    """The system's monotonic clock."""

    def now_ns(self) -> int:
        """Nanoseconds of CLOCK_MONOTONIC."""
        return time.monotonic_ns()


class BootClock:
    """The clock that goes on while the machine is suspended, where there is one."""

    def now_ns(self) -> int:
        """Nanoseconds of CLOCK_BOOTTIME; elsewhere than on Linux the monotonic clock's."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic_ns()


class SleepWatch:
    """Notices that the machine was suspended: one clock went on, and the other stood still.

    Session time is the monotonic clock's, for which no time passes in a suspended machine.
    """

    LEAST_NS = NS_PER_S
    """A shorter difference may come from reading one clock after the other."""

    def __init__(self, awake: Clock, all_time: Clock) -> None:
        self._awake, self._all_time = awake, all_time
        self._behind_ns = self._difference()

    def _difference(self) -> int:
        return self._all_time.now_ns() - self._awake.now_ns()

    def slept_ns(self) -> int:
        """How long the machine has been suspended since the last call; 0: it was not."""
        difference_ns = self._difference()
        slept_ns = difference_ns - self._behind_ns
        if slept_ns < self.LEAST_NS:
            return 0
        self._behind_ns = difference_ns
        return slept_ns


class FakeClock:
    """A clock that moves only when told to."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The moment it was last moved to."""
        return self._now_ns

    def advance(self, duration_ns: int) -> None:
        """Move forward by `duration_ns`."""
        self._now_ns += duration_ns


class Ticker:
    """Absolute deadlines at a mean rate, each moved by random jitter.

    Deadlines stand on a fixed grid, so lateness never adds up. Each is moved within its cell of the grid
    by a uniform draw: a fixed period would beat with a target that has a period of its own and see the
    same phase of it again and again. Deadlines that have passed by more than a period are skipped and
    counted, never made up for in a burst: a burst would read one moment several times.
    """

    def __init__(self, rate_hz: float, start_ns: int, *, seed: int | None = None) -> None:
        self.period_ns = max(1, round(NS_PER_S / rate_hz))
        self._random = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self._cell_ns = start_ns
        self.skipped = 0

    def next_deadline(self, now_ns: int) -> int:
        """The next moment to read at, given that it is `now_ns`."""
        self._cell_ns += self.period_ns
        behind = now_ns - self._cell_ns
        if behind > self.period_ns:
            missed = behind // self.period_ns
            self.skipped += missed
            self._cell_ns += missed * self.period_ns
        return self._cell_ns + int((self._random.random() - 0.5) * self.period_ns)

    def deadlines(self, now_ns: int, until_ns: int) -> list[int]:
        """The next moments to read at, the last of them the first one at or after `until_ns`."""
        found = [self.next_deadline(now_ns)]
        cell_ns, period_ns, draw = self._cell_ns, self.period_ns, self._random.random
        while found[-1] < until_ns:
            cell_ns += period_ns
            found.append(cell_ns + int((draw() - 0.5) * period_ns))
        self._cell_ns = cell_ns
        return found

    def give_back(self, count: int) -> None:
        """The last `count` moments that were given out were not used: they are to come again."""
        self._cell_ns -= count * self.period_ns

    def is_due(self, now_ns: int) -> bool:
        """Whether the next moment to read at has come."""
        return now_ns >= self._cell_ns + self.period_ns

    def set_rate(self, rate_hz: float) -> None:
        """Change the mean rate from the next deadline on."""
        self.period_ns = max(1, round(NS_PER_S / rate_hz))

"""The hot loop: read every GIL at each deadline, and wait for nothing else.

After each sleep the caches are cold, so that every call in here costs several times what it does in a
benchmark. Times are the monotonic clock's; session time is since `begin`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gilscope.clock import Ticker
from gilscope.model import NS_PER_S, Counters
from gilscope.sampler.gilwatch import GilWatch
from gilscope.sampler.merge import GAP_NS
from gilscope.sampler.output import OutputTap
from gilscope.sampler.tree import ProcessTree
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources.gil import Sample
from gilscope.sources.memory import ReadFailedError

HOT_GILS = 4
COLD_TURNS_MIN, COLD_TURNS_MAX = 16, 128

_Entry = tuple[ProcessWatch, GilWatch, Callable[[], Sample]]


class GilSampling:
    """Samples all GILs of a tree of processes."""

    def __init__(self, tree: ProcessTree, output: OutputTap, counters: Counters, rate_hz: float) -> None:
        self._tree = tree
        self._output = output
        self._counters = counters
        self._rate_hz = rate_hz
        self._origin_ns = 0
        self._ticker = Ticker(rate_hz, 0)
        self._turn = 0

    def begin(self, origin_ns: int) -> None:
        """Session time is zero when the monotonic clock shows `origin_ns`."""
        self._origin_ns = origin_ns
        self._ticker = Ticker(self._rate_hz, origin_ns)

    def set_rate(self, rate_hz: float) -> None:
        """Sample at another mean rate from now on."""
        self._ticker.set_rate(rate_hz)

    def sample_until(self, due_ns: int) -> bool:
        """Sample until session time `due_ns`; True when a process could not be read any more."""
        every = [(process, gil, gil.probe.sample) for process, gil in self._tree.readable_gils()]
        turns = _turns(every)
        monotonic_ns, next_deadline = time.monotonic_ns, self._ticker.next_deadline
        origin_ns, silent = self._origin_ns, not self._output.is_open
        due_ns += origin_ns
        turn, late_ns = self._turn, 0
        lost = changed = False
        now_ns = before_ns = monotonic_ns()
        while not changed:
            deadline_ns = next_deadline(now_ns)
            if not silent:
                self._output.wait_until(deadline_ns, now_ns)
            elif deadline_ns > now_ns:
                time.sleep((deadline_ns - now_ns) / NS_PER_S)
            now_ns = monotonic_ns()
            late_ns = max(late_ns, now_ns - deadline_ns)
            for process, gil, sample in turns[turn % len(turns)]:
                try:
                    seen = sample()
                except ReadFailedError as error:
                    lost = self._lose(process, gil, error, now_ns) or lost
                    changed = True  # begin anew with the GILs that are left
                    continue
                if seen is gil.last and now_ns - before_ns < GAP_NS:
                    gil.same += 1  # by far the most samples: told to the fold only when that ends
                    gil.same_ns = now_ns - origin_ns
                else:
                    gil.tell(now_ns - origin_ns, seen)
            before_ns = now_ns
            turn += 1
            if now_ns >= due_ns:
                break
        _flush(every)
        self._counters.samples_taken += turn - self._turn
        self._turn = turn
        self._counters.late_ns_max = max(self._counters.late_ns_max, late_ns)
        return lost

    def sample_if_due(self) -> None:
        """Take a sample between the steps of longer work, so that none is missed because of it."""
        now_ns = time.monotonic_ns()
        if not self._ticker.is_due(now_ns):
            return
        self._ticker.next_deadline(now_ns)
        for process, gil in self._tree.readable_gils():
            try:
                gil.tell(now_ns - self._origin_ns, gil.probe.sample())
            except ReadFailedError as error:
                self._lose(process, gil, error, now_ns)
        self._counters.samples_taken += 1

    def _lose(self, process: ProcessWatch, gil: GilWatch, error: ReadFailedError, now_ns: int) -> bool:
        """A GIL cannot be read: its interpreter is gone, or the whole process; True if the process."""
        self._counters.failed_reads += 1
        if gil.probe.interpreter != 0:
            process.lose_gil(gil)
            return False
        process.lost(str(error), now_ns - self._origin_ns)
        return True


def _flush(every: list[_Entry]) -> None:
    for _, gil, _ in every:
        if gil.same:
            gil.flush()


def _turns(every: list[_Entry]) -> list[list[_Entry]]:
    """Which GILs to sample, in turn.

    Of many, those that have long been free share a place: each sample stands for the time since the last
    one, so that rarer ones are less exact, not less true.
    """
    if len(every) <= HOT_GILS:
        return [every]
    hot = [entry for entry in every if not entry[1].is_cold]
    cold = [entry for entry in every if entry[1].is_cold]
    count = min(COLD_TURNS_MAX, max(COLD_TURNS_MIN, len(cold))) if cold else 1
    return [[*hot, *cold[turn::count]] for turn in range(count)]

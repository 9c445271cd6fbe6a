"""The hot loop: read every GIL at each deadline, and wait for nothing else.

After each sleep the caches are cold, so that every call in here costs several times what it does in a
benchmark. Times are the monotonic clock's; session time is since `begin`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from gilscope.clock import Ticker
from gilscope.model import NS_PER_S, Counters
from gilscope.sampler.gilwatch import GilWatch
from gilscope.sampler.merge import GAP_NS
from gilscope.sampler.output import OutputTap
from gilscope.sampler.tree import ProcessTree
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources.gil import READ_ERRORS, Fields, GilProbe
from gilscope.sources.memory import ReadFailedError

FAILURES = (ReadFailedError, *READ_ERRORS)
HOT_GILS = 4
WARM_TURNS = 8
COLD_TURNS_MIN, COLD_TURNS_MAX = 16, 128
COLD_NS = GAP_NS // 2
"""Each GIL is sampled this often at least: spans longer than a gap would count as not watched."""

_Entry = tuple[ProcessWatch, GilWatch, GilProbe, Callable[..., Fields], tuple[int, int, int]]


class GilSampling:
    """Samples all GILs of a tree of processes."""

    def __init__(self, tree: ProcessTree, output: OutputTap, counters: Counters, rate_hz: float) -> None:
        self._tree = tree
        self._output = output
        self._counters = counters
        self._rate_hz = rate_hz
        self._origin_ns = 0
        self._ticker = Ticker(rate_hz, 0)
        self._turns: list[list[_Entry]] = [[]]
        self._turn = 0
        self._sampled_ns = 0
        """When the last sample was taken."""

    def begin(self, origin_ns: int) -> None:
        """Session time is zero when the monotonic clock shows `origin_ns`."""
        self._origin_ns = origin_ns
        self._ticker = Ticker(self._rate_hz, origin_ns)
        self._sampled_ns = origin_ns

    def set_rate(self, rate_hz: float) -> None:
        """Sample at another mean rate from now on."""
        self._ticker.set_rate(rate_hz)

    def sample_until(self, due_ns: int) -> bool:
        """Sample until session time `due_ns`; True when a process could not be read any more."""
        turns = self._turns = _turns(self._tree.readable_gils(), self._ticker.period_ns)
        sleep, monotonic_ns, count = time.sleep, time.monotonic_ns, len(turns)
        pread: Any = getattr(os, "pread", None)  # not on Windows, where there is nothing to sample either
        origin_ns, silent = self._origin_ns, not self._output.is_open
        due_ns += origin_ns
        first = turn = self._turn
        lost, late_ns, period_ns = False, 0, self._ticker.period_ns
        now_ns, before_ns = monotonic_ns(), self._sampled_ns
        deadlines = self._ticker.deadlines(now_ns, due_ns)
        for deadline_ns in deadlines:
            if deadline_ns > now_ns:
                if silent:
                    sleep((deadline_ns - now_ns) / NS_PER_S)
                else:
                    self._output.wait_until(deadline_ns, now_ns)
                now_ns = monotonic_ns()
            elif now_ns - deadline_ns > period_ns and deadline_ns < due_ns:
                continue  # missed: two samples of one moment say no more than one
            if now_ns - deadline_ns > late_ns:  # noqa: PLR1730 - a call of max() in each sample costs more
                late_ns = now_ns - deadline_ns
            gap = now_ns - before_ns > GAP_NS
            for process, gil, probe, unpack, (fd, size, address) in turns[turn % count]:
                try:
                    fields = unpack(pread(fd, size, address))
                    if fields != probe.fields or gap:
                        gil.note(now_ns - origin_ns, fields)
                    else:
                        gil.same += 1
                        gil.same_ns = now_ns - origin_ns
                except FAILURES as error:
                    lost = self._lose(process, gil, error, now_ns) or lost
                    count = 0
            before_ns = now_ns
            turn += 1
            if not count:
                # Begin anew with the GILs that are left.
                self._ticker.give_back(len(deadlines) - 1 - deadlines.index(deadline_ns))
                break
        self._sampled_ns = before_ns
        self._turn = turn
        self._counters.samples_taken += turn - first
        self._counters.late_ns_max = max(self._counters.late_ns_max, late_ns)
        return lost

    def sample_if_due(self) -> None:
        """Take a sample between the steps of longer work, so that none is missed because of it."""
        now_ns = time.monotonic_ns()
        if not self._ticker.is_due(now_ns):
            return
        self._ticker.next_deadline(now_ns)
        for process, gil, *_ in self._turns[self._turn % len(self._turns)]:
            if not process.can_sample or gil not in process.gils:
                continue  # gone since these turns were planned
            try:
                gil.read(now_ns - self._origin_ns)
            except ReadFailedError as error:
                self._lose(process, gil, error, now_ns)
        self._sampled_ns = now_ns
        self._turn += 1
        self._counters.samples_taken += 1

    def _lose(self, process: ProcessWatch, gil: GilWatch, error: Exception, now_ns: int) -> bool:
        """A GIL cannot be read: its interpreter is gone, or the whole process; True if the process."""
        self._counters.failed_reads += 1
        if gil.probe.interpreter != 0:
            process.interpreters.lose(gil)
            return False
        failure = error if isinstance(error, ReadFailedError) else gil.probe.failure(error)
        process.lost(str(failure), now_ns - self._origin_ns)
        return True


def _turns(every: list[tuple[ProcessWatch, GilWatch]], period_ns: int) -> list[list[_Entry]]:
    """Which GILs to sample, in turn.

    Of many, those that were hardly held in the last tick take turns, and those that have long been free do so
    more rarely: each sample stands for the time since the last one, so that rarer ones are less exact, not
    less true. Which is which is decided a tick ahead: it must not depend on what the samples see.
    """
    entries = [(process, gil, gil.probe, gil.probe.unpack, gil.probe.place) for process, gil in every]
    if len(entries) <= HOT_GILS:
        return [entries]
    cold = [entry for entry in entries if entry[1].is_cold]
    warm = [entry for entry in entries if entry[1].is_warm and not entry[1].is_cold]
    hot = [entry for entry in entries if not entry[1].is_warm and not entry[1].is_cold]
    often = max(1, min(WARM_TURNS, COLD_NS // period_ns))
    rarely = max(1, min(COLD_TURNS_MAX, COLD_NS // period_ns, max(COLD_TURNS_MIN, len(cold))) // often)
    return [
        [*hot, *warm[turn % often :: often], *cold[turn :: often * rarely]] for turn in range(often * rarely)
    ]

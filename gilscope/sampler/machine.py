"""Cores and memory in a session: whose lane runs on which core, what each process costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gilscope.clock import MonotonicClock
from gilscope.model import CoreTick, ProcessTick
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources import cores
from gilscope.sources.memory import ReadFailedError

LOADS_EVERY_TICKS = 4
"""The kernel's figures for a core move in steps of 10 ms: reading them at each tick brings nothing."""
SHARES_COST_LIMIT = 0.005
"""PSS and USS are counted page by page by the kernel: they may take this part of the time."""


class MachineWatch:
    """Reads cores and memory, at a pace of its own."""

    def __init__(self) -> None:
        self._loads = cores.CoreLoads()
        self._busy: list[float] = []
        self._ticks = 0
        self._shares_at_ns = 0
        self._read: set[int] = set()
        self._clock = MonotonicClock()

    def core_ticks(
        self, core_ns: Sequence[Mapping[int, Mapping[int, int]]], start_ns: int, end_ns: int
    ) -> tuple[CoreTick, ...]:
        """The cores in a tick.

        Args:
            core_ns: of each process: core → lane → CPU time in the tick.
            start_ns: the tick's begin.
            end_ns: the tick's end.
        """
        if self._ticks % LOADS_EVERY_TICKS == 0:
            try:
                self._busy = self._loads.read(self._clock.now_ns())
            except ReadFailedError:
                self._busy = []
        self._ticks += 1
        lanes: dict[int, dict[int, int]] = {}
        for by_core in core_ns:
            for core, by_lane in by_core.items():
                lanes.setdefault(core, {}).update(by_lane)
        length_ns = max(1, end_ns - start_ns)
        return tuple(
            CoreTick(
                core=core,
                busy_share=busy,
                lane=_longest(lanes.get(core)),
                target_share=min(1.0, sum(lanes.get(core, {}).values()) / length_ns),
            )
            for core, busy in enumerate(self._busy)
        )

    def process_ticks(self, watches: Sequence[ProcessWatch], now_ns: int) -> list[ProcessTick]:
        """What each process costs now; those that have ended are left out."""
        shares = now_ns >= self._shares_at_ns
        began_ns = self._clock.now_ns()
        ticks = []
        self._read &= {watch.process.key for watch in watches}
        for watch in watches:
            if watch.is_idle and watch.process.key in self._read:
                continue  # its memory has not changed either
            self._read.add(watch.process.key)
            size = cores.footprint(watch.pid, shares=shares)
            if size is not None and size.rss:
                ticks.append(
                    ProcessTick(
                        process=watch.process.key,
                        at_ns=now_ns,
                        cpu_ns=watch.process.cpu_ns,
                        rss_bytes=size.rss,
                        pss_bytes=size.pss,
                        uss_bytes=size.uss,
                        threads=size.threads,
                    )
                )
        if shares:
            self._shares_at_ns = now_ns + round((self._clock.now_ns() - began_ns) / SHARES_COST_LIMIT)
        return ticks


def _longest(by_lane: Mapping[int, int] | None) -> int | None:
    return max(by_lane, key=lambda lane: by_lane[lane]) if by_lane else None

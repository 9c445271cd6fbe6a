"""The GILs of one process while it is watched, as its interpreters come and go."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from gilscope.model import Gil
from gilscope.sampler.gilwatch import GilWatch
from gilscope.sampler.merge import GilFold
from gilscope.sources.gil import GilProbe
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.memory import ReadFailedError

RESCAN_NS = 1_000_000_000


@dataclass(slots=True)
class Keys:
    """Gives out the keys of one session."""

    process: int = 0
    lane: int = 0
    gil: int = 0


class Interpreters:
    """What reads a process's interpreters, and a watch for each GIL of theirs."""

    def __init__(self, process: int, keys: Keys, stall_ns: int) -> None:
        """Nothing is read yet.

        Args:
            process: key of the process.
            keys: gives out the session's keys.
            stall_ns: longer holds of a GIL may be stalls; 0: nobody looks for any.
        """
        self._process = process
        self._keys = keys
        self._stall_ns = stall_ns
        self.reader: InterpreterReader | None = None
        self.gils: list[GilWatch] = []
        self.changed: list[Gil] = []
        """New, or with another switch interval, since they were last taken."""
        self._closed: list[GilWatch] = []
        """Lost since the last tick's end: their sums are still to be written."""
        self._newest = 0
        self._rescan_ns = 0

    def open(self, reader: InterpreterReader, tick_end_ns: int) -> None:
        """Watch all that this reader finds.

        Raises:
            ReadFailedError: the process is gone, or its memory is.
        """
        self._newest = reader.newest_interpreter()
        for probe in reader.probes():
            self._add(probe, tick_end_ns)
        self.reader = reader

    def _add(self, probe: GilProbe, tick_end_ns: int) -> None:
        self._keys.gil += 1
        gil = Gil(
            key=self._keys.gil,
            process=self._process,
            interpreter=probe.interpreter,
            kind=probe.kind,
            switch_interval_us=probe.switch_interval_us(),
        )
        self.changed.append(gil)
        self.gils.append(GilWatch(gil, probe, GilFold(tick_end_ns, self._stall_ns)))

    def rescan(self, now_ns: int, tick_end_ns: int) -> None:
        """Once a tick: follow interpreters that are made and destroyed.

        A new one is at the head of the interpreter's own list; one that is destroyed anywhere else in it is
        noticed within RESCAN_NS, and until then read as free, or not at all.
        """
        if self.reader is None:
            return
        try:
            newest = self.reader.newest_interpreter()
            if newest == self._newest and now_ns < self._rescan_ns:
                return
            self._newest, self._rescan_ns = newest, now_ns + RESCAN_NS
            found = {(probe.address, probe.interpreter): probe for probe in self.reader.probes()}
        except ReadFailedError:
            return  # in the middle of a change, or the process ends: the next tick sees which
        self._reread_intervals()
        known = {(watch.probe.address, watch.probe.interpreter): watch for watch in self.gils}
        for place, watch in known.items():
            watch.missing = 0 if place in found else watch.missing + 1
            if watch.missing:
                # A list that is being changed may be read in part: ask once more before it is believed.
                self._rescan_ns = now_ns
            if watch.missing > 1:
                self.lose(watch)
        for place, probe in found.items():
            if place not in known:
                with contextlib.suppress(ReadFailedError):
                    self._add(probe, tick_end_ns)

    def _reread_intervals(self) -> None:
        """Follow sys.setswitchinterval."""
        for watch in self.gils:
            with contextlib.suppress(ReadFailedError):
                interval_us = watch.probe.switch_interval_us()
                if interval_us != watch.gil.switch_interval_us:
                    watch.gil = replace(watch.gil, switch_interval_us=interval_us)
                    self.changed.append(watch.gil)

    def lose(self, watch: GilWatch) -> None:
        """One of several GILs is gone, with its interpreter."""
        if watch in self.gils:
            self.gils.remove(watch)
            self._closed.append(watch)

    def close(self) -> None:
        """The process ended, or became another program; what was read is still to be taken."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None
        self._closed += self.gils
        self.gils = []

    @property
    def all_in_tick(self) -> list[GilWatch]:
        """Those there are, and before them those lost since the last tick's end."""
        return [*self._closed, *self.gils]

    def take_all(self) -> list[GilWatch]:
        """The same; the lost ones are forgotten."""
        watches, self._closed = self.all_in_tick, []
        return watches

    @property
    def all_free(self) -> bool:
        """Nobody holds or wants any of them, and none was lost."""
        if self.reader is None or self._closed:
            return False
        return all(watch.is_free and watch.fold.is_settled for watch in self.gils)

    def torn_reads(self) -> int:
        """Samples that were read again because they contradicted themselves."""
        return sum(watch.probe.torn for watch in self.gils)

"""Numbers and names for other tools: their processes and threads have pids and tids, which the kernel reuses.

Ours have keys. The first thing that has a number keeps it; what comes later with the same one gets a
free one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gilscope.model import Gil, Lane, Process
from gilscope.roles import with_role

FIRST_FREE = 1 << 23
"""Linux has no pid or tid as large."""
LONGEST_TITLE = 200


def process_title(process: Process) -> str:
    """What a process is called: by multiprocessing, and by its command line."""
    name = None if process.name is None else process.name[:LONGEST_TITLE]
    return with_role(process.command[:LONGEST_TITLE] or f"pid {process.pid}", name)


@dataclass(slots=True)
class Names:
    """What things are called, by their keys."""

    pids: dict[int, int] = field(default_factory=dict)
    tids: dict[int, int] = field(default_factory=dict)
    gil_tids: dict[int, int] = field(default_factory=dict)
    processes: dict[int, Process] = field(default_factory=dict)
    lanes: dict[int, Lane] = field(default_factory=dict)
    gils: dict[int, Gil] = field(default_factory=dict)
    _used: set[int] = field(default_factory=set)
    _free: int = FIRST_FREE

    @classmethod
    def of(cls, processes: Iterable[Process], lanes: Iterable[Lane], gils: Iterable[Gil]) -> Names:
        """Give each thing of a recording its number."""
        made = cls()
        for process in processes:
            made.processes[process.key] = process
            made.pids[process.key] = made.number(process.pid)
        # The main thread of a process has the number of the process.
        made._used.clear()
        for lane in lanes:
            if lane.process in made.pids:
                made.lanes[lane.key] = lane
                pid = made.pids[lane.process]
                main = lane.tid == made.processes[lane.process].pid and pid not in made._used
                made._used.add(pid)
                made.tids[lane.key] = pid if main else made.number(lane.tid)
        for gil in gils:
            if gil.process in made.pids:
                made.gils[gil.key] = gil
                made.gil_tids[gil.key] = made.number(None)
        return made

    def number(self, wanted: int | None) -> int:
        """`wanted`, or a number of nobody else's."""
        if wanted is None or wanted in self._used or wanted >= FIRST_FREE:
            wanted, self._free = self._free, self._free + 1
        self._used.add(wanted)
        return wanted

    def pid_of_lane(self, lane: int) -> int:
        """The number of a lane's process."""
        return self.pids[self.lanes[lane].process]

    def gil_name(self, key: int) -> str:
        """What a GIL's row is called."""
        gil = self.gils[key]
        several = sum(other.process == gil.process for other in self.gils.values()) > 1
        return f"GIL of interpreter {gil.interpreter}" if several else "GIL"

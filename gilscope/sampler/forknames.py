"""Names that multiprocessing gave to processes, for as long as they are what it forked."""

from __future__ import annotations

from dataclasses import replace

from gilscope.launch.reports import ForkReport
from gilscope.model import Process
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources import processes


class ForkNames:
    """The named processes among the watched ones.

    A report of a fork comes when the child may be watched already, may have ended, or may have become another
    program, which no longer is what was named. A fork stands in memory where its parent does; exec moves it.
    """

    def __init__(self) -> None:
        self._images: dict[int, int] = {}
        """By key of a process with a name: where its memory stands."""

    def give(self, watch: ProcessWatch, report: ForkReport) -> None:
        """Call a process what the report of its fork says."""
        name = report.name if watch.process.ppid == report.ppid else None
        if name is not None:
            facts, parent = processes.facts(watch.pid), processes.facts(report.ppid)
            image = facts.image if facts is not None and facts.identity == watch.identity else 0
            if not watch.is_python or (parent is not None and 0 != image != parent.image != 0):
                name = None
            else:
                self._images[watch.process.key] = image
        _rename(watch, name)

    def check(self, watch: ProcessWatch) -> None:
        """Take the name away from a process that has become another program."""
        image = self._images.get(watch.process.key)
        if image is None:
            return
        facts = processes.facts(watch.pid)
        moved = facts is not None and 0 != facts.image != image != 0
        if moved or not watch.is_python:
            self.forget(watch)
            _rename(watch, None)

    def forget(self, watch: ProcessWatch) -> None:
        """It is no longer watched."""
        self._images.pop(watch.process.key, None)


def named_late(process: Process, report: ForkReport) -> Process:
    """A process that had ended before the report of its fork was read."""
    if process.ppid != report.ppid or process.python is None:
        return process
    return replace(process, name=report.name)


def _rename(watch: ProcessWatch, name: str | None) -> None:
    if watch.process.name != name:
        watch.process = replace(watch.process, name=name)
        watch.changed = True

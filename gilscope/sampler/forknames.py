"""Names that multiprocessing gave to processes, for as long as they are what it forked."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gilscope.launch.reports import ForkReport
from gilscope.model import Process
from gilscope.sampler.recent import Recent
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources import processes

KEPT: Final = 4_000


class ForkNames:
    """Gives processes their names, and takes them away.

    A report of a fork comes when the child may be watched already, may have ended, or may have become another
    program, which no longer is what was named. A fork stands in memory where its parent does; exec moves it.
    Whether it can be read as a Python says less: a process that is about to end cannot.
    """

    def __init__(self) -> None:
        self._images: Recent[int, int] = Recent(KEPT)
        """By key of a process: where its memory stood when it was found; 0: not told."""

    def found(self, watch: ProcessWatch, image: int) -> None:
        """A process is watched from now on."""
        self._images.put(watch.process.key, image)

    def give(self, watch: ProcessWatch, report: ForkReport) -> None:
        """Call a process what the report of its fork says."""
        image = _image(watch) or self._images.get(watch.process.key)
        _rename(watch, _name(watch.process, report, image))

    def late(self, process: Process, report: ForkReport) -> Process:
        """The same of one that had ended before the report of its fork was read."""
        name = _name(process, report, self._images.get(process.key))
        return process if name is None else replace(process, name=name)

    def check(self, watch: ProcessWatch) -> None:
        """Take the name away from a process that has become another program."""
        if watch.process.name is not None:
            before, now = self._images.get(watch.process.key), _image(watch)
            if before and now and before != now:
                _rename(watch, None)


def _name(process: Process, report: ForkReport, image: int | None) -> str | None:
    if report.name is None or process.ppid != report.ppid:
        return None
    parent = processes.facts(report.ppid)
    moved = image and parent is not None and parent.image and parent.image != image
    return None if moved else report.name


def _image(watch: ProcessWatch) -> int:
    """Where its memory stands now; 0: not told."""
    facts = processes.facts(watch.pid)
    return facts.image if facts is not None and facts.identity == watch.identity else 0


def _rename(watch: ProcessWatch, name: str | None) -> None:
    if watch.process.name != name:
        watch.process = replace(watch.process, name=name)
        watch.changed = True

"""Names of forked processes: whenever the report comes, and only while they are what was forked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gilscope.launch.attached import AttachedTarget, AttachSpec
from gilscope.launch.reports import ForkReport
from gilscope.model import NS_PER_S, Process
from gilscope.sampler.tree import ProcessTree
from gilscope.sources import processes
from tests.watched import Watched, is_gone, wait_for, watched

TICK_NS = 50_000_000
PYTHON_SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")


class Family:
    """A parent that is watched and its child, which may become something else."""

    def __init__(self, target: Watched) -> None:
        facts = processes.facts(target.pid)
        assert facts is not None
        self.target = target
        self.child = target.tids[0]
        start_ticks = facts.identity.start_ticks
        self.attached = AttachedTarget(
            AttachSpec(pid=target.pid, start_ticks=start_ticks, command="becomes.py", python=sys.executable)
        )
        self.tree = ProcessTree(self.attached)
        self.tree.add_root("3", TICK_NS).try_open(0)
        self._seen: dict[int, Process] = {}

    def report(
        self, name: str | None = "resizer", *, pid: int | None = None, ppid: int | None = None
    ) -> None:
        """A report comes now."""
        report = ForkReport(pid=pid or self.child, ppid=ppid or self.target.pid, name=name)
        self.tree.add_forked(report, NS_PER_S, TICK_NS)

    def recorded(self, pid: int | None = None) -> Process:
        """What the recording says of the child."""
        self._seen |= {process.pid: process for process in self.tree.take_changes()[0]}
        return self._seen[pid or self.child]

    def becomes(self) -> None:
        before = processes.command_line(self.child)
        self.target.tell("become")
        wait_for(lambda: processes.command_line(self.child) != before, "no exec")

    def end(self) -> None:
        self.target.tell("end")
        wait_for(lambda: is_gone(self.child), "it lives")


def family(*becomes: str) -> Iterator[Family]:
    with watched("becomes.py", *becomes) as target:
        made = Family(target)
        try:
            yield made
        finally:
            made.tree.close(2 * NS_PER_S, None)
            made.attached.close()
            if not is_gone(made.child):
                made.end()


@pytest.fixture
def sleeping() -> Iterator[Family]:
    yield from family("/bin/sleep", "600")


@pytest.fixture(params=[("/bin/sleep", "600"), PYTHON_SLEEPS], ids=["program", "python"])
def changing(request: pytest.FixtureRequest) -> Iterator[Family]:
    yield from family(*request.param)


def test_the_report_comes_late_or_is_of_somebody_else(sleeping: Family) -> None:
    sleeping.tree.add(sleeping.child, 0, TICK_NS)
    assert sleeping.recorded().name is None
    sleeping.report(ppid=1)
    assert sleeping.recorded().name is None
    sleeping.report()
    assert sleeping.recorded().name == "resizer"
    sleeping.tree.look_around(NS_PER_S, TICK_NS)
    assert sleeping.recorded().name == "resizer"
    # Another one with this pid, which the parent has forked in another way.
    sleeping.report(None)
    assert sleeping.recorded().name is None


def test_it_becomes_another_program(changing: Family) -> None:
    changing.report()
    assert changing.recorded().name == "resizer"
    changing.becomes()
    changing.tree.look_around(NS_PER_S, TICK_NS)
    assert changing.recorded().name is None


def test_it_was_another_program_before_the_report_came(changing: Family) -> None:
    changing.becomes()
    changing.report()
    assert changing.recorded().name is None


def test_it_ended_before_the_report_came(sleeping: Family) -> None:
    sleeping.tree.add(sleeping.child, 0, TICK_NS)
    sleeping.tree.take_changes()
    sleeping.end()
    sleeping.tree.look_around(NS_PER_S, TICK_NS)
    assert sleeping.recorded().end_ns == NS_PER_S
    assert sleeping.recorded().name is None
    sleeping.report(ppid=1)
    assert sleeping.recorded().name is None
    sleeping.report()
    assert sleeping.recorded().name == "resizer"
    assert sleeping.recorded().end_ns == NS_PER_S


def test_it_came_and_went_between_two_looks(sleeping: Family) -> None:
    sleeping.end()
    sleeping.report()
    found = sleeping.recorded()
    assert (found.name, found.start_ns, found.end_ns) == ("resizer", NS_PER_S, NS_PER_S)
    assert Path(found.command.split()[1]).name == "becomes.py"

"""Which threads count as seen waiting when py-spy looked, and when it is asked to look."""

from __future__ import annotations

import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import NS_PER_MS, NS_PER_S, Frame, LaneTick, WaitingStack
from gilscope.sampler.waiters import COST_SHARE, FIRST_LOOKS, WaiterLooks
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources.pyspy import PySpy
from gilscope.sources.pyspy_results import Snapshot
from gilscope.sources.pyspy_text import ThreadStack

MS = NS_PER_MS
PLACE = (Frame(function="f", file="/a.py", line=1),)
WAITED = [LaneTick(lane=1, states=(0, 0, 50 * MS, 0, 0, 0, 0), held_ns=0, core=None)]


class FakePySpy:
    usable = True

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.written = False
        self.stalls = 0

    def snapshot(self, pid: int, now_ns: int, *, waiters: bool) -> None:
        assert waiters
        self.asked.append(now_ns)
        self.written = False
        del pid

    def snapshots(self, pid: int) -> int:
        del pid
        return self.stalls

    def has_written(self, pid: int) -> bool:
        del pid
        return self.written


class FakeTasks:
    def __init__(self) -> None:
        self.tasks = {7: None, 8: None, 9: None}
        self.now: list[int] = []

    def waiters(self, spans: Sequence[object]) -> list[int]:
        del spans
        return self.now


class Rig:
    """A watched process, a py-spy and the looks."""

    def __init__(self, *, can_sample: bool = True) -> None:
        self.pyspy, self.tasks = FakePySpy(), FakeTasks()
        self.watch = cast(
            "ProcessWatch", SimpleNamespace(pid=5, can_sample=can_sample, gils=[], tasks=self.tasks)
        )
        self.looks = WaiterLooks(cast("PySpy", self.pyspy), random.Random(1))

    def ask(self, now_ns: int = NS_PER_S) -> int:
        """Have py-spy asked; when it was."""
        before = len(self.pyspy.asked)
        while len(self.pyspy.asked) == before:
            self.looks.note(5, WAITED)
            self.looks.step([self.watch], now_ns)
            now_ns += 50 * MS
        return self.pyspy.asked[-1]

    def look(self, at_ns: int, *waiting: int, written: bool = False) -> None:
        self.tasks.now, self.pyspy.written = list(waiting), written
        self.looks.look(at_ns)

    def answer(self, asked_ns: int, cpu_ms: Any = 20, **threads: ThreadStack) -> list[WaitingStack]:
        made = {int(name[1:]): value for name, value in threads.items()}
        self.looks.take(
            Snapshot(5, made, False, asked_ns, asked_ns + 30 * MS, cpu_ms * MS, waiters=True),
            lambda _pid, tid: tid + 100,
        )
        found, self.looks.samples = self.looks.samples, []
        return found


def stack(*, owns: bool = False) -> ThreadStack:
    return ThreadStack(PLACE, owns_gil=owns)


def test_only_who_waited_as_long_as_py_spy_read() -> None:
    rig = Rig()
    asked = rig.ask()
    for ms in range(1, 30):
        # 8 came to wait just before, 9 was not waiting any more at the end.
        waiting = [7, *([8] if ms >= 29 else []), *([9] if ms < 29 else [])]
        rig.look(asked + ms * MS, *waiting)
    rig.look(asked + 30 * MS, 7, 8, written=True)
    assert rig.looks.due_ns is None
    found = rig.answer(asked, t7=stack(), t8=stack(), t9=stack())
    assert found == [WaitingStack(lane=107, at_ns=asked + 30 * MS, frames=PLACE)]


@pytest.mark.parametrize("threads", [{}, {"t7": stack(owns=True)}, {"t7": ThreadStack((), owns_gil=False)}])
def test_what_py_spy_does_not_show(threads: dict[str, ThreadStack]) -> None:
    rig = Rig()
    asked = rig.ask()
    for ms in range(1, 20):
        rig.look(asked + ms * MS, 7, written=ms == 19)
    assert rig.answer(asked, **threads) == []


def test_too_few_looks_prove_nothing() -> None:
    """GIVEN the sampler had no time to look THEN nobody is said to have waited."""
    rig = Rig()
    asked = rig.ask()
    rig.look(asked + 29 * MS, 7)
    rig.look(asked + 30 * MS, 7, written=True)
    assert rig.answer(asked, t7=stack()) == []
    asked = rig.ask(100 * NS_PER_S)
    assert rig.answer(asked, t7=stack()) == []  # it was over before anybody looked
    asked = rig.ask(200 * NS_PER_S)
    rig.look(asked + 10 * MS, 7)
    assert rig.answer(asked, t7=stack()) == []  # its end was not seen


def test_nobody_waits_nobody_is_asked() -> None:
    rig = Rig()
    for now_ns in range(0, 20 * NS_PER_S, 50 * MS):
        rig.looks.step([rig.watch], now_ns)
    assert rig.pyspy.asked == []
    assert rig.looks.due_ns is None


def test_what_cannot_be_read_is_not_asked() -> None:
    rig = Rig(can_sample=False)
    for now_ns in range(0, 20 * NS_PER_S, 50 * MS):
        rig.looks.note(5, WAITED)
        rig.looks.step([rig.watch], now_ns)
    assert rig.pyspy.asked == []


def test_a_stall_goes_first() -> None:
    rig = Rig()
    rig.pyspy.stalls = 1
    for now_ns in range(0, 20 * NS_PER_S, 50 * MS):
        rig.looks.note(5, WAITED)
        rig.looks.step([rig.watch], now_ns)
    assert rig.pyspy.asked == []
    rig.pyspy.stalls = 0
    assert rig.ask(20 * NS_PER_S) < 21 * NS_PER_S


@given(st.integers(5, 500))
def test_it_stays_within_its_part_of_a_core(cost_ms: int) -> None:
    rig = Rig()
    seconds = 600
    for now_ns in range(0, seconds * NS_PER_S, 100 * MS):
        before = len(rig.pyspy.asked)
        rig.looks.note(5, WAITED)
        rig.looks.step([rig.watch], now_ns)
        if len(rig.pyspy.asked) > before:
            rig.answer(rig.pyspy.asked[-1], cost_ms)
    assert len(rig.pyspy.asked) >= FIRST_LOOKS
    later = len(rig.pyspy.asked) - FIRST_LOOKS
    assert later * cost_ms / 1e3 <= 1.3 * COST_SHARE * seconds + cost_ms / 1e3


def test_a_thousand_threads_wait_for_their_first_look() -> None:
    """A look at so many takes longer than a short session may spend on it."""
    rig = Rig()
    rig.tasks.tasks = dict.fromkeys(range(1_000))
    assert rig.ask(0) > 10 * NS_PER_S

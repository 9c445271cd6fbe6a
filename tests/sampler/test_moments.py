"""Processes in the moment of an exec or of their end, in which the kernel shows them as nothing else."""

from __future__ import annotations

import os
import signal

import pytest

from gilscope.model import NS_PER_MS
from gilscope.sampler.interpreters import Keys
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources import finding, interpreter, processes
from gilscope.sources.memory import EndingError, NotReadableError, ProcessMemory, mapped_files
from tests.watched import is_gone, wait_for, watched

TICK_NS = 50 * NS_PER_MS


def watch_of(pid: int, python: str | None) -> ProcessWatch:
    facts = processes.facts(pid)
    assert facts is not None
    return ProcessWatch(facts, Keys(), start_ns=0, now_ns=0, tick_end_ns=TICK_NS, python=python, older=True)


def test_a_python_that_ends_is_a_python_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory goes before its end can be seen; on a busy machine a look may fall between the two."""
    with watched("sleepers.py", 1, 600) as target:
        watch = watch_of(target.pid, "3.x")
        assert watch.try_open(0)
        watch.sweep(0)
        memory = ProcessMemory(target.pid)  # older kernels open it later too
        os.kill(target.pid, signal.SIGKILL)
        wait_for(lambda: is_gone(target.pid), "it lives")  # but nobody has asked how it ended
        with pytest.raises(EndingError, match=str(target.pid)):
            mapped_files(target.pid)
        watch.lost("no memory", TICK_NS)
        monkeypatch.setattr(interpreter, "ProcessMemory", lambda _pid: memory)
        assert not watch.try_open(2 * TICK_NS)
        assert watch.is_python
        assert "it ends" in str(watch.unreadable)
        list(watch.close(3 * TICK_NS, None))
    assert {lane.tid: (lane.name, lane.kind) for lane in watch.lanes.changed}[target.pid] == (
        "MainThread",
        "thread",
    )


def test_a_program_that_is_a_python_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """First seen in the middle of an exec, with nothing loaded yet, or as a shell: then it is what it is."""
    with watched("sleepers.py", 1, 600) as target:
        watch = watch_of(target.pid, None)

        def nothing_yet(_memory: ProcessMemory, *_: object) -> None:
            raise NotReadableError("it holds no CPython 3.8 or newer", no_python=True)

        with monkeypatch.context() as patched:
            patched.setattr(finding, "find", nothing_yet)
            assert not watch.try_open(0)
        watch.sweep(0)
        assert watch.try_open(TICK_NS)
        list(watch.close(2 * TICK_NS, None))
    assert {lane.tid: (lane.name, lane.kind) for lane in watch.lanes.changed}[target.pid] == (
        "MainThread",
        "thread",
    )


def test_threads_end_no_earlier_than_they_were_told_to_be_there() -> None:
    """GIVEN a process whose memory is gone WHEN its end is seen ticks later THEN these ticks are its own."""
    with watched("sleepers.py", 1, 600) as target:
        watch = watch_of(target.pid, "3.x")
        assert watch.try_open(0)
        watch.sweep(0)
        watch.lost("no memory", TICK_NS // 2)
        watch.sweep(TICK_NS)
        watch.finish_tick(TICK_NS, 2 * TICK_NS)
        target.kill()
        watch.sweep(TICK_NS * 3 // 2)
        watch.finish_tick(2 * TICK_NS, 3 * TICK_NS)
        ends = [lane.end_ns for lane in watch.lanes.changed if lane.end_ns is not None]
        list(watch.close(3 * TICK_NS, None))
    assert ends == [TICK_NS, TICK_NS]

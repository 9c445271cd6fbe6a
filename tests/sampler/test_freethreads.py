"""Processes without a GIL, read from images of their memory: no free-threaded build need be installed.

The memory is an image's, the threads are this very process's: the kernel tells of them what it tells of any.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gilscope.analysis.free_threaded import turned_on_for_good
from gilscope.model import NS_PER_MS, Event, Gil, State
from gilscope.sampler.freethreads import LAST_MOMENT_NS, FreeThreads
from gilscope.sampler.gilwatch import GilWatch, ProcessPart
from gilscope.sampler.interpreters import Keys
from gilscope.sampler.merge import GilFold
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources import processes
from gilscope.sources.interpreter import Attachment, InterpreterReader
from gilscope.sources.memory import ReadFailedError
from gilscope.sources.tasks import Seen, Sweep, Task
from tests.layouts.image import ATTACHMENT, INT_MAX, OFFSETS, Image
from tests.watched import wait_for

MS = NS_PER_MS
TICK_NS = 50 * MS
BUILDS = {f"{major}.{minor}t": (major, minor) for major, minor in OFFSETS}


@pytest.fixture(params=BUILDS)
def image(request: pytest.FixtureRequest) -> Iterator[Image]:
    made = Image(BUILDS[request.param], free_threaded=True)
    made.add_interpreter(enabled=0)
    yield made
    made.memory.close()


def attach(image: Image, state: int, attachment: Attachment) -> None:
    image.memory.put_int(state + ATTACHMENT[image.version], attachment)


class Busy:
    """Threads of this process on a CPU, in C code that needs no GIL: Python of ours does not disturb them."""

    def __init__(self, count: int) -> None:
        self._stop = threading.Event()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            hashlib.pbkdf2_hmac("sha256", b"x", b"y", 50_000)

    @property
    def tids(self) -> list[int]:
        wait_for(lambda: all(thread.native_id for thread in self.threads), "a thread does not start")
        return [thread.native_id or 0 for thread in self.threads]

    def end(self) -> None:
        self._stop.set()
        for thread in self.threads:
            thread.join()


@contextmanager
def watching(image: Image) -> Iterator[ProcessWatch]:
    """A watch of this process, that takes the image for its memory."""
    facts = processes.facts(os.getpid())
    assert facts is not None
    watch = ProcessWatch(facts, Keys(), start_ns=0, now_ns=0, tick_end_ns=TICK_NS, python="3.13", older=True)
    watch._opened(image.reader(), 0)
    watch.sweep(0)
    try:
        yield watch
    finally:
        watch.tasks.close()


class Loop:
    """What the sampler does with a watch, in ticks of real time."""

    def __init__(self, watch: ProcessWatch) -> None:
        self.watch = watch
        self.start_ns = time.monotonic_ns()
        self.end_ns = 0
        self.times: dict[int, list[int]] = {}
        self.tick()
        self.times.clear()  # what the threads did before the watch

    def now_ns(self) -> int:
        return time.monotonic_ns() - self.start_ns

    def tick(self) -> ProcessPart:
        self.end_ns += TICK_NS
        while self.now_ns() < self.end_ns:
            for gil in self.watch.gils:
                gil.read(self.now_ns())
            self.watch.sweep(self.now_ns(), thorough=False)
            time.sleep(0.002)
        for gil in self.watch.gils:
            gil.read(self.now_ns())
        self.watch.sweep(self.now_ns())
        part = self.watch.finish_tick(self.end_ns, self.end_ns + TICK_NS)
        for row in part.lanes:
            assert sum(row.states) <= TICK_NS
            sums = self.times.setdefault(row.lane, [0] * len(State))
            for state, spent in enumerate(row.states):
                sums[state] += spent
        return part

    def states(self, tid: int) -> dict[State, float]:
        """Shares of the time that a thread was on a CPU or wanted it."""
        key = self.watch.lanes.key_of(tid)
        assert key is not None
        times = self.times[key]
        return {state: times[state] / sum(times) for state in State if times[state]}


def run_until_busy(loop: Loop, tids: list[int], ticks: int = 6) -> None:
    """Ticks, until the threads have had CPU time in several."""
    loop.times.clear()
    deadline = time.monotonic() + 60
    done = 0
    while done < ticks:
        before = [sum(loop.times.get(loop.watch.lanes.key_of(tid) or 0, [])) for tid in tids]
        loop.tick()
        after = [sum(loop.times.get(loop.watch.lanes.key_of(tid) or 0, [])) for tid in tids]
        done += all(b < a for b, a in zip(before, after, strict=True))
        assert time.monotonic() < deadline, "the threads get no CPU time"


def test_attached_threads_run_side_by_side_and_detached_ones_are_native(image: Image) -> None:
    """GIVEN no GIL, two threads that execute Python and one in C code THEN two run at once, one is native."""
    busy = Busy(3)
    main = image.interpreters[0]
    for tid, attachment in zip(
        busy.tids, (Attachment.ATTACHED, Attachment.ATTACHED, Attachment.DETACHED), strict=True
    ):
        image.add_thread(main, tid, attachment)
    try:
        with watching(image) as watch:
            assert watch.gils[0].gil.kind == "disabled"
            loop = Loop(watch)
            run_until_busy(loop, busy.tids)
            first, second, native = map(loop.states, busy.tids)
    finally:
        busy.end()
    for states in (first, second):
        # How much of a CPU they get is up to the kernel and to what else runs here.
        assert states[State.RUNNING] > 0.02
        assert State.NATIVE not in states
    assert native[State.NATIVE] > 0.02
    assert State.RUNNING not in native
    for states in (first, second, native):
        assert State.HOLDING not in states
        assert State.WAITING not in states
        assert states.get(State.UNKNOWN, 0) < 0.1
        # What is no CPU time is mostly the run queue: three threads, perhaps two cores.
        assert states.get(State.BLOCKED, 0) < 0.4


def test_the_gil_comes_back(image: Image) -> None:
    """GIVEN no GIL WHEN it is turned on THEN the same tick tells, and lanes are treated as with one."""
    busy = Busy(2)
    main = image.interpreters[0]
    states = [image.add_thread(main, tid, Attachment.ATTACHED) for tid in busy.tids]
    try:
        with watching(image) as watch:
            loop = Loop(watch)
            watch.interpreters.changed = []
            loop.tick()
            assert watch.free.take_events() == []
            image.set_gil(image.gil_of(main), holder=states[0], locked=1, switches=1, enabled=INT_MAX)
            before_ns = loop.end_ns
            loop.tick()
            (event,) = watch.free.take_events()
            assert event.kind == "gil-enabled"
            assert before_ns < event.at_ns <= loop.end_ns
            assert event.text == f"the GIL of process {os.getpid()} was turned on for good"
            assert [gil.kind for gil in watch.interpreters.changed] == ["shared"]
            assert watch.gils[0].gil == watch.interpreters.changed[0]
            assert turned_on_for_good([event]) == [event]
            run_until_busy(loop, busy.tids)
            holder, other = map(loop.states, busy.tids)
    finally:
        busy.end()
    # Both are on a CPU; one of them holds the GIL all the time, so the other cannot execute Python.
    assert holder.get(State.NATIVE, 0) < 0.1
    assert holder[State.RUNNING] + holder.get(State.HOLDING, 0) > 0.9
    assert other.get(State.RUNNING, 0) == 0
    assert other[State.NATIVE] > 0.02  # the rest is the run queue's


def task(tid: int, seen: Seen) -> Task:
    return Task(tid, 0, -1, seen=seen)


def kinds(free: FreeThreads) -> list[str]:
    return [event.kind for event in free.take_events()]


def test_a_stopped_world_is_an_event(image: Image) -> None:
    main = image.interpreters[0]
    states = [image.add_thread(main, 100 + n, Attachment.ATTACHED) for n in range(3)]
    reader = image.reader()
    free = FreeThreads(7, 4242)
    seen = Sweep(seen=[task(100 + n, Seen.ON_CPU) for n in range(3)])
    free.sweep(10 * MS, reader, seen)
    for state in states[1:]:
        attach(image, state, Attachment.SUSPENDED)
    stopped = Sweep(
        seen=[task(100, Seen.ON_CPU), task(101, Seen.ASLEEP), task(102, Seen.ASLEEP)]
    )  # fmt: skip
    free.sweep(20 * MS, reader, stopped)
    free.sweep(30 * MS, reader, stopped)
    assert free.take_events() == []
    assert [free.sweeps[100 + n].stopped for n in range(3)] == [0, 2, 2]
    for state in states:
        attach(image, state, Attachment.ATTACHED)
    free.sweep(40 * MS, reader, seen)
    assert free.take_events() == [
        Event(
            at_ns=15 * MS, kind="stop-the-world", process=7, lane=None,
            text="the world stood for about 20.0 ms, 30.0 ms at most: 2 threads suspended",
        )
    ]  # fmt: skip
    # One that goes on when the process ends is not lost.
    attach(image, states[2], Attachment.SUSPENDED)
    free.sweep(50 * MS, reader, stopped)
    assert free.close(60 * MS) == []
    (event,) = free.take_events()
    assert event.text.endswith("1 thread suspended")
    assert free.close(70 * MS) == []
    assert free.take_events() == []


def test_nothing_is_read_of_a_process_in_which_nothing_ran(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    image.add_thread(image.interpreters[0], 100, Attachment.SUSPENDED)
    reader = image.reader()
    free = FreeThreads(1, 1)
    free.sweep(0, reader, Sweep(seen=[task(100, Seen.ASLEEP)]))
    calls: list[int] = []
    monkeypatch.setattr(InterpreterReader, "attached_threads", lambda _self: calls.append(1))
    free.sweep(10 * MS, reader, Sweep(seen=[task(100, Seen.ASLEEP)], idle=True))
    assert calls == []
    free.close(20 * MS)
    assert kinds(free) == ["stop-the-world"]


def test_what_cannot_be_read_is_a_gap(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = image.reader()
    free = FreeThreads(1, 4242)
    whole = InterpreterReader.attached_threads

    def fail(_reader: InterpreterReader) -> Any:
        raise ReadFailedError("it is in the middle of a change")

    monkeypatch.setattr(InterpreterReader, "attached_threads", fail)
    free.sweep(10 * MS, reader, Sweep())
    free.sweep(20 * MS, reader, Sweep())
    assert free.end_tick() == []
    monkeypatch.setattr(InterpreterReader, "attached_threads", whole)
    free.sweep(30 * MS, reader, Sweep())
    (gap,) = free.end_tick()
    assert (gap.source, gap.pid, gap.start_ns, gap.end_ns) == ("attachments", 4242, 10 * MS, 30 * MS)
    assert gap.reason == "it is in the middle of a change"
    # That a process cannot be read while it ends is none; longer than that is.
    monkeypatch.setattr(InterpreterReader, "attached_threads", fail)
    free.sweep(40 * MS, reader, Sweep())
    assert free.close(41 * MS) == []
    assert len(free.close(41 * MS + LAST_MOMENT_NS)) == 1


def gil_watch(image: Image, key: int = 1, number: int = 0) -> GilWatch:
    probe = image.reader().probes()[number]
    gil = Gil(key=key, process=1, interpreter=probe.interpreter, kind=probe.kind)
    return GilWatch(gil, probe, GilFold(TICK_NS))


def test_on_for_an_import_then_for_good_then_off(image: Image) -> None:
    watch = gil_watch(image)
    gil = image.gil_of(image.interpreters[0])
    free = FreeThreads(1, 5)
    told = []
    for number, enabled in enumerate((0, 1, 2, 1, 0, INT_MAX, INT_MAX, 0, 1, INT_MAX)):
        image.set_gil(gil, enabled=enabled)
        watch.probe.sample()
        changed = free.follow([watch], number)
        assert watch.gil.kind == ("shared" if enabled else "disabled")
        assert all(found is watch.gil for found in changed)
        told += [(event.at_ns, event.kind, event.text) for event in free.take_events()]
    of = "the GIL of process 5"
    assert told == [
        (1, "gil-enabled", f"{of} was turned on for the moment of an import"),
        (4, "gil-disabled", f"{of} is off again"),
        (5, "gil-enabled", f"{of} was turned on for good"),
        (7, "gil-disabled", f"{of} is off again"),
        (8, "gil-enabled", f"{of} was turned on for the moment of an import"),
        (9, "gil-enabled", f"{of} was turned on for good"),
    ]
    events = [Event(at_ns=at, kind=kind, process=1, lane=None, text=text) for at, kind, text in told]
    assert [event.at_ns for event in turned_on_for_good(events)] == [9]
    assert turned_on_for_good(events[:2]) == []


def test_one_that_was_on_from_the_start_is_no_event(image: Image) -> None:
    image.set_gil(image.gil_of(image.interpreters[0]), enabled=INT_MAX)
    watch = gil_watch(image)
    free = FreeThreads(1, 5)
    assert free.follow([watch], 0) == []
    assert free.take_events() == []
    assert not FreeThreads.is_off([watch])


def test_interpreters_are_told_apart(image: Image) -> None:
    other = image.add_interpreter(enabled=0)
    watches = [gil_watch(image, key=1 + n, number=n) for n in range(2)]
    free = FreeThreads(1, 5)
    free.follow(watches, 0)
    image.set_gil(image.gil_of(other), enabled=INT_MAX)
    for watch in watches:
        watch.probe.sample()
    assert [gil.kind for gil in free.follow(watches, 1)] == ["own"]
    (event,) = free.take_events()
    assert event.text == "the GIL of process 5, interpreter 1 was turned on for good"
    assert FreeThreads.is_off(watches)


def test_a_build_with_a_gil_costs_and_says_nothing() -> None:
    image = Image((3, 13))
    image.add_interpreter()
    watch = gil_watch(image)
    free = FreeThreads(1, 5)
    assert free.follow([watch], 0) == []
    free.sweep(0, None, Sweep(seen=[task(1, Seen.ON_CPU)]))
    assert free.sweeps == {}
    assert free.take_events() == []
    image.memory.close()

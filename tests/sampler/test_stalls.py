"""Stalls of real programs, as users get them; and how py-spy's answers are matched with holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilscope.model import NS_PER_MS, Frame
from gilscope.recording.reader import RecordingReader
from gilscope.sampler.gilwatch import LaneHold
from gilscope.sampler.stallfold import LongHold
from gilscope.sampler.stalls import BURST, StallWatch
from gilscope.sources.pyspy_results import PySpyFailure, Snapshot
from gilscope.sources.pyspy_text import ThreadStack
from tests.commands import Outcome, gilscope, watch
from tests.pythons import found_pythons
from tests.stalled import problems, watch_stalls
from tests.watched import on_free_cores

MS = NS_PER_MS
FRAME = Frame(function="f", file="f.py", line=3)
NATIVE = Frame(function="usleep", file="libc.so.6", line=0)


@pytest.mark.parametrize("version", [version for version in ("3.9", "3.13") if version in found_pythons()])
def test_a_c_call_that_keeps_the_gil(version: str, tmp_path: Path) -> None:
    def watched() -> list[str]:
        stalls, taken = watch_stalls(tmp_path, found_pythons()[version], 0.5, 2)
        assert len(taken) == 2
        return problems(stalls, taken, 500)

    def none(found: list[str]) -> None:
        assert found == []

    on_free_cores(watched, none)  # a sampler without a core sees the end of a stall late
    reader = RecordingReader(tmp_path / "r.gilscope")
    try:
        events = [event for event in reader.events() if event.kind == "stall"]
        kept = [stall for stall in reader.stalls() if stall.end_ns - stall.start_ns > 350 * MS]
    finally:
        reader.close()
    assert {stall.start_ns for stall in kept} <= {event.at_ns for event in events}
    assert any("while 3 waited" in event.text for event in events)


def test_threads_that_take_turns_do_not_stall(tmp_path: Path) -> None:
    def watched() -> Outcome:
        outcome = watch(tmp_path, "cpu_threads.py", 4, 2)
        assert outcome.code == 0, outcome.stderr
        return outcome

    def none(outcome: Outcome) -> None:
        assert outcome.summary["gils"][0]["contention"] > 0.5
        assert (outcome.summary["stalls"], outcome.summary["stalls_total"]) == ([], 0)

    on_free_cores(watched, none)  # a holder that another program keeps from its core does stall the others


def test_a_source_that_cannot_see_stalls_says_nothing_of_them(tmp_path: Path) -> None:
    kept = ["--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope"]
    code = "import time; e = time.monotonic() + 1\nwhile time.monotonic() < e: pass"
    outcome = gilscope(tmp_path, "run", "--source", "py-spy", *kept, "-c", code)
    assert outcome.code == 0, outcome.stderr
    assert (outcome.summary["stalls"], outcome.summary["stalls_total"]) == (None, None)


# --- the matching ---


class PySpyOfTests:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.usable = True
        self.asked: list[tuple[int, int, bool]] = []
        self.failure: PySpyFailure | None = None

    def snapshots(self, _pid: int) -> int:
        return 0

    def snapshot(self, pid: int, now_ns: int, *, native: bool = False) -> PySpyFailure | None:
        self.asked.append((pid, now_ns, native))
        return self.failure


def hold(
    start_ms: int, length_ms: int, *, ended: bool = False, waiters: int = 2, queued_ms: int = 0
) -> LaneHold:
    found = LongHold(
        tid=5, start_ns=start_ms * MS, end_ns=(start_ms + length_ms) * MS, waiter_ns=waiters * length_ms * MS,
        contended_ns=length_ms * MS * (waiters > 0), waiters_max=waiters, queued_ns=queued_ms * MS,
    )  # fmt: skip
    return LaneHold(gil=1, pid=7, process=1, tid=5, lane=3, hold=found, ended=ended)


def answer(asked_ms: int, ended_ms: int, *, owns: bool, tid: int = 5, native: bool = False) -> Snapshot:
    frames = (FRAME, NATIVE) if native else (FRAME,)
    threads = {tid: ThreadStack(frames, owns_gil=owns)}
    return Snapshot(7, threads, native, asked_ms * MS, ended_ms * MS, 20 * MS)


def watcher(pyspy: PySpyOfTests, *, native: bool = False) -> StallWatch:
    return StallWatch(pyspy, 100 * MS, native=native)  # type: ignore[arg-type]


def test_asked_once_when_it_becomes_one() -> None:
    pyspy = PySpyOfTests()
    stalls = watcher(pyspy)
    stalls.see([hold(0, 50)], 50 * MS)
    assert (pyspy.asked, stalls.due_ns) == ([], 100 * MS)
    stalls.see([hold(0, 100)], 100 * MS)
    stalls.see([hold(0, 150)], 150 * MS)
    assert (pyspy.asked, stalls.due_ns) == ([(7, 100 * MS, False)], None)
    stalls.see([hold(0, 180, ended=True)], 200 * MS)
    assert stalls.stalls == []  # the answer is still to come
    stalls.take(answer(100, 130, owns=False))
    stalls.see([], 250 * MS)
    (stall,) = stalls.stalls
    assert (stall.start_ns, stall.end_ns, stall.waiters_mean, stall.waiters_max) == (0, 180 * MS, 2.0, 2)
    assert (stall.lane, stall.frames) == (3, (FRAME,))
    assert [event.text for event in stalls.events] == ["a thread held the GIL for 180 ms while 2 waited"]


@pytest.mark.parametrize(
    ("snapshot", "good"),
    [
        (answer(100, 130, owns=False), True),
        (answer(100, 300, owns=True), True),
        # It was read when another one held the GIL already: what the thread did then says nothing.
        (answer(100, 300, owns=False), False),
        (answer(100, 130, owns=True, tid=6), False),
    ],
)
def test_a_stack_is_of_the_hold_or_of_nothing(snapshot: Snapshot, good: bool) -> None:
    stalls = watcher(PySpyOfTests())
    stalls.see([hold(0, 100)], 100 * MS)
    stalls.take(snapshot)
    stalls.see([hold(0, 180, ended=True)], 350 * MS)
    assert [stall.frames for stall in stalls.stalls] == [(FRAME,) if good else ()]


def test_asked_again_while_it_goes_on() -> None:
    """GIVEN py-spy could not read the holder WHEN it still holds THEN it is asked again, a few times."""
    pyspy = PySpyOfTests()
    stalls = watcher(pyspy)
    for number, owner in enumerate((6, 6, 5)):
        now = 100 + 100 * number
        stalls.see([hold(0, now)], now * MS)
        stalls.see([hold(0, now + 40)], (now + 40) * MS)
        assert len(pyspy.asked) == number + 1
        stalls.take(answer(now, now + 50, owns=True, tid=owner))
    stalls.see([hold(0, 400)], 400 * MS)
    assert len(pyspy.asked) == 3
    stalls.see([hold(0, 450, ended=True)], 450 * MS)
    assert [stall.frames for stall in stalls.stalls] == [(FRAME,)]


def test_native_frames_where_they_came_in_time() -> None:
    pyspy = PySpyOfTests()
    stalls = watcher(pyspy, native=True)
    stalls.see([hold(0, 100)], 100 * MS)
    assert [native for _, _, native in pyspy.asked] == [False, True]
    stalls.take(answer(100, 120, owns=True))
    stalls.take(answer(100, 170, owns=True, native=True))
    stalls.see([hold(0, 180, ended=True)], 200 * MS)
    assert [stall.frames for stall in stalls.stalls] == [(FRAME, NATIVE)]


def test_a_holder_without_a_cpu() -> None:
    """It looked like a stall until the kernel told that its holder stood in the run queue."""
    stalls = watcher(PySpyOfTests())
    stalls.see([hold(0, 120)], 120 * MS)
    stalls.see([hold(0, 140, ended=True, queued_ms=110)], 150 * MS)
    stalls.close()
    assert (stalls.stalls, stalls.events) == ([], [])


def test_what_goes_on_at_the_end_and_what_fails() -> None:
    pyspy = PySpyOfTests()
    pyspy.failure = PySpyFailure(7, "no", 0, final=False)
    stalls = watcher(pyspy)
    stalls.see([hold(0, 1_500)], 1_500 * MS)
    assert [event.text for event in stalls.events] == ["a thread holds the GIL for over 100 ms while 2 wait"]
    stalls.close()
    assert [stall.frames for stall in stalls.stalls] == [()]
    assert [gap.reason for gap in stalls.gaps] == ["the stack of a stall could not be read: no"]
    assert len(stalls.events) == 1


def test_asking_has_a_price() -> None:
    """A program that stalls all the time costs no core: a burst, then about one in two seconds."""
    pyspy = PySpyOfTests()
    stalls = watcher(pyspy)
    for number in range(100):
        start = number * 150
        stalls.see([hold(start, 110)], (start + 110) * MS)
        if pyspy.asked and pyspy.asked[-1][1] == (start + 110) * MS:
            stalls.take(answer(start + 110, start + 130, owns=True))
        stalls.see([hold(start, 140, ended=True)], (start + 140) * MS)
    assert len(stalls.stalls) == 100
    assert BURST + 5 <= len(pyspy.asked) <= BURST + 10

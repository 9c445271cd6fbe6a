"""What threads do, as the kernel tells it."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.tasks import QUIET_SWEEPS, UNEXPLAINED_NS, GilSpan, Seen, Tasks, boot_ns
from tests.pythons import found_pythons
from tests.watched import Watched, asleep, on_free_cores, open_descriptors, states, wait_for, watched


@contextmanager
def tasks_of(pid: int) -> Iterator[Tasks]:
    tasks = Tasks(pid)
    try:
        yield tasks
    finally:
        tasks.close()


@contextmanager
def gil_span(pid: int) -> Iterator[GilSpan]:
    reader = InterpreterReader.open(pid)
    first, last = reader.probes()[0].cond_span
    yield 17, first, last
    reader.close()


def kernel_cpu_ns(pid: int, tid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()[0])


def until_quiet(tasks: Tasks) -> None:
    """Sweep until only those that do something are read."""

    def nothing_seen() -> bool:
        # A process in which nothing ran is not read: then its threads stay as they were.
        for task in tasks.tasks.values():
            task.quiet = QUIET_SWEEPS
        tasks._active.clear()
        return not tasks.sweep([]).seen

    tasks.sweep([])
    wait_for(nothing_seen, "threads that sleep are read")


@pytest.mark.parametrize("version", list(found_pythons()))
def test_threads_that_compete_for_the_gil(version: str) -> None:
    with (
        watched("cpu_threads.py", 3, python=found_pythons()[version]) as target,
        tasks_of(target.pid) as tasks,
        gil_span(target.pid) as span,
    ):
        wait_for(lambda: sum(kernel_cpu_ns(target.pid, tid) > 2e7 for tid in target.tids) == 3, "they wait")

        def joins() -> bool:
            tasks.sweep([span])
            return tasks.tasks[target.pid].seen is Seen.ASLEEP

        wait_for(joins, "the main thread still wants the GIL")

        def swept() -> dict[int, Counter[Seen]]:
            seen = {tid: Counter[Seen]() for tid in target.tids}
            for _ in range(120):
                tasks.sweep([span])
                for tid in target.tids:
                    task = tasks.tasks[tid]
                    seen[tid][task.seen] += 1
                    assert (task.waits_for == 17) == (task.seen is Seen.WAITING)
                assert tasks.tasks[target.pid].seen is not Seen.WAITING
                time.sleep(0.004)
            assert not any(counts[Seen.UNREADABLE] for counts in seen.values())
            return seen

        def compete(seen: dict[int, Counter[Seen]]) -> None:
            total = sum(seen.values(), Counter[Seen]())
            # One of three runs, two wait; who waits wakes each 5 ms for a moment.
            assert 0.45 < total[Seen.WAITING] / total.total() < 0.75
            assert total[Seen.ON_CPU] / total.total() > 0.2
            assert all(counts[Seen.WAITING] and counts[Seen.ON_CPU] for counts in seen.values())

        on_free_cores(swept, compete)


def test_each_kind_of_thread() -> None:
    with watched("obey.py") as target, tasks_of(target.pid) as tasks, gil_span(target.pid) as span:
        target.tell("busy")
        tids = target.by_name
        counts = {name: Counter[Seen]() for name in tids}
        sweep = tasks.sweep([span])
        assert {task.tid for task in sweep.started} == set(tids.values())
        assert not sweep.ended
        # The main thread has still to come back from its answer, for which it needs the GIL.
        wait_for(
            lambda: asleep(target.pid, tids["worker"]) and not asleep(target.pid), "the worker does not work"
        )
        for _ in range(50):
            time.sleep(0.004)
            tasks.sweep([span])
            for name, tid in tids.items():
                counts[name][tasks.tasks[tid].seen] += 1
        assert counts["worker"][Seen.ON_CPU] >= 45
        for name in ("sleeper", "locked"):  # a lock is a futex too, but not the GIL's
            assert counts[name] == {Seen.ASLEEP: 50}, name
        assert counts["main"][Seen.ASLEEP] >= 45
        assert tasks.tasks[tids["worker"]].core in os.sched_getaffinity(0)


def test_cpu_time_is_the_kernels() -> None:
    with watched("obey.py") as target, tasks_of(target.pid) as tasks:
        worker = target.by_name["worker"]
        target.tell("busy")
        before = 0
        while before < 3e7:
            time.sleep(0.002)
            before = kernel_cpu_ns(target.pid, worker)
            tasks.sweep([])
            assert before <= tasks.tasks[worker].cpu_ns <= kernel_cpu_ns(target.pid, worker)
        target.tell("quiet")

        def settled() -> bool:
            tasks.sweep([])
            unbooked_ns = tasks.cpu_ns() - sum(task.cpu_ns for task in tasks.tasks.values())
            # What threads that were left out used stays unbooked as long as it is this little.
            return tasks.tasks[worker].cpu_ns == kernel_cpu_ns(target.pid, worker) and (
                0 <= unbooked_ns <= UNEXPLAINED_NS
            )

        wait_for(settled, "CPU times differ from the kernel's")
        assert tasks.tasks[worker].cpu_ns > 2e7


def test_quiet_threads_are_left_out_until_they_wake() -> None:
    with watched("obey.py") as target, tasks_of(target.pid) as tasks:
        sleeper, worker = target.by_name["sleeper"], target.by_name["worker"]
        until_quiet(tasks)
        assert tasks.sweep([]).idle
        before = tasks.tasks[worker].cpu_ns
        target.tell("busy")  # the main thread wakes, then the worker
        wait_for(
            lambda: (
                worker in [task.tid for task in tasks.sweep([]).seen] and tasks.tasks[worker].cpu_ns > before
            ),
            "a thread that woke is not noticed",
        )
        for _ in range(QUIET_SWEEPS + 2):
            time.sleep(0.005)
            sweep = tasks.sweep([])
        assert worker in [task.tid for task in sweep.seen]
        assert sleeper not in [task.tid for task in tasks.sweep([], thorough=False).seen]
        assert worker in [task.tid for task in tasks.sweep([], thorough=False).seen]
        tasks.wake(sleeper)
        assert sleeper in [task.tid for task in tasks.sweep([], thorough=False).seen]
        tasks.wake(999_999_999)


def test_threads_that_start_and_end() -> None:
    with watched("obey.py") as target, tasks_of(target.pid) as tasks:
        tasks.sweep([])
        extra = int(target.tell("start")[1])
        sweep = tasks.sweep([])
        assert [task.tid for task in sweep.started] == [extra]
        assert sweep.started[0].start_ticks * 10_000_000 <= boot_ns()
        target.tell("end")
        ended: list[int] = []

        def gone() -> bool:
            ended.extend(task.tid for task in tasks.sweep([]).ended)
            return bool(ended)

        wait_for(gone, "the thread's end is not noticed")
        assert ended == [extra]
        assert extra not in tasks.tasks


def test_a_process_that_ends() -> None:
    with watched("cpu_threads.py", 3) as target, tasks_of(target.pid) as tasks:
        tasks.sweep([])
        assert tasks.cpu_ns() > 0
        target.kill()
        sweep = tasks.sweep([])
        assert {task.tid for task in sweep.ended} == {target.pid, *target.tids}
        assert tasks.tasks == {}
        assert tasks.cpu_ns() == -1
        assert tasks.sweep([]).seen == []
        assert tasks.sweep([], thorough=False).seen == []


def test_descriptors_are_given_back() -> None:
    before = open_descriptors()
    with watched("cpu_threads.py", 5) as target:
        inside = open_descriptors()
        tasks = Tasks(target.pid)
        tasks.sweep([])
        time.sleep(0.02)
        tasks.sweep([])
        assert len(open_descriptors()) > len(inside)
        tasks.close()
        assert open_descriptors() == inside
        tasks.close()
    assert open_descriptors() == before


def test_thousands_of_short_threads_leave_nothing() -> None:
    with watched("obey.py") as target, tasks_of(target.pid) as tasks:
        tasks.sweep([])
        before = len(open_descriptors())
        for _ in range(30):
            target.tell("start")
            tasks.sweep([])
            target.tell("end")
        names = set(target.by_name.values())
        wait_for(lambda: (tasks.sweep([]), set(tasks.tasks) == names)[1], "ended threads are kept")
        # Three files a thread at most, and no more threads than before.
        assert len(open_descriptors()) <= before + 2 * len(names)


def test_a_name_that_looks_like_numbers(tmp_path: Path) -> None:
    """The command in stat may hold blanks and parentheses."""
    program = tmp_path / ") R 1 2 (3"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process, tasks_of(process.pid) as tasks:
        # Once it sleeps it stays on its core.
        wait_for(lambda: set(states(process.pid).values()) == {"S"}, "it does not sleep")
        tasks.sweep([])
        task = tasks.tasks[process.pid]
        stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        assert task.start_ticks == int(stat[19])
        assert task.core == int(stat[36])
        process.kill()


def test_another_machine_has_another_futex() -> None:
    with watched("cpu_threads.py", 3) as target, gil_span(target.pid) as span:
        tasks = Tasks(target.pid, machine="riscv64")
        for _ in range(20):
            tasks.sweep([span])
            assert all(task.seen is not Seen.WAITING for task in tasks.tasks.values())
            time.sleep(0.002)
        tasks.close()


def test_watched_has_names() -> None:
    with watched("obey.py") as target:
        assert isinstance(target, Watched)
        assert target.by_name["main"] == target.pid

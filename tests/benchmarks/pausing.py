"""By how much a target is slowed by being watched: the watcher comes and goes while one run goes on.

Whole runs, one watched and one not, differ by more than 5 % here for reasons of their own: where the kernel
puts their threads, what else the machine does. So the watcher of one run is stopped and continued instead,
in blocks so short that what else goes on is the same in neighbours, in an order drawn by lot (watched, not,
not, watched, or the reverse, which cancels a drift). What is compared is how far the target comes in a
second. py-spy is not stopped, which could stop its target with it, but started anew for each block.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gilscope.sources.pyspy import find_executable
from tests.benchmarks.tools import GILSCOPE, target

SETTLE_S = 0.03
"""After a change, before it is looked at."""
PYSPY_STARTS_S = 0.6
TRIMMED = 0.1
"""Part of the quadruples left out at either end: the machine was away in these."""
RESAMPLED = 2_000


@dataclass(frozen=True, slots=True)
class Slowdown:
    """Mean of the quadruples, without the extreme ones, and its 95 % interval by bootstrap; shares of 1."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} % ({100 * self.low:+.1f} … {100 * self.high:+.1f})"


def estimate(ratios: list[float], seed: int = 0) -> Slowdown:
    """What quadruples say together; each is unwatched speed over watched speed, minus 1."""
    chance = random.Random(seed)
    means = sorted(_trimmed_mean(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLED))
    low, high = means[RESAMPLED // 40], means[-RESAMPLED // 40]
    return Slowdown(_trimmed_mean(ratios), low, high, len(ratios))


def _trimmed_mean(values: list[float]) -> float:
    out = int(len(values) * TRIMMED)
    return statistics.fmean(sorted(values)[out : len(values) - out])


def under_gilscope(seconds: float, busy: int, idle: int, block_s: float = 0.1) -> Slowdown:
    """Slowdown by gilscope, headless, with its default options."""
    with _page(busy) as (path, work), tempfile.TemporaryDirectory() as folder:
        script = target("meter.py", path, seconds, busy, idle)
        options = ["--headless", "-o", f"{folder}/bench.gilscope"]
        with _started([*GILSCOPE, "run", *options, script[0], "--", *script[1:]]) as sampler:
            _wait_for_work(work)

            def watch(on: bool) -> None:
                _signal(sampler, signal.SIGCONT if on else signal.SIGSTOP)
                time.sleep(SETTLE_S)

            try:
                return estimate(list(_quadruples(seconds, work, watch, block_s)))
            finally:
                _signal(sampler, signal.SIGCONT)


def under_pyspy(seconds: float, busy: int, idle: int, *options: str, block_s: float = 1.0) -> Slowdown:
    """Slowdown by `py-spy record` with these options."""
    executable = find_executable()
    if executable is None:
        raise RuntimeError("py-spy is not installed")
    with _page(busy) as (path, work):
        script = target("meter.py", path, seconds, busy, idle)
        with _started([sys.executable, *script]) as watched, contextlib.ExitStack() as spies:
            _wait_for_work(work)

            def watch(on: bool) -> None:
                spies.close()
                if on:
                    command = [executable, "record", *options, "-f", "raw", "-o", os.devnull]
                    spies.enter_context(_started([*command, "-p", str(watched.pid)], stop=signal.SIGINT))
                time.sleep(PYSPY_STARTS_S if on else SETTLE_S)

            return estimate(list(_quadruples(seconds, work, watch, block_s)))


def _quadruples(
    seconds: float, work: Callable[[], int], watch: Callable[[bool], None], block_s: float
) -> Iterator[float]:
    end = time.monotonic() + seconds - 3
    while time.monotonic() < end:
        done, took = {True: 0, False: 0}, {True: 0.0, False: 0.0}
        first = random.random() < 0.5
        for on in (first, not first, not first, first):
            watch(on)
            began, before = time.monotonic(), work()
            time.sleep(block_s)
            took[on] += time.monotonic() - began
            done[on] += work() - before
        if done[True] and done[False]:
            yield (done[False] / took[False]) / (done[True] / took[True]) - 1


@contextlib.contextmanager
def _page(busy: int) -> Iterator[tuple[str, Callable[[], int]]]:
    """A page that the target's threads count in, and the function that adds them up."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.truncate(mmap.PAGESIZE)
        with mmap.mmap(file.fileno(), mmap.PAGESIZE) as page:
            yield file.name, lambda: sum(struct.unpack_from(f"{busy}q", page))


def _wait_for_work(work: Callable[[], int]) -> None:
    deadline = time.monotonic() + 30
    while not work():
        if time.monotonic() > deadline:
            raise RuntimeError("the target did not begin")
        time.sleep(0.05)
    time.sleep(1.0)


@contextlib.contextmanager
def _started(command: list[str], stop: signal.Signals = signal.SIGTERM) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended if it has not."""
    null = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=null, stdout=null, stderr=null) as process:
        try:
            yield process
        finally:
            if process.poll() is None and stop is signal.SIGINT:
                process.send_signal(stop)
            elif process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.terminate()


def _signal(sampler: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the sampler and the py-spy that it runs, not to its target."""
    children = Path(f"/proc/{sampler.pid}/task/{sampler.pid}/children")
    with contextlib.suppress(OSError):
        pids = [int(word) for word in children.read_text().split()]
        for pid in [sampler.pid, *(pid for pid in pids if _is_pyspy(pid))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _is_pyspy(pid: int) -> bool:
    try:
        return b"py-spy" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return False

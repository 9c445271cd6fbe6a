"""Many threads and processes at a time, and many one after the other; and time that stands still."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from gilscope.errors import RecordingError
from gilscope.model import NS_PER_S, State
from gilscope.recording.reader import RecordingReader
from gilscope.sampler import loop
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.loop import Ending
from gilscope.sampler.session import run_session
from tests.commands import command, environment, gilscope
from tests.long_watch.watches import Watch
from tests.watched import wait_for, watched

SHORT = """
import threading
for _ in range(10_000):
    thread = threading.Thread(target=len, args=("",))
    thread.start()
    thread.join()
"""
MOST_MB = 120.0


def test_ten_thousand_short_threads(tmp_path: Path) -> None:
    """All are counted, however few are seen; memory and file do not follow their number."""
    files = ("--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope")
    process = subprocess.Popen(
        command("run", "--headless", *files, "-c", SHORT),
        env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    assert process.returncode == 0, said
    assert usage.ru_maxrss * 1024 / 1e6 < MOST_MB
    with contextlib.closing(RecordingReader(tmp_path / "r.gilscope")) as reader:
        session = reader.session()
    assert (session.threads_created, session.threads_started) == (10_000, 10_000)


def test_a_thousand_threads_in_64_processes(tmp_path: Path) -> None:
    files = ("--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope")
    with watched("crowd.py", 1000, 64) as target:
        outcome = gilscope(tmp_path, "attach", target.pid, "--headless", "--duration", 1.5, *files)
        assert outcome.code == 0, outcome.stderr
        target.kill()
    summary = outcome.summary
    assert len(summary["processes"]) == 64
    by_pid: dict[int, int] = {}
    for lane in summary["lanes"]:
        by_pid[lane["pid"]] = by_pid.get(lane["pid"], 0) + 1
    assert by_pid.pop(target.pid) == 1000
    assert set(by_pid.values()) == {1}
    assert len(summary["gils"]) == 64
    assert not [gap for gap in summary["gilscope"]["gaps"] if gap["source"] != "gil"], "nothing failed"


def test_gilscope_is_suspended_and_goes_on(tmp_path: Path) -> None:
    """The sampler and the app, as when a shell stops them: a named gap, and nothing is made up."""
    with watched("cpu_threads.py", 2, 100) as target:
        watch = Watch("app", target.pid, tmp_path, app=True)
        try:
            wait_for(lambda: head_ns(watch.recording) > NS_PER_S // 2, "no recording")
            app = psutil.Process(watch._process.pid)
            both = (app, watch._sampler(app))
            stopped_ns = head_ns(watch.recording)
            for process in both:
                process.suspend()
            time.sleep(1.3)
            for process in both:
                process.resume()
            wait_for(lambda: head_ns(watch.recording) > stopped_ns + 1.7 * NS_PER_S, "the head stays behind")
        finally:
            assert watch.end() == 0
        assert target.process.poll() is None
    with contextlib.closing(RecordingReader(watch.recording)) as reader:
        gap = max(reader.gaps(), key=lambda gap: gap.end_ns - gap.start_ns)
        assert gap.reason == "the sampler got no CPU time for a while"
        assert gap.end_ns - gap.start_ns > 1.2 * NS_PER_S
        tick = max(reader.ticks(), key=lambda tick: tick.end_ns - tick.start_ns)
        assert tick.lanes
        assert sum(gil.watched_ns for gil in tick.gils) <= tick.end_ns - tick.start_ns - 1.2 * NS_PER_S
        for lane in tick.lanes:
            assert lane.states[State.UNKNOWN] > 1.2 * NS_PER_S


def head_ns(path: Path) -> int:
    """How far a recording has come that is being written."""
    try:
        with contextlib.closing(RecordingReader(path, live=True)) as reader:
            return reader.head_ns()
    except RecordingError:  # it is not there yet, or about to be made
        return 0


def test_a_suspended_machine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For two hours one clock stands still: the session is as long as before, and says so."""
    ahead = [0]

    class BootClock:
        def now_ns(self) -> int:
            return time.clock_gettime_ns(time.CLOCK_BOOTTIME) + ahead[0]

    monkeypatch.setattr(loop, "BootClock", BootClock)
    monkeypatch.setattr(loop, "sharpen", lambda: None)
    from gilscope.sampler.attaching import examine

    began = time.monotonic()

    def control() -> Ending | None:
        if time.monotonic() > began + 0.3:
            ahead[0] = 7_200 * NS_PER_S
        return Ending("enough", stop_target=True) if time.monotonic() > began + 1.7 else None

    with watched("sleepers.py", 1, 100) as target:
        path = tmp_path / "r.gilscope"
        session = run_session(
            SamplerConfig(spec=examine(target.pid), recording=path), control=control
        ).session
    assert session.ended_ns is not None
    assert session.ended_ns < 60 * NS_PER_S
    with contextlib.closing(RecordingReader(path)) as reader:
        (event,) = [event for event in reader.events() if event.kind == "machine-suspended"]
    assert event.text == "the machine was suspended for 7200 s, which are no part of the session"

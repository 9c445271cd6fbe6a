"""The load of cores, the memory of processes, and which processes there are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gilscope.sources import cores, processes
from gilscope.sources.memory import ReadFailedError
from tests.watched import wait_for, watched


def test_the_load_of_cores() -> None:
    loads = cores.CoreLoads()
    assert loads.read(0) == []
    with watched("cpu_threads.py", 1) as target:
        core = min(os.sched_getaffinity(0))
        psutil.Process(target.pid).cpu_affinity([core])
        busy = 0.0
        for _ in range(20):
            time.sleep(0.25)
            shares = loads.read(time.monotonic_ns())
            assert len(shares) == cores.core_count()
            assert all(0 <= share <= 1 for share in shares)
            busy = max(busy, shares[core])
            if busy > 0.8:
                break
        assert busy > 0.8


def test_a_load_is_taken_over_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings 50 ms apart: each load is that of the last 200 ms."""
    loads = cores.CoreLoads()
    taken = []
    for step in range(10):
        busy = 0.05 * step if step <= 5 else 0.25
        times = [type("T", (), {"user": busy, "idle": 0.05 * step - busy})()]
        monkeypatch.setattr(psutil, "cpu_times", lambda times=times, **_: times)
        taken.append(loads.read(step * 50_000_000))
    assert taken[0] == []
    assert taken[5] == [1.0]
    assert taken[7] == pytest.approx([0.5])
    assert taken[9] == pytest.approx([0.0])


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*, percpu: bool) -> None:
        raise PermissionError(13, f"denied {percpu}")

    monkeypatch.setattr(psutil, "cpu_times", refuse)
    with pytest.raises(ReadFailedError, match="denied"):
        cores.CoreLoads().read(0)


def test_usable_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= cores.usable_cores() <= cores.core_count()
    monkeypatch.setattr(cores, "core_count", lambda: 64)
    for text, expected in [("max 100000\n", 64), ("250000 100000\n", 3), ("1000 100000\n", 1), ("?", 64)]:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
        monkeypatch.setattr(Path, "read_text", lambda _, text=text: text)
        assert cores.usable_cores() == expected
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    assert cores.usable_cores() == 2


def test_what_a_process_costs() -> None:
    with watched("cpu_threads.py", 3) as target:
        small = cores.footprint(target.pid, shares=False)
        full = cores.footprint(target.pid, shares=True)
        assert small is not None
        assert full is not None
        assert small.threads == full.threads == 4
        assert (small.pss, small.uss) == (None, None)
        assert full.pss is not None
        assert full.uss is not None
        assert 1_000_000 < full.uss <= full.pss <= full.rss < 200_000_000
        target.kill()
        assert cores.footprint(target.pid, shares=True) is None


def test_a_zombie_costs_nothing_or_is_gone() -> None:
    process = subprocess.Popen(["true"])
    wait_for(lambda: (found := processes.facts(process.pid)) is None or found.state == "Z", "runs on")
    size = cores.footprint(process.pid, shares=True)
    assert size is None or size.rss == 0
    facts = processes.facts(process.pid)
    assert facts is not None
    assert processes.command_line(process.pid) == "true"
    process.wait()


def test_facts_of_processes(tmp_path: Path) -> None:
    program = tmp_path / "a b) Z 1 (\udcff"
    program.symlink_to("/bin/sh")
    with subprocess.Popen([program, "-c", "read x", "ü", "\udcff", ""], stdin=subprocess.PIPE) as process:
        wait_for(lambda: "read x" in processes.command_line(process.pid), "no exec")
        facts = processes.facts(process.pid)
        assert facts is not None
        assert facts.ppid == os.getpid()
        assert facts.state in "SR"
        assert facts.identity == processes.ProcessIdentity(process.pid, facts.identity.start_ticks)
        assert processes.command_line(process.pid).endswith("a b) Z 1 (\ufffd -c read x ü \ufffd")
        assert processes.children(os.getpid(), [os.getpid()]).count(process.pid) == 1
        assert processes.children(process.pid, [process.pid, 2**22 + 1]) == []
        process.kill()
    assert processes.facts(process.pid) is None
    assert processes.command_line(process.pid) == "?"
    assert processes.executable(process.pid) is None
    assert processes.children(process.pid, [process.pid]) == []


def test_a_child_of_another_thread_is_found() -> None:
    code = """
import subprocess, threading, time
threading.Thread(target=lambda: (print('READY', threading.get_native_id(),
    subprocess.Popen(['sleep', '5']).pid, flush=True), time.sleep(5))).start()
time.sleep(5)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        _, tid, child = process.stdout.readline().split()
        assert processes.children(process.pid, [process.pid]) == []
        assert processes.children(process.pid, [process.pid, int(tid)]) == [int(child)]
        os.kill(int(child), 9)
        process.kill()


def test_a_kernel_thread_has_a_name_too() -> None:
    if processes.facts(2) is None:
        pytest.skip("no kernel threads to be seen here")
    assert processes.command_line(2) not in ("", "?")

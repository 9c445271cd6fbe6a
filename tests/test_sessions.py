"""Whole sessions of real programs through the command line: what is said of them is true."""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gilscope.analysis.summary import SCHEMA
from gilscope.model import State
from gilscope.recording.reader import RecordingReader
from tests.commands import Outcome, gilscope, watch
from tests.pythons import found_pythons
from tests.watched import TARGETS

PYTHONS = found_pythons()
STATES = [f"{state.word}_s" for state in State]


def lanes_of(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {lane["name"]: lane for lane in summary["lanes"]}


def check_sums(outcome: Outcome) -> dict[str, Any]:
    """What holds of every session."""
    summary = outcome.summary
    assert summary["schema"] == SCHEMA
    reader = RecordingReader(outcome.recording)
    # CPU times are read as late as the sampler got no core: so far they may be on another tick's account.
    late_s = reader.session().late_ns_max / 1e9
    for lane in summary["lanes"]:
        total = sum(lane[state] for state in STATES)
        assert total == pytest.approx(lane["alive_s"], rel=0.01, abs=0.002), lane
        on_cpu_s = lane["running_s"] + lane["native_s"]
        # A process that is found late has used CPU time that is in no tick.
        known_s = min(lane["cpu_s"], lane["alive_s"]) - lane["unknown_s"]
        assert known_s - 0.05 * lane["alive_s"] - 0.05 - late_s <= on_cpu_s, lane
        assert on_cpu_s <= lane["cpu_s"] + 0.05 * lane["alive_s"] + 0.05 + late_s, lane
    for gil in summary["gils"]:
        if gil["utilisation"] is not None:
            assert 0 <= gil["utilisation"] <= 1
            assert 0 <= gil["contention"] <= 1
            assert gil["handoffs_seen"] <= gil["handoffs"]
    held = sum(lane["running_s"] + lane["holding_s"] for lane in summary["lanes"])
    assert held == pytest.approx(summary["totals"]["held_s"], rel=0.02, abs=0.02)
    assert reader.session().exit_code == summary["target"]["exit_code"]
    ticks = list(reader.ticks())
    assert [tick.index for tick in ticks] == list(range(len(ticks)))
    for before, after in itertools.pairwise(ticks):
        assert before.end_ns == after.start_ns
    for tick in ticks:
        for row in tick.lanes:
            assert sum(row.states) <= tick.end_ns - tick.start_ns
            assert min(row.states) >= 0
    holds = reader.window(0, min(reader.head_ns(), 4_000_000_000)).holds
    for gil in reader.gils():
        own = [hold for hold in holds if hold.gil == gil.key]
        assert all(before.end_ns <= after.start_ns for before, after in itertools.pairwise(own))
    reader.close()
    return summary


@pytest.mark.parametrize("version", list(PYTHONS))
def test_four_threads_share_a_gil(version: str, tmp_path: Path) -> None:
    """The figures of a machine that has time for it; on one that has not, those that hold anyway."""
    for _ in range(3):
        summary = four_threads(version, tmp_path)
        (gil,) = summary["gils"]
        shares = [lane["held_share"] for lane in summary["lanes"] if lane["name"] != "MainThread"]
        if (
            gil["utilisation"] >= 0.95
            and gil["contention"] >= 0.95
            and 2.5 <= gil["waiters_mean"] <= 3.1
            and shares == pytest.approx([0.25] * 4, abs=0.06)
        ):
            return
    # A woken thread that gets no core leaves the GIL free, and waits for that core, not for the GIL.
    assert os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1), (gil, shares)


def four_threads(version: str, tmp_path: Path) -> dict[str, Any]:
    began = time.monotonic()
    outcome = watch(tmp_path, "cpu_threads.py", 4, 3, python=PYTHONS[version])
    took_s = time.monotonic() - began
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout.startswith(b"READY ")
    summary = check_sums(outcome)
    assert summary["verdict"]["kind"] == "gil-bound"
    assert summary["verdict"]["speedup_bound"]["processes"] >= 1
    (gil,) = summary["gils"]
    assert gil["utilisation"] >= 0.5
    assert gil["kind"] == "shared"
    assert 1.2 <= gil["waiters_mean"] <= 3.1
    assert 3 <= gil["waiters_max"] <= 4  # the main thread too, for a moment
    assert gil["contention"] > 0.5
    assert gil["switch_interval_us"] == 5000
    assert gil["handoffs"] > 50
    lanes = lanes_of(summary)
    assert lanes.keys() == {"MainThread", "cpu-0", "cpu-1", "cpu-2", "cpu-3"}
    for number in range(4):
        lane = lanes[f"cpu-{number}"]
        assert lane["held_share"] == pytest.approx(0.25, abs=0.2)
        assert lane["waiting_s"] > 0.5
        assert lane["kind"] == "thread"
    # The main thread too: it held it as long as the program started, for which a machine may take a while.
    assert sum(lane["held_share"] for lane in lanes.values()) == pytest.approx(gil["utilisation"], abs=0.03)
    tids = {int(word) for word in outcome.stdout.split()[1:]}
    assert {lane["tid"] for name, lane in lanes.items() if name != "MainThread"} == tids
    # To wait for the others' end it needs the GIL once more, which on a busy machine takes a while.
    assert lanes["MainThread"]["blocked_s"] + lanes["MainThread"]["waiting_s"] > 2.5
    assert lanes["MainThread"]["blocked_s"] > lanes["MainThread"]["waiting_s"]
    assert summary["target"]["exit_code"] == 0
    assert summary["target"]["python"].startswith(version + ".")
    assert summary["target"]["implementation"] == "CPython"
    assert 3.0 <= summary["target"]["wall_s"] <= took_s
    assert summary["totals"]["threads_created"] == summary["totals"]["threads_started"] == 4
    cpu_s, totals = sum(lane["cpu_s"] for lane in lanes.values()), summary["totals"]
    assert cpu_s > 0.1
    assert totals["cores_used_mean"] < 1.2
    assert totals["cores_used_mean"] * summary["target"]["wall_s"] == pytest.approx(cpu_s, rel=0.1, abs=0.05)
    assert summary["gilscope"]["rate_hz"]["achieved"] > 100
    (process,) = summary["processes"]
    assert process["python"] == summary["target"]["python"]
    assert process["threads_max"] == 5
    functions = {row["function"] for row in summary["functions"]}
    assert "work" in functions
    assert not [gap for gap in summary["gilscope"]["gaps"] if gap["source"] == "py-spy"]
    return summary


def test_threads_that_let_go_of_the_gil(tmp_path: Path) -> None:
    outcome = watch(tmp_path, "hash_threads.py", 3, 3)
    summary = check_sums(outcome)
    (gil,) = summary["gils"]
    assert gil["utilisation"] <= 0.2
    lanes = lanes_of(summary)
    busy = [lanes[f"hash-{number}"] for number in range(3)]
    assert sum(lane["native_s"] for lane in busy) > 0.7 * sum(lane["cpu_s"] for lane in busy)
    assert sum(lane["running_s"] for lane in busy) < 0.2 * sum(lane["native_s"] for lane in busy)
    # On a machine that is busy with something else there is less than a core for it.
    assert summary["verdict"]["kind"] == "native-parallel" or summary["totals"]["cores_used_mean"] < 1.2


def test_threads_that_sleep(tmp_path: Path) -> None:
    outcome = watch(tmp_path, "sleepers.py", 10, 2)
    summary = check_sums(outcome)
    assert summary["verdict"]["kind"] == "io-bound"
    lanes = lanes_of(summary)
    assert len(lanes) == 11
    for number in range(10):
        assert lanes[f"sleeper-{number}"]["blocked_s"] > 1.8
        assert lanes[f"sleeper-{number}"]["waiting_s"] < 0.1
    # The main thread holds it as the program starts, for as long as the machine takes for that.
    assert summary["gils"][0]["utilisation"] - lanes["MainThread"]["held_share"] < 0.1


@pytest.mark.parametrize("version", ["3.9", "3.11", "3.13"])
def test_children_of_each_kind(version: str, tmp_path: Path) -> None:
    if version not in PYTHONS:
        pytest.skip(f"no Python {version}")
    outcome = watch(tmp_path, "children.py", python=PYTHONS[version])
    assert outcome.code == 0, outcome.stderr
    _, root, forked, python, other, code, _ = outcome.stdout.split()
    assert code == b"5"
    summary = check_sums(outcome)
    processes = {process["pid"]: process for process in summary["processes"]}
    assert {int(root), int(forked), int(python), int(other)} <= processes.keys()
    assert processes[int(root)]["exit_code"] == 0
    # Nobody but its parent can learn how a child ended.
    assert processes[int(python)]["exit_code"] is None
    assert processes[int(forked)]["exit_code"] is None
    for pid in (forked, python):
        process = processes[int(pid)]
        assert process["python"] is not None
        assert process["python"].startswith(version)
        assert process["ppid"] == int(root)
        assert process["cpu_s"] > 0.02
    assert processes[int(other)]["python"] is None
    assert "while" in processes[int(other)]["command"]
    gils = {gil["pid"]: gil for gil in summary["gils"]}
    assert gils.keys() >= {int(root), int(forked), int(python)}
    assert int(other) not in gils
    for pid in (forked, python):
        assert gils[int(pid)]["utilisation"] > 0.6
    lanes = {lane["tid"]: lane for lane in summary["lanes"]}
    assert lanes[int(other)]["kind"] == "process"
    assert lanes[int(other)]["name"] == "sh"
    # Of what the kernel gave them, however little that was.
    assert lanes[int(other)]["native_s"] > 0.5 * lanes[int(other)]["cpu_s"] > 0.01
    assert lanes[int(other)]["running_s"] == lanes[int(other)]["holding_s"] == 0
    computes = lanes[int(forked)]
    assert computes["running_s"] > 0.01
    assert computes["running_s"] + computes["unknown_s"] > 0.5 * computes["cpu_s"] > 0.01
    assert summary["totals"]["processes_started"] >= 3


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_processes_that_live_between_two_looks_are_counted(version: str, tmp_path: Path) -> None:
    if version not in PYTHONS:
        pytest.skip(f"no Python {version}")
    outcome = watch(tmp_path, "short_processes.py", 200, python=PYTHONS[version])
    assert outcome.code == 0, outcome.stderr
    summary = check_sums(outcome)
    assert summary["totals"]["processes_started"] == int(outcome.stdout) == 200
    root = summary["target"]["pid"]
    children = [process for process in summary["processes"] if process["pid"] != root]
    assert {process["ppid"] for process in children} == {root}
    for process in children:
        assert process["end_s"] is not None
        assert process["start_s"] <= process["end_s"]


def test_zombies_and_orphans_are_called_so(tmp_path: Path) -> None:
    outcome = watch(tmp_path, "careless.py", 6)
    assert outcome.code == 0, outcome.stderr
    said = dict(line.split() for line in outcome.stdout.decode().splitlines())
    reader = RecordingReader(outcome.recording)
    texts = {event.kind: event.text for event in reader.events()}
    reader.close()
    assert texts["process-zombie"].startswith(f"process {said['zombie']} has ended, but its parent")
    assert texts["process-orphaned"].startswith(f"process {said['orphan']} runs on without its parent")


@pytest.mark.parametrize(("held_ms", "free_ms"), [(20, 20), (5, 15), (30, 10)])
def test_a_known_schedule(held_ms: int, free_ms: int, tmp_path: Path) -> None:
    """Sleeps that keep the GIL: held while blocked, for just as long as the program measured itself."""
    outcome = watch(tmp_path, "schedule.py", 4, held_ms, free_ms, tmp_path / "true")
    summary = check_sums(outcome)
    held_s, wall_s = map(float, (tmp_path / "true").read_text().split())
    (gil,) = summary["gils"]
    watched_s = summary["target"]["wall_s"]
    # Before and behind its measured part the program starts and ends, which holds the GIL too.
    around_s = watched_s - wall_s
    assert 0 <= around_s < 1.5
    assert gil["utilisation"] * watched_s == pytest.approx(held_s, abs=0.02 * wall_s + around_s)
    main = lanes_of(summary)["MainThread"]
    assert main["holding_s"] == pytest.approx(held_s, abs=0.03 * wall_s)
    assert main["blocked_s"] == pytest.approx(wall_s - held_s, abs=0.03 * wall_s + around_s)
    assert gil["longest_hold_ms"] >= held_ms


def test_a_script_that_does_nothing(tmp_path: Path) -> None:
    outcome = gilscope(
        tmp_path, "run", "--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope", "-c", "pass"
    )
    assert outcome.code == 0
    assert outcome.stdout == b""
    summary = check_sums(outcome)
    assert summary["verdict"]["kind"] == "too-short"
    assert lanes_of(summary).keys() == {"MainThread"}


def test_an_interpreter_with_its_own_gil_appears(tmp_path: Path) -> None:
    version = next((known for known in ("3.13", "3.12") if known in PYTHONS), None)
    if version is None:
        pytest.skip("own GILs came with 3.12")
    outcome = gilscope(
        tmp_path, "run", "--python", PYTHONS[version], "--duration", 2, "--json", tmp_path / "s.json",
        "-o", tmp_path / "r.gilscope", TARGETS / "interpreters.py",
    )  # fmt: skip
    gils = {gil["interpreter"]: gil for gil in outcome.summary["gils"]}
    assert gils[0]["kind"] == "shared"
    (own,) = [gil for number, gil in gils.items() if number]
    assert own["kind"] == "own"
    assert own["utilisation"] > 0.8
    assert gils[0]["utilisation"] < 0.3


def test_the_summary_of_a_report_is_that_of_the_run(tmp_path: Path) -> None:
    import json

    outcome = watch(tmp_path, "cpu_threads.py", 2, 1)
    again = gilscope(tmp_path, "report", tmp_path / "r.gilscope", "--format", "json")
    assert json.loads(again.stdout) == outcome.summary
    text = gilscope(tmp_path, "report", tmp_path / "r.gilscope")
    assert text.stdout.decode() in outcome.stderr
    assert max(len(line) for line in text.stdout.decode().splitlines()) <= 80
    assert "GIL-bound" in text.stdout.decode()
    written = gilscope(tmp_path, "report", tmp_path / "r.gilscope", "-o", tmp_path / "text")
    assert written.stdout == b""
    assert (tmp_path / "text").read_bytes() == text.stdout
    assert (tmp_path / "text").stat().st_mode & 0o777 == 0o600


def test_this_python_is_the_default(tmp_path: Path) -> None:
    outcome = gilscope(tmp_path, "run", "-c", "import sys; print(sys.executable)")
    assert outcome.stdout.decode().strip() == sys.executable

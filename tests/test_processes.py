"""Programs of many processes, through the command line: threads exchanged for them, workers, leftovers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gilscope.launch.spec import resolve_spec
from gilscope.recording.reader import RecordingReader
from gilscope.roles import FORK_SERVER, OF_FORK_SERVER, RESOURCE_TRACKER, SPAWNED, roles, roles_in
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.session import run_session
from gilscope.text import clean
from gilscope.views.present import process_label
from tests.commands import gilscope, watch
from tests.pythons import found_pythons
from tests.watched import TARGETS, is_gone, open_descriptors

PYTHONS = found_pythons()
FOUND_WITHIN_S = 0.6
"""From its start, a process is watched: 0.15 s here when nothing else runs."""


def gil_of(summary: dict[str, Any], pid: int) -> dict[str, Any]:
    found: list[dict[str, Any]] = [gil for gil in summary["gils"] if gil["pid"] == pid]
    assert len(found) == 1
    return found[0]


def test_the_example_of_an_introduction_with_threads_and_with_processes(tmp_path: Path) -> None:
    """One process and about a core, against four more processes, each with a GIL held nearly always."""
    source = (TARGETS / "article.py").read_bytes()
    outcome = watch(tmp_path, "article.py", mode="threads")
    assert outcome.stdout == b"done\n"
    threads = outcome.summary
    outcome = watch(tmp_path, "article.py", mode="processes")
    assert outcome.stdout == b"done\n"
    processes = outcome.summary
    assert (TARGETS / "article.py").read_bytes() == source

    assert len(threads["processes"]) == 1
    assert threads["totals"]["threads_started"] == 4
    assert threads["gils"][0]["utilisation"] > 0.7
    assert threads["totals"]["cores_used_mean"] < 1.25
    assert threads["verdict"]["kind"] == "gil-bound"

    root = processes["target"]["pid"]
    names = {process["pid"]: process["name"] for process in processes["processes"]}
    assert names.pop(root) is None
    # What the threads are called, the processes in their place are.
    function = " (compute)" if sys.version_info >= (3, 10) else ""
    assert sorted(names.values()) == [f"Thread-{number}{function}" for number in range(1, 5)]
    workers = list(names)
    assert len(workers) == 4
    for pid in workers:
        assert gil_of(processes, pid)["utilisation"] > 0.9
        assert gil_of(processes, pid)["contention"] < 0.05
    assert processes["totals"]["cores_used_mean"] > threads["totals"]["cores_used_mean"]
    assert processes["totals"]["memory_peak_mb"] > threads["totals"]["memory_peak_mb"]


@pytest.mark.parametrize(
    ("version", "method"),
    [("3.9", "forkserver"), ("3.11", "fork"), ("3.13", "spawn"), ("3.13", "forkserver")],
)
def test_eight_workers_of_each_start_method(version: str, method: str, tmp_path: Path) -> None:
    if version not in PYTHONS:
        pytest.skip(f"no Python {version}")
    outcome = watch(tmp_path, "workers.py", method, 1, python=PYTHONS[version])
    assert outcome.code == 0, outcome.stderr
    pids = [int(line.split()[0]) for line in outcome.stdout.splitlines()]
    assert len(set(pids)) == 8
    summary = outcome.summary
    processes = {process["pid"]: process for process in summary["processes"]}
    lanes = {(lane["pid"], lane["tid"]): lane for lane in summary["lanes"]}
    for pid in pids:
        assert processes[pid]["end_s"] is not None
        assert processes[pid]["python"].startswith(version)
        assert lanes[pid, pid]["name"] == "MainThread"
        assert lanes[pid, pid]["running_s"] + lanes[pid, pid]["holding_s"] > 0.3
    for pid in pids:
        assert is_gone(pid), "left behind"
    for pid in pids:
        lived_s = processes[pid]["end_s"] - processes[pid]["start_s"]
        assert lived_s - lanes[pid, pid]["alive_s"] < FOUND_WITHIN_S
    # The others that multiprocessing started are named for what they are, everywhere with the same words.
    rows = [process["pid"] for process in summary["processes"]]
    found = dict(zip(rows, roles_in(summary["processes"]), strict=True))
    workers = {
        "fork": {f"ForkProcess-{number}" for number in range(1, 9)},
        "spawn": {SPAWNED},
        "forkserver": {OF_FORK_SERVER},
    }[method]
    assert {found[pid] for pid in pids} == workers
    helpers = sorted(role for pid, role in found.items() if pid not in pids and role is not None)
    assert (
        helpers
        == [[], [RESOURCE_TRACKER], [FORK_SERVER, RESOURCE_TRACKER]][
            ["fork", "spawn", "forkserver"].index(method)
        ]
    )
    assert all(f"  {role}: " in outcome.stderr for role in helpers)


def test_processes_are_known_by_the_names_that_they_have(tmp_path: Path) -> None:
    """In the recording, in the report, and in what other tools get; text of the program harms nobody."""
    outcome = watch(tmp_path, "named_processes.py", python=list(PYTHONS.values())[-1])
    assert outcome.code == 0, outcome.stderr
    expected = dict(map(json.loads, outcome.stdout.splitlines()))
    names = {process["pid"]: process["name"] for process in outcome.summary["processes"]}
    # SQLite takes no lone surrogate.
    as_kept = {
        pid: name and name.encode("utf-8", "backslashreplace").decode() for pid, name in expected.items()
    }
    assert names.items() >= as_kept.items()
    assert {"resizer", "odd", "ForkProcess-1", None} < set(names.values())
    reader = RecordingReader(outcome.recording)
    window = reader.window(0, reader.head_ns())
    labels = {process_label(each, roles(window.processes).get(each.key)) for each in window.processes}
    reader.close()
    resizer = next(pid for pid, name in names.items() if name == "resizer")
    assert any(label.startswith(f"pid {resizer} resizer: python") for label in labels)
    assert all(clean(label) == label for label in labels)
    assert clean(outcome.stderr.replace("\n", "")) == outcome.stderr.replace("\n", "")
    found = gilscope(
        tmp_path, "export", outcome.recording, "--format", "perfetto", "-o", tmp_path / "trace.json"
    )
    assert found.code == 0, found.stderr
    assert '"resizer: ' in (tmp_path / "trace.json").read_text()


def test_many_processes_leave_no_descriptor(tmp_path: Path) -> None:
    spec = resolve_spec(script=str(TARGETS / "short_processes.py"), args=["100"])
    before = open_descriptors()
    run_session(SamplerConfig(spec=spec, recording=tmp_path / "r.gilscope"))
    assert open_descriptors() == before
    reader = RecordingReader(tmp_path / "r.gilscope")
    assert len(reader.processes()) == 101
    assert not [gap for gap in reader.gaps() if gap.source == "probe"]
    reader.close()

"""py-spy as the source of who holds the GIL: on versions that the probe does not read, and on request."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from gilscope.recording.reader import RecordingReader
from tests.commands import Outcome, complaint, gilscope, watch
from tests.pythons import found_old_pythons, found_pythons
from tests.watched import TARGETS

OLD = found_old_pythons()
PYTHONS = [*OLD.items(), *[(version, path) for version, path in found_pythons().items() if version == "3.11"]]
SECONDS = 4
STATES = ("running", "holding", "native", "ready", "blocked", "unknown")
each_python = pytest.mark.parametrize(("version", "python"), PYTHONS, ids=[version for version, _ in PYTHONS])
each_old_python = pytest.mark.parametrize(("version", "python"), OLD.items(), ids=list(OLD))


def turns(folder: Path, version: str, python: Path) -> Outcome:
    options = [] if version in OLD else ["--source", "py-spy"]  # the old ones choose it by themselves
    return gilscope(
        folder, "run", *options, "--python", python, "--json", folder / "s.json",
        "-o", folder / "r.gilscope", TARGETS / "turns.py", "--", SECONDS, 7,
    )  # fmt: skip


@each_python
def test_two_threads_take_turns_and_one_sleeps(version: str, python: Path, tmp_path: Path) -> None:
    done = turns(tmp_path, version, python)
    assert done.code == 7, done.stderr
    counts = sorted(int(word) for word in done.stdout.split())
    summary = done.summary
    assert summary["gilscope"]["source"] == "py-spy"
    assert summary["gilscope"]["rate_hz"]["asked"] == 100
    assert 60 < summary["gilscope"]["rate_hz"]["achieved"] < 140
    assert summary["target"]["python"].startswith(version + ".")
    assert summary["target"]["exit_code"] == 7
    _check_gil(summary, at_least=0.5 if version == "2.7" else 0.8)
    _check_lanes(summary, counts)
    assert (summary["totals"]["threads_started"] is None) is (version in OLD)
    assert "(py-spy)" in done.stderr
    assert "does not see who waits" in done.stderr
    _check_ticks(done.recording)


@each_python
def test_native_threads_are_watched_to_their_end(version: str, python: Path, tmp_path: Path) -> None:
    """Nobody holds the GIL in the last trace: that is a finding, and no gap."""
    code = (
        "import os, time, zlib; b = os.urandom(4000000); end = time.time() + 3\n"
        "while time.time() < end: zlib.compress(b)"
    )
    options = ["--source", "py-spy", "--python", python, "--json", tmp_path / "s.json"]
    done = gilscope(tmp_path, "run", *options, "-c", code)
    assert done.code == 0, done.stderr
    assert done.summary["target"]["python"].startswith(version + ".")
    (lane,) = done.summary["lanes"]
    # It holds the GIL as it starts, which takes longer than its CPU time tells where cores are few.
    assert lane["running_s"] + lane["holding_s"] < 0.2 * lane["alive_s"]
    # On a busy machine py-spy begins late, and nothing is known of the time before.
    assert lane["native_s"] + lane["unknown_s"] > 0.7 * lane["cpu_s"]
    assert lane["native_s"] > 0.2 * lane["cpu_s"]
    assert lane["unknown_s"] < 0.6 * lane["alive_s"]  # on a busy machine a trace can be late
    assert lane["held_share"] < 0.3


def _check_gil(summary: dict[str, Any], *, at_least: float) -> None:
    (gil,) = summary["gils"]
    # In 2.7 it is let go every hundred bytecodes, and free for a moment each time.
    assert at_least < gil["utilisation"] <= 1
    assert gil["samples"] > 60 * SECONDS
    untold = ("contention", "waiters_mean", "waiters_max", "handoffs", "handoffs_seen", "longest_hold_ms")
    assert {gil[key] for key in untold} == {None}
    assert summary["totals"]["waiting_s"] is None


def _check_lanes(summary: dict[str, Any], counts: list[int]) -> None:
    by_held = sorted(summary["lanes"], key=lambda lane: lane["held_share"])
    *sleepers, less, more = by_held
    assert len(sleepers) == 2
    # What each counted is what it ran: the truth that py-spy's samples are held against.
    counted, held = counts[1] / sum(counts), more["held_share"] / (less["held_share"] + more["held_share"])
    assert abs(counted - held) < 0.15
    for lane in sleepers:
        assert lane["held_share"] < 0.1
        assert lane["blocked_s"] > 0.8 * lane["alive_s"]
    for lane in summary["lanes"]:
        assert lane["waiting_s"] is None
        assert sum(lane[f"{state}_s"] for state in STATES) == pytest.approx(lane["alive_s"], abs=0.05)
    # Each is off the CPU while the other holds it, and nobody can say whether it waits.
    assert less["unknown_s"] + less["ready_s"] > 0.1 * less["alive_s"]


def _check_ticks(recording: Path) -> None:
    reader = RecordingReader(recording)
    try:
        (gil,) = reader.gils()
        assert gil.source == reader.session().source == "py-spy"
        whole = {lane.key for lane in reader.lanes()}
        ends = {lane.key: (lane.start_ns, lane.end_ns or 1 << 62) for lane in reader.lanes()}
        at_ns = 0
        for tick in reader.ticks():
            assert tick.start_ns == at_ns
            at_ns = tick.end_ns
            for row in tick.lanes:
                start, end = ends[row.lane]
                length = max(0, min(end, tick.end_ns) - max(start, tick.start_ns))
                assert sum(row.states) == length
            for told in tick.gils:
                assert 0 <= told.held_ns <= told.watched_ns <= tick.end_ns - tick.start_ns
            assert {row.lane for row in tick.lanes} <= whole
    finally:
        reader.close()


@each_old_python
def test_an_old_python_runs_as_without_gilscope(version: str, python: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys; print(sys.argv[1:], 'gilscope-' in os.environ.get('PYTHONPATH', ''), "
        "[fd for fd in os.listdir('/proc/self/fd') if int(fd) > 900]);"
        "sys.stdout.flush(); os.kill(os.getpid(), 15)"
    )
    done = gilscope(
        tmp_path, "run", "--python", python, "--json", tmp_path / "s.json", "-c", code, "--", "a b", ""
    )
    assert done.code == 128 + 15, done.stderr
    assert done.stdout.startswith(b"(['a b', ''], False" if version == "2.7" else b"['a b', ''] False")
    assert b"[]" in done.stdout, "it has a descriptor of ours"
    # Gone before py-spy could look: nothing is known, which is not zero.
    assert all(gil["utilisation"] is None or gil["samples"] for gil in done.summary["gils"])


@pytest.mark.skipif(not OLD, reason="no old Python is installed")
def test_the_probe_cannot_be_asked_for_an_old_python(tmp_path: Path) -> None:
    python = next(iter(OLD.values()))
    done = gilscope(tmp_path, "run", "--source", "probe", "--python", python, "-c", "print(1)")
    assert "Leave --source out" in complaint(done, 2)
    assert done.stdout == b""


def test_a_rate_that_py_spy_cannot_do(tmp_path: Path) -> None:
    assert "1000" in complaint(gilscope(tmp_path, "run", "--source", "py-spy", "--rate", 5000, "-c", "1"), 2)


def fake(folder: Path, text: str) -> dict[str, str]:
    """An environment whose py-spy is a script."""
    path = folder / "bin" / "py-spy"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:{os.environ['PATH']}"}


HIDE_OURS = (
    "import sys, sysconfig; sysconfig.get_path = lambda *_: '/nowhere'; sys.executable = '/nowhere/python';"
    "from gilscope.sampler import traced; traced.PROVE_S = 3.0;"
    "from gilscope.__main__ import main; main()"
)


@pytest.mark.parametrize("python", [sys.executable, *OLD.values()][:2], ids=["shim", "none"][: 1 + bool(OLD)])
@pytest.mark.parametrize(
    ("script", "why", "advice"),
    [
        (None, "not installed", "pip install py-spy"),
        ("echo 'Error: Permission Denied: no' >&2; exit 1", "Permission Denied", "ptrace_scope"),
        ("exit 3", "said nothing", "CPython 2.7"),
    ],
    ids=["missing", "denied", "silent"],
)
def test_without_py_spy_the_program_does_not_run_on(
    python: str | Path, script: str | None, why: str, advice: str, tmp_path: Path
) -> None:
    import subprocess

    from tests.commands import environment

    env = environment(tmp_path) | (fake(tmp_path, script) if script else {"PATH": "/usr/bin:/bin"})
    # It may be ended at any moment: the file is there with its number or not at all.
    code = (
        "import os, time; file = open('part', 'w'); file.write(str(os.getpid())); file.close(); "
        "os.rename('part', 'pid'); time.sleep(300)"
    )
    command = [
        sys.executable,
        "-c",
        HIDE_OURS,
        "run",
        "--source",
        "py-spy",
        "--python",
        str(python),
        "-c",
        code,
    ]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=env, timeout=120, check=False)
    outcome = Outcome(done.returncode, done.stdout, done.stderr.decode(), tmp_path)
    said = complaint(outcome, 4)
    assert why in said
    assert advice in said
    pid = tmp_path / "pid"
    if pid.exists():  # without a shim it had begun
        assert not Path(f"/proc/{pid.read_text()}").exists()
    assert not list(tmp_path.glob("**/*.gilscope"))


def test_the_probe_is_still_what_is_used(tmp_path: Path) -> None:
    done = watch(tmp_path, "turns.py", 1)
    assert done.code == 0, done.stderr
    assert done.summary["gilscope"]["source"] == "probe"
    assert done.summary["gils"][0]["handoffs"] is not None

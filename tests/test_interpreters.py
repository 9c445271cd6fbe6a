"""Whole sessions on programs with several interpreters, and on one that becomes another program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pythons import found_pythons

PYTHONS = found_pythons()
TARGETS = Path(__file__).with_name("targets")
SECONDS = "3"


def watch(tmp_path: Path, python: str | Path, *command: str, seconds: str | None = None) -> dict[str, Any]:
    """The summary of a program; of one that does not end by itself, after some seconds."""
    summary = tmp_path / "summary.json"
    options = ["--headless", "--json", str(summary), "-o", str(tmp_path / "r.gilscope")]
    if seconds is not None:
        options += ["--duration", seconds]
    script, *arguments = command
    done = subprocess.run(
        [sys.executable, "-m", "gilscope", "run", *options, "--python", python, script, "--", *arguments],
        capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in ((0,) if seconds is None else (128 + 15, 128 + 9)), done.stderr
    return dict(json.loads(summary.read_text()))


@pytest.mark.parametrize("version", [v for v in ("3.12", "3.13") if v in PYTHONS])
def test_interpreters_with_a_gil_each_run_at_the_same_time(tmp_path: Path, version: str) -> None:
    """GIVEN two isolated interpreters that compute THEN each has a GIL, and both are held all the time."""
    summary = watch(tmp_path, PYTHONS[version], str(TARGETS / "subinterpreters.py"), "own", SECONDS, "2")
    own = [gil for gil in summary["gils"] if gil["kind"] == "own"]
    assert len(own) == 2
    assert all(gil["utilisation"] >= 0.6 for gil in own)
    main = next(lane for lane in summary["lanes"] if lane["tid"] == lane["pid"])
    others = [lane for lane in summary["lanes"] if lane is not main]
    assert len(others) == 2
    assert all(lane["running_s"] + lane["holding_s"] > 0.6 * float(SECONDS) for lane in others)
    assert main["running_s"] + main["holding_s"] < 0.5


@pytest.mark.parametrize("version", [v for v in ("3.12", "3.13") if v in PYTHONS])
def test_legacy_interpreters_share_one_gil(tmp_path: Path, version: str) -> None:
    summary = watch(tmp_path, PYTHONS[version], str(TARGETS / "subinterpreters.py"), "legacy", "1.5", "1")
    assert [gil["kind"] for gil in summary["gils"]] == ["shared"]
    assert summary["gils"][0]["utilisation"] > 0.9


@pytest.mark.skipif("3.11" not in PYTHONS, reason="needs CPython 3.11")
def test_a_legacy_interpreter_that_starves_the_main_thread_is_shown_as_that(tmp_path: Path) -> None:
    """GIVEN a legacy interpreter on 3.11, which does not let go of the GIL THEN the main thread only waits.

    It never ends by itself, watched or not: the main thread does not get the GIL back.
    """
    script = str(TARGETS / "subinterpreters.py")
    summary = watch(tmp_path, PYTHONS["3.11"], script, "legacy", "60", "1", seconds="3")
    assert len(summary["gils"]) == 1
    main = next(lane for lane in summary["lanes"] if lane["tid"] == lane["pid"])
    (other,) = [lane for lane in summary["lanes"] if lane is not main]
    assert main["waiting_s"] > 0.3 * summary["target"]["wall_s"]
    assert main["running_s"] + main["holding_s"] < 0.4
    assert other["running_s"] + other["holding_s"] > 1.0


def test_a_program_that_becomes_another_one(tmp_path: Path) -> None:
    """GIVEN Python that computes, then execs into a program that is none THEN both parts are told apart."""
    code = (
        "import os, time; end = time.monotonic() + 0.6\n"
        "while time.monotonic() < end: pass\n"
        "os.execv('/bin/sleep', ['sleep', '0.6'])\n"
    )
    script = tmp_path / "becomes.py"
    script.write_text(code)
    summary = watch(tmp_path, sys.executable, str(script))
    (lane,) = summary["lanes"]
    assert lane["kind"] == "process"
    assert lane["name"] == "sleep"
    assert 0.3 < lane["running_s"] + lane["holding_s"] < 0.9
    assert lane["blocked_s"] > 0.3


@pytest.mark.skipif(len(PYTHONS) < 2, reason="needs two Pythons")
def test_a_program_that_becomes_another_python(tmp_path: Path) -> None:
    first, *_, last = PYTHONS.values()
    script = tmp_path / "becomes.py"
    script.write_text(
        "import os, sys, time; end = time.monotonic() + 0.6\n"
        "while time.monotonic() < end: pass\n"
        "if len(sys.argv) > 1: os.execv(sys.argv[1], [sys.argv[1], sys.argv[0]])\n"
    )
    summary = watch(tmp_path, first, str(script), str(last))
    assert len(summary["gils"]) == 2
    assert all(gil["utilisation"] > 0.8 for gil in summary["gils"])
    (lane,) = summary["lanes"]
    assert lane["running_s"] + lane["holding_s"] > 0.8


@pytest.mark.parametrize("version", [v for v in ("3.12", "3.13") if v in PYTHONS])
def test_interpreters_that_come_and_go_leave_nothing_stale(tmp_path: Path, version: str) -> None:
    """GIVEN a hundred interpreters, one after the other THEN their GILs go with them."""
    summary = watch(tmp_path, PYTHONS[version], str(TARGETS / "many_interpreters.py"), "1.5")
    main = [gil for gil in summary["gils"] if gil["interpreter"] == 0]
    assert len(main) == 1
    assert summary["gilscope"]["gaps"] == []
    (lane,) = summary["lanes"]
    assert lane["running_s"] + lane["holding_s"] > 1.2
    assert lane["unknown_s"] < 0.3
    states = ("running", "holding", "waiting", "native", "ready", "blocked", "unknown")
    assert sum(lane[f"{state}_s"] for state in states) == pytest.approx(lane["alive_s"], rel=0.01)

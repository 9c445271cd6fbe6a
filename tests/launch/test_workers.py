"""FILE:FUNCTION --workers N: a function is called in threads or processes, and each worker's end is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gilscope.launch.spec import TargetSpec
from tests.commands import complaint, gilscope
from tests.launch.conftest import DEADLINE_S, Outcome, _environment
from tests.pythons import found_pythons

PYTHONS = found_pythons()
ENDS = list(dict.fromkeys([next(iter(PYTHONS)), list(PYTHONS)[-1]]))
"""The oldest and the newest."""

FUNCTIONS = """
import os, sys, threading
number_of = {"a": 1}
answer = 42

def square(n):
    return n * n

def some(n=7):
    return n

def nothing():
    return threading.current_thread().name

def fails(n):
    if n == 1:
        raise ValueError("no")
    return n

def leaves(n):
    sys.exit(f"bye {n}")

def two(a, b):
    pass

def arguments():
    return sys.argv[1:], __name__

async def later():
    pass

class Made:
    @staticmethod
    def inside(n):
        return -n

def killed(n):
    if n:
        os.kill(os.getpid(), 9)

if __name__ == "__main__":
    raise SystemExit("a main guard is not for this")
"""


def call(folder: Path, python: str, function: str, workers: int, mode: str, *args: str) -> Outcome:
    (folder / "work.py").write_text(FUNCTIONS)
    spec = TargetSpec(
        kind="script",
        target="work.py",
        function=function,
        workers=workers,
        mode=mode,
        python=python,
        args=args,
    )
    driver = Path(__file__).with_name("drive.py")
    command = [sys.executable, "-I", str(driver), str(folder / "seen.json"), spec.to_json()]
    done = subprocess.run(
        command, cwd=folder, env=_environment({}), capture_output=True, timeout=DEADLINE_S, check=False
    )
    return Outcome(done.stdout, done.stderr, done.returncode)


@pytest.mark.parametrize("mode", ["asis", "threads", "processes"])
@pytest.mark.parametrize("version", ENDS)
def test_a_function_in_workers(version: str, mode: str, tmp_path: Path) -> None:
    def out(function: str, workers: int, *args: str) -> list[str]:
        done = call(tmp_path, str(PYTHONS[version]), function, workers, mode, *args)
        assert (done.stderr, done.returncode) == (b"", 0)
        return done.stdout.decode().splitlines()

    assert out("square", 4) == [f"worker-{n} returned {n * n}" for n in range(4)]
    assert out("nothing", 2) == ["worker-0 returned 'worker-0'", "worker-1 returned 'worker-1'"]
    assert out("some", 2) == ["worker-0 returned 0", "worker-1 returned 1"]
    assert out("Made.inside", 2) == ["worker-0 returned 0", "worker-1 returned -1"]
    assert out("arguments", 1, "--x", "y") == ["worker-0 returned (['--x', 'y'], 'work')"]
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert len(seen["forks"]) == (1 if mode == "processes" else 0)
    assert seen["notes"] == []


@pytest.mark.parametrize("mode", ["asis", "processes"])
@pytest.mark.parametrize("version", ENDS)
def test_workers_that_fail(version: str, mode: str, tmp_path: Path) -> None:
    done = call(tmp_path, str(PYTHONS[version]), "fails", 3, mode)
    assert done.returncode == 1
    assert done.stdout == b"worker-0 returned 0\nworker-2 returned 2\n"
    lines = done.stderr.decode().splitlines()
    assert lines[:2] == ["worker-1 raised ValueError: no", "Traceback (most recent call last):"]
    assert lines[-1] == "ValueError: no"
    done = call(tmp_path, str(PYTHONS[version]), "leaves", 1, mode)
    assert done.returncode == 1
    assert done.stderr.startswith(b"worker-0 raised SystemExit: bye 0\n")
    if mode == "processes":
        done = call(tmp_path, str(PYTHONS[version]), "killed", 2, mode)
        assert (done.returncode, done.stderr) == (1, b"worker-1 ended without a result\n")
        assert done.stdout == b"worker-0 returned None\n"


BAD: list[tuple[list[str], str]] = [
    (["--mode", "fibers", "work.py"], "--mode fibers: there is no such mode"),
    (["--workers", "2", "work.py"], "--workers 2 needs a function"),
    (["--workers", "2", "-c", "pass"], "--workers 2 needs a function"),
    (["--workers", "0", "work.py:square"], "--workers 0 is out of range"),
    (["--workers", "-1", "work.py:square"], "--workers -1 is out of range"),
    (["--workers", "99999", "work.py:square"], "--workers 99999 is out of range"),
    (["work.py:cube"], "work.py has no function cube"),
    (["work.py:answer"], "answer of work.py is no function"),
    (["none.py:square"], "No such script: none.py"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_what_cannot_be_called(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(FUNCTIONS)
    assert message in complaint(gilscope(tmp_path, "run", *arguments), 2)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (["work.py:number_of"], "is of type dict: it cannot be called"),
        (["work.py:two"], "two needs 2 arguments"),
        (["work.py:later"], "is async"),
        (["-m", "work:cube"], "work has no cube"),
        (["-m", "work:answer"], "is of type int"),
    ],
)
def test_what_only_shows_as_it_runs(target: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(FUNCTIONS)
    outcome = gilscope(tmp_path, "run", *target)
    assert outcome.code == 2
    assert outcome.stderr.startswith("gilscope: ")
    assert message in outcome.stderr.splitlines()[0]
    assert "Traceback" not in outcome.stderr


def test_a_function_of_a_module_is_recorded_as_such(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(FUNCTIONS)
    kept = ["--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope"]
    outcome = gilscope(
        tmp_path, "run", *kept, "--mode", "processes", "--workers", 3, "-m", "work:square", "--", "x"
    )
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout == b"worker-0 returned 0\nworker-1 returned 1\nworker-2 returned 4\n"
    target = outcome.summary["target"]
    assert (target["mode"], target["workers"]) == ("processes", 3)
    assert target["command"] == "-m work:square x"

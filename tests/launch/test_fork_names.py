"""What a fork tells of the name that multiprocessing gives the process; and nobody notices."""

from __future__ import annotations

import json

import pytest

from gilscope.launch.reports import ForkReport, parse_message
from gilscope.launch.shim import NAME_CHARACTERS
from gilscope.launch.spec import TargetSpec
from tests.launch.conftest import TARGETS, Runner
from tests.launch.test_invisible import QUIET
from tests.pythons import found_pythons

PYTHONS = found_pythons()
ENDS = list(dict.fromkeys([next(iter(PYTHONS)), list(PYTHONS)[-1]]))


@pytest.mark.parametrize("version", ENDS)
def test_forks_tell_their_names(version: str, run_both: Runner) -> None:
    script = str(TARGETS / "named_processes.py")
    pair = run_both(TargetSpec(kind="script", target=script, python=str(PYTHONS[version])), env=QUIET)
    expected = dict(map(json.loads, pair.launched.stdout.splitlines()))
    assert "never asked" not in expected.values()
    root = pair.seen["pid"]
    assert expected.pop(root) is None
    told = {fork["pid"]: fork["name"] for fork in pair.seen["forks"]}
    assert told.items() >= expected.items()
    # A worker of a pool may be ended before it has said a word.
    assert all(name.startswith("ForkPoolWorker-") for pid, name in told.items() if pid not in expected)
    assert {"resizer", "odd", "text", "parent", None} < set(expected.values())
    assert max(len(name or "") for name in told.values()) == NAME_CHARACTERS
    assert {fork["ppid"] for fork in pair.seen["forks"]} == {
        root,
        *(pid for pid, name in told.items() if name == "parent"),
    }
    assert pair.launched.stderr == pair.plain.stderr == b""
    assert pair.launched.returncode == pair.plain.returncode == 0


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("", None),
        (',"name":null', None),
        (',"name":""', None),
        (',"name":7', None),
        (',"name":["a"]', None),
        (',"name":"a\\ud800"', "a\ud800"),
        (f',"name":"{"x" * 9_000}"', "x" * NAME_CHARACTERS),
    ],
)
def test_a_name_that_anybody_may_have_sent(told: str, name: str | None) -> None:
    message = f'{{"kind":"fork","pid":2,"ppid":1{told}}}'
    assert parse_message(message.encode()) == ForkReport(pid=2, ppid=1, name=name)


@pytest.mark.parametrize(
    "pid", ["-1", "1e999", "2147483648", "1.5", "null", '"2"', "9" * 5_000, "[" * 50_000]
)
def test_a_pid_that_is_none(pid: str) -> None:
    assert parse_message(f'{{"kind":"fork","pid":{pid},"ppid":1}}'.encode()) is None

"""What multiprocessing's processes are, by their command lines; tests/test_processes.py has real ones."""

from __future__ import annotations

import time

import pytest

from gilscope.model import Process
from gilscope.roles import (
    FORK_SERVER,
    OF_FORK_SERVER,
    RESOURCE_TRACKER,
    SPAWNED,
    names_in,
    roles,
    roles_in,
    with_role,
)

TRACKER = "/usr/bin/python3 -B -c from multiprocessing.resource_tracker import main;main(3)"
SPAWN = "python -X dev -W error -c from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=4, pipe_handle=6) --multiprocessing-fork"  # noqa: E501
SERVER = (
    "python -c from multiprocessing.forkserver import main; main(3, 5, ['__main__'], **{'sys_path': ['/a']})"
)
SWAPPED = SERVER.replace("-c ", "-c exec('import x', {}); ")


def role(command: str) -> str | None:
    return roles_in([{"pid": 2, "ppid": 1, "command": command}])[0]


@pytest.mark.parametrize(
    ("command", "known"),
    [(TRACKER, RESOURCE_TRACKER), (SPAWN, SPAWNED), (SERVER, FORK_SERVER), (SWAPPED, FORK_SERVER)],
)
def test_by_the_command_line(command: str, known: str) -> None:
    assert role(command) == known


@pytest.mark.parametrize(
    "command",
    ["", "?", "python -c pass", "python x.py -c from multiprocessing.resource_tracker import main;main(3)",
     TRACKER + "; print(1)", "python -c print('from multiprocessing.spawn import spawn_main; spawn_main(')",
     "python -m multiprocessing.resource_tracker", "grep from multiprocessing.forkserver import main; main("],
)  # fmt: skip
def test_what_only_looks_like_it(command: str) -> None:
    assert role(command) is None


def test_a_long_line_takes_no_time() -> None:
    start = time.process_time()
    role("python" + " -a b" * 3_000 + " multiprocessing.")
    role("python multiprocessing." + " -c exec(); " * 3_000)
    assert time.process_time() - start < 1


def test_forks_of_the_fork_server_have_its_command_line() -> None:
    server, worker = (
        Process(key=pid, pid=pid, ppid=pid - 1, command=SERVER, python="3.13", start_ns=0) for pid in (8, 9)
    )
    assert roles([server, worker]) == {8: FORK_SERVER, 9: OF_FORK_SERVER}
    rows = [{"pid": each.pid, "ppid": each.ppid, "command": each.command} for each in (worker, server)]
    assert roles_in(rows) == [OF_FORK_SERVER, FORK_SERVER]
    assert with_role("python -c x", FORK_SERVER) == "fork server: python -c x"
    assert with_role("python -c x", None) == "python -c x"


def test_a_name_comes_first_and_is_that_of_one_process_only() -> None:
    """The kernel gives pids again: what came later with the same one has not got the name."""
    processes = [
        Process(key=1, pid=8, ppid=7, command=SPAWN, python="3.13", start_ns=0, end_ns=5, name="resizer"),
        Process(key=2, pid=8, ppid=7, command="python a.py", python="3.13", start_ns=6),
        Process(key=3, pid=9, ppid=7, command="python a.py", python="3.13", start_ns=6, name="\x1b[2J"),
    ]
    assert roles(processes) == {1: "resizer", 3: "\N{REPLACEMENT CHARACTER}[2J"}
    rows = [
        {"pid": each.pid, "ppid": each.ppid, "command": each.command, "name": each.name} for each in processes
    ]
    assert roles_in(rows) == ["resizer", None, "\N{REPLACEMENT CHARACTER}[2J"]
    assert names_in(rows) == {9: "\N{REPLACEMENT CHARACTER}[2J"}

"""What processes are to multiprocessing: its helpers by their command lines, others by their names.

A child that was forked has its parent's command line. What tells it apart is its name, such as `Process-1`,
which is known where the program was started by us; elsewhere such a child has no role here. A name is text of
the program: it is cleaned for the terminal.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from gilscope.text import clean

RESOURCE_TRACKER: Final = "resource tracker"
FORK_SERVER: Final = "fork server"
OF_FORK_SERVER: Final = "started by the fork server"
SPAWNED: Final = "spawned by multiprocessing"
_PYTHON: Final = r"\S+(?: -\S+(?: [^-]\S*)?)* -c "
_LINES: Final = (
    (RESOURCE_TRACKER, r"from multiprocessing\.resource_tracker import main;main\(\d+\)"),
    (SPAWNED, r"from multiprocessing\.spawn import spawn_main; spawn_main\(.*"),
    # In another mode than asis, code of ours comes before it.
    (FORK_SERVER, r"(?:exec\(.*\); )?from multiprocessing\.forkserver import main; main\(.*"),
)
"""What follows the interpreter and its options in the whole command line, from CPython 3.8 to 3.14."""
_LONGEST: Final = 10_000


class _Process(Protocol):
    @property
    def key(self) -> int: ...
    @property
    def pid(self) -> int: ...
    @property
    def ppid(self) -> int | None: ...
    @property
    def command(self) -> str: ...
    @property
    def name(self) -> str | None: ...


def roles(processes: Iterable[_Process]) -> dict[int, str]:
    """By key: what a process is to multiprocessing, of those that are something to it."""
    found = list(processes)
    told = _roles([(each.pid, each.ppid, each.command, each.name) for each in found])
    return {each.key: role for each, role in zip(found, told, strict=True) if role is not None}


def roles_in(rows: Iterable[Mapping[str, Any]]) -> list[str | None]:
    """The same of each row of a summary, which may be of an older version."""
    return _roles([(row["pid"], row["ppid"], str(row["command"]), row.get("name")) for row in rows])


def names_in(rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """By pid: the names of a summary's processes, without pids that others have had as well."""
    found: dict[int, set[str | None]] = {}
    for row in rows:
        found.setdefault(row["pid"], set()).add(row.get("name"))
    single = {pid: next(iter(names)) for pid, names in found.items() if len(names) == 1}
    return {pid: clean(name) for pid, name in single.items() if name is not None}


def pid_and_name(pid: int | None, name: str | None) -> str:
    """A pid, and what multiprocessing calls its process, cleaned."""
    return str(pid) if name is None else f"{pid} {clean(name)}"


def with_role(command: str, role: str | None) -> str:
    """A command line, after what it is."""
    return command if role is None else f"{role}: {command}"


def _roles(found: list[tuple[int, int | None, str, str | None]]) -> list[str | None]:
    servers = {pid for pid, _, command, _ in found if _kind(command) == FORK_SERVER}

    def role(ppid: int | None, command: str, name: str | None) -> str | None:
        if name is not None:
            return clean(name)
        kind = _kind(command)
        # What the fork server makes are forks of it, with its command line.
        return OF_FORK_SERVER if kind == FORK_SERVER and ppid in servers else kind

    return [role(ppid, command, name) for _, ppid, command, name in found]


@functools.lru_cache(maxsize=1_024)
def _kind(command: str) -> str | None:
    if "multiprocessing." not in command[:_LONGEST]:
        return None
    return next((role for role, code in _LINES if re.fullmatch(_PYTHON + code, command[:_LONGEST])), None)

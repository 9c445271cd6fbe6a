"""What the helpers of multiprocessing are, told from their command lines: who meets them did not start them.

A child that was forked has its parent's command line, so that nothing tells it apart: it has no role here.
Names such as `Process-1` are known inside the processes only.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

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
    def pid(self) -> int: ...
    @property
    def ppid(self) -> int | None: ...
    @property
    def command(self) -> str: ...


def roles(processes: Iterable[_Process]) -> dict[int, str]:
    """By pid: what it is to multiprocessing, of those that are something to it."""
    return _roles([(each.pid, each.ppid, each.command) for each in processes])


def roles_in(rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The same from the rows of a summary."""
    return _roles([(row["pid"], row["ppid"], str(row["command"])) for row in rows])


def with_role(command: str, role: str | None) -> str:
    """A command line, after what it is."""
    return command if role is None else f"{role}: {command}"


def _roles(found: list[tuple[int, int | None, str]]) -> dict[int, str]:
    kinds = {pid: kind for pid, _, command in found if (kind := _kind(command)) is not None}
    # What the fork server makes are forks of it, with its command line.
    return {
        pid: OF_FORK_SERVER
        if kinds[pid] == FORK_SERVER and kinds.get(ppid or 0) == FORK_SERVER
        else kinds[pid]
        for pid, ppid, _ in found
        if pid in kinds
    }


@functools.lru_cache(maxsize=1_024)
def _kind(command: str) -> str | None:
    if "multiprocessing." not in command[:_LONGEST]:
        return None
    return next((role for role, code in _LINES if re.fullmatch(_PYTHON + code, command[:_LONGEST])), None)

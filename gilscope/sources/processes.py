"""Which processes belong to the target: identity, command line, exit."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from gilscope.sources.identity import ProcessFacts as ProcessFacts  # noqa: PLC0414 - theirs and ours
from gilscope.sources.identity import ProcessIdentity as ProcessIdentity  # noqa: PLC0414

_EXTENSION = re.compile(r"(\w+)\.(?:cpython-\w[\w-]*|abi3t?)\.so")


def facts(pid: int) -> ProcessFacts | None:
    """What the kernel says of `pid` now; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - on the sampling path
            words = file.read().rpartition(b")")[2].split()
        identity = ProcessIdentity(pid, int(words[19]))
        return ProcessFacts(identity, int(words[1]), words[0].decode(), int(words[25]))
    except (OSError, IndexError, ValueError):
        return None


def age_s(pid: int) -> float:
    """Seconds since a process began; 0 when there is none."""
    found = facts(pid)
    ticks = time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")
    return 0.0 if found is None else (ticks - found.identity.start_ticks) / os.sysconf("SC_CLK_TCK")


def command_line(pid: int) -> str:
    """The command line, arguments joined by spaces; the short name where there is none; "?" when gone."""
    with contextlib.suppress(OSError):
        raw = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
        if raw:
            return raw.replace(b"\0", b" ").decode("utf-8", "replace")
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    return "?"


def executable(pid: int) -> str | None:
    """The path of the running program, which changes with exec."""
    try:
        return os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115 - the text is wanted as the kernel gives it
    except OSError:
        return None


def extension_modules(pid: int) -> set[str]:
    """Names of the extension modules that are mapped, without those of the standard library.

    A file counts as one by the tag that CPython's build tools put into its name.
    """
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            folder, _, name = line.partition("/")[2].rpartition("/")
            match = _EXTENSION.fullmatch(name.removesuffix(" (deleted)"))
            if match is not None and not folder.endswith("/lib-dynload"):
                found.add(match[1])
    return found


def children(pid: int, tids: list[int]) -> list[int]:
    """Pids of the living children that these threads of `pid` made."""
    found: list[int] = []
    for tid in tids:
        with contextlib.suppress(OSError):
            fd = os.open(f"/proc/{pid}/task/{tid}/children", os.O_RDONLY | os.O_CLOEXEC)
            try:
                found += map(int, os.read(fd, 65_536).split())
            finally:
                os.close(fd)
    return found


def thread_names(pid: int, tids: Iterable[int]) -> dict[int, str]:
    """The kernel's names of threads, cut to 15 bytes by it; without those that are just the program's."""
    program = _comm(pid, pid)
    found = {tid: _comm(pid, tid) for tid in tids}
    return {tid: name for tid, name in found.items() if name and name != program}


def _comm(pid: int, tid: int) -> str:
    try:
        return Path(f"/proc/{pid}/task/{tid}/comm").read_bytes().decode(errors="replace").rstrip("\n")
    except OSError:
        return ""  # it has ended


if sys.platform != "linux":
    # Where there is no /proc, psutil answers the same questions.
    from gilscope.sources import portable

    age_s, facts, children = portable.age_s, portable.facts, portable.children
    command_line, executable = portable.command_line, portable.executable
    extension_modules, thread_names = portable.extension_modules, portable.thread_names

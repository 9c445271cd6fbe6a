"""What a container or a control group leaves of the machine, beside its cores."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")


def memory_bytes() -> int | None:
    """Memory that is free to use now; None where the system does not tell."""
    try:
        return int(psutil.virtual_memory().available)
    except (psutil.Error, OSError, AttributeError, ValueError):
        return None


def memory_limit_bytes() -> int | None:
    """The least limit of our control group and those above it (version 2); None without one."""
    limits = []
    for folder in groups():
        with contextlib.suppress(OSError, ValueError):
            limits.append(int((folder / "memory.max").read_text()))
    return min(limits, default=None)


def groups() -> list[Path]:
    """Our control group and all above it, as far as they are to be seen from here."""
    with contextlib.suppress(OSError):
        for line in OWN_GROUP.read_text().splitlines():
            if line.startswith("0::"):
                own = CGROUPS / line[3:].strip().lstrip("/")
                return [folder for folder in (own, *own.parents) if folder.is_relative_to(CGROUPS)]
    return [CGROUPS]

"""The threads of a process, from whatever this system has."""

from __future__ import annotations

import sys

from gilscope.sources.tasks import Tasks


def tasks_of(pid: int) -> Tasks:
    """The threads of a process: /proc, and elsewhere psutil."""
    if sys.platform != "linux":
        from gilscope.sources.portable_tasks import PortableTasks  # noqa: PLC0415 - there only

        return PortableTasks(pid)
    return Tasks(pid)

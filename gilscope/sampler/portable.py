"""A session on a system other than Linux: who holds the GIL from py-spy, the rest from psutil.

What Linux alone tells (who waits, the run queue, exact times) is unknown in such a session, and named in it.
Not tried on those systems; see README.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from gilscope.errors import CannotObserveError, UsageError
from gilscope.launch.attached import AttachSpec, short_command
from gilscope.launch.handle import TargetHandle
from gilscope.launch.portable import PortableTarget
from gilscope.launch.spec import TargetSpec
from gilscope.model import NS_PER_MS
from gilscope.sampler.config import SamplerConfig
from gilscope.sources import portable

LEAST_TICK_NS = 200 * NS_PER_MS
"""CPU times move in steps of 10 to 16 ms there: shorter ticks would show the steps."""


def is_elsewhere() -> bool:
    """Whether this is another system than Linux."""
    return sys.platform != "linux"


def settings(config: SamplerConfig) -> SamplerConfig:
    """The same settings, as far as they can be kept.

    Raises:
        UsageError: --source probe reads memory as only Linux lets it.
    """
    if config.source == "probe":
        raise UsageError(
            f"--source probe reads the GIL on Linux only, and this is {sys.platform}.\n"
            "Leave --source out: py-spy then tells who holds the GIL."
        )
    spec = config.spec if isinstance(config.spec, AttachSpec) else replace(config.spec, shim=False)
    return replace(config, spec=spec, tick_ns=max(LEAST_TICK_NS, config.tick_ns))


def target(spec: AttachSpec | TargetSpec) -> TargetHandle:
    """The target, started or found.

    Raises:
        UsageError: it cannot be started.
    """
    return PortableTarget.attach(spec) if isinstance(spec, AttachSpec) else PortableTarget.start(spec)


def examine(pid: int) -> AttachSpec:
    """Look at a process that is to be watched.

    Raises:
        UsageError: there is no such process, or it is this one.
        CannotObserveError: it is no Python.
    """
    if pid == os.getpid():
        raise UsageError(f"Process {pid} is gilscope itself, which does not watch itself.\nName another pid.")
    facts = portable.facts(pid)
    if facts is None or facts.state == "Z":
        raise UsageError(f"There is no process {pid}.\nName the pid of a running Python.")
    program, name = portable.executable(pid), portable.name_of(pid)
    if "python" not in name.lower():
        raise CannotObserveError(f"Cannot observe process {pid}: {name} is no Python.\nName the pid of one.")
    return AttachSpec(
        pid=pid,
        start_ticks=facts.identity.start_ticks,
        command=short_command(portable.command_line(pid)),
        python=program or "?",
        needs_pyspy=True,
        observer_pid=os.getpid(),
    )

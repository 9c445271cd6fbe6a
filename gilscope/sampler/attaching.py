"""Look at a process before it is watched: is it a Python, may we read it, and what is it?

Whatever is in the way is told in one to three lines: what is wrong, why, and what to do.
"""

from __future__ import annotations

import os
import time
from typing import Final

from gilscope.errors import CannotObserveError, UsageError
from gilscope.launch import tree
from gilscope.launch.attached import AttachedTarget, AttachSpec, short_command
from gilscope.sampler import portable
from gilscope.sources import access, finding, processes
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.memory import EndingError, NotReadableError, ReadFailedError
from gilscope.text import clean, cut

STARTING_S: Final = 1.0
"""A process that has only just begun gets so long to become a Python."""
STARTING_STEP_S: Final = 0.01
LOOKED_AT_MOST: Final = 50
"""Of a program that is no Python so many descendants are looked at for one."""
OLDEST_FOR_PROBE: Final = (3, 8)
NAMED_MOST: Final = 3
NAME_CELLS: Final = 60


def examine(pid: int) -> AttachSpec:
    """Look at a process that is to be watched, without changing anything in it.

    Raises:
        UsageError: the number is that of no process that anyone could watch.
        CannotObserveError: it is a process, and cannot be watched; says why.
    """
    if portable.is_elsewhere():
        return portable.examine(pid)
    facts = _facts(pid)
    name = short_command(processes.command_line(pid))
    what = f"process {pid} ({cut(clean(name), NAME_CELLS)})"
    if access.is_kernel_thread(pid):
        raise CannotObserveError(
            f"Cannot observe {what}: it is a part of the kernel, not a program.\nName the pid of a Python."
        )
    if facts.state in "ZX":
        raise CannotObserveError(
            f"Cannot observe {what}: it has ended, and only its parent, process {facts.ppid}, has not asked "
            "how.\nName a process that runs."
        )
    version, old = _version(pid, what)
    if not tree.is_running(pid, facts.identity.start_ticks):
        raise _has_ended(what)
    return AttachSpec(
        pid=pid,
        start_ticks=facts.identity.start_ticks,
        command=name,
        python=processes.executable(pid) or "?",
        version=version,
        implementation="CPython",
        needs_pyspy=old,
        observer_pid=os.getpid(),
    )


def attach(spec: AttachSpec) -> AttachedTarget:
    """Hold on to a process that was examined.

    Raises:
        CannotObserveError: it has ended.
    """
    target = AttachedTarget(spec)
    # Asked after its pid is held on to: from here on it cannot be another one's.
    if not tree.is_running(spec.pid, spec.start_ticks):
        target.close()
        raise _has_ended(f"process {spec.pid} ({cut(clean(spec.command), NAME_CELLS)})")
    return target


def is_stopped(pid: int) -> bool:
    """Whether a signal, or a debugger, has stopped the process for now."""
    facts = processes.facts(pid)
    return facts is not None and facts.state in "Tt"


def _is_there(pid: int) -> bool:
    facts = processes.facts(pid)
    return facts is not None and facts.state not in "ZX"


def _has_ended(what: str) -> CannotObserveError:
    return CannotObserveError(f"Cannot observe {what}: it has just ended.\nName a process that runs.")


def _facts(pid: int) -> processes.ProcessFacts:
    if pid == os.getpid():
        raise UsageError(f"Process {pid} is gilscope itself, which does not watch itself.\nName another pid.")
    facts, owner = processes.facts(pid), access.owner(pid)
    if facts is None and access.exists(pid):
        raise CannotObserveError(
            f"Cannot observe process {pid}: it is another user's, and this system hides it (/proc is mounted "
            "with hidepid).\nRun gilscope as the user of that process, or as root."
        )
    if facts is None:
        raise UsageError(f"There is no process {pid}.\nLook for it with `ps` or `pgrep -af python`.")
    if owner is not None and owner.thread_group != pid:
        raise UsageError(
            f"{pid} is a thread of process {owner.thread_group}, not a process.\n"
            f"Watch all threads of it: gilscope attach {owner.thread_group}"
        )
    return facts


def _version(pid: int, what: str) -> tuple[str | None, bool]:
    """The version of the Python in a process, as exactly as can be read; whether only py-spy reads it."""
    deadline = time.monotonic() + STARTING_S
    while True:
        try:
            found = _recognise(pid, what, patient=_is_starting(pid) and time.monotonic() < deadline)
        except ReadFailedError as error:
            if isinstance(error, EndingError) or not _is_there(pid):
                raise _has_ended(what) from None
            raise CannotObserveError(_why_denied(pid, what, str(error))) from None
        if found is not None:
            return found
        time.sleep(STARTING_STEP_S)


def _recognise(pid: int, what: str, *, patient: bool) -> tuple[str | None, bool] | None:
    """The same, or None where it may yet become a Python that can be read, and we are `patient`."""
    try:
        return _read_version(pid), False
    except NotReadableError as error:
        named = finding.version_by_name(pid)
        # An old Python is known at once; one that is still starting needs a moment.
        if named is not None and (not patient or named < OLDEST_FOR_PROBE):
            return ".".join(map(str, named)) or None, True
        if not patient:
            raise _not_readable(pid, what, error) from None
    return None


def _read_version(pid: int) -> str:
    reader = InterpreterReader.open(pid)
    try:
        return finding.exact_version(reader.memory) or ".".join(map(str, reader.layout.version))
    finally:
        reader.close()


def _is_starting(pid: int) -> bool:
    """It began within the last moments: a program may still become a Python (exec), or load one."""
    return processes.age_s(pid) < 2 * STARTING_S


def _not_readable(pid: int, what: str, error: NotReadableError) -> CannotObserveError:
    if not error.no_python:
        return CannotObserveError(
            f"Cannot observe {what}: its GIL cannot be read ({error}).\n"
            "`gilscope doctor` shows what works here."
        )
    others = tree.walk([pid], spare=(os.getpid(),))[1 : LOOKED_AT_MOST + 1]
    below = [entry.pid for entry in others if _is_python(entry.pid)]
    if below:
        named = " or ".join(f"gilscope attach {child}" for child in below[:NAMED_MOST])
        advice = f"Of the processes that it has started, watch one that is: {named}"
    else:
        advice = "Look for one with `pgrep -af python`."
    return CannotObserveError(
        f"Cannot observe {what}: it is no Python (CPython), so it has no GIL.\n{advice}"
    )


def _is_python(pid: int) -> bool:
    try:
        _read_version(pid)
    except ReadFailedError:
        return False
    return True


def _why_denied(pid: int, what: str, reason: str) -> str:
    """Why the kernel does not let us read its memory, most likely."""
    owner, scope, me = access.owner(pid), access.ptrace_scope(), os.geteuid()
    as_root = f"Run as root: sudo gilscope attach {pid}"
    if scope == 3:
        return (
            f"Cannot observe {what}: this system forbids to read any process (ptrace_scope is 3).\n"
            "Only a restart of the machine with another kernel.yama.ptrace_scope changes that."
        )
    if owner is not None and owner.uid != me and not access.may_trace_all():
        other = f"Run gilscope as {owner.name}, or as root" if owner.uid else "Run gilscope as root"
        return (
            f"Cannot observe {what}: it belongs to {owner.name}, and you are {access.user_name(me)}.\n"
            f"{other}: sudo gilscope attach {pid}"
        )
    if me == 0 and access.may_trace_all():
        return (
            f"Cannot observe {what}: {reason}, although you are root.\n"
            "A security module of this system (SELinux, AppArmor), or the process itself, forbids it."
        )
    if me == 0:
        return (
            f"Cannot observe {what}: {reason}, although you are root.\n"
            "In a container, root may read others only with CAP_SYS_PTRACE: start it with "
            "--cap-add=SYS_PTRACE, or run gilscope outside of it."
        )
    if scope == 2:
        return f"Cannot observe {what}: only root may read processes here (ptrace_scope is 2).\n{as_root}"
    if scope == 1:
        return (
            f"Cannot observe {what}: here a process may be read only by one that started it (ptrace_scope is "
            f"1).\n{as_root}, or allow it for now: sudo sysctl kernel.yama.ptrace_scope=0\n"
            "A program that gilscope starts itself can always be read: gilscope run SCRIPT"
        )
    return (
        f"Cannot observe {what}: {reason}. It has more rights than you, or its program file is not readable "
        f"for you.\n{as_root}"
    )

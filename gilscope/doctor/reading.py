"""What can be read of another process, proven by reading one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from gilscope.doctor.finding import Finding, State
from gilscope.errors import CannotObserveError
from gilscope.launch import trial
from gilscope.sources import access
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.memory import ReadFailedError, mapped_files
from gilscope.sources.pyspy import PySpy, find_executable
from gilscope.sources.pyspy_results import Names, PySpyFailure

PYSPY_S = 5.0
_STEP_S = 0.005


@dataclass(frozen=True, slots=True)
class Reads:
    """What was tried on one process, each with the reason why it failed; None: it worked."""

    gil: str | None
    pyspy: str | None
    syscall: str | None
    schedstat: str | None
    vm_read: str | None


def try_all(pid: int) -> Reads:
    """Read all that a session reads of a process."""
    return Reads(
        gil=read_gil(pid),
        pyspy=ask_pyspy(pid),
        syscall=_readable(f"/proc/{pid}/task/{pid}/syscall"),
        schedstat=_readable(f"/proc/{pid}/task/{pid}/schedstat"),
        vm_read=_vm_read(pid),
    )


def read_gil(pid: int) -> str | None:
    """Find the GIL of a process and read it once; why that failed."""
    try:
        reader = InterpreterReader.open(pid)
        try:
            reader.probes()[0].sample()
        finally:
            reader.close()
    except ReadFailedError as error:
        return str(error)
    return None


def ask_pyspy(pid: int) -> str | None:
    """Let py-spy read the threads of a process; why that failed."""
    if find_executable() is None:
        return "py-spy is not installed"
    pyspy = PySpy()
    try:
        failure = pyspy.dump(pid, 0)
        deadline = time.monotonic() + PYSPY_S
        while failure is None:
            for result in pyspy.poll(0):
                if isinstance(result, Names):
                    return None
                if isinstance(result, PySpyFailure):
                    failure = result
            if time.monotonic() > deadline:
                return f"py-spy said nothing for {PYSPY_S:.0f} s"
            time.sleep(_STEP_S)
        return failure.reason
    finally:
        pyspy.close(wait_s=0)


def _readable(path: str) -> str | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - for its error only
            return None if file.read() else "it is empty"
    except OSError as error:
        return error.strerror or str(error)


class _Span(ctypes.Structure):
    _fields_ = (("address", ctypes.c_void_p), ("size", ctypes.c_size_t))


def _vm_read(pid: int) -> str | None:
    """process_vm_readv: what py-spy reads with."""
    try:
        start = mapped_files(pid)[0].start
    except (ReadFailedError, IndexError) as error:
        return str(error) or "it maps no file"
    buffer = ctypes.create_string_buffer(8)
    here, there = _Span(ctypes.addressof(buffer), 8), _Span(start, 8)
    try:
        call = ctypes.CDLL(None, use_errno=True).process_vm_readv
    except (AttributeError, OSError):
        return "this system has no such call"
    call.restype = ctypes.c_ssize_t
    if call(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) == 8:
        return None
    return os.strerror(ctypes.get_errno())


def check_reading() -> Iterator[Finding]:
    """A child of ours, as `run` has it, and a stranger, as `attach` meets them."""
    try:
        with trial.child(sys.executable) as pid:
            yield from child_findings(try_all(pid))
    except CannotObserveError as error:
        yield _child("not", str(error))
        return
    reason: str | None = "it could not be started"
    with contextlib.suppress(CannotObserveError), trial.stranger(sys.executable) as pid:
        reason = read_gil(pid)
    yield stranger_finding(reason)


def child_finding(reads: Reads) -> Finding:
    """Whether anything can be watched at all."""
    if reads.gil is None:
        return _child("ok", "its GIL can be read (gilscope run)")
    if reads.pyspy is None:
        return _child("limited", f"only py-spy reads its GIL, 100 times a second: {reads.gil}")
    return _child("not", f"its memory cannot be read: {reads.gil}", _todo_child())


def _child(state: State, what: str, todo: str | None = None) -> Finding:
    return Finding(group="access", name="own child", state=state, what=what, todo=todo, needed=True)


def child_findings(reads: Reads) -> Iterator[Finding]:
    """What `run` can read."""
    yield child_finding(reads)
    yield _works(
        "who waits",
        reads.syscall,
        "/proc/PID/task/TID/syscall can be read",
        "which thread waits for the GIL is not known, only how many; the kernel's file cannot be read",
        "Allow it: a kernel with CONFIG_HAVE_ARCH_TRACEHOOK, and rights as for a debugger.",
    )
    yield _works(
        "CPU times",
        reads.schedstat,
        "/proc/PID/task/TID/schedstat has exact times",
        "CPU times come in steps of 10 ms, and time in the run queue is not known; schedstat cannot be read",
        "Use a kernel with CONFIG_SCHED_INFO, as all common ones are.",
    )
    yield _works(
        "process_vm_readv",
        reads.vm_read,
        "works (py-spy reads with it)",
        "names of threads and stacks are missing, as py-spy cannot read",
        "In a container, allow it: --cap-add=SYS_PTRACE, or a seccomp profile that lets it pass.",
    )


def _works(name: str, reason: str | None, fine: str, lacks: str, todo: str) -> Finding:
    if reason is None:
        return Finding(group="access", name=name, state="ok", what=fine)
    return Finding(group="access", name=name, state="limited", what=f"{lacks}: {reason}", todo=todo)


def stranger_finding(reason: str | None) -> Finding:
    """What `attach` can read of the same user's processes."""
    name = "another process"
    if reason is None:
        return Finding(
            group="access", name=name, state="ok", what="its GIL can be read (gilscope attach PID)"
        )
    return Finding(
        group="access",
        name=name,
        state="limited",
        what=f"gilscope attach PID is not possible for this user: {reason}",
        todo=_todo_stranger(),
    )


def _todo_stranger() -> str:
    scope = access.ptrace_scope()
    if scope == 3:
        return "Restart the machine with another kernel.yama.ptrace_scope; only gilscope's own are read now."
    if scope in (1, 2):
        return "Attach as root: sudo gilscope attach PID. Or: sudo sysctl kernel.yama.ptrace_scope=0"
    return "Attach as root: sudo gilscope attach PID"


def _todo_child() -> str:
    if access.ptrace_scope() in (2, 3) and not access.may_trace_all():
        return "Run gilscope as root, or lower it: sudo sysctl kernel.yama.ptrace_scope=1"
    return "In a container, start it with --cap-add=SYS_PTRACE, or run gilscope outside of it."

"""The kernel, its rules, and what the container leaves of the machine."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from gilscope.doctor.finding import Finding, State
from gilscope.sources import access, cores, limits

MACHINES = ("x86_64", "aarch64")
_SECCOMP = {"0": "off", "1": "strict", "2": "a filter is active, as in most containers"}


def check_system() -> Iterator[Finding]:
    """All that the system tells of itself."""
    yield platform_finding(sys.platform, platform.machine())
    yield Finding(group="system", name="kernel", state="ok", what=f"{platform.system()} {platform.release()}")
    if sys.platform == "linux":
        yield from _rules()
    yield cores_finding(cores.core_count(), cores.usable_cores())
    if sys.platform == "linux":
        yield memory_finding(limits.memory_bytes(), limits.memory_limit_bytes())


def _rules() -> Iterator[Finding]:
    """Who may read whom on Linux."""
    yield scope_finding(access.ptrace_scope(), traces_all=access.may_trace_all())
    yield capability_finding(os.geteuid(), traces_all=access.may_trace_all())
    yield seccomp_finding(access.status_words("self").get("Seccomp", []))
    yield hidepid_finding(access.hidepid(), os.geteuid())


def platform_finding(system: str, machine: str) -> Finding:
    """Where gilscope's own reader works."""
    if not system.startswith("linux"):
        what = f"{system}: who holds the GIL comes from py-spy only; waiting threads are not seen"
        return _found("platform", "limited", what, "For all figures, watch it on Linux.")
    if machine not in MACHINES:
        what = f"Linux on {machine}: not tried; layouts are proven on each process before they are used"
        return _found("platform", "limited", what)
    return _found("platform", "ok", f"Linux on {machine}")


def scope_finding(scope: int | None, *, traces_all: bool) -> Finding:
    """Who may read whom, by the security module Yama."""
    name = "ptrace_scope"
    if scope is None:
        return _found(name, "ok", "not set: processes of the same user can be read")
    if scope <= 0:
        return _found(name, "ok", "0: processes of the same user can be read")
    if scope >= 3:
        return _found(
            name, "not", "3: nobody may read any process", "Restart with another kernel.yama.ptrace_scope."
        )
    if traces_all:
        return _found(name, "ok", f"{scope}: you may read all processes all the same (CAP_SYS_PTRACE)")
    if scope == 2:
        return _found(
            name,
            "not",
            "2: only root may read processes",
            "Use root, or: sudo sysctl kernel.yama.ptrace_scope=1",
        )
    return _found(
        name,
        "limited",
        "1: only what gilscope starts itself can be read (gilscope run, not attach)",
        "To attach: sudo gilscope attach PID, or: sudo sysctl kernel.yama.ptrace_scope=0",
    )


def capability_finding(uid: int, *, traces_all: bool) -> Finding:
    """Whether other users' processes can be read."""
    who = access.user_name(uid)
    if traces_all:
        return _found("rights", "ok", f"{who}, with CAP_SYS_PTRACE: processes of all users can be read")
    if uid == 0:
        return _found(
            "rights",
            "limited",
            "root without CAP_SYS_PTRACE, as in most containers: other users' processes cannot be read",
            "To read them, start the container with --cap-add=SYS_PTRACE.",
        )
    return _found("rights", "ok", f"{who}: processes of {who} can be read; those of others need root")


def seccomp_finding(words: list[str]) -> Finding:
    """Whether a filter may keep system calls from us; whether it does is tried elsewhere."""
    if not words:
        return _found("seccomp", "limited", "the kernel does not tell")
    return _found("seccomp", "ok", _SECCOMP.get(words[0], words[0]))


def hidepid_finding(value: str | None, uid: int) -> Finding:
    """Whether /proc shows processes of others."""
    if value in (None, "0", "off"):
        return _found("hidepid", "ok", "/proc shows all processes")
    if uid == 0:
        return _found("hidepid", "ok", f"{value}: /proc hides processes of others, but not from root")
    return _found(
        "hidepid",
        "limited",
        f"{value}: /proc hides processes of other users",
        "To attach to another user's process, run gilscope as root.",
    )


def cores_finding(count: int, usable: int) -> Finding:
    """What a target can use at most."""
    if usable < count:
        what = f"{usable} of {count} can be used here (affinity, or the container's limit)"
        return _found("cores", "ok", what)
    if usable == 1:
        what = "1: threads and processes take turns on it whatever the GIL does"
        return _found("cores", "limited", what, "Watch on a machine with more cores.")
    return _found("cores", "ok", f"{count}, all usable")


def memory_finding(available: int | None, limit: int | None) -> Finding:
    """Room for gilscope itself: about 120 MB for the sampler and the screen each."""
    if available is None:
        return _found("memory", "limited", "how much is free is not known")
    room = available if limit is None else min(available, limit)
    what = f"{room / 1e6:,.0f} MB free"
    if limit is not None:
        what += f" (limit of the container: {limit / 1e6:,.0f} MB)"
    if room < LEAST_MEMORY:
        return _found(
            "memory", "limited", what, "gilscope with its screen takes up to 240 MB: use --headless."
        )
    return _found("memory", "ok", what)


LEAST_MEMORY = 300_000_000


def _found(name: str, state: State, what: str, todo: str | None = None) -> Finding:
    return Finding(group="system", name=name, state=state, what=what, todo=todo)


def proc_is_there() -> bool:
    """Whether /proc is mounted, without which nothing is known."""
    return Path("/proc/self/stat").exists()

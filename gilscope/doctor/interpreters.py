"""Which Pythons are here, and which of them can be watched: each is started for a moment and read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from gilscope.doctor.finding import Finding, State
from gilscope.doctor.reading import ask_pyspy, read_gil
from gilscope.errors import CannotObserveError, UsageError
from gilscope.launch import trial
from gilscope.launch.pythons import installed
from gilscope.launch.spec import OLDEST_WITH_SHIM, PythonIdentity, identify_python

MOST = 24


def check_interpreters() -> Iterator[Finding]:
    """One finding for each interpreter, our own first; the same program under two names once."""
    seen: set[str] = set()
    for path in installed():
        if os.path.realpath(path) in seen:
            continue
        if len(seen) >= MOST:
            yield Finding(
                group="interpreters", name="…", state="ok", what=f"only the first {MOST} were looked at"
            )
            return
        seen.add(os.path.realpath(path))
        yield check_interpreter(path)


def check_interpreter(path: str) -> Finding:
    """Start an interpreter, and read its GIL."""
    try:
        identity = identify_python(path)
    except UsageError as error:
        what, _, todo = str(error).partition("\n")
        return _finding(path, "not", what, todo or None)
    version = f"{identity.implementation} {'.'.join(map(str, identity.version))}"
    if identity.implementation != "CPython":
        return _finding(path, "not", f"{version}: gilscope watches CPython only")
    try:
        with trial.child(path) as pid:
            return _read(path, version, identity, pid)
    except CannotObserveError as error:
        return _finding(path, "not", f"{version}: {error}")


def _read(path: str, version: str, identity: PythonIdentity, pid: int) -> Finding:
    reason = read_gil(pid)
    if reason is None and identity.version[:2] >= OLDEST_WITH_SHIM:
        return _finding(path, "ok", f"{version}: its GIL can be read")
    pyspy = ask_pyspy(pid)
    if pyspy is None:
        return _finding(path, "limited", f"{version}: py-spy reads it, 100 times a second")
    return _finding(path, "not", f"{version}: {reason}; {pyspy}")


def _finding(path: str, state: State, what: str, todo: str | None = None) -> Finding:
    ours = " (gilscope's own)" if path == sys.executable else ""
    return Finding(
        group="interpreters",
        name=path + ours,
        state=state,
        what=what,
        todo=todo,
    )

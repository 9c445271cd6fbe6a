"""The Python interpreters that tests run targets on."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
OLD_VERSIONS = ("2.7", "3.6", "3.7")
"""Those that only py-spy can read."""


def _candidates() -> list[Path]:
    """Return paths that may be interpreters, those named on purpose first."""
    named = [Path(path) for path in os.environ.get("GILSCOPE_TEST_PYTHONS", "").split(os.pathsep) if path]
    if named:
        return named
    managed = sorted((Path.home() / ".pyenv" / "versions").glob("*/bin/python"))
    on_path = [
        Path(directory) / f"python{version}"
        for version in VERSIONS
        for directory in os.environ.get("PATH", "").split(os.pathsep)
    ]
    return [*managed, *on_path, Path(sys.executable)]


@functools.cache
def _version(path: Path) -> str | None:
    """Return "3.11" for a CPython that answers so, None for anything else."""
    if not path.is_file() or not os.access(path, os.X_OK):
        return None
    try:
        answer = subprocess.run(
            [path, "-V"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=20,
            check=False,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.splitlines()
    match = re.fullmatch(r"Python (\d+\.\d+)\.\d+\S*", lines[0]) if len(lines) == 1 else None
    return match[1] if match and answer.returncode == 0 else None


@functools.cache
def found_pythons() -> dict[str, Path]:
    """Return the CPythons of this machine by version, "3.8" to "3.13"; the first one found of each.

    They are looked for in GILSCOPE_TEST_PYTHONS (paths with the separator of PATH; then nowhere else), under
    pyenv, on PATH, and last is the interpreter of the tests themselves.
    """
    return _found(VERSIONS)


@functools.cache
def found_old_pythons() -> dict[str, Path]:
    """Return those older than the probe and the shim go, looked for in the same places."""
    return _found(OLD_VERSIONS)


def _found(versions: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in _candidates():
        # A shim takes longer to answer than all others together: those that cannot be it are not asked.
        name = re.fullmatch(r"python(\d+\.\d+)", path.name)
        if name is not None and (name[1] in found or name[1] not in versions):
            continue
        version = _version(path)
        if version in versions and version not in found:
            found[version] = path
    return {version: found[version] for version in versions if version in found}


@functools.cache
def found_free_threaded() -> dict[str, Path]:
    """Return the free-threaded CPythons of this machine by version, "3.13t", found as the others are."""
    named = os.environ.get("GILSCOPE_TEST_PYTHONS")
    on_path = [
        Path(directory) / f"python3.{minor}t"
        for minor in range(13, 16)
        for directory in ([] if named else os.environ.get("PATH", "").split(os.pathsep))
    ]
    found: dict[str, Path] = {}
    for path in [*_candidates(), *on_path]:
        version = _version(path)
        if version is not None and version.startswith("3.") and int(version[2:]) >= 13:
            code = "import sys, sysconfig as c; print(c.get_config_var('Py_GIL_DISABLED'), *sys.version_info)"
            answer = subprocess.run(
                [path, "-c", code], capture_output=True, text=True, check=False, timeout=20
            )
            words = answer.stdout.split()
            if words[:1] == ["1"]:
                found.setdefault(f"{words[1]}.{words[2]}t", path)
    return found

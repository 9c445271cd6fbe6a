"""Other Pythons of this machine: looked for where people have them, and asked what they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gilscope.errors import UsageError
from gilscope.launch.spec import identify_python

_NEWEST_MINOR: Final = 20
_ASK_TIMEOUT_S: Final = 10.0
_QUESTION: Final = "import sysconfig; print(sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"


def find_python(at_least: tuple[int, int], *, free_threaded: bool = False) -> str | None:
    """Return the path of a CPython of a version or a newer one; our own if that will do.

    They are looked for in GILSCOPE_TEST_PYTHONS (paths with the separator of PATH), on PATH, and under pyenv.
    """
    for path in _candidates(free_threaded=free_threaded):
        try:
            identity = identify_python(path)
        except UsageError:
            continue
        fits = identity.implementation == "CPython" and identity.version[:2] >= at_least
        if fits and is_free_threaded(path) == free_threaded:
            return path
    return None


def installed() -> Iterator[str]:
    """Yield all Pythons that can be found, our own first, each path once."""
    seen: set[str] = set()
    for free_threaded in (False, True):
        for path in _candidates(free_threaded=free_threaded):
            # A shim of pyenv starts what its settings name, if anything: those are found by themselves.
            if path not in seen and Path(path).parent.name != "shims":
                seen.add(path)
                yield path


def is_free_threaded(path: str) -> bool:
    """Say whether a Python, known to be one, was built without a GIL."""
    try:
        answer = subprocess.run(
            [path, "-c", _QUESTION], stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASK_TIMEOUT_S,
            check=False, text=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.strip() == "1"


def _candidates(*, free_threaded: bool) -> Iterator[str]:
    """Yield paths of files that may be a Python, the newest of a place first."""
    if not free_threaded:
        yield sys.executable
    named = [path for path in os.environ.get("GILSCOPE_TEST_PYTHONS", "").split(os.pathsep) if path]
    suffix = "t" if free_threaded else ""
    names = [f"python3.{minor}{suffix}" for minor in range(_NEWEST_MINOR, 7, -1)]
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    on_path = [folder / name for name in names for folder in folders]
    for path in [*named, *map(str, on_path), *_managed()]:
        # Not of pathlib: that raises where a folder on the way may not be looked into.
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            yield path


def _managed() -> list[str]:
    """Those of pyenv, the newest first; none where there is no home, or it may not be looked into."""
    try:
        found = (Path.home() / ".pyenv" / "versions").glob("*/bin/python")
        return sorted(map(str, found), key=_version_key, reverse=True)
    except (OSError, RuntimeError):
        return []


def _version_key(path: str) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"\d+", Path(path).parents[1].name)], path

"""Other Pythons of this machine: looked for where people have them, and asked what they are."""

from __future__ import annotations

import os
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
    managed = sorted((Path.home() / ".pyenv" / "versions").glob("*/bin/python"), reverse=True)
    for path in [*map(Path, named), *on_path, *managed]:
        if path.is_file() and os.access(path, os.X_OK):
            yield str(path)

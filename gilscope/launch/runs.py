"""One watched run after another, each in a gilscope of its own: what `compare` measures.

A run of its own keeps the runs apart: no descriptor, cache or thread of one is there in the next.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilscope.errors import CannotObserveError, GilscopeError, UsageError
from gilscope.folders import OwnFolder

SAID_BYTES = 2_000
"""How much of what a failed run printed is shown."""


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """One run that was watched to its end."""

    summary: dict[str, Any]
    output: str
    """A digest of what the target wrote to its standard output."""
    said: str
    """The end of what it wrote to its standard output and error, for when it failed."""


def run_watched(arguments: Sequence[str], recording: Path) -> WatchedRun:
    """Run `gilscope run --headless` with these arguments, and wait for its end.

    Args:
        arguments: options, script and its arguments, as on the command line.
        recording: where its recording is to lie.

    Raises:
        GilscopeError: gilscope could not run it; with the message and the exit code of that run. An error
            of the target itself is none: its exit code stands in the summary.
    """
    with OwnFolder() as folder:
        summary = folder.path / "summary.json"
        output, errors = folder.path / "out", folder.path / "err"
        command = [sys.executable, "-m", "gilscope", "run", "--headless", "--json", str(summary)]
        with output.open("wb") as out, errors.open("wb") as err:
            done = subprocess.run(
                [*command, "-o", str(recording), *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=False,
            )  # fmt: skip
        if not summary.exists():
            raise _failure(errors.read_text(errors="replace"), done.returncode)
        return WatchedRun(json.loads(summary.read_text()), _digest(output), _end_of(output) + _end_of(errors))


def _failure(said: str, code: int) -> GilscopeError:
    text = said.rpartition("gilscope: ")[2].strip() or f"the run ended with exit code {code} and no summary"
    return UsageError(text) if code == UsageError.exit_code else CannotObserveError(text)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - SAID_BYTES))
        return file.read().decode("utf-8", "replace")

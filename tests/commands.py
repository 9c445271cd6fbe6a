"""gilscope as its users start it: a command in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilscope.recording.reader import RecordingReader
from tests.watched import ROOT, TARGETS

DEADLINE_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: bytes
    stderr: str
    folder: Path

    @property
    def summary(self) -> dict[str, Any]:
        """What `--json s.json` wrote."""
        found: dict[str, Any] = json.loads((self.folder / "s.json").read_text())
        return found

    @property
    def recording(self) -> Path:
        return self.folder / "r.gilscope"


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Without what pytest adds for its workers; recordings go to the folder."""
    dropped = ("PYTEST", "PYTHON", "COV")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(folder / "state"),
        "COLUMNS": "200",
        **(extra or {}),
    }


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "gilscope", *map(str, arguments)]


def default_signals() -> None:
    """A background job of a shell ignores SIGINT, and its children with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def gilscope(
    folder: Path, *arguments: object, stdin: bytes = b"", env: Mapping[str, str] | None = None, **options: Any
) -> Outcome:
    """Run a command to its end."""
    done = subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        cwd=options.pop("cwd", folder),
        env=environment(folder, env),
        timeout=DEADLINE_S,
        check=False,
        preexec_fn=default_signals,
        **options,
    )
    return Outcome(done.returncode, done.stdout, done.stderr.decode(errors="replace"), folder)


def watch(
    folder: Path,
    script: str,
    *arguments: object,
    python: str | Path | None = None,
    mode: str = "asis",
    **options: Any,
) -> Outcome:
    """Watch a program of tests/targets, and keep its summary and recording."""
    of_python = [] if python is None else ["--python", python]
    kept = ["--json", folder / "s.json", "-o", folder / "r.gilscope", "--mode", mode]
    return gilscope(folder, "run", *of_python, *kept, TARGETS / script, "--", *arguments, **options)


def complaint(outcome: Outcome, code: int) -> str:
    """The message of a command that failed as it should: one to three lines, no traceback."""
    assert outcome.code == code, outcome.stderr
    lines = outcome.stderr.strip().splitlines()
    assert 1 <= len(lines) <= 3, outcome.stderr
    assert lines[0].startswith("gilscope: "), outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "None" not in outcome.stderr
    return outcome.stderr


def head_ns(path: Path) -> int:
    """How far a recording has got that may still grow."""
    reader = RecordingReader(path, live=True)
    try:
        return reader.head_ns()
    finally:
        reader.close()

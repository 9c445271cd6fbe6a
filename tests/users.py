"""An ordinary user for tests: this one, or, where tests run as root, nobody in a process of its own."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands import DEADLINE_S, Outcome, default_signals, environment
from tests.watched import ROOT

NOBODY = 65_534
ASK = "import gilscope.cli, sys; print(sys.version_info[:2])"


@dataclass(frozen=True)
class User:
    """Who tests run commands as, and with which interpreter."""

    uid: int
    python: str

    @property
    def options(self) -> dict[str, Any]:
        """For subprocess: become that user, with no rights that root had."""
        dropped = {"user": self.uid, "group": self.uid, "extra_groups": []}
        return dropped if os.geteuid() == 0 else {}

    def environment(self, folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        return {
            **environment(folder),
            "PYTHONPATH": _path(),
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            **(extra or {}),
        }

    def gilscope(self, folder: Path, *words: object, env: Mapping[str, str] | None = None) -> Outcome:
        """Run a command to its end."""
        done = subprocess.run(
            [self.python, "-m", "gilscope", *map(str, words)],
            stdin=subprocess.DEVNULL, capture_output=True, cwd=folder, env=self.environment(folder, env),
            timeout=DEADLINE_S, check=False, preexec_fn=default_signals, **self.options,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr.decode(errors="replace"), folder)


def _path() -> str:
    """Where gilscope and what it needs is found by another interpreter of our version."""
    return os.pathsep.join([str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])


@functools.cache
def _ordinary() -> User | str:
    """The user, or why there is none: an interpreter like ours that he can run, and read all of."""
    if os.geteuid() != 0:
        return User(os.geteuid(), sys.executable)
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    found = [shutil.which(name, path=folder) for folder in os.environ["PATH"].split(os.pathsep)]
    for python in [sys.executable, *(path for path in found if path), f"/usr/bin/{name}"]:
        user = User(NOBODY, python)
        try:
            done = subprocess.run(
                [python, "-c", ASK], env=user.environment(Path("/")), capture_output=True, cwd="/",
                timeout=DEADLINE_S, check=False, **user.options,
            )  # fmt: skip
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.decode().strip() == str(sys.version_info[:2]):
            return user
    return f"an ordinary user can run no {name} here that has what gilscope needs"


def ordinary_user() -> User:
    """The user; the test is skipped where there is none."""
    user = _ordinary()
    if isinstance(user, str):
        pytest.skip(user)
    return user


@contextmanager
def own_folder(user: User) -> Iterator[Path]:
    """A folder of the user's own, for a while. Not below pytest's, which that closes to others."""
    place = Path(tempfile.mkdtemp(prefix="gilscope-test-"))
    os.chown(place, user.uid, -1)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)

"""gilscope by an ordinary user: of those who run the tests, or nobody where root does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import complaint
from tests.users import User, ordinary_user, own_folder
from tests.watched import TARGETS, Watched, watched


@pytest.fixture(scope="module")
def user() -> User:
    return ordinary_user()


@pytest.fixture
def folder(user: User) -> Iterator[Path]:
    with own_folder(user) as place:
        yield place


@contextmanager
def own(user: User, folder: Path, script: str, *words: object) -> Iterator[Watched]:
    """A program of the user's own."""
    command = [user.python, str(TARGETS / script), *map(str, words)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=user.environment(folder),
        **user.options,
    ) as process:  # fmt: skip
        try:
            yield Watched(process)
        finally:
            process.kill()


def test_run(user: User, folder: Path) -> None:
    done = user.gilscope(folder, "run", "--json", "s.json", TARGETS / "cpu_threads.py", "3", "0.7")
    assert done.code == 0, done.stderr
    assert done.summary["gils"][0]["utilisation"] > 0.8
    assert done.summary["verdict"]["headline"]
    assert len(done.summary["lanes"]) == 4
    assert done.summary["totals"]["threads_started"] == 3
    # What it printed is nobody else's business.
    (recording,) = folder.rglob("*.gilscope")
    assert recording.stat().st_uid == user.uid
    assert recording.stat().st_mode & 0o777 == 0o600
    assert recording.parent.stat().st_mode & 0o777 == 0o700


def test_attach_to_a_process_of_ones_own(user: User, folder: Path) -> None:
    with own(user, folder, "cpu_threads.py", 2, 100) as target:
        done = user.gilscope(folder, "attach", target.pid, "--duration", "1", "--json", "s.json")
    if "ptrace_scope is 1" in done.stderr:
        complaint(done, 4)
        return
    assert done.code == 0, done.stderr
    assert len(done.summary["lanes"]) == 3
    assert done.summary["gils"][0]["utilisation"] > 0.8


def test_attach_to_a_process_of_another(user: User, folder: Path) -> None:
    if os.geteuid() != 0:
        if Path("/proc/1").stat().st_uid == user.uid:
            pytest.skip("all processes here are the user's own")
        text = complaint(user.gilscope(folder, "attach", 1), 4)
    else:
        with watched("sleepers.py", 1, 600) as target:
            text = complaint(user.gilscope(folder, "attach", target.pid), 4)
    assert "it belongs to root, and you are" in text
    assert "sudo gilscope attach" in text
    assert not list(folder.rglob("*.gilscope"))


def test_attach_to_a_process_that_forbids_it(user: User, folder: Path) -> None:
    with own(user, folder, "closed.py") as target:
        text = complaint(user.gilscope(folder, "attach", target.pid), 4)
    assert "more rights than you" in text or "ptrace_scope" in text


def test_doctor(user: User, folder: Path) -> None:
    done = user.gilscope(folder, "doctor", "--json", env={"PATH": "/nowhere"})
    assert done.code == 0, done.stderr
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["own child"]["state"] == "ok"
    assert str(folder) in found["recordings"]["what"]


def test_a_home_that_cannot_be_written(user: User, folder: Path) -> None:
    """Recordings go to a private folder below TMPDIR and it is said so."""
    state, spare = folder / "state", folder / f"gilscope-{user.uid}"
    state.mkdir(mode=0o500)
    os.chown(state, user.uid, -1)
    done = user.gilscope(folder, "run", "-c", "pass")
    assert done.code == 0, done.stderr
    assert f"cannot be written: recorded in {spare / 'recordings'}" in done.stderr
    (recording,) = (spare / "recordings").iterdir()
    assert recording.stat().st_mode & 0o777 == 0o600
    assert spare.stat().st_mode & 0o777 == 0o700

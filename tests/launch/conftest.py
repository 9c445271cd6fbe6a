"""Run a program plainly and under the launcher, and compare all that a user could see."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gilscope.launch.spec import TargetSpec
from tests.launch import driver
from tests.launch.driver import Drivers, Ended, fresh
from tests.pythons import found_pythons

TARGETS = Path(__file__).parents[1] / "targets"
DEADLINE_S = driver.DEADLINE_S


@pytest.fixture(params=list(found_pythons()))
def python(request: pytest.FixtureRequest) -> str:
    """Each interpreter found, one after the other."""
    version: str = request.param
    return str(found_pythons()[version])


@pytest.fixture(autouse=True)
def _default_interrupt() -> Iterator[None]:
    """Targets inherit an ignored SIGINT, as in a background job of a shell: make it a handler instead."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class Outcome:
    stdout: bytes
    stderr: bytes
    returncode: int


@dataclass(frozen=True)
class Pair:
    plain: Outcome
    launched: Outcome
    seen: dict[str, Any]


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The tests' own environment without what pytest and its plugins add for their workers."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTEST", "PYTHON", "COV", "GILSCOPE"))
    }
    return {**kept, **extra}


def without_addresses(text: bytes) -> bytes:
    """The kernel gives every process other addresses, so those in reprs never agree."""
    return re.sub(rb"0x[0-9a-f]{8,}", b"0x", text)


def _run(command: list[str], cwd: str | Path, env: dict[str, str], stdin: bytes) -> Outcome:
    done = subprocess.run(
        command, cwd=cwd, env=env, input=stdin, capture_output=True, timeout=DEADLINE_S, check=False
    )
    return _outcome(Ended(done.stdout, done.stderr, done.returncode))


def _outcome(ended: Ended) -> Outcome:
    return Outcome(without_addresses(ended.stdout), without_addresses(ended.stderr), ended.returncode)


Runner = Callable[..., Pair]


@pytest.fixture(scope="session")
def drivers() -> Iterator[Drivers]:
    found = Drivers()
    yield found
    found.close()


@pytest.fixture
def run_both(tmp_path: Path, drivers: Drivers) -> Runner:
    def run(
        spec: TargetSpec,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        driver_options: tuple[str, ...] = (),
        plain: Outcome | None = None,
        anew: bool = False,
    ) -> Pair:
        """Run both and return their outcomes; the plain one gets cwd and env of the spec from here.

        `plain`: how the same ended before, if it is known. `anew`: gilscope is a process started for it, and
        not the fork of one that was ready.
        """
        environment = _environment(env or {})
        where = cwd or tmp_path
        if plain is None:
            plain = _run(spec.command(), spec.cwd or where, {**environment, **dict(spec.env)}, stdin)
        result = tmp_path / "seen.json"
        arguments = [str(result), spec.to_json(), *driver_options]
        launched = _outcome((fresh if anew else drivers.run)(arguments, where, environment, stdin))
        assert result.exists(), launched.stderr.decode(errors="replace")
        return Pair(plain, launched, json.loads(result.read_text(encoding="utf-8")))

    return run


@pytest.fixture
def assert_same(run_both: Runner) -> Runner:
    def check(spec: TargetSpec, *, ready: bool = True, **options: Any) -> Pair:
        """Run both, and require the same bytes on both streams and the same end."""
        pair = run_both(spec, **options)
        assert pair.launched.stdout.splitlines() == pair.plain.stdout.splitlines()
        assert pair.launched.stdout == pair.plain.stdout
        assert pair.launched.stderr.splitlines() == pair.plain.stderr.splitlines()
        assert pair.launched.stderr == pair.plain.stderr
        assert pair.launched.returncode == pair.plain.returncode
        assert (pair.seen["ready"] is not None) is ready
        return pair

    return check

"""For all tests: properties are tried on the same examples each time, as slowly as a busy machine is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gilscope.launch import tree

pytest_plugins = ["pytester"]

settings.register_profile(
    "here", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("here")


@pytest.fixture(autouse=True)
def _orphans_are_nobodys() -> Iterator[None]:
    """A session that a test has run in this process made it the parent of orphans: not for the next test."""
    yield
    if tree._subreaper:
        tree.become_subreaper(on=False)


@pytest.fixture(autouse=True, scope="session")
def _settings_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test, and no command that one runs, reads or changes the settings of who runs the tests."""
    path = tmp_path_factory.mktemp("settings") / "config.toml"
    before = os.environ.get("GILSCOPE_CONFIG")
    os.environ["GILSCOPE_CONFIG"] = str(path)
    yield path
    if before is None:
        del os.environ["GILSCOPE_CONFIG"]
    else:
        os.environ["GILSCOPE_CONFIG"] = before

"""The Python that the services run on: an environment of its own, made once."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import platformdirs

from tests.watched import ROOT


def requirements() -> list[str]:
    """The extra `services` of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: list[str] = project["optional-dependencies"]["services"]
    return found


def folder() -> Path:
    """Where the environment is, or is to be: another one for other requirements."""
    named = os.environ.get("GILSCOPE_SERVICES")
    if named:
        return Path(named)
    words = " ".join([sys.version, *requirements()])
    name = f"services-{hashlib.sha256(words.encode()).hexdigest()[:10]}"
    return Path(platformdirs.user_cache_dir("gilscope-tests")) / name


def python() -> Path:
    """The interpreter for services: of that environment if there is one, else this one."""
    found = folder() / "bin" / "python"
    return found if found.exists() else Path(sys.executable)


def make() -> None:
    """Make the environment, if it is not there."""
    done = folder() / "made"
    if done.exists() or (os.environ.get("GILSCOPE_SERVICES") and (folder() / "bin").exists()):
        return
    print(f"installing {', '.join(requirements())} into {folder()}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder())], check=True)
    pip = [str(folder() / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *requirements()], check=True)
    done.touch()


@functools.cache
def missing(modules: tuple[str, ...]) -> str | None:
    """Why these cannot be imported there; None if they can."""
    code = "import importlib.util, sys; print(*[m for m in sys.argv[1:] if not importlib.util.find_spec(m)])"
    done = subprocess.run([python(), "-c", code, *modules], capture_output=True, text=True, check=True)
    absent = done.stdout.split()
    if not absent:
        return None
    return f"{', '.join(absent)} not installed: python -m tests.services --install"

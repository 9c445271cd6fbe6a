"""What a user can get wrong is told in one to three lines: what, why, and what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from gilscope.errors import UsageError
from gilscope.launch.spec import PythonIdentity, TargetSpec, identify_python, resolve_spec


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ok.py").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "zip").mkdir()
    (tmp_path / "zip" / "__main__.py").write_text("")
    (tmp_path / "-dash.py").write_text("")
    for name, text in {
        "rogue": "echo rm: unknown option; exit 1",
        "old": "echo Python 2.6.9 >&2",
        "fails": "echo Python 3.11.2; exit 1",
        "mute": "exit 0",
        "pypy": "echo 'Python 3.10.14 (39dc8d3c85a7)'; echo '[PyPy 7.3.17 with GCC 10.2.1]'",
        "conda": "echo 'Python 3.9.5 :: Anaconda, Inc.'",
        "alpha": "echo Python 3.15.0a2+",
        "graal": "echo 'GraalPy 3.11.7 (Oracle GraalVM Native 24.1.0)'",
    }.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o700)


@pytest.mark.parametrize(
    ("asked", "what", "advice"),
    [
        ({}, "No program", "Give a SCRIPT"),
        ({"script": "ok.py", "module": "x"}, "More than one", "Give a SCRIPT"),
        ({"script": "none.py"}, "No such script: none.py", "Check the path"),
        ({"script": "empty"}, "without a __main__.py", "Name a script"),
        ({"script": "-dash.py"}, "begins with a dash", r"\./-dash.py"),
        ({"script": "x\0y"}, "NUL", "Remove it"),
        ({"script": "ok.py", "args": ["a\0"]}, "NUL", "Remove it"),
        ({"script": "n" * 5000}, "File name too long", "Check the path"),
        ({"script": "ok.py", "cwd": "nowhere"}, "--cwd nowhere does not exist", "existing directory"),
        ({"script": "ok.py", "cwd": "ok.py"}, "--cwd ok.py is not a directory", "existing directory"),
        ({"script": "ok.py", "env": ["A"]}, "'A' is not of the form", "--env DEBUG=1"),
        ({"script": "ok.py", "env": ["=x"]}, "'=x' is not of the form", "--env DEBUG=1"),
        ({"script": "ok.py", "python": "no-such-python"}, "no such command on PATH", "path"),
        ({"script": "ok.py", "python": "./none"}, "No such file", "--python"),
        ({"script": "ok.py", "python": "./ok.py"}, "Permission denied", "--python"),
        ({"script": "ok.py", "python": "./empty"}, "Permission denied", "--python"),
        ({"script": "ok.py", "python": "./rogue"}, "no Python.*'rm: unknown option'", "--python"),
        ({"script": "ok.py", "python": "./fails"}, "no Python.*ended with 1", "--python"),
        ({"script": "ok.py", "python": "./mute"}, "printed nothing", "--python"),
        ({"script": "ok.py", "python": "./old"}, "is Python 2.6.9", "newer"),
        ({"script": "ok.py", "python": "/bin/sh"}, "no Python", "--python"),
    ],
    ids=str,
)
def test_a_bad_request_is_told(asked: dict[str, Any], what: str, advice: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        resolve_spec(**asked)
    assert caught.match(advice)
    assert 1 <= len(str(caught.value).splitlines()) <= 3
    assert caught.value.exit_code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_script_is_told() -> None:
    Path("ok.py").chmod(0)
    with pytest.raises(UsageError, match="permission denied"):
        resolve_spec(script="ok.py")


def test_a_script_stays_as_typed_unless_it_runs_elsewhere() -> None:
    plain = resolve_spec(script="./ok.py", args=["--x", "1"], env=["A=1", "B=2=3", "C="])
    assert plain.command() == [sys.executable, "./ok.py", "--x", "1"]
    assert plain.env == (("A", "1"), ("B", "2=3"), ("C", ""))
    moved = resolve_spec(script="./ok.py", cwd="empty", python="./conda")
    assert moved.command() == [f"{Path.cwd()}/conda", f"{Path.cwd()}/ok.py"]
    assert resolve_spec(script="zip").target == "zip"


def test_commands_and_displays() -> None:
    module = resolve_spec(module="http.server", args=["80"])
    assert module.command() == [sys.executable, "-m", "http.server", "80"]
    assert module.display == "-m http.server"
    code = resolve_spec(code="import  this\nprint(1)")
    assert code.command() == [sys.executable, "-c", "import  this\nprint(1)"]
    assert code.display == "-c 'import this print(1)'"
    assert len(resolve_spec(code="x" * 500).display) < 50
    assert resolve_spec(script="zip/__main__.py").display == "__main__.py"


def test_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path.cwd()))
    assert resolve_spec(script="ok.py", python="conda").python == f"{Path.cwd()}/conda"


@pytest.mark.parametrize(
    ("name", "version", "implementation"),
    [
        ("pypy", (3, 10, 14), "PyPy"),
        ("conda", (3, 9, 5), "CPython"),
        ("alpha", (3, 15, 0), "CPython"),
        ("graal", (3, 11, 7), "GraalPy"),
        ("old", (2, 6, 9), "CPython"),
    ],
)
def test_interpreters_are_identified(name: str, version: tuple[int, int, int], implementation: str) -> None:
    path = str(Path.cwd() / name)
    assert identify_python(path) == PythonIdentity(path=path, version=version, implementation=implementation)


def test_this_interpreter_is_identified() -> None:
    assert identify_python(sys.executable).version == sys.version_info[:3]


def test_an_interpreter_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gilscope.launch.spec.IDENTIFY_TIMEOUT_S", 0.1)
    Path("hangs").write_text("#!/bin/sh\nexec sleep 60\n")
    Path("hangs").chmod(0o700)
    with pytest.raises(UsageError, match="did not answer"):
        identify_python(str(Path.cwd() / "hangs"))


def test_a_spec_survives_json() -> None:
    spec = TargetSpec(
        kind="code",
        target="'é\udc80'",
        args=("a", ""),
        python="/p",
        mode="threads",
        cwd="/",
        env=(("K", "V"),),
    )
    assert TargetSpec.from_json(spec.to_json()) == spec
    assert "\n" not in spec.to_json()
    for text in ("[]", "{}", '{"kind": "other"}', "x"):
        with pytest.raises(ValueError, match=r"."):
            TargetSpec.from_json(text)

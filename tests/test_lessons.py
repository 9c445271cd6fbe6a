"""Each lesson gets the verdict that it is about; the command finds, lists and explains them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from gilscope.analysis.verdict.registry import KINDS
from gilscope.launch.pythons import find_python, is_free_threaded
from gilscope.lessons import LESSONS, Lesson, beside, find, nearest
from gilscope.text import width
from tests.commands import complaint, gilscope
from tests.pythons import found_free_threaded

SECONDS = {"convoy": 4, "gil-hog": 4, "costs": 4}
ATTEMPTS = 3
"""Others use the machine too: threads that only wait want a core they do not get, and it looks like work."""
each = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def run(lesson: Lesson, folder: Path, env: dict[str, str]) -> str:
    """What it prints."""
    folder.mkdir()
    outcome = gilscope(folder, "lesson", lesson.name, "--seconds", SECONDS.get(lesson.name, 3), env=env)
    assert outcome.code == 0, outcome.stderr
    return outcome.stdout.decode()


@each
def test_the_verdict(lesson: Lesson, tmp_path: Path) -> None:
    """GIVEN a lesson run headless THEN it prints its text, runs, and gets its verdict."""
    env = {}
    if lesson.free_threaded:
        if not found_free_threaded():
            pytest.skip("no free-threaded Python was found")
        env = {"GILSCOPE_TEST_PYTHONS": os.pathsep.join(map(str, found_free_threaded().values()))}
    if find_python(lesson.at_least) is None:
        pytest.skip(f"no Python {lesson.at_least} was found")
    found: list[str] = []
    said = ""
    while len(found) < ATTEMPTS and not set(found) & set(lesson.expects):
        said = run(lesson, tmp_path / str(len(found)), env)
        found += re.findall(r"of this run: ([a-z-]+)\.", said)
    assert set(found) & set(lesson.expects), found
    assert said.index(lesson.title) < said.index("$ ") < said.index("\nLook at\n") < said.index("\nChange\n")
    assert max(width(line) for line in said.splitlines() if not line.startswith("The script:")) < 110


@each
def test_a_lesson_is_whole(lesson: Lesson) -> None:
    assert set(lesson.expects) <= set(KINDS)
    compile(lesson.script.read_text(), lesson.name, "exec")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", lesson.name)
    for heading in ("", "Look at", "Change"):
        assert len(lesson.part(heading)) > 60, heading
    assert 20 < len(lesson.title.split()) + len(lesson.part("").split()) < 400
    assert lesson.part("Nothing such") == ""
    assert find(lesson.name) is find(lesson.name.upper().replace("-", "_")) is lesson
    assert find(str(LESSONS.index(lesson) + 1)) is lesson


def test_there_are_enough_and_no_two_alike() -> None:
    assert len(LESSONS) >= 10
    assert (
        len({lesson.name for lesson in LESSONS}) == len({lesson.title for lesson in LESSONS}) == len(LESSONS)
    )
    scripts = {path.stem for path in LESSONS[0].script.parent.glob("*.py")} - {"__init__"}
    assert scripts == {lesson.script.stem for lesson in LESSONS}


def test_one_after_the_other() -> None:
    assert beside(LESSONS[0], -1) is beside(LESSONS[-1], 1) is None
    assert beside(LESSONS[0], 1) is LESSONS[1]
    assert find("0") is find(str(len(LESSONS) + 1)) is find("") is None


def test_the_list(tmp_path: Path) -> None:
    lines = gilscope(tmp_path, "lesson").stdout.decode().splitlines()
    assert [line.split()[1] for line in lines] == [lesson.name for lesson in LESSONS]
    assert all(line.endswith(lesson.title) for line, lesson in zip(lines, LESSONS, strict=True))


@pytest.mark.parametrize(("name", "meant"), [("convey", "convoy"), ("four_thread", "four-threads")])
def test_a_wrong_name(name: str, meant: str, tmp_path: Path) -> None:
    assert f"Did you mean {meant}?" in complaint(gilscope(tmp_path, "lesson", name), 2)


def test_wrong_values(tmp_path: Path) -> None:
    assert "There is no lesson xyzzy" in complaint(gilscope(tmp_path, "lesson", "xyzzy"), 2)
    assert "--seconds" in complaint(gilscope(tmp_path, "lesson", "convoy", "--seconds", "0"), 2)
    assert nearest("xyzzy") is None


def test_no_interpreter_for_it(tmp_path: Path) -> None:
    """GIVEN no free-threaded Python THEN the lesson says what it needs, in a message."""
    env = {"GILSCOPE_TEST_PYTHONS": "", "PATH": str(tmp_path), "HOME": str(tmp_path)}
    said = complaint(gilscope(tmp_path, "lesson", "free-threaded", env=env), 2)
    assert "free-threaded Python 3.13 or newer" in said


def test_finding_pythons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_python((3, 8)) == sys.executable
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GILSCOPE_TEST_PYTHONS", raising=False)
    assert find_python((3, 99)) is None
    (tmp_path / "python3.19").write_text("#!/bin/sh\necho nothing\n")
    (tmp_path / "python3.19").chmod(0o755)
    assert find_python((3, 12)) in (None, sys.executable)
    for python in found_free_threaded().values():
        monkeypatch.setenv("GILSCOPE_TEST_PYTHONS", str(python))
        assert find_python((3, 13), free_threaded=True) == str(python)
        assert is_free_threaded(str(python))

"""The pytest plugin: marked tests run watched, keep their limits or fail, and otherwise are as always."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.watched import ROOT

CODE = """
    import threading, time, os, pytest

    def busy(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass

    @pytest.fixture(scope="module")
    def shared():
        yield os.getpid()
        print("shared ends")

    def test_plain(shared):
        assert shared == os.getpid()

    @pytest.mark.gilscope(fail_on="gil.contention > 0.2")
    def test_threads(shared):
        print("three threads")
        threads = [threading.Thread(target=busy, args=(0.8,)) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()

    @pytest.mark.gilscope(fail_on=["gil.contention > 20 %", "lane.waiting_s > 5"])
    def test_alone(tmp_path, record_property):
        record_property("seen", 7)
        busy(0.5)
        assert os.environ["GILSCOPE_PYTEST_REPORTS"]

    @pytest.fixture
    def long():
        time.sleep(0.8)

    @pytest.mark.gilscope(fail_on="target.wall_s > 0.8")
    def test_only_the_call_counts(long):
        time.sleep(0.05)

    def test_after(shared):
        assert shared == os.getpid()
"""
OTHER = """
    import os, pytest

    @pytest.mark.gilscope(fail_on="gil.contention > 0.5")
    @pytest.mark.parametrize("word", ["a b/c"])
    def test_fails(word):
        print("what it printed")
        assert word == "x"

    @pytest.mark.gilscope
    def test_skips():
        pytest.skip("not today")

    @pytest.mark.gilscope
    @pytest.mark.xfail(reason="known")
    def test_known():
        assert 0

    @pytest.mark.gilscope
    def test_dies():
        os._exit(7)

    @pytest.mark.gilscope(fail_on="gil.contetion > 0.5")
    def test_misspelt():
        pass

    @pytest.mark.gilscope("gil.contention > 0.5")
    def test_without_a_name():
        pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in [name for name in os.environ if name.startswith(("PYTEST", "COV", "GILSCOPE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv(
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1"
    )  # the plugins of this suite take a second to load
    pytester.makeini("[pytest]\naddopts = --strict-markers\n")
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-v", "-p", "gilscope.pytest_plugin", *arguments, timeout=300)


def recordings(project: pytest.Pytester, folder: str = ".gilscope") -> list[str]:
    return sorted(path.name for path in Path(project.path / folder).glob("*.gilscope"))


def test_limits_of_marked_tests(project: pytest.Pytester) -> None:
    project.makepyfile(test_code=CODE)
    result = run(project, "--gilscope", "--junitxml=outer.xml")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_code.py::test_threads FAILED*",
            "limit crossed: gil.contention > 0.2: measured * % (the GIL of process *)",
            "*GIL-bound: * threads want to run Python, one can.",
            "Recording: *test_threads*.gilscope",
            "*three threads*",
            "test_code.py::test_threads: GIL-bound: *",
        ],
        consecutive=False,
    )
    (kept,) = recordings(project)
    assert "test_threads" in kept
    assert (project.path / ".gilscope" / ".gitignore").read_text() == "*\n"
    written = (project.path / "outer.xml").read_text()
    assert 'tests="5"' in written
    assert 'name="seen" value="7"' in written


def test_without_the_option_the_mark_does_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(test_code=CODE.replace('assert os.environ["GILSCOPE_PYTEST_REPORTS"]', ""))
    result = run(project, "-W", "error::pytest.PytestUnknownMarkWarning")
    result.assert_outcomes(passed=5)
    assert not (project.path / ".gilscope").exists()
    run(project, "--markers").stdout.fnmatch_lines(["@pytest.mark.gilscope(fail_on=...): *"])


def test_outcomes_come_back_as_they_are(project: pytest.Pytester) -> None:
    project.makepyfile(test_other=OTHER)
    result = run(project, "--gilscope", "--gilscope-dir", "kept", "-rA")
    result.assert_outcomes(failed=2, skipped=1, xfailed=1, errors=2)
    result.stdout.fnmatch_lines(["*assert 'a b/c' == 'x'*", "*what it printed*"])
    result.stdout.fnmatch_lines(["The test's process ended with exit code 7.*"])
    result.stdout.fnmatch_lines(["*there is no metric gil.contetion*", "The nearest is gil.contention;*"])
    result.stdout.fnmatch_lines(["gilscope: the mark takes fail_on= and nothing else*"])
    assert [
        name.partition(".py-")[2].partition("-a-b-c")[0][:10] for name in recordings(project, "kept")
    ] == [
        "test_dies-",
        "test_fails",
    ]


def test_recordings_of_all(project: pytest.Pytester) -> None:
    project.makepyfile("import time, pytest\n@pytest.mark.gilscope\ndef test_a():\n    time.sleep(0.3)\n")
    run(project, "--gilscope", "--gilscope-keep").assert_outcomes(passed=1)
    assert len(recordings(project)) == 1


def test_side_by_side_with_xdist(project: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    project.makepyfile(
        "import time, pytest\n"
        "@pytest.mark.gilscope(fail_on='target.wall_s > 30')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_a(n):\n    time.sleep(0.3)\n"
    )
    run(project, "-p", "xdist", "--gilscope", "-n", "2").assert_outcomes(passed=2)


def test_it_is_found_where_gilscope_is_installed() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\ngilscope = "gilscope.pytest_plugin"' in text

"""Whole sessions on free-threaded builds, wherever one is installed; elsewhere images stand in for them.

See tests/sampler/test_freethreads.py for what holds without one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import watch
from tests.pythons import found_free_threaded

BUILDS = found_free_threaded()
MISSING = "no free-threaded CPython was found (python3.13t on PATH, or in GILSCOPE_TEST_PYTHONS)"
each_build = pytest.mark.parametrize(
    "build", list(BUILDS) or [pytest.param("", marks=pytest.mark.skip(reason=MISSING))]
)


@each_build
def test_threads_run_side_by_side(build: str, tmp_path: Path) -> None:
    outcome = watch(tmp_path, "cpu_threads.py", 2, 3, python=BUILDS[build])
    assert outcome.code == 0, outcome.stderr
    summary = outcome.summary
    (gil,) = summary["gils"]
    assert gil["kind"] == "disabled"
    assert gil["utilisation"] == 0
    workers = [lane for lane in summary["lanes"] if lane["tid"] != lane["pid"]]
    assert len(workers) == 2
    for lane in workers:
        assert lane["holding_s"] == 0
        # All that a CPU gave them went into Python.
        assert lane["running_s"] > 0.8 * lane["cpu_s"]
    if (os.cpu_count() or 1) > 1 and summary["totals"]["cores_used_mean"] >= 1.2:
        assert summary["verdict"]["kind"] == "free-threaded"


@each_build
def test_with_its_gil_on_it_is_like_any_other(build: str, tmp_path: Path) -> None:
    outcome = watch(tmp_path, "cpu_threads.py", 2, 3, python=BUILDS[build], env={"PYTHON_GIL": "1"})
    assert outcome.code == 0, outcome.stderr
    summary = outcome.summary
    assert [gil["kind"] for gil in summary["gils"]] == ["shared"]
    assert summary["gils"][0]["utilisation"] > 0.5
    assert summary["verdict"]["kind"] == "gil-bound"


@each_build
def test_collections_that_stop_the_world_are_seen(build: str, tmp_path: Path) -> None:
    code = (
        "import gc, threading, time\n"
        "keep = [[n] for n in range(400_000)]\n"
        "end = time.monotonic() + 3\n"
        "def work():\n"
        "    while time.monotonic() < end: pass\n"
        "threading.Thread(target=work).start()\n"
        "while time.monotonic() < end: gc.collect()\n"
    )
    script = tmp_path / "collects.py"
    script.write_text(code)
    outcome = watch(tmp_path, str(script), python=BUILDS[build])
    assert outcome.code == 0, outcome.stderr
    from gilscope.recording.reader import RecordingReader

    reader = RecordingReader(outcome.recording)
    try:
        stops = [event for event in reader.events() if event.kind == "stop-the-world"]
    finally:
        reader.close()
    assert stops
    assert any("to stand" in words for words in outcome.summary["verdict"]["also"])


OLD_EXTENSION = """
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "old_extension", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_old_extension(void) { return PyModule_Create(&definition); }
"""
IMPORTS_IT = """
import sys, threading, time
end = time.monotonic() + 3
def work():
    while time.monotonic() < end: pass
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
time.sleep(1)
sys.path.insert(0, sys.argv[1])
import old_extension
for thread in threads: thread.join()
"""


@each_build
def test_the_import_that_turns_the_gil_on_is_named(build: str, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no C compiler")
    ask = "import sysconfig; print(sysconfig.get_path('include'), sysconfig.get_config_var('EXT_SUFFIX'))"
    asked = subprocess.run([BUILDS[build], "-c", ask], capture_output=True, text=True, check=True)
    include, suffix = asked.stdout.split()
    if not Path(include, "Python.h").exists():
        pytest.skip("its headers are not installed")
    (tmp_path / "old_extension.c").write_text(OLD_EXTENSION)
    library = f"old_extension{suffix}"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", f"-I{include}", "old_extension.c", "-o", library],
        cwd=tmp_path,
        check=True,
    )
    (tmp_path / "imports.py").write_text(IMPORTS_IT)
    outcome = watch(tmp_path, str(tmp_path / "imports.py"), tmp_path, python=BUILDS[build])
    assert outcome.code == 0, outcome.stderr
    assert [gil["kind"] for gil in outcome.summary["gils"]] == ["shared"]
    evidence = " ".join(outcome.summary["verdict"]["evidence"])
    assert "was turned on for good, by the import of old_extension." in evidence
    assert outcome.summary["gils"][0]["contention"] > 0.2

"""Threads run as processes, processes as threads: the same output, or the difference that is listed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gilscope.launch.spec import Kind, TargetSpec
from gilscope.recording.reader import RecordingReader
from tests.commands import gilscope, watch
from tests.launch.conftest import TARGETS, Pair, Runner
from tests.pythons import found_pythons

SCRIPTS = sorted(path.name for path in (TARGETS / "swap").glob("*.py"))
PYTHONS = found_pythons()
ENDS = list(dict.fromkeys([next(iter(PYTHONS)), list(PYTHONS)[-1]]))
"""The oldest and the newest, on which the scripts run by turns."""
ON_ALL = [
    "producer_consumer.py",
    "process_basic.py",
    "executor_threads.py",
    "spawn_threads.py",
    "contexts.py",
    "locks.py",
    "process_exitcodes.py",
]


@dataclass(frozen=True)
class Difference:
    """What a mode makes other than the program alone."""

    out: str | None = None
    """All of standard output; None: the same as alone."""
    notes: tuple[str, ...] = ()
    """What is said, each a word of the kind and a word of the text, in any order."""
    differs_in: str = ""
    """The words that only standard error has otherwise: frames of a traceback."""


DIFFERENT = {
    ("diff_globals.py", "processes"): Difference(
        "0 [] 0\n", ("not-shared global total", "not-shared global seen", "not-shared global box")
    ),
    ("diff_attribute.py", "processes"): Difference(
        "None 0\n", ("not-shared attribute answer", "not-shared global results", "not-shared global results")
    ),
    ("odd_globals.py", "processes"): Difference(notes=("not-shared global count",)),
    ("diff_isolated.py", "threads"): Difference("3\n"),
    ("diff_terminate.py", "threads"): Difference("True None\n", ("terminate terminate()",)),
    ("diff_pickle.py", "processes"): Difference(
        "RuntimeError\nfailed\nfailed\n",
        ("pickle A Lock", "pickle the function <lambda>", "pickle an argument or the result"),
    ),
    ("diff_guard.py", "processes"): Difference("main\n", ("main-guard __main__",), differs_in="RuntimeError"),
    ("diff_pool_options.py", "threads"): Difference(notes=("dropped maxtasksperchild=1",)),
    ("diff_pool_options.py", "processes"): Difference(notes=("dropped thread_name_prefix='prefix'",)),
    ("executor_initializer.py", "processes"): Difference(notes=("dropped thread_name_prefix='named'",)),
    ("thread_error.py", "processes"): Difference(differs_in="ValueError: wrong"),
    ("process_error.py", "threads"): Difference(differs_in="ValueError: wrong"),
}
"""The whole list: what is not in it has the same bytes on both streams, and no note."""


def spec_of(python: str, script: str, mode: str, **fields: Any) -> TargetSpec:
    path = str(TARGETS / "swap" / script)
    return TargetSpec(kind="script", target=path, python=python, mode=mode, **fields)


def without_repeats(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Several workers say the same; as to place and text, not as to pid."""
    found = {(note["kind"], note["text"], note["file"], note["line"]): note for note in notes}
    return list(found.values())


def check(python: str, script: str, run_both: Runner) -> None:
    plain = None
    for mode in ("threads", "processes"):
        pair = run_both(spec_of(python, script, mode), env={"PYTHONWARNINGS": "ignore"}, plain=plain)
        plain = pair.plain
        compare(pair, script, mode)


def compare(pair: Pair, script: str, mode: str) -> None:
    different = DIFFERENT.get((script, mode), Difference())
    assert pair.launched.stdout.decode() == (
        pair.plain.stdout.decode() if different.out is None else different.out
    ), pair.launched.stderr.decode()
    if different.differs_in:
        assert different.differs_in in pair.launched.stderr.decode()
    else:
        assert pair.launched.stderr == pair.plain.stderr
    assert pair.launched.returncode == pair.plain.returncode == 0
    said = without_repeats(pair.seen["notes"])
    assert len(said) == len(different.notes), said
    for words in different.notes:
        kind, _, text = words.partition(" ")
        found = [note for note in said if note["kind"] == kind and text in note["text"]]
        assert found, (words, said)
        for note in found:
            assert Path(note["file"]).name == script, note
            assert note["line"] > 0, note


@pytest.mark.parametrize(
    ("version", "script"), [(ENDS[number % len(ENDS)], script) for number, script in enumerate(SCRIPTS)]
)
def test_the_same_or_the_listed_difference(version: str, script: str, run_both: Runner) -> None:
    check(str(PYTHONS[version]), script, run_both)


@pytest.mark.parametrize("script", ON_ALL)
@pytest.mark.parametrize("version", PYTHONS)
def test_likewise_on_each(version: str, script: str, run_both: Runner) -> None:
    check(str(PYTHONS[version]), script, run_both)


@pytest.mark.parametrize("script", ON_ALL)
def test_nothing_is_exchanged_unless_asked_for(script: str, run_both: Runner) -> None:
    pair = run_both(spec_of(str(PYTHONS[ENDS[-1]]), script, "asis"), env={"PYTHONWARNINGS": "ignore"})
    compare(pair, script, "asis")


def test_the_list_is_of_scripts_that_exist() -> None:
    assert {script for script, _ in DIFFERENT} <= set(SCRIPTS)
    assert {script for script in SCRIPTS if script.startswith("diff_")} <= {script for script, _ in DIFFERENT}
    assert len(SCRIPTS) >= 30


WHO = """
import os, sys
from {module} import {name}
if __name__ == "__main__":
    def work():
        print(os.getpid() == {pid}, flush=True)
    worker = {name}(target=work)
    worker.start()
    worker.join()
"""


@pytest.mark.parametrize(
    ("module", "name", "mode", "same"),
    [
        ("threading", "Thread", "asis", True),
        ("threading", "Thread", "threads", True),
        ("threading", "Thread", "processes", False),
        ("multiprocessing", "Process", "asis", False),
        ("multiprocessing", "Process", "threads", True),
        ("multiprocessing", "Process", "processes", False),
    ],
)
def test_it_really_is_the_other(
    python: str, module: str, name: str, mode: str, same: bool, run_both: Runner, tmp_path: Path
) -> None:
    (tmp_path / "who.py").write_text("import os\nPID = os.getpid()\n")
    code = WHO.format(module=module, name=name, pid="who.PID").replace(
        "import os, sys", "import os, sys, who"
    )
    (tmp_path / "script.py").write_text(code)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    spec = TargetSpec(kind="script", target=str(tmp_path / "script.py"), python=python, mode=mode)
    pair = run_both(spec)
    assert pair.launched.stdout == f"{same}\n".encode()
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


OUTSIDE = """
import logging.handlers, queue, socketserver, threading
import own, installed
print(own.threading is threading, installed.threading is threading, own.Thread is threading.Thread)
print(*(module.threading is threading for module in (installed, socketserver, logging)))
print(isinstance(threading.Thread(), installed.Thread), threading.Thread.__module__)
"""


@pytest.mark.parametrize("kind", ["script", "module", "code"])
def test_only_the_users_own_modules(python: str, kind: Kind, run_both: Runner, tmp_path: Path) -> None:
    for path in ("own.py", "lib/site-packages/installed.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("import threading\nfrom threading import Thread\n")
    (tmp_path / "outside.py").write_text(OUTSIDE)
    target = {"script": str(tmp_path / "outside.py"), "module": "outside", "code": OUTSIDE}[kind]
    env = {"PYTHONPATH": str(tmp_path / "lib" / "site-packages")}
    spec = TargetSpec(kind=kind, target=target, python=python, mode="processes")
    pair = run_both(spec, env=env)
    assert pair.launched.stderr == b""
    assert pair.launched.stdout.split(b"\n")[0] == b"True False True"
    assert pair.launched.stdout.split(b"\n")[1] == b"False False False"
    assert pair.launched.stdout.split(b"\n")[2].startswith(b"False gilscope.launch.swap.")
    assert pair.plain.stdout.split(b"\n")[2] == b"True threading"


def test_a_package_that_is_installed_and_run_with_m_is_the_users(
    python: str, run_both: Runner, tmp_path: Path
) -> None:
    package = tmp_path / "site-packages" / "tool"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("import threading\n")
    (package / "__main__.py").write_text(
        "import threading\nfrom tool import part\n"
        "print(threading.Thread.__module__ != 'threading', part.threading is threading)\n"
    )
    spec = TargetSpec(kind="module", target="tool", python=python, mode="processes")
    pair = run_both(spec, env={"PYTHONPATH": str(package.parent)})
    assert pair.launched.stdout == b"True True\n", pair.launched.stderr


def test_a_users_file_that_is_called_queue(python: str, run_both: Runner, tmp_path: Path) -> None:
    (tmp_path / "queue.py").write_text("Queue = 'mine'\n")
    (tmp_path / "script.py").write_text("import queue\nprint(queue.Queue)\n")
    target = str(tmp_path / "script.py")
    pair = run_both(TargetSpec(kind="script", target=target, python=python, mode="processes"))
    assert pair.launched.stdout == b"mine\n"


@pytest.mark.parametrize("mode", ["threads", "processes"])
def test_a_program_without_workers_is_as_it_was(python: str, mode: str, run_both: Runner) -> None:
    code = "import sys\nprint(__name__, sys.argv, sys.path[0], 'threading' in sys.modules)\nsys.exit(3)"
    pair = run_both(TargetSpec(kind="code", target=code, args=("a",), python=python, mode=mode))
    assert pair.launched == pair.plain


# The notes reach the recording and the summary.


def test_notes_are_told_at_the_end(tmp_path: Path) -> None:
    outcome = watch(tmp_path, "swap/diff_globals.py", mode="processes")
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout == b"0 [] 0\n"
    notes = outcome.summary["notes"]
    assert sorted(note["times"] for note in notes) == [3, 3, 3]
    assert any("the global total of diff_globals.py" in note["text"] for note in notes)
    assert all(note["text"].endswith("(diff_globals.py:15)") for note in notes)
    assert "Not the same in processes:" in outcome.stderr
    reader = RecordingReader(outcome.recording)
    events = [event for event in reader.events() if event.kind == "swap-note"]
    assert len(events) == 9
    assert reader.session().mode == "processes"
    assert reader.session().workers is None
    reader.close()
    again = gilscope(tmp_path, "report", outcome.recording).stdout.decode()
    assert "Not the same in processes:" in again


def test_without_a_note_there_is_no_heading(tmp_path: Path) -> None:
    outcome = watch(tmp_path, "swap/pipeline.py", mode="processes")
    assert outcome.summary["notes"] == []
    assert "Not the same" not in outcome.stderr

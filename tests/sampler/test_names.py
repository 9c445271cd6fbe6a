"""Names of threads that the kernel knows."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gilscope.sampler.stacks import StackCollector, names_its_threads
from gilscope.sources.processes import thread_names
from gilscope.sources.pyspy import PySpy
from gilscope.sources.pyspy_results import Names, Stacks
from tests.commands import watch
from tests.pythons import found_free_threaded


@pytest.mark.parametrize(
    ("python", "expected"),
    [("3.14.0", True), ("3.14", True), ("4.0.1", True), ("3.13.5", False), ("2.7.18", False), (None, False),
     ("3", False), ("x.y", False), ("", False)],
)  # fmt: skip
def test_who_names_them(python: str | None, expected: bool) -> None:
    assert names_its_threads(python) is expected


def test_a_name_that_is_the_programs_own_is_none() -> None:
    """GIVEN a thread that named itself for the kernel, and one that did not."""
    go, done, tids = threading.Event(), threading.Event(), {}

    def work(name: str | None) -> None:
        tid = threading.get_native_id()
        if name is not None:
            Path(f"/proc/self/task/{tid}/comm").write_text(name)
        tids[name] = tid
        if len(tids) == 2:
            go.set()
        done.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("loader-1", None)]
    for thread in threads:
        thread.start()
    assert go.wait(60)
    main = Path(f"/proc/{os.getpid()}/comm").read_text()
    Path(f"/proc/self/task/{tids[None]}/comm").write_text(main)
    try:
        assert thread_names(os.getpid(), [*tids.values(), 2**22 - 1]) == {tids["loader-1"]: "loader-1"}
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.skipif("3.14t" not in found_free_threaded(), reason="no free-threaded 3.14 was found")
def test_threads_of_a_new_python_have_their_names(tmp_path: Path) -> None:
    """py-spy cannot read it; the kernel can be asked."""
    outcome = watch(tmp_path, "cpu_threads.py", 3, 1, python=found_free_threaded()["3.14t"])
    assert outcome.code == 0, outcome.stderr
    names = {lane["name"] for lane in outcome.summary["lanes"]}
    assert not {name for name in names if name.startswith("thread ")}, names


def test_threads_of_c_libraries_have_the_kernels_names() -> None:
    """py-spy names Python's threads; what it leaves out may have told the kernel who it is."""
    renamed: dict[int, str] = {}
    tids: list[int] = []
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        tids.append(threading.get_native_id())
        Path(f"/proc/self/task/{tids[0]}/comm").write_text("ZMQbg/IO/0")
        go.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    assert go.wait(60)
    lanes = SimpleNamespace(rename=renamed.update, some_unnamed=lambda _most: tids)
    watch: Any = SimpleNamespace(pid=os.getpid(), lanes=lanes, tasks=SimpleNamespace(whole=False))
    names = Names(pid=os.getpid(), names={1: "MainThread"}, stacks=Stacks((), 0, 1), cpu_ns=0)
    try:
        StackCollector(PySpy("py-spy")).take(names, {os.getpid(): watch}, lambda _pid, _tid: None, 0)
    finally:
        done.set()
        thread.join()
    assert renamed == {1: "MainThread", tids[0]: "ZMQbg/IO/0"}

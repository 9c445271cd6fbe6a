"""py-spy: what it prints, taken apart; real calls; and a py-spy that misbehaves."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import IO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.model import Frame
from gilscope.sources import pyspy
from gilscope.sources.pyspy import MAX_FAILURES, PySpy, find_executable
from gilscope.sources.pyspy_call import RECORD_RATE_HZ, Call
from gilscope.sources.pyspy_results import Names, PySpyFailure, Result, Stacks
from gilscope.sources.pyspy_text import Stack, parse_dump, parse_stacks
from tests.pythons import found_pythons
from tests.watched import is_gone, open_descriptors, wait_for, watched

NAMELESS = '[{"os_thread_id": "x", "thread_name": 1}]'
F, G = Frame(function="<module>", file="/a b/x.py", line=3), Frame(function="f", file="y.py", line=14)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("thread (12): Main;<module> (/a b/x.py:3);f (y.py:14) 7", Stack(5, 12, "Main", (F, G), 7)),
        ("thread (12);<module> (/a b/x.py:3) 1", Stack(5, 12, None, (F,), 1)),
        ('process 9:"python3 x.py";thread (12): a;f (y.py:14) 2', Stack(9, 12, "a", (G,), 2)),
        ('process 9:"python -c a; b (c.py:1)";thread (12): a;f (y.py:14) 2', Stack(9, 12, "a", (G,), 2)),
        ("process 9;thread (12): a;f (y.py:14) 2", Stack(5, 12, "a", (G,), 2)),
        ("thread (12): a;b; c;f (y.py:14) 2", Stack(5, 12, "a;b; c", (G,), 2)),
        ("thread (12): worker (3): x;f (y.py:14) 2", Stack(5, 12, "worker (3): x", (G,), 2)),
        ("thread (12): ü 你好 \u200b;f (y.py:14) 2", Stack(5, 12, "ü 你好 \u200b", (G,), 2)),
        ("thread (12): ;f (y.py:14) 2", Stack(5, 12, "", (G,), 2)),
        (
            "thread (12): a;f (w (1).py:14) 2",
            Stack(5, 12, "a", (Frame(function="f", file="w (1).py", line=14),), 2),
        ),
        (
            "thread (12): a;<listcomp> (b:c.py:14) 2",
            Stack(5, 12, "a", (Frame(function="<listcomp>", file="b:c.py", line=14),), 2),
        ),
    ],
)  # fmt: skip
def test_a_line_of_a_record(line: str, expected: Stack) -> None:
    assert parse_stacks(line + "\n", 5) == (expected,)


@pytest.mark.parametrize(
    "line",
    [
        "7", "nothing", "thread (12): a 7", "thread (12): a;f (y.py:14)", "f (y.py:14) 2", ";;; 3",
        "thread (0x7F3A00AB): a;f (y.py:14) 2", "thread (0x12): a;f (y.py:14) 2",
        "thread (x): a;f (y.py:1) ²",
        "thread (7F3A00AB): a;f (y.py:14) 2",
    ],
)  # fmt: skip
def test_lines_that_name_no_thread_of_the_kernel(line: str) -> None:
    """py-spy writes Python's own id in hexadecimal where it has no other: that is no tid."""
    if "0x" not in line:
        with pytest.raises(ValueError, match="no line"):
            parse_stacks(line, 5)
    good = "thread (12): b;f (y.py:14) 2"
    assert parse_stacks(f"{line}\n{good}", 5) == (Stack(5, 12, "b", (G,), 2),)


@given(st.text() | st.text(st.sampled_from('thread (12): process 3;"x.py:14)\n ²')))
def test_any_text_of_a_record(text: str) -> None:
    with contextlib.suppress(ValueError):
        for stack in parse_stacks(text, 5):
            assert stack.count >= 0
            assert stack.frames


def test_no_stacks_at_all() -> None:
    assert parse_stacks("", 5) == ()
    assert parse_stacks("\n", 5) == ()


def test_threads_known_by_pythons_id_only() -> None:
    asked = []

    def find(pid: int, told: int, thread_id: int) -> int:
        assert told == 0
        asked.append((pid, thread_id))
        return 12 if thread_id == 0x7F3A00AB else 0

    lines = "thread (0x7F3A00AB): a;f (y.py:14) 2\nthread (0x1): b;f (y.py:14) 3\n"
    assert parse_stacks(lines, 5, find) == (Stack(5, 12, "a", (G,), 2),)
    text = """[{"thread_id": 2134507691, "thread_name": "a", "os_thread_id": null},
               {"thread_id": 1, "thread_name": "b"}]"""
    assert parse_dump(text, 5, find) == ({12: "a"}, ())
    assert asked == [(5, 0x7F3A00AB), (5, 1)] * 2


def test_a_dump() -> None:
    text = """[
        {"pid": 1, "thread_id": 9, "thread_name": "ü;\\n (x)", "os_thread_id": 12, "owns_gil": true,
         "frames": [{"name": "inner", "filename": "/a b.py", "line": 3},
                    {"name": "outer", "filename": "c", "line": 0}]},
        {"pid": 1, "thread_id": 9, "os_thread_id": 14, "owns_gil": false, "frames": [{}]},
        {"pid": 1, "thread_id": 9, "thread_name": null, "os_thread_id": 13, "frames": []},
        {"pid": 1, "thread_id": 9, "thread_name": "x", "os_thread_id": null, "frames": []}
    ]"""
    outer, inner = Frame(function="outer", file="c", line=0), Frame(function="inner", file="/a b.py", line=3)
    assert parse_dump(text, 1) == (
        {12: "ü;\n (x)"},
        (Stack(1, 12, "ü;\n (x)", (outer, inner), 1),),
    )
    assert parse_dump("[]", 1) == ({}, ())


def wait_results(spy: PySpy, now_ns: int) -> list[Result]:
    results: list[Result] = []

    def some() -> bool:
        results.extend(spy.poll(now_ns))
        return bool(results)

    wait_for(some, "no result")
    return results


@pytest.mark.parametrize("version", list(found_pythons()))
def test_a_real_dump(version: str) -> None:
    before = open_descriptors()
    started: list[int] = []
    with watched("cpu_threads.py", 3, python=found_pythons()[version]) as target:
        spy = PySpy(on_start=started.append)
        assert spy.dump(target.pid, 1) is None
        assert spy.dumping(target.pid)
        assert not spy.dumping(1)
        assert not spy.recording
        (names,) = wait_results(spy, 2)
        assert isinstance(names, Names), names
        assert names.pid == target.pid
        assert names.names[target.pid] == "MainThread"
        assert sorted(name for tid, name in names.names.items() if tid != target.pid) == [
            "cpu-0",
            "cpu-1",
            "cpu-2",
        ]
        assert set(names.names) == {target.pid, *target.tids}
        for stack in names.stacks.stacks:
            assert stack.tid in target.tids
            assert stack.frames[-1].file.endswith("cpu_threads.py")
        assert len(started) == 1
        assert spy.cpu_ns() > 0
        spy.close()
    assert open_descriptors() == before


def catches_interrupts(pid: int) -> bool:
    """A py-spy does so just before it begins to sample."""
    (caught,) = re.findall(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


def waits(pid: int) -> int:
    """How often it has waited: at each sample for the next one."""
    (times,) = re.findall(r"\nvoluntary_ctxt_switches:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(times)


@pytest.mark.parametrize("version", list(found_pythons())[::4])
def test_a_real_record(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyspy, "FIRST_RECORD_S", 2)
    with watched("cpu_threads.py", 2, python=found_pythons()[version]) as target:
        spy = PySpy()
        assert spy.record(target.pid, 5) is None
        assert spy.recording
        assert spy.poll(6) == []
        (stacks,) = wait_results(spy, 99)
        assert isinstance(stacks, Stacks), stacks
        assert (stacks.start_ns, stacks.end_ns) == (5, 99)
        assert {stack.tid for stack in stacks.stacks} == set(target.tids)
        assert {stack.name for stack in stacks.stacks} == {"cpu-0", "cpu-1"}
        assert {stack.pid for stack in stacks.stacks} == {target.pid}
        assert {stack.frames[-1].function for stack in stacks.stacks} == {"work"}
        assert all(stack.frames[-1].file.endswith("tests/targets/cpu_threads.py") for stack in stacks.stacks)
        assert 5 <= sum(stack.count for stack in stacks.stacks) <= 3 * RECORD_RATE_HZ
        # The next one takes longer; asked to, it ends at once with what it has.
        spy.record(target.pid, 100)
        pid = spy._calls[0].process.pid
        wait_for(lambda: catches_interrupts(pid), "py-spy does not begin")
        before = waits(pid)
        wait_for(lambda: waits(pid) >= before + 6, "py-spy does not sample")
        spy.finish_soon()
        # What it has then is attributed even where the target has gone.
        target.kill()
        (more,) = wait_results(spy, 101)
        assert isinstance(more, Stacks), more
        assert more.stacks
        assert {stack.tid for stack in more.stacks} <= set(target.tids)
        assert {stack.pid for stack in more.stacks} == {target.pid}
        spy.close()


def test_a_target_that_is_gone() -> None:
    with watched("cpu_threads.py", 1) as target:
        target.kill()
        spy = PySpy()
        spy.dump(target.pid, 7)
        (failure,) = wait_results(spy, 8)
        assert isinstance(failure, PySpyFailure)
        assert failure.pid == target.pid
        assert failure.start_ns == 7
        assert not failure.final
        assert "py-spy dump failed: " in failure.reason
        assert "\n" not in failure.reason
        spy.close()


def test_none_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_executable() is not None
    monkeypatch.setattr(pyspy, "find_executable", lambda: None)
    spy = PySpy()
    assert not spy.usable
    failure = spy.dump(1, 3)
    assert failure is not None
    assert failure.final
    assert "not installed" in failure.reason
    spy.close()
    spy = PySpy(str(tmp_path / "none"))
    failures = [spy.record(1, number) for number in range(MAX_FAILURES)]
    assert [failure.final for failure in failures if failure] == [False, False, True]
    assert failures[0] is not None
    assert "cannot be started: No such file" in failures[0].reason
    assert not spy.usable
    spy.close()


def fake(tmp_path: Path, body: str) -> PySpy:
    path = tmp_path / "py-spy"
    path.write_text(f'#!/bin/sh\nfor a in "$@"; do [ "$last" = -o ] && out=$a; last=$a; done\n{body}\n')
    path.chmod(0o700)
    return PySpy(str(path))


FAILING = [
    ("echo 'Error: it is broken' >&2; exit 3", "failed: it is broken"),
    ("echo 'py-spy> hello' >&2; echo one >&2; echo two >&2; exit 1", "failed: one; two"),
    ("exit 9", "failed: it said nothing"),
    ("kill -9 $$", "failed: it said nothing"),
    ("head -c 3000 /dev/zero | tr '\\0' x >&2; exit 1", "failed: " + 200 * "x"),
    ("printf '\\377\\376' >&2; exit 1", "failed: "),
]


@pytest.mark.parametrize("kind", ["dump", "record"])
@pytest.mark.parametrize(("body", "reason"), FAILING)
def test_a_py_spy_that_fails(kind: str, body: str, reason: str, tmp_path: Path) -> None:
    spy = fake(tmp_path, body)
    failure = _call(spy, kind)
    assert failure.reason.startswith(f"py-spy {kind} {reason}")
    assert len(failure.reason) < 300
    assert not failure.final
    spy.close()


@pytest.mark.parametrize("kind", ["dump", "record"])
@pytest.mark.parametrize(
    "body", ["echo nonsense", "printf '\\377\\000\\n'",
        "echo '{\"a\": 1}'", "echo '[1, null]'", f"echo '{NAMELESS}'"]
)  # fmt: skip
def test_a_py_spy_that_writes_nonsense(kind: str, body: str, tmp_path: Path) -> None:
    spy = fake(tmp_path, f"({body}) > ${{out:-/dev/stdout}}")
    failure = _call(spy, kind)
    assert failure.reason.startswith(f"py-spy {kind} wrote what cannot be read")
    assert _call(spy, kind).final is False
    assert _call(spy, kind).final is True
    assert not spy.usable
    spy.close()


@pytest.mark.parametrize("kind", ["dump", "record"])
def test_a_py_spy_that_hangs(kind: str, tmp_path: Path) -> None:
    spy = fake(tmp_path, "exec sleep 60")
    assert (spy.dump(1, 0) if kind == "dump" else spy.record(1, 0)) is None
    assert spy.poll(int(9e9)) == []
    (failure,) = wait_results(spy, int(60e9))
    assert isinstance(failure, PySpyFailure)
    assert failure.reason == f"py-spy {kind} did not end in time"
    spy.close()


def test_success_forgives(tmp_path: Path) -> None:
    flag = tmp_path / "fail"
    flag.touch()
    spy = fake(tmp_path, f"[ -e {flag} ] && exit 1; echo '[]'")
    assert not _call(spy, "dump").final
    assert not _call(spy, "dump").final
    flag.unlink()
    spy.dump(1, 0)
    (names,) = wait_results(spy, 1)
    assert isinstance(names, Names)
    assert (names.pid, names.names) == (1, {})
    flag.touch()
    assert not _call(spy, "dump").final
    spy.close()


def test_close_ends_what_runs(tmp_path: Path) -> None:
    started: list[int] = []
    spy = fake(tmp_path, "exec sleep 60")
    spy._on_start = started.append
    spy.dump(1, 0)
    spy.record(1, 0)
    assert spy._folder is not None
    folder = spy._folder.path
    assert folder.stat().st_mode & 0o777 == 0o700
    spy.close(wait_s=0)
    assert not folder.exists()
    assert len(started) == 2
    assert all(not Path(f"/proc/{pid}").exists() for pid in started)


def _call(spy: PySpy, kind: str) -> PySpyFailure:
    failure = spy.dump(1, 0) if kind == "dump" else spy.record(1, 0)
    if failure is None:
        (result,) = wait_results(spy, 1)
        assert isinstance(result, PySpyFailure), result
        return result
    return failure


def test_asked_to_finish_when_it_has_just_ended(tmp_path: Path) -> None:
    spy = fake(tmp_path, "exit 0")
    assert spy.record(1, 0) is None
    pid = spy._calls[0].process.pid
    wait_for(lambda: is_gone(pid), "runs on")
    spy.finish_soon()
    (result,) = wait_results(spy, 1)
    assert isinstance(result, Stacks)
    spy.close()


def test_a_trace_begins_when_its_first_words_come(tmp_path: Path) -> None:
    """Not when their file was made, even if they come just as somebody looks for them."""
    path = tmp_path / "err"
    path.touch()
    os.utime(path, ns=(0, 0))

    class Late:
        stat = path.stat

        def open(self, **how: str) -> IO[str]:
            path.write_text("py-spy> Sampling process 100 times a second for 1 seconds.\n")
            return cast("IO[str]", path.open(**how))  # type: ignore[call-overload]

    process = cast("subprocess.Popen[bytes]", SimpleNamespace(pid=1, returncode=None))
    call = Call("trace", 1, process, 0, 0, path, cast("Path", Late()))
    call.note_begin()
    assert call.begun_ns is not None
    assert abs(call.begun_ns - time.monotonic_ns()) < 60e9

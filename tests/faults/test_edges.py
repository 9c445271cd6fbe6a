"""Faults at the sources' edges: what the kernel, psutil, SQLite and the clock may do to a session."""

from __future__ import annotations

import ast
import errno
import os
import sqlite3
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from gilscope.clock import MonotonicClock
from gilscope.errors import RecordingError
from gilscope.model import WAITS_NOT_KNOWN, Tick
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources import cores, processes
from gilscope.sources.gil import GilProbe
from gilscope.sources.memory import ProcessMemory, ReadFailedError
from gilscope.sources.tasks import Seen, Task, Tasks
from tests.layouts.image import Image
from tests.recording.samples import SESSION, plain_holds, plain_ticks
from tests.watched import ROOT

ERRORS = ("EIO", "ESRCH", "EPERM", "EACCES", "ENOENT", "EFAULT", "EINTR", "EMFILE", "ENOMEM")
Pread = Callable[[int, int, int], bytes]


def failing(name: str) -> Pread:
    def pread(_fd: int, _size: int, _at: int) -> bytes:
        number = getattr(errno, name)
        raise OSError(number, os.strerror(number))

    return pread


def short(_fd: int, size: int, _at: int) -> bytes:
    return b"\x01" * (size // 2)


READS: dict[str, Pread] = {
    **{name: failing(name) for name in ERRORS},
    "short": short,
    "nothing": lambda *_: b"",
}


@pytest.mark.parametrize("kind", READS)
def test_memory_that_cannot_be_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = ProcessMemory(os.getpid())
    monkeypatch.setattr(os, "pread", READS[kind])
    for read in (lambda: memory.read(4096, 8), lambda: memory.pointer(4096), lambda: memory.int32(4096)):
        with pytest.raises(ReadFailedError, match=str(os.getpid())) as caught:
            read()
        assert len(str(caught.value).splitlines()) == 1
    memory.close()


@pytest.mark.parametrize("kind", READS)
def test_a_gil_that_cannot_be_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image((3, 13))
    image.add_thread(image.add_interpreter(), os.getpid(), 1)
    probe: GilProbe = image.reader().probes()[0]
    before = probe.sample()
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", READS[kind])
        with pytest.raises(ReadFailedError, match="the GIL cannot be read"):
            probe.sample()
    # It comes back as it was: nothing half-read is kept.
    assert probe.sample() == before
    image.memory.close()


@pytest.mark.parametrize("name", ["EPERM", "EACCES", "ENOENT", "ESRCH", "EMFILE"])
def test_memory_that_cannot_be_opened(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(getattr(errno, name), "refused")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ReadFailedError, match="cannot open the memory of process 1: refused"):
        ProcessMemory(1)


# Threads.


@pytest.fixture
def own_threads() -> Tasks:
    found = Tasks(os.getpid())
    found.sweep([])
    assert found.tasks
    return found


def test_a_thread_that_vanishes_between_two_reads(
    own_threads: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(own_threads.tasks)
    monkeypatch.setattr(own_threads, "cpu_ns", lambda: -5)
    monkeypatch.setattr(os, "pread", failing("ESRCH"))
    assert len(own_threads.sweep([]).ended) == before
    own_threads.close()


@pytest.mark.parametrize("raw", [b"x y z\n", b"1\n", b"", b"\xff" * 64, b"-\n", b"1 2\n"])
def test_times_that_are_none(raw: bytes, own_threads: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes of a thread that has just ended, and of a kernel that writes otherwise."""
    known = {tid: task.cpu_ns for tid, task in own_threads.tasks.items()}
    monkeypatch.setattr(own_threads, "cpu_ns", lambda: -5)
    monkeypatch.setattr(os, "pread", lambda *_: raw)
    swept = own_threads.sweep([])
    for task in swept.seen:
        assert raw == b"1 2\n" or task.cpu_ns == known[task.tid]
    own_threads.close()


@pytest.mark.parametrize(
    "raw", [b"202 zzz\n", b"202\n", b"\xff\xfe\n", b"futex\n", b"202 0x\n", b"202 " + b"f" * 250]
)
def test_a_call_that_is_none(raw: bytes, own_threads: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    task = next(iter(own_threads.tasks.values()))
    monkeypatch.setattr(os, "pread", lambda *_: raw)
    assert own_threads._look(task, [(17, 0x1000, 0x2000)])
    assert task.seen is Seen.ASLEEP
    assert task.waits_for is None
    own_threads.close()


@pytest.mark.parametrize("name", ["EPERM", "EACCES", "EIO"])
def test_calls_that_must_not_be_read(name: str, own_threads: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    task = next(iter(own_threads.tasks.values()))
    monkeypatch.setattr(os, "pread", failing(name))
    assert own_threads._look(task, [])
    assert task.seen is Seen.UNREADABLE
    ((kind, _),) = own_threads.not_known
    assert kind == WAITS_NOT_KNOWN
    own_threads.close()


def test_a_thread_that_ends_before_its_call_is_read(own_threads: Tasks) -> None:
    """Its file is gone with it: that is not a kernel that has no such file."""
    gone = Task(2**22, 0, -1)
    assert not own_threads._look(gone, [])
    assert own_threads.not_known == []
    own_threads.close()


def test_a_core_that_is_none(own_threads: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    task = next(iter(own_threads.tasks.values()))
    for raw in (b"", b"1 (x) R", b"1 (a) b) R " + b"z " * 60):
        monkeypatch.setattr(os, "pread", lambda *_, raw=raw: raw)
        assert own_threads._core(task) == task.core
    own_threads.close()


def test_no_schedstat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without it: threads have the coarse times of `stat`, none has one of zero for that."""
    opened = os.open

    def without(path: object, *rest: int) -> int:
        if str(path).endswith("/schedstat"):
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
        return opened(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", without)
    threads = Tasks(os.getpid())
    own = next(task for task in threads.sweep([]).seen if task.tid == threading.get_native_id())
    assert own.cpu_ns >= 10**7
    assert own.cpu_ns % (10**9 // os.sysconf("SC_CLK_TCK")) == 0
    assert own.queue_ns == 0
    assert threads.cpu_ns() > 0
    assert any("run queue" in told for _, told in threads.not_known)
    threads.close()


def test_processes_that_vanish_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = 2**22 + 1
    assert processes.facts(gone) is None
    assert processes.command_line(gone) == "?"
    assert processes.executable(gone) is None
    assert processes.children(gone, [gone]) == []
    assert processes.thread_names(gone, [gone]) == {}

    def vanishes(_fd: int, _size: int) -> bytes:
        raise ProcessLookupError(errno.ESRCH, "No such process")

    monkeypatch.setattr(os, "read", vanishes)
    assert processes.children(os.getpid(), [os.getpid()]) == []


# psutil.

PSUTIL: dict[str, Exception] = {
    "denied": psutil.AccessDenied(1), "zombie": psutil.ZombieProcess(1), "field": AttributeError("pss"),
    "zero": ZeroDivisionError(), "text": ValueError("could not convert string to float: 'cpu'"),
    "index": IndexError("list index out of range"), "key": KeyError("rss"),
    "io": OSError(errno.EIO, "I/O error"),
    "not permitted": PermissionError(errno.EPERM, "Operation not permitted"),
    "timeout": psutil.TimeoutExpired(1),
}  # fmt: skip


def raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("kind", PSUTIL)
def test_psutil_raises(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_times", raising(PSUTIL[kind]))
    with pytest.raises(ReadFailedError, match="the load of the cores cannot be read"):
        cores.CoreLoads().read(0)
    with monkeypatch.context() as patched:
        # What is dear fails: what is cheap is known.
        patched.setattr(psutil.Process, "memory_full_info", raising(PSUTIL[kind]))
        found = cores.footprint(os.getpid(), shares=True)
        if kind != "zombie":
            assert found is not None
            assert found.rss > 0
            assert found.pss is None
    monkeypatch.setattr(psutil.Process, "num_threads", raising(PSUTIL[kind]))
    assert cores.footprint(os.getpid(), shares=True) is None


def test_psutil_without_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil.Process, "memory_full_info", lambda _self: SimpleNamespace(rss=5))
    found = cores.footprint(os.getpid(), shares=True)
    assert found is not None
    assert (found.rss, found.pss, found.uss) == (5, None, None)


def test_a_process_that_is_gone_has_no_footprint() -> None:
    assert cores.footprint(2**22 + 1, shares=True) is None


@pytest.mark.parametrize(
    "content", ["", "max", "max 0", "5 0", "0 0", "a b", "-5 100000", "1e9 x", "\x00\xff", "1 2 3"]
)
def test_a_cgroup_that_says_nothing_of_use(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: content)
    assert 1 <= cores.usable_cores() <= cores.core_count()


# SQLite.


def _written(writer: RecordingWriter, tick: Tick) -> None:
    writer.put_tick(tick, plain_holds(tick))
    writer.commit()


def test_a_recording_that_somebody_locked(tmp_path: Path) -> None:
    path = tmp_path / "r.gilscope"
    writer = RecordingWriter(path, SESSION)
    writer._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    (tick,) = plain_ticks(1)
    with pytest.raises(RecordingError, match="locked"):
        _written(writer, tick)
    other.execute("ROLLBACK")
    other.close()
    reader = RecordingReader(path)
    assert reader.session() == SESSION
    reader.close()
    writer.discard()


def test_a_recording_that_is_overwritten_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.gilscope"
    writer = RecordingWriter(path, SESSION)
    for tick in plain_ticks(300):
        writer.put_tick(tick, plain_holds(tick))
    writer.close()
    # Which checks no page, as for one that is still written: none of them is in SQLite's memory yet.
    reader = RecordingReader(path, live=True)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(RecordingError, match="cannot be read as a recording"):
        list(reader.ticks())
    reader.close()


# Time.


def test_only_the_monotonic_clock_is_measured_with() -> None:
    """A clock that is set, by hand or by the network, moves nothing: nothing is measured with it."""
    wall = {"time", "time_ns", "ctime", "localtime", "gmtime"}
    for folder in ("sampler", "sources"):
        for path in (ROOT / "gilscope" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    path.name == "pyspy_call.py"
                    and isinstance(node, ast.Attribute)
                    and node.attr == "time_ns"
                ):
                    continue  # the stamp of a file that was just written, turned into the monotonic clock's
                if path.name in ("portable.py", "portable_tasks.py", "identity.py"):
                    continue  # psutil tells when a process started by the clock on the wall
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "time"
                ):
                    assert node.attr not in wall, f"{path}:{node.lineno}"


def test_a_clock_that_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MonotonicClock()
    before = clock.now_ns()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert clock.now_ns() >= before


def test_struct_errors_are_among_read_errors() -> None:
    """A short read ends in struct.error: it must be handled wherever a failed one is."""
    from gilscope.sources.gil import READ_ERRORS

    assert struct.error in READ_ERRORS

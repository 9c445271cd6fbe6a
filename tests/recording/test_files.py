"""Recordings as files: killed writers, what must not be overwritten, full disks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gilscope.errors import RecordingError
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter, make_way
from tests.recording.files import make, other_database, read_all
from tests.recording.samples import SESSION, plain_holds, plain_ticks
from tests.watched import ROOT, open_descriptors, wait_for

WRITER = """
import sys, time
from pathlib import Path
from gilscope.recording.writer import RecordingWriter
from tests.recording.samples import GIL, SESSION, plain_holds, plain_ticks
writer = RecordingWriter(Path(sys.argv[1]), SESSION)
writer.put_gils([GIL])
for tick in plain_ticks(100_000):
    writer.put_tick(tick, plain_holds(tick))
    writer.commit()
    print(tick.end_ns, flush=True)
    time.sleep(0.002)
"""


def test_a_reader_sees_each_commit(path: Path) -> None:
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    for tick in plain_ticks(30):
        writer.put_tick(tick, plain_holds(tick))
        assert reader.head_ns() == tick.start_ns
        writer.commit()
        assert reader.head_ns() == tick.end_ns
        assert reader.window(0, tick.end_ns).ticks[-1] == tick
    writer.close()
    assert reader.head_ns() == plain_ticks(30)[-1].end_ns
    reader.close()


def test_a_reader_sees_one_moment(path: Path) -> None:
    """A commit between two reads of one window is in none of them."""
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    ticks = plain_ticks(3)
    writer.put_tick(ticks[0])
    writer.commit()
    with reader._db.one_moment():
        assert reader.head_ns() == ticks[0].end_ns
        writer.put_tick(ticks[1])
        writer.commit()
        assert reader.head_ns() == ticks[0].end_ns
    assert reader.head_ns() == ticks[1].end_ns
    reader.close()
    writer.close()


def test_killed_in_the_middle(path: Path) -> None:
    """All but the last 100 ms is there, whatever the moment, also for a second reader afterwards."""
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            for _ in range(random.randrange(20, 60)):
                assert process.stdout.readline()
            live = RecordingReader(path, live=True)
            assert live.head_ns() > 0
            process.kill()
            said = [int(line) for line in process.stdout.read().split(b"\n")[:-1] if line]
        live.close()
        for _ in range(2):
            reader = RecordingReader(path)
            head = reader.head_ns()
            if said:
                assert said[-1] <= head <= said[-1] + 100_000_000
            ticks = list(reader.ticks())
            assert [tick.index for tick in ticks] == list(range(len(ticks)))
            assert len(reader.window(0, head).holds) == len(ticks)
            assert reader.session() == SESSION
            reader.close()
        read_all(path)


def test_one_single_private_file(path: Path) -> None:
    before = open_descriptors()
    old = os.umask(0)
    try:
        make(path)
    finally:
        os.umask(old)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600
    read_all(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert open_descriptors() == before


def test_private_while_it_is_written(path: Path) -> None:
    old = os.umask(0)
    try:
        writer = RecordingWriter(path, SESSION)
        writer.put_tick(plain_ticks(1)[0])
        writer.commit()
    finally:
        os.umask(old)
    files = list(path.parent.iterdir())
    assert len(files) > 1
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    writer.discard()
    assert list(path.parent.iterdir()) == []


def test_closed_while_somebody_views(path: Path) -> None:
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    ticks = plain_ticks(25)
    for tick in ticks:
        writer.put_tick(tick)
    with reader._db.one_moment():
        assert reader.head_ns() == 0
        writer.close()
    assert reader.head_ns() == ticks[-1].end_ns
    reader.close()
    read_all(path)
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_a_file_that_may_only_be_read(path: Path) -> None:
    make(path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        read_all(path)
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("name", ["a b%41?#.gilscope", "ü你.gilscope", "-x.gilscope", "'\";.gilscope"])
def test_any_name(name: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    read_all(tmp_path / name)


def test_what_is_no_recording_is_not_overwritten(path: Path) -> None:
    path.write_text("precious")
    for attempt in (lambda: RecordingWriter(path, SESSION), lambda: make_way(path)):
        with pytest.raises(RecordingError, match="not overwritten"):
            attempt()
    assert path.read_text() == "precious"
    other_database(path)
    before = path.read_bytes()
    with pytest.raises(RecordingError, match="not overwritten"):
        RecordingWriter(path, SESSION)
    assert path.read_bytes() == before
    path.unlink()
    path.mkdir()
    with pytest.raises(RecordingError, match="Is a directory"):
        RecordingWriter(path, SESSION)


def test_a_recording_is_replaced(path: Path) -> None:
    make(path)
    RecordingWriter(path, SESSION).close()
    reader = RecordingReader(path)
    assert reader.session() == SESSION
    assert reader.head_ns() == 0
    reader.close()
    path.write_bytes(b"")  # such as mktemp makes
    RecordingWriter(path, SESSION).close()
    read_all(path)


@pytest.mark.parametrize("where", ["/nowhere/x.gilscope", "/proc/x.gilscope", "/dev/null/x"])
def test_where_nothing_can_be_written(where: str) -> None:
    before = open_descriptors()
    with pytest.raises(RecordingError, match="Cannot write the recording") as caught:
        RecordingWriter(Path(where), SESSION)
    assert "-o FILE" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2
    del caught
    assert open_descriptors() == before


def test_a_link_is_not_followed_to_something_else(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "x.gilscope"
    link.symlink_to(victim)
    with pytest.raises(RecordingError):
        RecordingWriter(link, SESSION)
    assert victim.read_text() == "precious"


FILLER = """
import resource, sys
from pathlib import Path
from gilscope.errors import RecordingError
from gilscope.recording.writer import RecordingWriter
from tests.recording.samples import SESSION, plain_holds, plain_ticks
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
writer = RecordingWriter(Path(sys.argv[1]), SESSION)
done = 0
try:
    for tick in plain_ticks(100_000):
        writer.put_tick(tick, plain_holds(tick))
        writer.commit()
        done = tick.end_ns
except RecordingError as error:
    print(done, error, sep="|")
    writer.close()
"""


def test_a_full_disk(path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", FILLER, path], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    done, _, said = answer.stdout.partition("|")
    assert int(done) > 0
    assert said.startswith(f"Cannot go on writing the recording {path}: ")
    reader = RecordingReader(path)
    assert int(done) - 100_000_000 <= reader.head_ns() <= int(done)
    reader.close()
    read_all(path)


def test_the_writer_waits_for_no_viewer(path: Path) -> None:
    """A viewer in the middle of a long read delays no commit."""
    writer = RecordingWriter(path, SESSION)
    reader = RecordingReader(path, live=True)
    with reader._db.one_moment():
        reader.head_ns()
        begin = time.monotonic()
        for tick in plain_ticks(50):
            writer.put_tick(tick)
            writer.commit()
        assert time.monotonic() - begin < 4
    writer.close()
    reader.close()


def test_interrupts_are_for_others(path: Path) -> None:
    """SIGXFSZ, which a full quota sends, is an error to the writer and no death."""
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
    wait_for(lambda: not path.exists(), "never")

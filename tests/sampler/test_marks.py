"""Marks of a viewer, written by the sampler while it records, and by nobody else."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from gilscope.errors import RecordingError
from gilscope.launch.remote import SamplerLink
from gilscope.launch.spec import resolve_spec
from gilscope.model import Mark
from gilscope.recording.marks import add_mark
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sampler.config import SamplerConfig
from tests.recording.samples import SESSION, plain_ticks
from tests.watched import wait_for


def marks(path: Path) -> tuple[Mark, ...]:
    try:
        reader = RecordingReader(path, live=True)
    except RecordingError:
        return ()  # it has only just been made
    try:
        return reader.marks()
    finally:
        reader.close()


def test_the_sampler_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "r.gilscope"
    spec = resolve_spec(code="import time; time.sleep(600)")
    link = SamplerLink.start(SamplerConfig(spec=spec, recording=path, columns=80, rows=24).to_json())
    try:
        wait_for(lambda: path.exists() and link.alive(), "no recording")

        def told() -> bool:
            # Until the target is let go, nobody takes a mark.
            link.put_mark(7, "ü note")
            return bool(marks(path))

        wait_for(told, "no mark")
        link.stop_target()
        link.finish(60)
        assert link.error is None
        assert set(marks(path)) == {Mark(at_ns=7, text="ü note")}
    finally:
        link._process.kill()
        link._process.wait()
        link._line.close()
        link._errors.close()


def test_a_finished_recording_is_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "r.gilscope"
    RecordingWriter(path, SESSION).close()
    reader = RecordingReader(path)
    add_mark(path, Mark(at_ns=5, text="a\udcffb"))
    add_mark(path, Mark(at_ns=3, text=""))
    assert reader.marks() == (Mark(at_ns=3, text=""), Mark(at_ns=5, text="a\\udcffb"))
    reader.close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_recording_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "r.gilscope"
    RecordingWriter(path, SESSION).close()
    with pytest.raises(RecordingError, match="not kept"):
        add_mark(tmp_path / "none.gilscope", Mark(at_ns=1, text=""))
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RecordingError, match="not kept"):
            add_mark(path, Mark(at_ns=1, text=""))
        db.execute("ROLLBACK")
    db.close()
    assert marks(path) == ()


def test_a_mark_beside_a_writer_loses_none_of_its_rows(tmp_path: Path) -> None:
    """Where the app cannot know that another sampler still writes: both get through."""
    path = tmp_path / "r.gilscope"
    writer = RecordingWriter(path, SESSION)
    ticks = plain_ticks(400)
    stop = threading.Event()
    errors: list[Exception] = []

    def mark() -> None:
        number = 0
        while not stop.is_set() and number < 50:
            try:
                add_mark(path, Mark(at_ns=number, text=""))
            except RecordingError as error:
                errors.append(error)
            number += 1

    other = threading.Thread(target=mark)
    other.start()
    for tick in ticks:
        writer.put_tick(tick)
        writer.commit()
    stop.set()
    other.join()
    writer.close()
    reader = RecordingReader(path)
    assert list(reader.ticks()) == ticks
    assert len(reader.marks()) + len(errors) >= 1
    reader.close()

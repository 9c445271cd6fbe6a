"""A session that begins or ends while a viewer looks at it: it is shown to its end, and all of it."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gilscope.errors import RecordingError
from gilscope.model import NS_PER_MS, Session
from gilscope.recording import schema
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.views.viewing import Viewing
from tests.recording.samples import SESSION, plain_ticks


class Late(RecordingReader):
    """After the first thing that it is asked for, something happens."""

    then: Callable[[], None] | None = None

    def _happens(self) -> None:
        then, self.then = self.then, None
        if then is not None:
            then()

    def head_ns(self) -> int:
        found = super().head_ns()
        self._happens()
        return found

    def session(self) -> Session:
        found = super().session()
        self._happens()
        return found


def test_the_end_of_a_session_comes_between_two_reads(tmp_path: Path) -> None:
    path = tmp_path / "r.gilscope"
    live = dataclasses.replace(SESSION, ended_ns=None)
    writer = RecordingWriter(path, live)
    first, *others = plain_ticks(4)
    writer.put_tick(first)
    writer.commit()
    reader = Late(path, live=True)
    viewing = Viewing(reader)

    def ends() -> None:
        for tick in others:
            writer.put_tick(tick)
        writer.put_session(dataclasses.replace(live, ended_ns=others[-1].end_ns))
        writer.close()

    reader.then = ends
    for _ in range(3):
        viewing.poll(session=True)
        viewing.advance(20 * NS_PER_MS)
    assert not viewing.growing
    assert viewing.playback.position_ns == viewing.head_ns == others[-1].end_ns
    reader.close()


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_a_file_on_its_way_through_the_schemas_is_not_open_yet(version: int, tmp_path: Path) -> None:
    """A viewer of it would have a copy brought up to date, in which nothing ever happens."""
    path = tmp_path / "r.gilscope"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        writer.execute("PRAGMA journal_mode = WAL")
        schema.migrate(writer, version)
        with pytest.raises(RecordingError, match="still being made"):
            RecordingReader(path, live=True)

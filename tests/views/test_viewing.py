"""What a viewer reads of a recording piece by piece is what it would read at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilscope.model import NS_PER_MS, State
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.cells import fold
from gilscope.views.viewing import Viewing

HELD = (State.RUNNING, State.HOLDING)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RecordingReader:
    path: Path = tmp_path_factory.mktemp("viewing") / "scripted.gilscope"
    session = ScriptedSession(Script())
    writer = RecordingWriter(path, session.head(0))
    write(session, writer)
    writer.close()
    return RecordingReader(path)


@pytest.mark.parametrize("position_ms", [403, 421, 449, 450, 451, 1337])
@pytest.mark.parametrize("cell_ms", [1, 2, 5])
def test_partly_wanted_ticks_are_laid_out_as_whole_ones(
    reader: RecordingReader, position_ms: int, cell_ms: int
) -> None:
    """GIVEN the cells up to a moment in the middle of a tick THEN no lane runs in them that did not."""
    viewing = Viewing(reader)
    viewing.columns = 37
    viewing.zoom(0)
    viewing._set_cell(cell_ms * NS_PER_MS)
    viewing.seek(position_ms * NS_PER_MS)
    timeline = viewing.timeline()
    while viewing.more:
        timeline = viewing.timeline()
    first, count = max(0, viewing.edge - 37), 37
    whole = fold(reader.window(0, 2_000 * NS_PER_MS), cell_ms * NS_PER_MS, first, count)
    lanes = reader.lanes()
    rows = {lane.key: timeline.row(lane, None, first, count) for lane in lanes}
    assert any(state in HELD for row in rows.values() for state in row)
    for lane, row in rows.items():
        if lane in whole.rows:
            assert row == whole.rows[lane]

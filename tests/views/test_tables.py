"""Threads and processes as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import DataTable, Input

from gilscope.cli.common import figures_until
from gilscope.clock import FakeClock
from gilscope.recording.reader import RecordingReader
from gilscope.views.app import GilscopeApp
from gilscope.views.screens.tables import TableScreen
from gilscope.views.tables import PROCESSES, TABLES, THREADS, UNKNOWN, cells
from tests.views.conftest import ready, wait


@pytest.fixture
def summary(finished: Path) -> dict[str, Any]:
    reader = RecordingReader(finished)
    try:
        return figures_until(reader, reader.head_ns())
    finally:
        reader.close()


def test_every_row_has_every_cell(summary: dict[str, Any]) -> None:
    for table in TABLES.values():
        for by in range(len(table.columns)):
            for backwards in (False, True):
                rows = cells(table, summary, by=by, backwards=backwards)
                assert len(rows) == len(table.rows(summary))
                assert {len(row) for row in rows} <= {len(table.columns)}
                assert "None" not in str(rows)


def test_sorted_with_the_unknown_last(summary: dict[str, Any]) -> None:
    lanes = [
        {**lane, "cpu_s": cpu} for lane, cpu in zip(summary["lanes"], [None, 3.0, 1.0, 2.0], strict=False)
    ]
    by = [column.head for column in THREADS.columns].index("CPU s")
    for backwards, expected in ((True, ["3.00", "2.00", "1.00"]), (False, ["1.00", "2.00", "3.00"])):
        found = [row[by] for row in cells(THREADS, {"lanes": lanes}, by=by, backwards=backwards)]
        assert found == [*expected, UNKNOWN][: len(lanes)]


def test_a_process_without_a_gil_has_none(summary: dict[str, Any]) -> None:
    program = {
        **summary["processes"][0],
        "pid": 99_999,
        "python": None,
        "state": "zombie",
        "command": "\x1b[2Jsh",
        "name": "resizer\x07",
    }
    rows = cells(PROCESSES, {**summary, "processes": [program]}, by=0, backwards=False)
    assert "none" in rows[0]
    assert "zombie" in rows[0]
    assert rows[0][-1] == "resizer\N{REPLACEMENT CHARACTER}: \N{REPLACEMENT CHARACTER}[2Jsh"
    assert "\x1b" not in str(rows)


@given(st.text(max_size=5))
def test_a_filter_shows_rows_with_its_text(text: str) -> None:
    lanes = [
        {"pid": 1, "tid": 1, "cpu_s": 1, "held_share": 1, "name": name, "alive_s": 1, "waits": None}
        for name in ("worker-1", "Worker-2", "io")
    ]
    for row in cells(THREADS, {"lanes": lanes}, by=0, backwards=False, only=text):
        assert text.casefold() in " ".join(row).casefold() or not text


async def test_keys_of_a_table(finished: Path) -> None:
    app = GilscopeApp(
        finished,
        control=None,
        title="fib.py",
        clock=FakeClock(),
        summary_of=figures_until,
        at_ns=2_000_000_000,
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("6")
        await wait(pilot, lambda: isinstance(app.screen, TableScreen))
        grid = app.screen.query_one(DataTable)
        await wait(pilot, lambda: grid.row_count > 1)
        whole = grid.row_count
        heads = [str(column.label) for column in grid.ordered_columns]
        assert [head for head in heads if "▼" in head] == ["CPU s ▼"]
        await pilot.press("o")
        assert "holder ▼" in [str(column.label) for column in grid.ordered_columns]
        await pilot.press("r")
        assert "holder ▲" in [str(column.label) for column in grid.ordered_columns]
        await pilot.press("slash", *"main")
        await wait(pilot, lambda: 0 < grid.row_count < whole)
        await pilot.press("escape")
        await wait(pilot, lambda: grid.row_count == whole)
        assert not app.screen.query_one(Input).display
        await pilot.press("y")
        assert app.clipboard.count("\t") == len(THREADS.columns) - 1
        await pilot.press("escape")
        await wait(pilot, lambda: app.screen is app.dashboard)
        await pilot.press("7")
        await wait(pilot, lambda: isinstance(app.screen, TableScreen))
        await wait(pilot, lambda: app.screen.query_one(DataTable).row_count >= 1)
        await pilot.press("q")
        await wait(pilot, lambda: app.screen is app.dashboard)

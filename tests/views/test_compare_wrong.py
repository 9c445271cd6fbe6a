"""The comparison's screen over recordings gone, empty, broken or hostile: words, never a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gilscope.errors import RecordingError
from gilscope.sources.scripted import Script
from gilscope.views.compare_app import CompareApp
from gilscope.views.comparing import ComparedRun, ComparedTable
from tests.views.conftest import record
from tests.views.test_compare_app import A, B, app_of, press, screen_of, settled, text_of
from tests.views.test_render import FORBIDDEN, HOSTILE


def table() -> ComparedTable:
    return ComparedTable(labels=("A", "B"), rows=(("wall time", ("1 s", "?")),), advice=("Look.",))


def figures(label: str) -> dict[str, Any]:
    return {"label": label, "wall_s": None}


async def test_a_recording_that_is_gone_or_none_gets_words(tmp_path: Path) -> None:
    good, none = tmp_path / "good.gilscope", tmp_path / "none.gilscope"
    record(good, A).close()
    none.write_bytes(b"no recording" * 1_000)
    runs = [
        ComparedRun(recording=path, figures=figures(name))
        for name, path in (("A", good), ("B", tmp_path / "gone.gilscope"), ("C", none))
    ]
    app = CompareApp(runs, table())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot, app)
        text = text_of(app)
        assert "cpu-0" in text
        assert "gone.gilscope" in text
        assert "none.gilscope" in text
        assert "? s" in text


async def test_an_empty_recording_gets_words(tmp_path: Path) -> None:
    path = tmp_path / "empty.gilscope"
    record(path, A, ticks=0).close()
    app = CompareApp([ComparedRun(recording=path, figures=figures("A"))] * 2, table())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, app)
        assert "Nothing was recorded" in text_of(app)
        await press(pilot, app, "plus", "l", "j", "end", "t", "minus")


async def test_a_recording_that_breaks_while_it_is_read_gets_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = app_of(tmp_path, A, B)
    async with two.run_test(size=(100, 30)) as pilot:
        await settled(pilot, two)

        def broken(*_: object) -> None:
            raise RecordingError("It is damaged.\nTake another.")

        assert two.sections[0]._reader is not None
        monkeypatch.setattr(two.sections[0]._reader, "window", broken)
        await press(pilot, two, "plus")
        assert "It is damaged. Take another." in text_of(two)
        assert "B processes" in text_of(two)


async def test_one_that_nobody_ended_says_so(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.gilscope" for n in range(2)]
    for path in paths:
        record(path, A, ticks=20).close()
    app = CompareApp([ComparedRun(recording=path, figures=figures("A")) for path in paths], table())
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot, app)
        assert "no end ┐" in text_of(app)


async def test_hostile_text_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "hostile.gilscope"
    record(path, Script(seconds=1, command=HOSTILE, mode=HOSTILE, processes=2)).close()
    hostile = ComparedTable(labels=(HOSTILE,), rows=((HOSTILE, (HOSTILE,)),), advice=(HOSTILE,))
    app = CompareApp([ComparedRun(recording=path, figures=figures(HOSTILE))], hostile)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot, app)
        assert not any(FORBIDDEN.search(line) for line in screen_of(app))

"""A large recording is shown while its pages are checked: what is damaged in it ends the app with words."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from gilscope.views import app as apps
from gilscope.views.app import GilscopeApp
from gilscope.views.thinking import ThinkingApp
from tests.fuzz import bases
from tests.views.conftest import ready, replay, wait


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every recording is."""
    monkeypatch.setattr(apps, "LARGE_BYTES", 0)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check in the background has not ended when the frames come to what is damaged."""
    monkeypatch.setattr(ThinkingApp, "check_pages", lambda _self: None)


def damaged(path: Path, *statements: str) -> Path:
    """A recording with rows of types that its tables do not take."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(bases.loose(0))
        for statement in statements:
            db.execute(statement)
        bases.strict(db, 0)
        path.write_bytes(db.serialize())
    return path


WRONG = {
    "times": "UPDATE lane_tick SET running_ns = x'00'",
    "names": "UPDATE thread SET name = x'07'",
    "commands": "UPDATE process SET command = x'ff'",
    "loads": "UPDATE core_tick SET busy_share = 'x'",
    "holds": "UPDATE hold SET lane = 'x'",
    "output": "UPDATE output SET data = 5",
    "texts": "UPDATE event SET text = x'00', kind = x'07'",
    "frames": "UPDATE frame SET function = x'05'",
    "threads": "UPDATE process_tick SET threads = x'00', rss_bytes = 'x'",
}


async def ended(app: GilscopeApp) -> str:
    """What it says when it has ended by itself."""
    await asyncio.wait_for(app.run_async(headless=True, size=(120, 36)), 30)
    return app.exit_error or ""


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_damaged_ends_it_with_words(wrong: str, tmp_path: Path) -> None:
    path = damaged(tmp_path / "r.gilscope", WRONG[wrong])
    assert await ended(replay(path)) == f"{path} is damaged: SQLite's check of its pages failed."


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("wrong", ["times", "names", "commands"])
async def test_also_before_the_check_has_ended(wrong: str, tmp_path: Path) -> None:
    path = damaged(tmp_path / "r.gilscope", WRONG[wrong])
    app = replay(path)
    assert await ended(app) == f"{path} is damaged: SQLite's check of its pages failed."
    assert app.return_code == 0


@pytest.mark.usefixtures("slow")
async def test_an_error_of_ours_stays_one(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN a good recording THEN what fails while it is checked is not called its fault."""
    app = replay(finished)
    monkeypatch.setattr(app.dashboard, "frame", lambda _passed: 1 // 0)
    assert await ended(app) == ""
    assert isinstance(app._exception, ZeroDivisionError)
    assert app.return_code == 1


async def test_a_good_one_is_checked_and_shown(finished: Path) -> None:
    app = replay(finished)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await wait(pilot, lambda: not app.unchecked)
        assert app.exit_error is None


@pytest.mark.usefixtures("slow")
async def test_rows_that_make_no_sense_are_never_shown(tmp_path: Path) -> None:
    """Frames would go through them without an end."""
    change = "UPDATE tick SET end_ns = 4611686018427387904 WHERE idx = 5"
    app = replay(damaged(tmp_path / "r.gilscope", change))
    assert "its ticks do not follow each other" in await ended(app)
    assert app.dashboard.viewing is None


@pytest.mark.usefixtures("slow")
async def test_frames_on_the_way_out(tmp_path: Path) -> None:
    """More than one of them may fail before the app has ended: it is said once, and in words."""
    app = replay(damaged(tmp_path / "r.gilscope", WRONG["names"]))

    def twice(error: Exception) -> None:
        handle(error)
        handle(error)

    handle, app._handle_exception = app._handle_exception, twice  # type: ignore[method-assign] # as Textual calls it
    assert "is damaged" in await ended(app)
    assert app.return_code == 0

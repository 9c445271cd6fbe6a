"""A monkey at a live session: a few hundred events here; `python -m tests.monkey 20000` for more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gilscope.views.app import GilscopeApp
from tests import monkey
from tests.commands import environment

EVENTS = int(os.environ.get("GILSCOPE_MONKEY", "250"))


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)


def test_random_events_do_no_harm(tmp_path: Path) -> None:
    tally = monkey.run(EVENTS, seed=20_000, folder=tmp_path)
    assert not tally.troubles, "\n".join(tally.troubles)
    assert tally.events >= EVENTS
    assert {"key", "click", "drag", "wheel", "resize"} <= tally.sent.keys()
    assert len(tally.screens) > 1


def test_it_would_have_noticed(tmp_path: Path) -> None:
    """A key that raises, and a thread that does: both are trouble, with the seed and what came before."""

    def break_key(app: GilscopeApp) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("a planted mistake")

        for name in (
            "rows",
            "scrub",
            "scrub_time",
            "step",
            "zoom",
        ):
            setattr(app.dashboard, f"action_{name}", broken)
        app.verdict_of = None

    tally = monkey.run(1_500, seed=5, folder=tmp_path, dress=break_key)
    assert "a planted mistake" in tally.troubles[0]
    assert "seed 5" in tally.troubles[-1]

    def break_thread(app: GilscopeApp) -> None:
        def broken(_reader: object, _at_ns: int) -> None:
            raise RuntimeError("another one")

        app.verdict_of = broken  # type: ignore[assignment]

    tally = monkey.run(4_000, seed=6, folder=tmp_path, dress=break_thread)
    assert "in a thread of the app" in tally.troubles[0]
    assert "another one" in tally.troubles[0]

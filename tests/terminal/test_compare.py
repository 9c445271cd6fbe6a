"""`gilscope compare` in a real terminal: the screen, and the table after it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gilscope.sources.scripted import Script
from tests.terminal.tmux import PROMPT, Tmux, not_whole
from tests.views.conftest import record

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    record(tmp_path / "a.gilscope", Script(seconds=4, cpu=4)).close()
    record(tmp_path / "b.gilscope", Script(seconds=2, processes=3, cpu=1, io=0, mode="processes")).close()
    started = Tmux(tmp_path, 100, 40)
    started.see(PROMPT)
    yield started
    started.end()


def test_the_screen_and_then_the_table(tmux: Tmux) -> None:
    tmux.command(sys.executable, "-m", "gilscope", "compare", "a.gilscope", "b.gilscope")
    tmux.see("A threads · 4.00 s", "B processes · 2.00 s", "│ exit 0", "wall time")
    assert not not_whole(tmux.lines(), 100)
    assert tmux.value("alternate_on") == "1"
    tmux.keys("+")
    tmux.see("20.0 ms a cell")
    tmux.keys("q")
    code, text = tmux.ended()
    assert code == 0
    assert tmux.value("alternate_on") == "0"
    assert "times as fast" in text
    assert "Use processes: 2.00 s instead of 4.00 s" in text


def test_without_a_screen(tmux: Tmux) -> None:
    tmux.command(sys.executable, "-m", "gilscope", "compare", "--no-screen", "a.gilscope", "b.gilscope")
    code, text = tmux.ended()
    assert code == 0
    assert "Use processes" in text
    assert "Runs ──" not in text

"""gilscope attach as its user has it before him: a screen over a process that belongs to someone else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.tmux import PROMPT, Tmux
from tests.watched import is_gone, watched

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    started = Tmux(tmp_path, 120, 36)
    started.see(PROMPT)
    yield started
    started.end()


def test_the_dashboard_of_a_process_that_runs_already(tmux: Tmux) -> None:
    with watched("cpu_threads.py", 2, 100) as target:
        tmux.type(f"{sys.executable} -m gilscope attach {target.pid}")
        tmux.see("LIVE")
        tmux.see("cpu-0")  # named before we came: only py-spy can know
        tmux.see("attach · CPython")
        tmux.see("Not seen: the process was there before gilscope.")
        tmux.keys("i")
        tmux.see("not known", "its output")
        tmux.keys("q")
        tmux.see("End the watch? The process runs on.")
        assert "Stop it" not in tmux.text()
        tmux.keys("q")  # stay
        tmux.wait(lambda: "End the watch?" not in tmux.text(), "the screen without the question")
        tmux.see("LIVE")
        tmux.keys("q")
        tmux.see("End the watch?")
        tmux.keys("d")
        tmux.see("recording")
        tmux.see(PROMPT)
        assert not is_gone(target.pid)

"""The rate of pictures follows the terminal, and an app ends though its terminal is gone."""

from __future__ import annotations

import io
import os
import pty
import signal
import sys
import time
from pathlib import Path

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.views.pace import FRAMES_PER_S, LEAST_PER_S, Pace
from gilscope.views.writing import outlive, waiting


def drawn(pace: Pace, seconds: float, waits: list[int], *, start_ns: int = 0, timer: float = 60) -> int:
    """How many pictures a timer gets drawn, if the terminal has so many writes waiting, in turn."""
    count = 0
    for number in range(round(seconds * timer)):
        now_ns = start_ns + round(number * NS_PER_S / timer)
        count += pace.due(now_ns, waits[number % len(waits)])
    return count


def test_a_quick_terminal_gets_all_that_is_asked_for() -> None:
    assert drawn(Pace(), 10, [0]) == pytest.approx(10 * FRAMES_PER_S, rel=0.02)


def test_a_slow_terminal_gets_fewer_and_a_free_one_more_again() -> None:
    pace = Pace()
    drawn(pace, 5, [1])
    assert pace.rate == LEAST_PER_S
    assert "of 30 a second" in pace.words
    assert drawn(pace, 20, [0], start_ns=5 * NS_PER_S) > 15 * LEAST_PER_S
    assert pace.words == "30 a second"


def test_who_is_late_once_keeps_the_rate() -> None:
    pace = Pace()
    assert pace.due(0, 0)
    assert not pace.due(33 * NS_PER_MS, 2)
    assert pace.due(50 * NS_PER_MS, 0)
    assert pace.rate == FRAMES_PER_S


def test_drawing_leaves_half_of_the_time() -> None:
    pace = Pace()
    for _ in range(100):
        pace.took(100 * NS_PER_MS)
    assert drawn(pace, 10, [0]) == pytest.approx(50, abs=8)


def test_it_does_not_know_every_writer() -> None:
    assert waiting(object()) == 0
    assert outlive(object()) is False


class Driver:
    """As much of Textual's as is looked at."""

    def __init__(self) -> None:
        self._writer_thread = WriterThread(io.StringIO())


def test_nobody_waits_for_a_dead_writer() -> None:
    """GIVEN a writer's thread that is gone and a full queue WHEN more is written THEN it is dropped."""
    driver = Driver()
    assert outlive(driver)
    for _ in range(MAX_QUEUED_WRITES):
        driver._writer_thread._queue.put("full")
    assert waiting(driver) == MAX_QUEUED_WRITES
    driver._writer_thread.write("more")
    driver._writer_thread.stop()


def test_what_is_written_arrives() -> None:
    driver = Driver()
    assert outlive(driver)
    driver._writer_thread.start()
    for _ in range(3 * MAX_QUEUED_WRITES):
        driver._writer_thread.write("x")
    driver._writer_thread.stop()
    file = driver._writer_thread._file
    assert isinstance(file, io.StringIO)
    assert file.getvalue() == "x" * 3 * MAX_QUEUED_WRITES


def test_the_app_knows_its_writer_and_ends_with_its_terminal(finished: Path, tmp_path: Path) -> None:
    """GIVEN an app whose terminal takes no more WHEN the window is closed THEN it ends by itself."""
    code = (
        "import sys; from pathlib import Path; from gilscope.views.app import GilscopeApp\n"
        "app = GilscopeApp(Path(sys.argv[1]), control=None, title='x'); app.run()\n"
        "Path(sys.argv[2]).write_text(str('stop' in vars(app._driver._writer_thread)))"
    )
    said = tmp_path / "said"
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="200", LINES="60")
        os.execv(sys.executable, [sys.executable, "-c", code, str(finished), str(said)])
    try:
        text, deadline = b"", time.monotonic() + 60
        while b"handoffs" not in text:
            assert time.monotonic() < deadline, text[-2000:]
            text += os.read(fd, 65_536)
        os.close(fd)
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            assert time.monotonic() < deadline, "it outlives its terminal"
            time.sleep(0.02)
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert said.read_text() == "True"

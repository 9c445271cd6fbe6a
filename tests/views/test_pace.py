"""The rate of pictures follows the terminal, and an app ends though its terminal is gone."""

from __future__ import annotations

import os
import pty
import signal
import sys
import threading
import time
from pathlib import Path
from queue import Queue

import pytest

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


def test_nobody_waits_for_a_dead_writer() -> None:
    """GIVEN a writer's thread that has ended and a full queue WHEN more is written THEN it is dropped."""

    class Writer(threading.Thread):
        def __init__(self) -> None:
            super().__init__()
            self._queue: Queue[str | None] = Queue(1)

        def run(self) -> None:
            pass

        def write(self, text: str) -> None:
            self._queue.put(text)

        def stop(self) -> None:
            self._queue.put(None)
            self.join()

    class Driver:
        def __init__(self) -> None:
            self._writer_thread = Writer()

    driver = Driver()
    driver._writer_thread._queue.put("full")
    driver._writer_thread.start()
    driver._writer_thread.join()
    assert outlive(driver)
    assert waiting(driver) == 1
    driver._writer_thread.write("more")
    driver._writer_thread.stop()


def test_textual_has_the_writer_that_is_known(finished: Path) -> None:
    """GIVEN an app in a terminal whose window is closed, unread output in it, THEN it ends by itself."""
    code = (
        "import sys; from pathlib import Path; from gilscope.views.app import GilscopeApp;"
        "app = GilscopeApp(Path(sys.argv[1]), control=None, title='x'); app.run()"
    )
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="200", LINES="60")
        os.execv(sys.executable, [sys.executable, "-c", code, str(finished)])
    try:
        text, deadline = b"", time.monotonic() + 30
        while b"handoffs" not in text:
            assert time.monotonic() < deadline, text[-2000:]
            text += os.read(fd, 65_536)
        time.sleep(0.2)  # what is drawn meanwhile is not read: the terminal takes no more
        os.close(fd)
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            assert time.monotonic() < deadline, "it outlives its terminal"
            time.sleep(0.02)
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

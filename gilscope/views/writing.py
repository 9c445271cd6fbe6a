"""The thread that writes to the terminal: how far behind it is, and that nobody waits for a dead one.

It is Textual's, and private: whatever of it has another shape is left alone, and then nothing is known.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Full, Queue
from threading import Thread
from typing import Any

STEP_S = 0.1
GONE_S = 2.0
"""A terminal that takes nothing for so long while the app ends, or has no thread, is gone."""


def waiting(driver: Any) -> int:
    """How many writes the terminal has not taken yet; 0 if that cannot be seen."""
    size = getattr(getattr(getattr(driver, "_writer_thread", None), "_queue", None), "qsize", None)
    return int(size()) if size else 0


def outlive(driver: Any) -> bool:
    """Let the app end when its terminal is gone; False: the writer has another shape than is known.

    The thread ends at the first error. The queue then fills up, and whoever puts the thirty-first text into
    it would wait for ever: a program without its terminal that only SIGKILL ends.
    """
    writer = getattr(driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    if not isinstance(writer, Thread) or not isinstance(queue, Queue):
        return False

    def write(text: str) -> None:
        while writer.is_alive():
            with suppress(Full):
                queue.put(text, timeout=STEP_S)
                return

    def stop() -> None:
        for _ in range(round(GONE_S / STEP_S)):
            if not writer.is_alive():
                return
            with suppress(Full):
                queue.put(None, timeout=STEP_S)
                break
        writer.join(GONE_S)

    writer.write, writer.stop = write, stop  # type: ignore[attr-defined]
    return True

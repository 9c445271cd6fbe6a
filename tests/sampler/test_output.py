"""The target's output is taken between samples, and its end does not hurry them."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import cast

from gilscope.launch.target import Target
from gilscope.model import NS_PER_MS
from gilscope.sampler.output import OutputTap


def test_a_closed_terminal_is_waited_for_like_a_silent_one() -> None:
    """GIVEN a terminal that closes while a sample is waited for THEN the wait ends at its deadline.

    Else deadlines run ahead of the time, and the sampler then sleeps until the last of them.
    """
    reading, writing = os.pipe()
    os.close(writing)
    target = cast(
        "Target", SimpleNamespace(output_fd=reading, read_output=lambda _: os.read(reading, 10) or None)
    )
    tap = OutputTap(target, time.monotonic_ns, time.monotonic_ns)
    for _ in range(3):
        deadline_ns = time.monotonic_ns() + 20 * NS_PER_MS
        tap.wait_until(deadline_ns, time.monotonic_ns())
        assert time.monotonic_ns() >= deadline_ns
    assert not tap.is_open
    os.close(reading)


def test_the_rest_is_not_after_the_end() -> None:
    """It is taken when the last tick's end is known: later than that there is nothing to be seen at."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b"last words")
    os.close(writing)
    target = cast(
        "Target", SimpleNamespace(output_fd=reading, read_output=lambda _: os.read(reading, 5) or None)
    )
    tap = OutputTap(target, lambda: 900, time.monotonic_ns)
    assert tap.take_some()
    tap.take_rest(1_000)
    tap.take_rest(1_000)
    assert [(piece.at_ns, piece.data) for piece in tap.collect()] == [(900, b"last "), (1_000, b"words")]
    os.close(reading)

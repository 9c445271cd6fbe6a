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

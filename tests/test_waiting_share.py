"""Real threads that wait: in which function, and how long."""

from __future__ import annotations

from pathlib import Path

from tests.waiting_share import waited

TRIES = 5


def test_two_functions_that_wait(tmp_path: Path) -> None:
    """GIVEN functions that wait for the GIL for known times THEN their shares are these, within 5 points.

    py-spy looks a few times only, and where the machine is very busy, perhaps at none in which both waited.
    """
    for _ in range(TRIES):
        run = waited(tmp_path, 3)
        if run.found is not None:
            break
    assert run.found is not None
    assert run.stacks >= 2
    assert 0.5 < run.truth < 0.95
    assert abs(run.found - run.truth) <= 0.05, run

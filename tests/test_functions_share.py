"""Real functions, real shares."""

from __future__ import annotations

from pathlib import Path

from tests.functions_share import shares


def test_two_functions_on_threads_of_their_own(tmp_path: Path) -> None:
    """GIVEN functions that hold the GIL 70 : 30 THEN a few stacks give it within 3 points.

    Between threads the probe's thousands of samples decide, so that a few seconds are enough.
    """
    found, truth, stacks = shares(tmp_path, 4, "two")
    assert stacks > 0
    assert abs(found - truth) <= 0.03, (found, truth, stacks)
    assert 0.6 < truth < 0.75

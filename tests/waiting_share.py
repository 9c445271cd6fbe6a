"""Two functions wait for the GIL: how long each, by gilscope and by the program's own clock?

python -m tests.waiting_share [SECONDS]: on all Pythons found.
"""

# ruff: noqa: T201

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.commands import gilscope
from tests.pythons import found_pythons
from tests.watched import TARGETS


class Waited(NamedTuple):
    """What one run came to."""

    found: float | None
    """The first function's part of both as gilscope has it; None: one of them was never caught waiting."""
    truth: float
    """By the program's clock."""
    stacks: int
    cost: float
    """Of a core."""


def waited(folder: Path, seconds: float, python: str | Path = sys.executable) -> Waited:
    """Run it once."""
    kept = ["--json", folder / "s.json", "-o", folder / "r.gilscope", "--python", python]
    outcome = gilscope(folder, "run", *kept, TARGETS / "two_waiters.py", "--", seconds)
    assert outcome.code == 0, outcome.stderr
    shares = {
        row["function"]: row["waiting_share"]
        for row in outcome.summary["functions"]
        if row["waiting_samples"] and row["file"].endswith("two_waiters.py")
    }
    words = next(line for line in outcome.stdout.decode().splitlines() if line.startswith("WAITED")).split()
    took = [float(word) for word in words[1:]]
    both = {"pair", "single"} <= shares.keys()
    return Waited(
        found=shares["pair"] / (shares["pair"] + shares["single"]) if both else None,
        truth=took[0] / sum(took),
        stacks=outcome.summary["functions_rest_on"]["waiting_stacks"],
        cost=outcome.summary["gilscope"]["cost"]["share_of_core"],
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    for version, python in found_pythons().items():
        with tempfile.TemporaryDirectory() as folder:
            run = waited(Path(folder), seconds, python)
        found = "one was never caught" if run.found is None else f"{100 * run.found:5.1f} %"
        print(
            f"{version:5} {found}, by its own clock {100 * run.truth:5.1f} %, from {run.stacks} stacks; "
            f"cost {100 * run.cost:.1f} % of a core"
        )


if __name__ == "__main__":
    main()

"""Two functions hold the GIL 70 : 30 by construction: what does gilscope say after so many seconds?

python -m tests.functions_share [SECONDS …]
"""

# ruff: noqa: T201

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.commands import gilscope
from tests.watched import TARGETS


def shares(folder: Path, seconds: float, kind: str) -> tuple[float, float, int]:
    """The first function's share as gilscope has it, and by the program's clock; the stacks seen."""
    kept = ["--json", folder / "s.json", "-o", folder / "r.gilscope"]
    outcome = gilscope(folder, "run", *kept, TARGETS / "two_functions.py", "--", seconds, kind)
    assert outcome.code == 0, outcome.stderr
    rows = {row["function"]: row for row in outcome.summary["functions"]}
    seven, three = (rows[name]["held_share"] if name in rows else 0.0 for name in ("seven", "three"))
    stacks = outcome.summary["functions_rest_on"]["stacks"]
    words = next(line for line in outcome.stdout.decode().splitlines() if line.startswith("TOOK")).split()
    took = [float(word) for word in words[1:]]
    return seven / (seven + three), took[0] / sum(took), stacks


def main() -> None:
    for seconds in map(float, sys.argv[1:] or ("10", "60")):
        for kind in ("two", "one"):
            with tempfile.TemporaryDirectory() as folder:
                found, truth, stacks = shares(Path(folder), seconds, kind)
            threads = "one thread" if kind == "one" else "a thread each"
            print(
                f"{seconds:5.0f} s, {threads:<13} {100 * found:5.1f} : {100 - 100 * found:4.1f}, its clock "
                f"{100 * truth:4.1f} : {100 - 100 * truth:4.1f}, from {stacks} stacks"
            )


if __name__ == "__main__":
    main()

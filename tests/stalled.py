"""Is each long C call found as a stall, with its place, its length and its waiters? On all Pythons found:

python -m tests.stalled [SECONDS_HELD [TIMES]]
"""

# ruff: noqa: T201

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.commands import gilscope
from tests.pythons import found_pythons
from tests.watched import TARGETS

CALL_LINE = next(
    number
    for number, line in enumerate((TARGETS / "stall.py").read_text().splitlines(), 1)
    if "usleep(" in line
)
STACK_END = f"hog (stall.py:{CALL_LINE})"


def watch_stalls(
    folder: Path, python: str | Path, held_s: float, times: int, *options: str
) -> tuple[list[dict[str, Any]], list[float]]:
    """The stalls that gilscope found, in order; how long each call took by the program's clock, in ms."""
    kept = ["--json", folder / "s.json", "-o", folder / "r.gilscope", *options]
    outcome = gilscope(folder, "run", "--python", python, *kept, TARGETS / "stall.py", "--", held_s, times)
    assert outcome.code == 0, outcome.stderr
    taken = [float(line.split()[1]) for line in outcome.stdout.decode().splitlines() if line[:4] == "HELD"]
    return sorted(outcome.summary["stalls"], key=lambda stall: stall["at_s"]), taken


def problems(stalls: list[dict[str, Any]], taken: list[float], asked_ms: float) -> list[str]:
    """What is wrong with them: nothing, as it should be.

    A call takes what was asked at least. The program's own clock is read when it has the GIL again, which it
    may have had to give away right after the call: so the truth is between the two.
    """
    found = [stall for stall in stalls if stall["name"] == "MainThread"]
    wrong = [f"{len(found)} stalls of {len(taken)} calls"] if len(found) != len(taken) else []
    for stall, taken_ms in zip(found, taken, strict=False):
        if not 0.9 * asked_ms <= stall["held_ms"] <= 1.1 * taken_ms:
            wrong.append(f"held for {asked_ms:.0f} to {taken_ms:.0f} ms, not {stall['held_ms']:.0f}")
        if not 2.5 <= stall["waiters"] <= 3.05 or stall["waiters_max"] != 3:
            wrong.append(f"3 threads waited, not {stall['waiters']} (at most {stall['waiters_max']})")
        if stall["stack"][-1:] != [STACK_END]:
            wrong.append(f"the stack ends in {stall['stack'][-1:]}")
    return wrong


def main() -> None:
    held_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for version, python in found_pythons().items():
        with tempfile.TemporaryDirectory() as folder:
            stalls, taken = watch_stalls(Path(folder), python, held_s, times)
            wrong = problems(stalls, taken, held_s * 1e3)
            figures = ", ".join(f"{stall['held_ms']:.1f}" for stall in stalls)
            truth = ", ".join(f"{ms:.1f}" for ms in taken)
            print(
                f"{version:5} held {figures} ms (by its own clock {truth}): {'; '.join(wrong) or 'all right'}"
            )


if __name__ == "__main__":
    main()

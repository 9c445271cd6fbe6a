"""python -m tests.fuzz recordings|memory COUNT [SEED]: so many cases, in two processes."""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.fuzz import guard, recordings, work

SHOWN = 5
"""Findings that are printed in full."""
PROGRESS = 5_000
"""After so many cases a line is printed."""


def main() -> int:
    """Run and print; 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("what", choices=["recordings", "memory"])
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    began = time.monotonic()
    jobs = [
        (asked.what, asked.seed, first, min(work.STEP, asked.count - first))
        for first in range(0, asked.count, work.STEP)
    ]
    told = Told(asked.what, asked.seed)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.processes, context, work.prepare, (asked.what,)) as pool:
        for outcomes, time_s, memory in pool.map(work.batch, jobs):
            told.add(outcomes, time_s, memory)
            if told.cases % PROGRESS == 0:
                print(f"{told.line()}; {time.monotonic() - began:.0f} s", flush=True)
    told.print_findings()
    print(f"{told.line()}; {time.monotonic() - began:.0f} s")
    return 1 if told.findings or told.peak > guard.LIMIT_BYTES else 0


class Told:
    """What the cases came to."""

    def __init__(self, what: str, seed: int) -> None:
        self.what = what
        self.seed = seed
        self.said: collections.Counter[str] = collections.Counter()
        self.findings: list[tuple[int, str, str]] = []
        self.longest_s = 0.0
        self.peak = 0

    @property
    def cases(self) -> int:
        """How many there were."""
        return sum(self.said.values()) + len(self.findings)

    def add(self, outcomes: list[tuple[int, str, str]], time_s: float, memory: int) -> None:
        """Take a batch."""
        self.longest_s, self.peak = max(self.longest_s, time_s), max(self.peak, memory)
        for number, outcome, where in outcomes:
            if outcome in (recordings.ANSWERED, recordings.REFUSED):
                self.said[outcome] += 1
            else:
                self.findings.append((number, where, outcome))
                print(f"FOUND: case {number}, {where}: {_kind(outcome)}", flush=True)

    def print_findings(self) -> None:
        """Kinds of findings with their numbers, and some in full."""
        for kind, count in collections.Counter(_kind(text) for _, _, text in self.findings).most_common():
            print(f"{count:6} × {kind}")
        for number, where, text in self.findings[:SHOWN]:
            print(f"--- case {number}, seed {self.seed}, {where}\n{text}")

    def line(self) -> str:
        """All in a line."""
        answered, refused = self.said[recordings.ANSWERED], self.said[recordings.REFUSED]
        return (
            f"{self.what}: {self.cases} cases, seed {self.seed}: {answered} answered, {refused} refused with"
            f" an error of ours, {len(self.findings)} findings; longest {self.longest_s:.2f} s CPU,"
            f" most memory {self.peak / 1e6:.0f} MB"
        )


def _kind(text: str) -> str:
    """The error and the last line of ours that it came through."""
    lines = text.strip().split("\n")
    ours = [
        line.strip() for line in lines if "File" in line and "gilscope/" in line and "/tests/" not in line
    ]
    return f"{lines[-1][:120]} @ {ours[-1].split('gilscope/')[-1] if ours else '?'}"


if __name__ == "__main__":
    sys.exit(main())

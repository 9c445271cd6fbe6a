"""python -m tests.fuzz recordings|memory COUNT [SEED]: so many cases, in two processes."""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.fuzz import guard, work

SHOWN = 5
"""Findings that are printed in full."""


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
    said: collections.Counter[str] = collections.Counter()
    findings: list[tuple[int, str, str]] = []
    longest, peak = 0.0, 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.processes, context, work.prepare, (asked.what,)) as pool:
        for outcomes, time_s, memory in pool.map(work.batch, jobs):
            longest, peak = max(longest, time_s), max(peak, memory)
            for number, outcome, where in outcomes:
                known = outcome if outcome in ("answered", "refused") else "FOUND"
                said[known] += 1
                if known == "FOUND":
                    findings.append((number, where, outcome))
    kinds = collections.Counter(
        text.strip().rsplit("\n", 1)[-1][:120] + " @ " + _place(text) for _, _, text in findings
    )
    for kind, count in kinds.most_common(40):
        example = next(
            item
            for item in findings
            if item[2].strip().rsplit("\n", 1)[-1][:120] + " @ " + _place(item[2]) == kind
        )
        print(f"{count:6} × {kind}  e.g. case {example[0]} ({example[1]})")
    for number, where, text in findings[:SHOWN]:
        print(f"--- case {number}, seed {asked.seed}, {where}\n{text}")
    took = time.monotonic() - began
    print(
        f"{asked.what}: {asked.count} cases, seed {asked.seed}: {said['answered']} answered, {said['refused']} refused"
        f" with an error of ours, {said['FOUND']} findings; {took:.0f} s, longest case {longest:.2f} s CPU,"
        f" most memory {peak / 1e6:.0f} MB"
    )
    return 1 if findings or peak > guard.LIMIT_BYTES else 0


def _place(text: str) -> str:
    places = [
        line.strip()
        for line in text.split("\n")
        if "gilscope/" in line and "File" in line and "/tests/" not in line
    ]
    return places[-1].split("gilscope/")[-1] if places else "?"


if __name__ == "__main__":
    sys.exit(main())

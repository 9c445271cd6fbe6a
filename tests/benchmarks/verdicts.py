"""`python -m tests.benchmarks verdicts`: every program of the table, on each version, three times."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.verdicts import TABLE, VERSIONS, Program, interpreters, run, wrong

RUNS = 3
NOTHING: dict[str, Any] = {
    "also_kinds": [], "headline": "", "evidence": [], "confidence": {"level": "?"},
}  # fmt: skip
"""In the place of the verdict on what could not be watched."""


def print_table(wanted: set[str]) -> int:
    """Print the verdicts; returns how many were wrong.

    Args:
        wanted: names of programs and versions, and "once" for one run of each; none means all.
    """
    pythons = interpreters()
    runs = 1 if "once" in wanted else RUNS
    versions = [version for version in VERSIONS if not wanted & set(VERSIONS) or version in wanted]
    named = wanted - set(VERSIONS) - {"once"}
    print("| program | must be | " + " | ".join(versions) + " | confidence |")
    print("|---" * (len(versions) + 3) + "|")
    mistakes = cells = 0
    reasons: list[str] = []
    for program in TABLE:
        if named and program.name not in named:
            continue
        row, levels = [], []
        for version in versions if program.only == VERSIONS else program.only:
            python = pythons.get(version)
            if python is None:
                row.append(f"no {version} here")
                continue
            found = [_verdict(program, python) for _ in range(runs)]
            complaints = [text for verdict in found if (text := wrong(program, verdict))]
            reasons += [
                f"{program.name} on {version}: {' '.join([verdict['headline'], *verdict['evidence']])}"
                for verdict in found
                if wrong(program, verdict)
            ]
            levels += [verdict["confidence"]["level"] for verdict in found]
            mistakes, cells = mistakes + len(complaints), cells + runs
            where = "" if program.only == VERSIONS else f" on {version}"
            row.append(
                f"{runs - len(complaints)} of {runs}{where}" + "".join(f"; {text}" for text in complaints)
            )
        must = program.kind + (f" + {program.also}" if program.also else "")
        star = " *" if program.check else ""
        sure = ", ".join(
            f"{levels.count(level)} {level}" for level in ("high", "medium", "low") if level in levels
        )
        print(f"| {program.name}{star} | {must} | {' | '.join(row)} | {sure} |", flush=True)
    print(f"\n{cells - mistakes} of {cells} right. * written after the thresholds were fixed.")
    print("\n".join(reasons))
    return mistakes


def _verdict(program: Program, python: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder), program, python)
        try:
            summary = outcome.summary
        except OSError:
            nothing = f"nothing ({outcome.stderr.strip()[-200:]})"
            return dict(NOTHING, kind=nothing)
        if "--figures" in sys.argv:
            print(json.dumps({"verdict": summary["verdict"], "gils": summary["gils"], "lanes": [
                {key: value for key, value in lane.items() if value} for lane in summary["lanes"]
            ]}, indent=1))  # fmt: skip
        verdict: dict[str, Any] = summary["verdict"]
        return verdict

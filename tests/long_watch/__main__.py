"""`python -m tests.long_watch`: a real target, watched for an hour in two ways at once.

With the app in a terminal, which records all; headless with `--keep`. At 1, 10, 30 and 60 minutes: memory and
descriptors of sampler and app, size of the file, and what it has cost since the last row.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.long_watch.watches import Use, Watch
from tests.watched import TARGETS

SHOWN_MIN = (1.0, 10.0, 30.0, 60.0)
MOST_MB = 120.0
HEAD = (
    f"{'watch':<10}{'minute':>7}{'sampler MB':>12}{'fds':>5}{'cost %':>8}"
    f"{'app MB':>8}{'fds':>5}{'cost %':>8}{'file MB':>9}"
)


def moments(minutes: float) -> list[float]:
    """The minutes to look at; a short watch is looked at as often as a long one."""
    shown = [moment for moment in SHOWN_MIN if moment < minutes]
    return [*shown, minutes] if minutes >= 1 else [minutes * part for part in (0.25, 0.5, 1)]


def row(name: str, use: Use, before: Use | None) -> str:
    """One line of the table."""
    since_s = use.at_s - (before.at_s if before else 0)
    sampler_cost = (use.sampler_cpu_s - (before.sampler_cpu_s if before else 0)) / since_s
    text = f"{name:<10}{use.at_s / 60:>7.1f}{use.sampler_mb:>12.1f}{use.sampler_descriptors:>5}"
    text += f"{sampler_cost:>8.1%}"
    if use.app_mb is None or use.app_cpu_s is None:
        text += f"{'–':>8}{'–':>5}{'–':>8}"
    else:
        app_cost = (use.app_cpu_s - ((before.app_cpu_s or 0) if before else 0)) / since_s
        text += f"{use.app_mb:>8.1f}{use.app_descriptors:>5}{app_cost:>8.1%}"
    return text + f"{use.file_mb:>9.1f}"


def watch(minutes: float, keep: str, folder: Path, *, every_s: float = 60.0) -> dict[str, list[Use]]:
    """Watch a target in all ways; what each used, a reading each `every_s`; rows are printed on the way."""
    command = [sys.executable, str(TARGETS / "long_life.py"), str(minutes * 60 + 60)]
    target = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert target.stdout is not None
    target.stdout.readline()
    watches = [
        Watch("app", target.pid, folder, app=True),
        Watch("kept", target.pid, folder, "--keep", keep, app=False),
    ]
    began = time.monotonic()
    uses: dict[str, list[Use]] = {watch.name: [] for watch in watches}
    shown: dict[str, Use] = {}
    try:
        print(HEAD, flush=True)
        due_s = [moment * 60 for moment in moments(minutes)]
        times = sorted({*due_s, *(every_s * number for number in range(1, int(minutes * 60 / every_s) + 1))})
        for at_s in times:
            time.sleep(max(0.0, began + at_s - time.monotonic()))
            for each in watches:
                use = each.use()
                uses[each.name].append(use)
                with (folder / "uses.jsonl").open("a") as log:
                    log.write(json.dumps({"watch": each.name, **dataclasses.asdict(use)}) + "\n")
                if at_s in due_s:
                    print(row(each.name, use, shown.get(each.name)), flush=True)
                    shown[each.name] = use
    finally:
        codes = [each.end() for each in watches]
        target.kill()
        target.wait()
    print(f"the watches ended with {codes}; the files are in {folder}")
    return uses


def main() -> int:
    """1 if memory is over its limit, or has grown by more than a tenth since the tenth minute."""
    parser = argparse.ArgumentParser(prog="python -m tests.long_watch", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--keep", default="10m", help="for the watch that keeps so much only")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="long-", dir=os.environ.get("GILSCOPE_BENCH_DIR", "/var/tmp")))
    uses = watch(options.minutes, options.keep, folder)
    wrong = []
    for name, readings in uses.items():
        later = [use for use in readings if use.at_s >= 595] or readings
        for part in ("sampler_mb", "app_mb"):
            first, last = getattr(later[0], part), getattr(later[-1], part)
            if last is not None and (last > MOST_MB or last > first * 1.1):
                wrong.append(f"{name}: {part} {first:.1f} → {last:.1f}")
    for line in wrong:
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

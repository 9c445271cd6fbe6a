"""`make bench`: the budgets of gilscope, measured side by side in one run, as ratios and shares.

Machines are shared and noisy: what is compared alternates within a run, and each figure has its spread.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import accuracy, hour, live, pausing, screen, scrub, tools, verdicts
from tests.benchmarks.tools import (
    alone,
    held_by_name,
    mean_and_spread,
    target,
    under_gilscope,
    under_pyspy,
)

QUICK = "--quick" in sys.argv
ROUNDS = 3 if QUICK else 6
SLOWDOWN_S = 20 if QUICK else 60
SECONDS = 4 if QUICK else 10
Row = tuple[str, str, str, str]


def slowdowns() -> list[Row]:
    """Target slowed by watching."""
    rows: list[Row] = []
    for what, limit, busy, idle in (
        ("1 CPU thread", "< 1 %", 1, 0),
        ("4 CPU threads", "< 1 %", 4, 0),
        ("200 idle + 2 busy", "< 2 %", 2, 200),
    ):
        ours = pausing.under_gilscope(SLOWDOWN_S, busy, idle)
        theirs = pausing.under_pyspy(SLOWDOWN_S, busy, idle, "-r", "100")
        beside = f"py-spy record -r 100: {theirs}"
        rows.append((f"target slowed, {what}", limit, str(ours), beside))
    return rows


def waking() -> list[Row]:
    """What a process takes that only wakes as often as the sampler: it differs from hour to hour."""
    began_s, until, wakes = time.process_time(), time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        time.sleep(0.001)
        wakes += 1
    share = (time.process_time() - began_s) / SECONDS
    measured = f"{100 * share:.1f} % at {wakes / SECONDS:.0f} Hz"
    return [("to wake, and nothing else", "", measured, "what of the sampler's CPU no reading can save")]


def costs() -> list[Row]:
    """What the sampler takes, with stacks, at 1000 Hz."""
    rows: list[Row] = []
    for what, arguments in (
        ("8 busy threads", (8, 0, 0)),
        ("2 busy + 200 idle threads", (2, 200, 0)),
        ("2 busy + 1,000 idle threads", (2, 1_000, 0)),
        ("2 busy threads + 64 processes", (2, 0, 64)),
    ):
        _, summary = under_gilscope(target("spin.py", SECONDS, *arguments))
        own = summary["gilscope"]
        achieved = own["rate_hz"]["achieved"] or 0.0
        measured = f"{100 * own['cost']['share_of_core']:.1f} % at {achieved:.0f} Hz"
        rows.append((f"sampler CPU, {what}", "5 % of a core", measured, ""))
        if arguments == (8, 0, 0):
            per_hour = summary["recording_bytes"] / SECONDS * 3_600 / 1e6
            rows.append(
                ("recording, 8 busy threads", "150 MB/h", f"{per_hour:.0f} MB/h", f"from {SECONDS} s")
            )
    return rows


def errors() -> list[Row]:
    """Error of held shares against a schedule known by construction."""
    script = target("schedule.py", SECONDS)
    output, summary = under_gilscope(script)
    ours = _worst(output, {n["name"]: n["running_s"] + n["holding_s"] for n in summary["lanes"]})
    others = []
    for options in (["-r", "100"], ["-r", "1000"], ["-r", "1000", "--nonblocking"]):
        output, raw = under_pyspy(script, "--threads", "--gil", *options)
        others.append(
            f"{' '.join(options)}: {_worst(output, _seconds(held_by_name(raw, int(options[1])))):.1f}"
        )
    return [
        (
            "largest error of a held share",
            "0.5 points",
            f"{ours:.2f} points",
            "py-spy " + ", ".join(others),
        )
    ]


def _seconds(held_ns: dict[str, float]) -> dict[str, float]:
    return {name: ns / 1e9 for name, ns in held_ns.items()}


def _worst(output: str, held_s: dict[str, float]) -> float:
    # py-spy prints lines of its own between those of its target.
    truth = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    wall_s, truth_ns = truth["wall_ns"] / 1e9, dict(truth["held_ns"])
    wrong = [abs(held_s.get(name, 0.0) - float(ns) / 1e9) / wall_s for name, ns in truth_ns.items()]
    return 100 * float(max(wrong))


def app() -> list[Row]:
    """The screen: CPU, first picture, a key, memory."""
    return live.measure(ROUNDS // 2 + 1, SECONDS).rows()


def screens(words: set[str]) -> None:
    """Scripted recordings, and with the word "run" or without any the real app."""
    if words != {"run"}:
        screen.print_table(SECONDS, words - {"run"})
    if not words or "run" in words:
        live.print_table(ROUNDS // 2 + 1, SECONDS)


def headless() -> list[Row]:
    """What a headless watch adds to a short script."""
    empty = Path(tools.TARGETS / "empty.py")
    added = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        alone([str(empty)])
        between = time.monotonic()
        under_gilscope([str(empty)])
        added.append((time.monotonic() - between) - (between - began))
    mean, spread = mean_and_spread(added)
    return [
        ("headless adds to a script", "0.3 s", f"{mean:.2f} ± {spread:.2f} s", "with the summary printed")
    ]


BENCHES: tuple[Callable[[], list[Row]], ...] = (headless, errors, waking, costs, app, slowdowns)

TABLES = {"hour", "screen", "verdicts", "truth"}
"""Words for what is not among the rows; what follows them names a part of it."""


def check_words() -> None:
    """End with what there is, if that is asked for or something else is."""
    words = [argument for argument in sys.argv[1:] if argument != "--quick"]
    known = {bench.__name__ for bench in BENCHES} | TABLES
    if words and not (known & set(words) and all(word[0] != "-" for word in words)):
        print(f"python -m tests.benchmarks [--quick] [{' | '.join(sorted(known))}] …\n\n{__doc__}")
        sys.exit(0 if words[0] in ("-h", "--help") else 2)


def main() -> None:
    """Measure all, or those named on the command line; for `truth` and `verdicts` name more as well."""
    check_words()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # probes are taken away also then
    named = {argument for argument in sys.argv[1:] if not argument.startswith("-")}
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    print(f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release()},", end=" ")
    print(f"CPython {platform.python_version()}, {time.strftime('%Y-%m-%d')}\n")
    if "hour" in named:
        sys.exit(hour.main([]) or scrub.main([]))
    if "screen" in named:
        screens(named - {"screen"})
        return
    if "verdicts" in named:
        sys.exit(1 if verdicts.print_table(named - {"verdicts"}) else 0)
    benches = [bench for bench in BENCHES if not named or bench.__name__ in named]
    if benches:
        print("| what | budget | measured | beside it |\n|---|---|---|---|")
    for bench in benches:
        for row in bench():
            print("| " + " | ".join(row) + " |", flush=True)
    if not named or "truth" in named:
        print("\nThe figures against the exact times:\n")
        accuracy.print_table(SECONDS, named - {"truth"})
    if "truth" in named:
        # Not beside the recorder of exact times, which costs the target more than gilscope does.
        print("\nAnd what watching slows, in runs that nothing else looks at:\n")
        for row in slowdowns():
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()

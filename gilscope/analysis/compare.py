"""Several runs of one program side by side: which way is faster, what it costs, and what to do about it.

Pure: the summaries of runs in, a table and sentences out. Runs of one label are repetitions of one way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = "gilscope.compare/1"
Z95 = 1.96
"""Standard deviations of a 95 % interval."""
CLEAR = 1.1
"""One way is faster than another from this factor on, and beyond the spread of the runs."""
MORE_CORES = 1.3
"""In the same time, with so many times the cores, more is done: or more is wasted."""
HEAVY_MEMORY = 1.5
"""A way that takes this many times the memory is said to."""
OTHERS_CORES = 0.5
"""Other programs that use less than this, in cores, are no reason for anything."""
FULL = 0.85
"""From this share of all cores on, in use by whomever, there was none left to be faster on."""
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is compared of one run."""

    label: str
    """The way it ran, such as "threads"; runs of the same label are repetitions."""
    summary: Mapping[str, Any]
    """Of schema gilscope.summary/1."""
    startup_s: float | None
    """When its last worker had started, in seconds since the run began; None where there was no worker."""
    output: str | None = None
    """What tells its output from another one, such as a digest; None: not known."""
    recording: str | None = None
    """The file that holds it; None where it is not kept."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to run it, with the means over its runs."""

    label: str
    mode: str
    runs: tuple[Run, ...]
    failed: int
    wall_s: float
    error_s: float | None
    """Half the width of the 95 % interval of the mean; None for a single run."""
    cores_used: float | None
    held: float | None
    """Share of time that the busiest GIL was held."""
    waiting_s: float | None
    startup_s: float | None
    memory_mb: float | None
    processes: float | None
    verdict: str | None
    others: float | None
    """Cores that other programs used meanwhile."""


def compare(runs: Sequence[Run]) -> dict[str, Any]:
    """The comparison (schema gilscope.compare/1), the first label being what others are measured against.

    `speedup` of a way is how many times as fast as the first one it is, `_error` half the width of a 95 %
    interval, None from single runs; None is a figure that is not known.
    """
    ways = [_way(label, [run for run in runs if run.label == label]) for label in _labels(runs)]
    base = ways[0] if ways else None
    outputs = {run.output for run in runs if run.output is not None}
    return {
        "schema": SCHEMA,
        "ways": [_fields(way, base) for way in ways],
        "outputs_differ": len(outputs) > 1 if outputs else None,
        "advice": advise(ways, cores=_cores(runs)),
    }


def each_run(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The figures of every single run, as those of a way of its own, measured against the first label's."""
    labels = _labels(runs)
    base = _way(labels[0], [run for run in runs if run.label == labels[0]]) if runs else None
    found = []
    for number, run in enumerate(runs):
        fields = _fields(_way(run.label, [run]), base)
        if len(labels) < len(runs):
            fields["label"] += f", run {1 + sum(other.label == run.label for other in runs[:number])}"
        found.append(fields)
    return found


def _labels(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.label for run in runs))


def _cores(runs: Sequence[Run]) -> int | None:
    return runs[0].summary["machine"]["cores_usable"] if runs else None


def _way(label: str, runs: Sequence[Run]) -> _Way:
    def mean(value: Callable[[Mapping[str, Any]], float | None]) -> float | None:
        values = [found for run in runs if (found := value(run.summary)) is not None]
        return sum(values) / len(values) if values else None

    walls = [float(run.summary["target"]["wall_s"]) for run in runs]
    starts = [run.startup_s for run in runs if run.startup_s is not None]
    verdicts = [run.summary["verdict"]["kind"] for run in runs if run.summary["verdict"]]
    return _Way(
        label=label,
        mode=runs[0].summary["target"]["mode"],
        runs=tuple(runs),
        failed=sum(run.summary["target"]["exit_code"] != 0 for run in runs),
        wall_s=sum(walls) / len(walls),
        error_s=_error(walls),
        cores_used=mean(lambda summary: summary["totals"]["cores_used_mean"]),
        held=mean(_held),
        waiting_s=mean(lambda summary: summary["totals"]["waiting_s"]),
        startup_s=sum(starts) / len(starts) if starts else None,
        memory_mb=mean(lambda summary: summary["totals"]["memory_peak_mb"]),
        processes=mean(lambda summary: len(summary["processes"])),
        verdict=max(verdicts, key=verdicts.count) if verdicts else None,
        others=mean(_others),
    )


def _others(summary: Mapping[str, Any]) -> float | None:
    others = 0.0
    for core in summary["cores"]:
        if core["busy_mean"] is None or core["target_share"] is None:
            return None
        others += max(0.0, core["busy_mean"] - core["target_share"])
    return others if summary["cores"] else None


def _held(summary: Mapping[str, Any]) -> float | None:
    return max(
        (gil["utilisation"] for gil in summary["gils"] if gil["utilisation"] is not None), default=None
    )


def _error(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Z95 * math.sqrt(variance / len(values))


def _speedup(way: _Way, base: _Way) -> tuple[float, float | None]:
    """How many times as fast as `base`, and the error of that."""
    if not way.wall_s:
        return 1.0, None
    ratio = base.wall_s / way.wall_s
    if way.error_s is None or base.error_s is None or not base.wall_s:
        return ratio, None
    return ratio, ratio * math.hypot(way.error_s / way.wall_s, base.error_s / base.wall_s)


def _fields(way: _Way, base: _Way | None) -> dict[str, Any]:
    speedup, error = _speedup(way, base) if base is not None else (1.0, None)
    return {
        "label": way.label,
        "mode": way.mode,
        "python": way.runs[0].summary["target"]["python"],
        "runs": len(way.runs),
        "failed": way.failed,
        "wall_s": _rounded(way.wall_s),
        "wall_s_error": _rounded(way.error_s),
        "speedup": _rounded(speedup),
        "speedup_error": None if way is base else _rounded(error),
        "cores_used": _rounded(way.cores_used),
        "gil_held": _rounded(way.held),
        "waiting_s": _rounded(way.waiting_s),
        "startup_s": _rounded(way.startup_s),
        "memory_peak_mb": _rounded(way.memory_mb),
        "processes": _rounded(way.processes),
        "verdict": way.verdict,
        "others_cores": _rounded(way.others),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def advise(ways: Sequence[_Way], *, cores: int | None) -> list[str]:
    """What to do, in sentences built from the measured figures; the first one is the advice itself."""
    failed = [
        f"{way.label}: {way.failed} of {len(way.runs)} runs ended with an error: its figures say nothing."
        for way in ways
        if way.failed
    ]
    sound = [way for way in ways if not way.failed]
    if len(sound) < 2:
        return failed
    threads = next((way for way in sound if way.mode == "threads"), None)
    processes = next((way for way in sound if way.mode == "processes"), None)
    if threads is not None and processes is not None:
        return [*_threads_or_processes(threads, processes, cores), *failed]
    return [_fastest(sound), *failed]


def _is_faster(way: _Way, other: _Way) -> bool:
    ratio, error = _speedup(way, other)
    return ratio >= CLEAR and ratio - (error or 0.0) > 1.0


def _threads_or_processes(threads: _Way, processes: _Way, cores: int | None) -> list[str]:
    memory = _memory(threads, processes)
    if _is_faster(processes, threads):
        why = f"With threads the GIL was held {_percent(threads.held)} of the time"
        why += f" and {_cores_text(threads.cores_used)} did the work; processes have a GIL each and used"
        why += f" {_number(processes.cores_used)}" + (f" of {cores}." if cores else ".")
        return [f"Use processes: {_times(processes, threads)}.", why, memory]
    if threads.verdict == "gil-bound" and cores and _is_crowded_out(processes, cores):
        why = f"Processes had no cores to be faster on ({processes.wall_s:.2f} s, threads"
        why += f" {threads.wall_s:.2f} s); where there are some, they need not wait for one GIL."
        return [
            f"Run it again in quiet: other programs used {_number(processes.others)} of the {cores} cores.",
            why,
            memory,
        ]
    if _is_faster(threads, processes):
        late = ""
        if processes.startup_s is not None:
            late = f" The last process had started after {processes.startup_s:.2f} s."
        return [
            f"Use threads: {_times(threads, processes)}.",
            f"What processes cost, to start and to hand data to and fro, is more than they bring.{late}",
            memory,
        ]
    both = f"{threads.wall_s:.2f} s and {processes.wall_s:.2f} s"
    if threads.verdict == "gil-bound" and (processes.cores_used or 0) > MORE_CORES * (
        threads.cores_used or 1
    ):
        used = f"processes used {processes.cores_used:.1f} cores and threads {_number(threads.cores_used)}"
        more = "A script that runs for a set time gets more done with processes; "
        more += "any other one spends the CPU time for nothing."
        return [f"Neither is faster ({both}), but {used}.", more, memory]
    return [
        f"Use threads: they take as long as processes ({both}) and cost less.",
        _why_same(threads),
        memory,
    ]


def _is_crowded_out(way: _Way, cores: int) -> bool:
    """Whether other programs took cores that it could have used."""
    if way.others is None or way.cores_used is None or way.others < OTHERS_CORES:
        return False
    return way.others + way.cores_used >= FULL * cores


def _why_same(threads: _Way) -> str:
    reasons = {
        "io-bound": "The program mostly waits for something else than the CPU, and threads wait as well.",
        "native-parallel": "Its C code lets go of the GIL, so that its threads run in parallel as they are.",
        "single-threaded": "One thread does nearly all of the work: neither way spreads it.",
        "gil-bound": "Its threads wait for the GIL, but processes brought no more: are there cores for them?",
    }
    return reasons.get(threads.verdict or "", f"The GIL was held {_percent(threads.held)} of the time.")


def _fastest(ways: Sequence[_Way]) -> str:
    best = min(ways, key=lambda way: way.wall_s)
    others = [way for way in ways if way is not best]
    if all(_is_faster(best, way) for way in others):
        return f"{best.label} is the fastest: {_times(best, min(others, key=lambda way: way.wall_s))}."
    return (
        "No way is clearly the fastest: " + ", ".join(f"{way.label} {way.wall_s:.2f} s" for way in ways) + "."
    )


def _times(way: _Way, other: _Way) -> str:
    ratio, error = _speedup(way, other)
    spread = "" if error is None else f" ± {error:.2f}"
    return f"{way.wall_s:.2f} s instead of {other.wall_s:.2f} s, {ratio:.2f}{spread} times as fast"


def _memory(threads: _Way, processes: _Way) -> str:
    count = f"{processes.processes:.0f} processes" if processes.processes else "Processes"
    if threads.memory_mb is None or processes.memory_mb is None:
        return f"{count}: their memory was not read."
    said = f"{count} took {processes.memory_mb:.0f} MB at most, threads {threads.memory_mb:.0f} MB"
    heavy = processes.memory_mb >= HEAVY_MEMORY * threads.memory_mb
    return said + (": each process has its own copy of what it changes." if heavy else ".")


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.0f} %"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"


def _cores_text(used: float | None) -> str:
    if used is None:
        return "? cores"
    return "one core" if 0.8 <= used < 1.2 else f"{used:.1f} cores"

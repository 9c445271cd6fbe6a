"""What can be limited: each metric with its unit, its meaning, and where it stands in a summary. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gilscope.model import State

Summary = Mapping[str, Any]
Reading = tuple[str, float | None]
"""Of what it is (a thread, a GIL; "" of the session), and its value; None was not read."""

SHARE, SECONDS, MILLISECONDS, MEGABYTES, CORES, HERTZ, COUNT = (
    "share",
    "s",
    "ms",
    "MB",
    "cores",
    "per second",
    "count",
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure, or one of each GIL, thread or process: then the worst of them counts."""

    name: str
    unit: str
    meaning: str
    read: Callable[[Summary], list[Reading]]


def _gil_of(row: Mapping[str, Any]) -> str:
    interpreter = f", interpreter {row['interpreter']}" if row.get("interpreter") else ""
    return f"the GIL of process {row['pid']}{interpreter}"


def _lane_of(row: Mapping[str, Any]) -> str:
    return f"{row['name']} of process {row['pid']}"


def _process_of(row: Mapping[str, Any]) -> str:
    return f"process {row['pid']}"


_NAMED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "gils": _gil_of,
    "lanes": _lane_of,
    "processes": _process_of,
}


def _each(table: str, key: str) -> Callable[[Summary], list[Reading]]:
    return lambda summary: [(_NAMED[table](row), row.get(key)) for row in summary[table]]


def _one(*path: str) -> Callable[[Summary], list[Reading]]:
    def read(summary: Summary) -> list[Reading]:
        value: Any = summary
        for key in path:
            value = None if value is None else value.get(key)
        return [("", value)]

    return read


def _lane_share(key: str) -> Callable[[Summary], list[Reading]]:
    """A lane's seconds as a part of its life; a lane without a life is in no figure."""
    return lambda summary: [
        (_lane_of(row), None if row[key] is None else min(1.0, row[key] / row["alive_s"]))
        for row in summary["lanes"]
        if row["alive_s"]
    ]


def _handoffs_per_s(summary: Summary) -> list[Reading]:
    wall_s = summary["target"]["wall_s"]
    return [
        (_gil_of(row), None if row["handoffs"] is None or not wall_s else row["handoffs"] / wall_s)
        for row in summary["gils"]
    ]


def _never_started(summary: Summary) -> list[Reading]:
    created, started = (summary["totals"][f"threads_{word}"] for word in ("created", "started"))
    return [("", None if created is None or started is None else created - started)]


def _stalls(summary: Summary) -> list[Reading]:
    rows = summary.get("stalls")
    # Of very many only the longest have a row.
    return [("", None if rows is None else max(len(rows), summary.get("stalls_total") or 0))]


def _longest_stall(summary: Summary) -> list[Reading]:
    rows = summary.get("stalls")
    if rows is None:
        return [("", None)]
    return [(str(row.get("name") or ""), row["held_ms"]) for row in rows] or [("", 0.0)]


def _gap_s(summary: Summary) -> list[Reading]:
    return [("", float(sum(gap["seconds"] for gap in summary["gilscope"]["gaps"])))]


def _in_state(state: State) -> str:
    doing = {
        State.RUNNING: "executes Python on a CPU",
        State.HOLDING: "holds its GIL without a CPU",
        State.WAITING: "waits for its GIL",
        State.NATIVE: "is on a CPU without the GIL",
        State.READY: "could run, and has no CPU",
        State.BLOCKED: "sleeps: I/O, a lock, a sleep",
        State.UNKNOWN: "could not be read",
    }
    return doing[state]


def _lanes() -> Iterable[Metric]:
    for state in State:
        key, doing = f"{state.word}_s", _in_state(state)
        yield Metric(f"lane.{key}", SECONDS, f"time in which a thread {doing}", _each("lanes", key))
        yield Metric(
            f"lane.{state.word}_share",
            SHARE,
            f"part of its life in which a thread {doing}",
            _lane_share(key),
        )
    yield Metric("lane.cpu_s", SECONDS, "CPU time of a thread", _each("lanes", "cpu_s"))
    yield Metric("lane.cpu_share", SHARE, "part of its life that a thread is on a CPU", _lane_share("cpu_s"))
    yield Metric("lane.alive_s", SECONDS, "how long a thread lives", _each("lanes", "alive_s"))
    yield Metric(
        "lane.held_share",
        SHARE,
        "part of the time its GIL was watched in which a thread holds it",
        lambda summary: [
            (_lane_of(row), row["held_share"]) for row in summary["lanes"] if row["kind"] == "thread"
        ],
    )


def _gils() -> Iterable[Metric]:
    for name, unit, meaning in (
        ("utilisation", SHARE, "part of the time that a GIL is held"),
        ("contention", SHARE, "part of the time that at least one thread waits for a GIL"),
        ("waiters_mean", COUNT, "mean number of threads that wait for a GIL"),
        ("waiters_max", COUNT, "most threads that waited for a GIL at once"),
        ("handoffs", COUNT, "how often a GIL passed to another thread"),
        ("longest_hold_ms", MILLISECONDS, "longest hold of a GIL, with waiters or without"),
        ("samples", COUNT, "samples of a GIL"),
    ):
        yield Metric(f"gil.{name}", unit, meaning, _each("gils", name))
    yield Metric(
        "gil.handoffs_per_s",
        HERTZ,
        "how often a GIL passes to another thread in a second",
        _handoffs_per_s,
    )


def _totals() -> Iterable[Metric]:
    for name, unit, meaning in (
        ("cores_used_mean", CORES, "cores in use on average"),
        ("held_s", SECONDS, "time in which GILs are held, of all of them"),
        ("waiting_s", SECONDS, "time that all threads wait for GILs"),
        ("native_s", SECONDS, "CPU time without a GIL"),
        ("cpu_s", SECONDS, "CPU time of all processes"),
        ("memory_peak_mb", MEGABYTES, "most memory of all processes together"),
        ("threads_created", COUNT, "threads created"),
        ("threads_started", COUNT, "threads started"),
        ("processes_started", COUNT, "processes started, the first not counted"),
    ):
        yield Metric(f"totals.{name}", unit, meaning, _one("totals", name))
    yield Metric("totals.threads_never_started", COUNT, "threads created and never started", _never_started)


def _rest() -> Iterable[Metric]:
    for name, unit, meaning in (
        ("cpu_s", SECONDS, "CPU time of a process"),
        ("rss_max_mb", MEGABYTES, "most resident memory of a process"),
        ("pss_max_mb", MEGABYTES, "most memory of a process, what it shares counted in part"),
        ("threads_max", COUNT, "most threads of a process at once"),
    ):
        yield Metric(f"process.{name}", unit, meaning, _each("processes", name))
    yield Metric("stall.count", COUNT, "holds longer than --stall with a waiter", _stalls)
    yield Metric("stall.held_ms", MILLISECONDS, "longest of these holds", _longest_stall)
    yield Metric("target.wall_s", SECONDS, "how long the target ran", _one("target", "wall_s"))
    yield Metric(
        "gilscope.cost_share",
        SHARE,
        "part of a core that watching takes",
        _one("gilscope", "cost", "share_of_core"),
    )
    yield Metric(
        "gilscope.achieved_hz", HERTZ, "samples a second achieved", _one("gilscope", "rate_hz", "achieved")
    )
    yield Metric("gilscope.gaps_s", SECONDS, "time that sources could not read, all gaps", _gap_s)


METRICS: dict[str, Metric] = {
    metric.name: metric for part in (_gils(), _lanes(), _totals(), _rest()) for metric in part
}


def help_text() -> str:
    """All metrics with their units and meanings, for `--fail-on help`."""
    widest = max(len(name) for name in METRICS)
    lines = [
        "A limit is a metric, a comparison (> >= < <= == !=) and a number: it says what is not allowed.",
        "",
        "  --fail-on 'gil.contention > 0.5'     --fail-on 'lane.waiting_share > 30 %'",
        "  --fail-on 'gil.longest_hold_ms > 100 ms'     --fail-on 'totals.cores_used_mean < 1.5'",
        "",
        "Of what there are several (GILs, threads, processes), each one is held against the limit.",
        "A figure that could not be read counts as a limit crossed, and is reported as unknown.",
        "Units: ns us ms s min h for times, % for shares, kB MB GB for memory.",
        "",
    ]
    lines += [
        f"  {metric.name:<{widest}}  {metric.unit:<10}  {metric.meaning}" for metric in METRICS.values()
    ]
    return "\n".join(lines) + "\n"

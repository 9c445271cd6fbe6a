"""gilscope's figures, and py-spy's, against the exact times of truth.py, for each interpreter and load.

py-spy cannot watch the run that gilscope watches without disturbing it: each has runs of its own, and each
is held against the truth of its own run.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import spans, truth
from tests.benchmarks.spans import NoTruthError, ThreadTruth, Truth
from tests.benchmarks.tools import held_by_name, target, under_gilscope, under_pyspy
from tests.benchmarks.truth import Recorder, Traceable
from tests.pythons import found_pythons

SHAPES = ("cpu", "convoy", "hashing", "schedule")
HEADER = (
    "Python", "load", "held", "by chance", "handoffs", "true", "waiting", "true", "error", "with CPU",
    "waiters", "rate", "cost", "py-spy 100 Hz", "py-spy 1000 Hz",
)  # fmt: skip
EXPLANATION = """\
Runs of {seconds:g} s. Held: the largest error of any thread's share of the run, in percentage points, against
uprobe times; by chance: what 19 of 20 perfect samplers of the rate that was kept stay below on this run.
Waiting: of all threads together, against the time in take_gil; with CPU: less the part of it in the run
queue, which gilscope books as ready; waiters: from the number of waiters in each GIL sample, not lanes; the
difference is in per cent, and in points of one thread's time. py-spy: its own runs, --nonblocking --gil
--threads, against their own truth. Budgets: 0.5 points, handoffs equal, waiting 3 %.
"""
TRIES = 20
"""Perfect samplers that are simulated to tell chance from bias."""
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run under gilscope, and the truth of the same run where it could be had."""

    summary: dict[str, Any]
    output: dict[str, Any]
    """What the target said of itself."""
    truth: Truth | None = None
    window: tuple[int, int] = (0, 0)

    @property
    def wall_ns(self) -> float:
        """The session's length."""
        return float(self.summary["target"]["wall_s"]) * NS_PER_S

    @property
    def held_ns(self) -> dict[int, float]:
        """Ours, by tid."""
        return {n["tid"]: (n["running_s"] + n["holding_s"]) * NS_PER_S for n in self.summary["lanes"]}

    def threads(self) -> dict[int, ThreadTruth]:
        """The truth, by tid."""
        assert self.truth is not None
        return self.truth.by_tid(*self.window)

    def true_held_ns(self) -> dict[int, float]:
        """The truth of the held time, by tid."""
        return {tid: float(thread.held_ns) for tid, thread in self.threads().items()}


def command(shape: str, seconds: float) -> list[str]:
    """The target with this load."""
    return target("schedule.py", seconds) if shape == "schedule" else target("shapes.py", shape, seconds)


def said(output: str) -> dict[str, Any]:
    """What a target printed last; py-spy prints lines of its own between."""
    found: dict[str, Any] = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    return found


def watch(python: Path, traced: Traceable | None, shape: str, seconds: float) -> Measured:
    """Run a load under gilscope, and record its truth beside it."""
    script = command(shape, seconds)
    if traced is None:
        output, summary = under_gilscope(script, "--python", str(python))
        return Measured(summary=summary, output=said(output))
    settings = [word for pair in traced.environment.items() for word in ("--env", "=".join(pair))]
    with Recorder(traced) as recorder:
        output, summary = under_gilscope(script, "--python", str(python), *settings)
        events = recorder.events()
    pid = int(summary["target"]["pid"])
    found = spans.fold(events, {pid, *(int(lane["tid"]) for lane in summary["lanes"])})
    window = found.window(pid, round(summary["target"]["wall_s"] * NS_PER_S))
    if found.contradictions:
        raise NoTruthError(f"{found.contradictions} drops without a take: parts of take_gil are inlined")
    return Measured(summary=summary, output=said(output), truth=found, window=window)


def spy(python: Path, traced: Traceable | None, shape: str, seconds: float, rate: int) -> str:
    """The largest held-share error of py-spy's, of the threads that did the work."""
    options = ["--nonblocking", "--gil", "--threads", "-r", str(rate)]
    script = command(shape, seconds)
    if traced is None:
        if shape != "schedule":
            return "?"
        output, raw = under_pyspy(script, *options, python=python)
        known = said(output)
        exact = {name: float(ns) for name, ns in known["held_ns"].items()}
        return _points(worst(held_by_name(raw, rate), exact, known["wall_ns"]))
    with Recorder(traced) as recorder:
        output, raw = under_pyspy(script, *options, python=python, environment=traced.environment)
        events = recorder.events()
    tids: dict[str, int] = said(output)["tids"]
    found = spans.fold(events, set(tids.values()))
    start_ns = min(span.start_ns for span in found.holds)
    end_ns = max(span.end_ns for span in found.holds)
    threads = found.by_tid(start_ns, end_ns)
    exact = {name: float(threads[tid].held_ns) for name, tid in tids.items()}
    return _points(worst(held_by_name(raw, rate), exact, end_ns - start_ns))


def worst(measured: Mapping[Any, float], exact: Mapping[Any, float], wall_ns: float) -> float:
    """The largest difference of a share."""
    return max(abs(measured.get(key, 0.0) - exact_ns) for key, exact_ns in exact.items()) / wall_ns


def by_chance(run: Measured, rate_hz: float) -> float:
    """The error that 19 of 20 perfect samplers of this rate stay below on this very run.

    Each reads the truth at moments as irregular as ours, and adds up as sampler/merge.py does.
    """
    assert run.truth is not None
    start_ns, end_ns = run.window
    exact = run.true_held_ns()
    errors = []
    for attempt in range(TRIES):
        generator = random.Random(attempt)
        held: dict[int, float] = {}
        before_ns, tid = start_ns, 0
        for at_ns, now in _readings(run.truth, start_ns, end_ns, rate_hz, generator):
            half_ns = (at_ns - before_ns) / 2
            held[tid] = held.get(tid, 0.0) + half_ns
            held[now] = held.get(now, 0.0) + half_ns
            before_ns, tid = at_ns, now
        errors.append(worst(held, exact, end_ns - start_ns))
    return sorted(errors)[TRIES * 95 // 100 - 1]


def _readings(
    exact: Truth, start_ns: int, end_ns: int, rate_hz: float, generator: random.Random
) -> Iterator[tuple[int, int]]:
    """Moments and the holder at each."""
    period_ns = NS_PER_S / rate_hz
    index = 0
    for number in itertools.count():
        at_ns = round(start_ns + (number + generator.random()) * period_ns)
        if at_ns >= end_ns:
            return
        while index < len(exact.holds) and exact.holds[index].end_ns <= at_ns:
            index += 1
        holds = index < len(exact.holds) and exact.holds[index].start_ns <= at_ns
        yield at_ns, exact.holds[index].tid if holds else 0


def row(version: str, shape: str, run: Measured, spied: Sequence[str]) -> tuple[str, ...]:
    """One line of the table."""
    summary = run.summary
    own = summary["gilscope"]
    handoffs = sum(gil["handoffs"] for gil in summary["gils"])
    waiting_s = float(summary["totals"]["waiting_s"])
    rate_hz = own["rate_hz"]["achieved"] or 0.0
    waiters_s = sum((gil["waiters_mean"] or 0.0) * gil["samples"] / rate_hz for gil in summary["gils"])
    unread_s = sum(gap["seconds"] for gap in own["gaps"])
    rate = f"{rate_hz:.0f} Hz" + (f", {unread_s:.1f} s unread" if unread_s else "")
    held, chance, true_handoffs, true_waiting, error, with_cpu, waiters = ("?",) * 7
    if run.truth is not None:
        held = _points(worst(run.held_ns, run.true_held_ns(), run.wall_ns))
        chance = _points(by_chance(run, rate_hz))
        true_handoffs = str(run.truth.count_handoffs(*run.window))
        wanted_s = sum(thread.waiting_ns for thread in run.threads().values()) / NS_PER_S
        queued_s = sum(thread.queued_ns for thread in run.threads().values()) / NS_PER_S
        true_waiting = f"{wanted_s:.3f} s"
        error = _difference(waiting_s, wanted_s, run.wall_ns)
        with_cpu = _difference(waiting_s, wanted_s - queued_s, run.wall_ns)
        waiters = _difference(waiters_s, wanted_s, run.wall_ns)
    if shape == "schedule":
        tids, built = run.output["tids"], run.output["held_ns"]
        ours = {name: run.held_ns.get(tid, 0.0) for name, tid in tids.items()}
        held += f" ({_points(worst(ours, built, run.output['wall_ns']))} by construction)"
    return (
        version, shape, held, chance, str(handoffs), true_handoffs, f"{waiting_s:.3f} s", true_waiting,
        error, with_cpu, waiters, rate, f"{100 * own['cost']['share_of_core']:.1f} %",
        *spied,
    )  # fmt: skip


def _points(share: float) -> str:
    return f"{100 * share:.2f}"


def _difference(measured_s: float, exact_s: float, wall_ns: float) -> str:
    points = 100 * (measured_s - exact_s) * NS_PER_S / wall_ns
    return f"{100 * (measured_s / exact_s - 1):+.1f} % ({points:+.1f})" if exact_s else f"({points:+.1f})"


def print_table(seconds: float, wanted: Collection[str] = ()) -> None:
    """Measure and print, a row at a time; `wanted`: only these versions and shapes, where any are named."""
    reason = truth.why_not()
    if reason is not None:
        print(f"No exact times here: {reason}. Only what is known by construction is compared.\n")
    print(EXPLANATION.format(seconds=seconds))
    print("| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER))
    shapes = [shape for shape in SHAPES if shape in wanted] or list(SHAPES)
    pythons = found_pythons()
    for version in [version for version in pythons if version in wanted] or list(pythons):
        python = pythons[version]
        with contextlib.ExitStack() as stack:
            traced = None
            try:
                traced = stack.enter_context(truth.traceable(python)) if reason is None else None
            except NoTruthError as error:
                _say(f"{version}: {error}; without uprobe times:")
            for shape in shapes:
                try:
                    print(
                        "| " + " | ".join(_measure(version, python, traced, shape, seconds)) + " |",
                        flush=True,
                    )
                except NoTruthError as error:
                    _say(f"{version}, {shape}: {error}")


def _say(text: str) -> None:
    print(f"| {text} |" + " |" * (len(HEADER) - 1), flush=True)


def _measure(
    version: str, python: Path, traced: Traceable | None, shape: str, seconds: float
) -> tuple[str, ...]:
    run = watch(python, traced, shape, seconds)
    return row(version, shape, run, [spy(python, traced, shape, seconds, rate) for rate in (100, 1000)])

"""What figures mean: one program of each kind, and where one kind ends and another begins."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gilscope.analysis.free_threaded import turned_on_for_good
from gilscope.analysis.summary import summarise
from gilscope.analysis.verdict import KINDS, THRESHOLDS, judge, verdict_fields
from gilscope.model import Event, Lane, Process
from tests.recording.samples import SESSION

T = THRESHOLDS


def lane(name: str, *, pid: int = 1, cpu: float = 0.0, **states: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "pid": pid,
        "tid": hash(name) % 1000,
        "kind": "thread",
        "name": name,
        "alive_s": 10.0,
    }
    row |= {"cpu_s": cpu, "held_share": None}
    for state in ("running", "holding", "waiting", "native", "ready", "blocked", "unknown"):
        row[f"{state}_s"] = states.get(state, 0.0)
    return row


def summary(
    *lanes: dict[str, Any],
    utilisation: float = 0.0,
    contention: float = 0.0,
    waiters: float = 0.0,
    samples: int = 10_000,
    wall: float = 10.0,
    cores: int = 4,
    processes: tuple[float, ...] = (),
    exit_code: int | None = 0,
    kind: str = "shared",
    handoffs: int | None = 2_000,
    interval_us: int = 5_000,
    threads: tuple[int, int] | None = None,
    gils: int = 1,
) -> dict[str, Any]:
    """Ten seconds of some program."""
    base = summarise(
        session=dataclasses.replace(
            SESSION, ended_ns=round(wall * 1e9), cores_usable=cores, exit_code=exit_code
        ),
        processes=[Process(key=1, pid=1, ppid=0, command="x", python="3.11", start_ns=0)],
        lanes=[Lane(key=1, process=1, tid=1, kind="thread", name="MainThread", start_ns=0)],
        gils=[],
        ticks=[],
    )
    cpu = sum(row["cpu_s"] for row in lanes)
    base["lanes"] = list(lanes)
    base["gils"] = [
        {
            "pid": 1,
            "interpreter": number,
            "handoffs": handoffs,
            "longest_hold_ms": 12.0,
            "switch_interval_us": interval_us,
            "kind": kind,
            "utilisation": utilisation,
            "contention": contention,
            "waiters_mean": waiters,
            "samples": samples,
        }
        for number in range(gils)
    ]
    if threads is not None:
        base["totals"] |= {"threads_created": threads[0], "threads_started": threads[1]}
    base["processes"] = [{"pid": -number, "cpu_s": cpu_s} for number, cpu_s in enumerate(processes)]
    if not processes:
        base["processes"] = [{"pid": 1, "cpu_s": cpu}]
    base["totals"] |= {
        "cpu_s": cpu,
        "cores_used_mean": cpu / wall if wall else None,
        "native_s": sum(row["native_s"] for row in lanes),
        "waiting_s": sum(row["waiting_s"] or 0.0 for row in lanes),
        "held_s": utilisation * wall,
    }
    return base


BUSY = lane("busy", cpu=9.5, running=9.5, waiting=0.3)
"""One that computes all the time."""
BEAT = lane("beat", cpu=0.1, running=0.1, waiting=5.0, blocked=4.9)
"""One that sleeps, and waits to do a little."""
STUCK = lane("stuck", cpu=0.02, running=0.02, waiting=9.5, blocked=0.4)
CPU_THREADS = [lane(f"cpu-{n}", cpu=2.5, running=2.5, waiting=7.5) for n in range(4)]
PROGRAMS: dict[str, dict[str, Any]] = {
    "gil-bound": summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0),
    "single-threaded": summary(lane("MainThread", cpu=9.8, running=9.8), utilisation=0.98),
    "io-bound": summary(*[lane(f"io-{n}", cpu=0.05, blocked=9.9) for n in range(10)], utilisation=0.02),
    "native-parallel": summary(*[lane(f"h-{n}", cpu=9.0, native=9.0) for n in range(3)], utilisation=0.05),
    "process-parallel": summary(
        *[lane(f"p-{n}", pid=n, cpu=9.0, running=9.0) for n in range(3)],
        utilisation=0.99, processes=(0.1, 9.0, 9.0, 9.0),
    ),
    "free-threaded": summary(
        *[lane(f"t-{n}", cpu=9.0, running=8.5, native=0.5) for n in range(3)], kind="disabled"
    ),
    "gil-hog": summary(
        BUSY, lane("heartbeat", cpu=0.1, running=0.1, waiting=3.0, blocked=6.9),
        utilisation=0.97, contention=0.3, handoffs=80,
    ),
    "starved": summary(BUSY, STUCK, utilisation=0.99, contention=0.95, handoffs=4, interval_us=60_000_000),
    "convoy": summary(BUSY, BEAT, utilisation=0.97, contention=0.5, waiters=0.5),
    "oversubscribed": summary(
        *[lane(f"p-{n}", pid=-n, cpu=2.0, running=2.0, holding=8.0) for n in range(8)],
        utilisation=0.99, processes=(2.0,) * 8, cores=2,
    ),
    "interpreter-parallel": summary(
        *[lane(f"sub-{n}", cpu=9.0, running=9.0) for n in range(3)], utilisation=0.9, gils=3
    ),
    "never-started": summary(
        lane("main", cpu=0.02, running=0.02), wall=0.1, samples=40, threads=(4, 0)
    ),
    "too-short": summary(lane("MainThread", cpu=0.05, running=0.05), wall=0.1, samples=50),
    "mixed": summary(
        lane("a", cpu=4.0, running=4.0), lane("b", cpu=4.0, native=2.0, running=2.0),
        utilisation=0.6, contention=0.1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PROGRAMS)
def test_each_kind(kind: str) -> None:
    verdict = judge(PROGRAMS[kind])
    assert verdict.kind == kind
    assert verdict.headline.endswith(".")
    assert verdict.evidence
    assert verdict.advice
    assert all(words.endswith((".", "?")) for words in (*verdict.evidence, *verdict.advice))


def test_every_rule_has_a_program() -> None:
    assert PROGRAMS.keys() == set(KINDS)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"contention": T.contended, "utilisation": T.utilised}, "gil-bound"),
        ({"contention": T.contended - 0.001, "utilisation": T.utilised}, "mixed"),
        ({"contention": T.contended, "utilisation": T.utilised - 0.001}, "mixed"),
        ({"contention": T.hog_share, "utilisation": 1.0, "handoffs": 50}, "gil-hog"),
        ({"contention": 1.0, "utilisation": 1.0, "handoffs": 500}, "gil-hog"),
        ({"contention": 1.0, "utilisation": 1.0, "handoffs": 501}, "gil-bound"),
        ({"contention": 1.0, "utilisation": 1.0, "handoffs": None}, "gil-bound"),
        ({"contention": 1.0, "utilisation": 1.0, "handoffs": 500, "interval_us": 6_000}, "gil-bound"),
        ({"contention": 1.0, "utilisation": 1.0, "samples": T.samples_min}, "gil-bound"),
        ({"contention": 1.0, "utilisation": 1.0, "samples": T.samples_min - 1}, "too-short"),
        ({"contention": 1.0, "utilisation": 1.0, "wall": T.wall_s_min}, "gil-bound"),
        ({"contention": 1.0, "utilisation": 1.0, "wall": T.wall_s_min - 0.001}, "too-short"),
    ],
)
def test_borders(changes: dict[str, Any], kind: str) -> None:
    wall = changes.get("wall", 10.0)
    rows = [lane(f"cpu-{n}", cpu=wall / 4, running=wall / 4, waiting=wall * 3 / 4) for n in range(4)]
    assert judge(summary(*rows, **changes)).kind == kind


@pytest.mark.parametrize(
    ("cores_used", "kind"),
    [
        (T.parallel_cores, "native-parallel"),
        (T.parallel_cores - 0.01, "mixed"),
        (T.idle_cores, "mixed"),
        (T.idle_cores - 0.01, "io-bound"),
    ],
)
def test_borders_of_cores(cores_used: float, kind: str) -> None:
    rows = [lane(f"h-{n}", cpu=cores_used * 5, native=cores_used * 5) for n in range(2)]
    assert judge(summary(*rows, utilisation=0.05)).kind == kind


def test_one_thread_among_others() -> None:
    share = T.dominant_share
    rows = [
        lane("a", cpu=10 * share, running=10 * share),
        lane("b", cpu=10 * (1 - share), running=10 * (1 - share)),
    ]
    assert judge(summary(*rows, utilisation=0.99, contention=0.1)).kind == "single-threaded"
    rows[0]["cpu_s"] -= 0.1
    rows[1]["cpu_s"] += 0.1
    assert judge(summary(*rows, utilisation=0.99, contention=0.1)).kind == "mixed"


def test_what_processes_could_bring() -> None:
    verdict = judge(PROGRAMS["gil-bound"])
    assert verdict.speedup_bound_processes == pytest.approx(4.0)
    assert "up to 4.0 ×" in verdict.advice[0]
    assert "4 threads want to run Python" in verdict.headline
    two = judge(summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0, cores=2))
    assert two.speedup_bound_processes == pytest.approx(2.0)
    one = judge(summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0, cores=1))
    assert one.speedup_bound_processes == 1.0
    assert "no free core" in one.advice[0]


def test_processes_bring_no_more_than_an_end_of_waiting() -> None:
    """Who holds the GIL off the CPU uses little of a core, but gets on: of five, four wait."""
    lanes = [lane(f"cpu-{n}", cpu=0.2, running=0.2, holding=1.8, waiting=8.0) for n in range(5)]
    verdict = judge(summary(*lanes, utilisation=0.99, contention=0.99, waiters=4.0, cores=8))
    assert verdict.kind == "gil-bound"
    assert verdict.speedup_bound_processes == pytest.approx(5.0, abs=0.1)


def test_a_failure_is_named() -> None:
    assert "exit code 3" in judge(summary(wall=0.05, samples=3, exit_code=3)).headline


def test_fields() -> None:
    fields = verdict_fields(judge(PROGRAMS["gil-bound"]))
    assert fields["speedup_bound"] == {"processes": 4.0}
    assert isinstance(fields["evidence"], list)
    assert verdict_fields(judge(PROGRAMS["io-bound"]))["speedup_bound"] == {"processes": None}


def event(at_s: float, kind: str, text: str, process: int = 1) -> Event:
    return Event(at_ns=round(at_s * 1e9), kind=kind, process=process, lane=None, text=text)


ON = event(1.25, "gil-enabled", "the GIL of process 5 was turned on for good")


def test_without_a_gil() -> None:
    verdict = judge(PROGRAMS["free-threaded"])
    assert "3 threads run Python at the same time" in verdict.headline
    assert "25.5 s of CPU time in Python, 1.5 s in C code." in verdict.evidence
    # One thread alone is single-threaded, with or without a GIL.
    assert judge(summary(lane("a", cpu=9.8, running=9.8), kind="disabled")).kind == "single-threaded"
    # If one GIL of several is on, it is what limits.
    mixed = summary(*CPU_THREADS, utilisation=0.99, contention=0.99, waiters=3.0)
    mixed["gils"].append(mixed["gils"][0] | {"kind": "disabled", "utilisation": 0.0, "contention": 0.0})
    assert judge(mixed).kind == "gil-bound"


def test_a_gil_that_was_turned_on_again_is_told() -> None:
    gil_bound = PROGRAMS["gil-bound"]
    verdict = judge(gil_bound, [ON])
    assert verdict.kind == "gil-bound"
    assert verdict.evidence[-1] == "At 1.2 s the GIL of process 5 was turned on for good."
    assert "turns it on for all threads" in verdict.also[-1]
    assert verdict_fields(verdict)["also"] == list(verdict.also)
    plain = judge(gil_bound)
    assert (plain.evidence, plain.also) == (verdict.evidence[:-1], verdict.also[:-1])


def test_a_gil_that_was_on_for_the_moment_of_an_import_is_not() -> None:
    off = event(1.3, "gil-disabled", "the GIL of process 5 is off again")
    other = event(1.3, "gil-disabled", "the GIL of process 5, interpreter 2 is off again")
    assert judge(PROGRAMS["free-threaded"], [off, ON]) == judge(PROGRAMS["free-threaded"])
    assert turned_on_for_good([ON, other]) == [ON]
    assert turned_on_for_good([ON, dataclasses.replace(off, process=2)]) == [ON]


def test_stopped_worlds_are_counted() -> None:
    stop = event(0.5, "stop-the-world", "the world stood")
    assert "stand once" in judge(PROGRAMS["free-threaded"], [stop]).also[-1]
    assert "stand 2 times" in judge(PROGRAMS["free-threaded"], [stop, stop]).also[-1]

"""Processes in the summary: what each used, when it was there, and how it ended. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from gilscope.model import NS_PER_S, Lane, Process, ProcessTick, Session

ZOMBIE_KIND, ORPHAN_KIND = "process-zombie", "process-orphaned"
"""Events of these kinds say that a process ended and nobody asked how, or outlived its parent."""
_DIGITS = 6


def rounded(value: float) -> float:
    """As the summary has its figures."""
    return round(value, _DIGITS)


def process_rows(
    processes: Iterable[Process],
    ticks: Iterable[ProcessTick],
    lanes: Iterable[Lane],
    session: Session,
    end_ns: int,
    told: Collection[tuple[str, int | None]],
) -> list[dict[str, Any]]:
    """What the summary says of each process; `told`: kinds of events, each with the process's key."""
    ticks_of: dict[int, list[ProcessTick]] = {}
    for tick in ticks:
        ticks_of.setdefault(tick.process, []).append(tick)
    lanes_of: dict[int, list[Lane]] = {}
    for lane in lanes:
        lanes_of.setdefault(lane.process, []).append(lane)
    return [
        _row(process, ticks_of.get(process.key, []), lanes_of.get(process.key, []), session, end_ns, told)
        for process in processes
    ]


def _row(
    process: Process,
    own: Sequence[ProcessTick],
    lanes: Sequence[Lane],
    session: Session,
    end_ns: int,
    told: Collection[tuple[str, int | None]],
) -> dict[str, Any]:
    pss = [tick.pss_bytes for tick in own if tick.pss_bytes is not None]
    uss = [tick.uss_bytes for tick in own if tick.uss_bytes is not None]
    lanes_cpu_ns = sum(lane.cpu_ns for lane in lanes)
    return {
        "pid": process.pid,
        "ppid": process.ppid,
        "command": process.command,
        "name": process.name,
        "python": process.python,
        "cpu_s": rounded(max(process.cpu_ns, lanes_cpu_ns) / NS_PER_S),
        "rss_max_mb": rounded(max(tick.rss_bytes for tick in own) / 1e6) if own else None,
        "pss_max_mb": rounded(max(pss) / 1e6) if pss else None,
        "uss_max_mb": rounded(max(uss) / 1e6) if uss else None,
        "threads_max": max((tick.threads for tick in own), default=len(lanes)),
        "start_s": rounded(process.start_ns / NS_PER_S),
        "end_s": None
        if process.end_ns is None and session.ended_ns is None
        else rounded((end_ns if process.end_ns is None else process.end_ns) / NS_PER_S),
        "exit_code": process.exit_code,
        "state": _state(process, session, told),
    }


def _state(process: Process, session: Session, told: Collection[tuple[str, int | None]]) -> str:
    """What a process is to the process table: running, ended, orphaned (it outlived its parent), zombie."""
    if (ZOMBIE_KIND, process.key) in told:
        return "zombie"
    if (ORPHAN_KIND, process.key) in told:
        return "orphaned"
    return "running" if process.end_ns is None and session.ended_ns is None else "ended"


def peak_mb(ticks: Sequence[ProcessTick]) -> float | None:
    """The most that all processes together held: proportional shares where they were ever read, else RSS.

    Shares are read more rarely than RSS; RSS counts pages that processes share once for each of them.
    """
    first_pss: dict[int, int] = {}
    for tick in ticks:
        if tick.pss_bytes is not None:
            first_pss.setdefault(tick.process, tick.pss_bytes)
    held: dict[int, int] = {}
    by_moment: dict[int, dict[int, int]] = {}
    for tick in sorted(ticks, key=lambda tick: tick.at_ns):
        if tick.pss_bytes is not None:
            held[tick.process] = tick.pss_bytes
        elif tick.process not in first_pss:
            held[tick.process] = tick.rss_bytes
        else:
            held.setdefault(tick.process, first_pss[tick.process])
        by_moment.setdefault(tick.at_ns, {})[tick.process] = held[tick.process]
    return rounded(max(sum(moment.values()) for moment in by_moment.values()) / 1e6) if by_moment else None

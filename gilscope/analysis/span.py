"""A part of a session: what of each thing falls into it, so that adjacent parts add up to the whole. Pure.

Ticks belong to the span in which they start. What was counted over a longer time, such as stacks over a
chunk of py-spy's, is shared out by time, in whole numbers that add up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gilscope.model import Event, Gap, Lane, Process, ProcessTick, Session, StackSample, State, Tick
from gilscope.text import share_text


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_ns` to before `end_ns`."""

    start_ns: int
    end_ns: int

    def overlaps(self, start_ns: int, end_ns: int | None) -> bool:
        """Whether something that lasted so long (None: still does) was there in the span."""
        return start_ns < self.end_ns and (end_ns is None or end_ns > self.start_ns)

    def part(self, amount: int, start_ns: int, end_ns: int) -> int:
        """The span's part of an amount that came evenly from `start_ns` to `end_ns`."""
        length = end_ns - start_ns
        if length <= 0:
            return amount if self.start_ns <= start_ns < self.end_ns else 0
        first = min(max(self.start_ns - start_ns, 0), length)
        last = min(max(self.end_ns - start_ns, 0), length)
        # From differences of one rounded line, parts of neighbours add up to the amount.
        return amount * last // length - amount * first // length


def lanes_in(span: Span, lanes: Iterable[Lane], ticks: Iterable[Tick]) -> tuple[Lane, ...]:
    """The lanes of a span: alive as long as they were in it, their CPU time as the ticks have it."""
    cpu_ns: dict[int, int] = {}
    for tick in ticks:
        for row in tick.lanes:
            on_cpu = row.states[State.RUNNING] + row.states[State.NATIVE]
            cpu_ns[row.lane] = cpu_ns.get(row.lane, 0) + on_cpu
    return tuple(
        replace(
            lane,
            start_ns=max(lane.start_ns, span.start_ns),
            end_ns=span.end_ns if lane.end_ns is None else min(lane.end_ns, span.end_ns),
            cpu_ns=cpu_ns.get(lane.key, 0),
        )
        for lane in lanes
        if span.overlaps(lane.start_ns, lane.end_ns)
    )


def processes_in(span: Span, processes: Iterable[Process]) -> tuple[Process, ...]:
    """The processes of a span. Their CPU time is that of their lanes: the kernel's is of all their life.

    How they ended is not known as long as they have not.
    """
    inside = (replace(p, cpu_ns=0) for p in processes if span.overlaps(p.start_ns, p.end_ns))
    return tuple(
        replace(p, end_ns=None, exit_code=None) if p.end_ns is not None and p.end_ns > span.end_ns else p
        for p in inside
    )


def started_in(span: Span, processes: Sequence[Process]) -> int:
    """How many processes started in a span, the first of all not counted."""
    return sum(span.start_ns <= p.start_ns < span.end_ns for p in processes[1:])


def gaps_in(span: Span, gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """The gaps of a span, as far as they reach into it."""
    return tuple(
        replace(gap, start_ns=max(gap.start_ns, span.start_ns), end_ns=min(gap.end_ns, span.end_ns))
        for gap in gaps
        if span.overlaps(gap.start_ns, gap.end_ns)
    )


def stacks_in(span: Span, stacks: Iterable[StackSample]) -> tuple[StackSample, ...]:
    """The stacks of a span, each with its part of the count."""
    shared = (replace(s, count=span.part(s.count, s.start_ns, s.end_ns)) for s in stacks)
    return tuple(sample for sample in shared if sample.count)


def events_in(span: Span, events: Iterable[Event]) -> tuple[Event, ...]:
    """The events of a span."""
    return tuple(event for event in events if span.start_ns <= event.at_ns < span.end_ns)


def process_ticks_in(span: Span, ticks: Iterable[ProcessTick]) -> tuple[ProcessTick, ...]:
    """What processes cost in a span; of each also the last reading before, which held until the next."""
    before: dict[int, ProcessTick] = {}
    inside = []
    for tick in ticks:
        if tick.at_ns < span.start_ns:
            if tick.process not in before or before[tick.process].at_ns < tick.at_ns:
                before[tick.process] = tick
        elif tick.at_ns < span.end_ns:
            inside.append(tick)
    return (*before.values(), *inside)


def session_in(span: Span, session: Session) -> Session:
    """The session without what is only known of all of it."""
    session = replace(session, threads_created=None, threads_started=None)
    if session.ended_ns is None or session.ended_ns <= span.end_ns:
        return session
    # Sweeps come at the same rate throughout.
    sweeps = None if session.sweeps is None else session.sweeps * span.end_ns // session.ended_ns
    return replace(session, ended_ns=None, sweeps=sweeps)


def facts_of(summary: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The figures of a span that a line has room for, the most important first; of the busiest GIL."""
    facts: list[tuple[str, str]] = []
    known = [gil for gil in summary["gils"] if gil["utilisation"] is not None]
    if known:
        gil = max(known, key=lambda gil: gil["utilisation"])
        facts.append(("held", share_text(gil["utilisation"])))
        if gil["contention"] is not None:
            facts += [("contended", share_text(gil["contention"])), ("waiting", f"{gil['waiters_mean']:.1f}")]
        if gil["handoffs"] is not None:
            facts += [
                ("handoffs", str(gil["handoffs"])),
                ("longest hold", f"{gil['longest_hold_ms']:.1f} ms"),
            ]
    if summary["totals"]["cores_used_mean"] is not None:
        facts.append(("cores used", f"{summary['totals']['cores_used_mean']:.2f}"))
    most = max(summary["lanes"], key=lambda lane: lane["held_share"] or 0, default=None)
    if most is not None and most["held_share"]:
        facts.append((f"most by {most['name']}", share_text(most["held_share"])))
    if summary["functions"] and summary["functions"][0]["held_share"]:
        function = summary["functions"][0]
        place = f"{function['function']} ({function['file'].rpartition('/')[2]}:{function['line']})"
        facts.append(("in", f"{place} {share_text(function['held_share'])}"))
    return tuple(facts)

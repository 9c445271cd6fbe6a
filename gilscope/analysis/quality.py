"""How well a session was watched: what a summary and the session's own counters say of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gilscope.model import NS_PER_S, Gap, GapSum, Gil, Quality, Session


def quality_of(
    summary: Mapping[str, Any], session: Session, gils: Sequence[Gil] = (), *, stacks: int = 0
) -> Quality:
    """The quality of the watch.

    Args:
        summary: of the session, or of its part up to a moment.
        session: the same session; its counters are of all that is recorded.
        gils: where each GIL's holders come from; without any, the session's own word for it.
        stacks: how many stacks py-spy gave.
    """
    own = summary["gilscope"]
    return Quality(
        rate_asked_hz=own["rate_hz"]["asked"],
        rate_achieved_hz=own["rate_hz"]["achieved"],
        samples_taken=session.samples_taken,
        late_ns_max=session.late_ns_max,
        torn_reads=session.torn_reads,
        failed_reads=session.failed_reads,
        handoffs=_total([gil["handoffs"] for gil in summary["gils"]]),
        handoffs_seen=_total([gil["handoffs_seen"] for gil in summary["gils"]]),
        disagreements=session.disagreements,
        # Stacks of a thread that ended before it had a lane are compared, but not kept.
        stacks=max(stacks, session.disagreements),
        gaps=_sum_up(own["gaps"]),
        cost_cpu_ns=session.cost_cpu_ns,
        cost_share=own["cost"]["share_of_core"],
        sources=tuple(sorted({gil.source for gil in gils})) or (session.source,),
        tick_ns=session.tick_ns,
        unknown=tuple(own.get("not_known", ())),
    )


def achieved_hz(
    gils: Iterable[tuple[int | None, int, int]], gaps: Iterable[Gap], end_ns: int
) -> float | None:
    """Samples a second of the GIL that was sampled most often; of many, idle ones are sampled more rarely.

    A pause counts: what was to be sampled in it was not.

    Args:
        gils: of each the pid of its process, its samples, and the time that they stand for.
        gaps: of all sources.
        end_ns: of what is summed up.
    """
    paused: dict[int | None, list[tuple[int, int]]] = {}
    for gap in gaps:
        if gap.source == "gil":
            paused.setdefault(gap.pid, []).append((gap.start_ns, min(gap.end_ns, end_ns)))
    rows = list(gils)
    # A few samples in the millisecond that a process lived are no rate.
    least_ns = max((watched_ns for _, _, watched_ns in rows), default=0) // 10
    rates = [
        samples * NS_PER_S / (watched_ns + _covered_ns(paused.get(pid, ())))
        for pid, samples, watched_ns in rows
        if watched_ns > 0 and watched_ns >= least_ns
    ]
    return max(rates, default=None)


def _covered_ns(spans: Iterable[tuple[int, int]]) -> int:
    """How much all spans together cover: the GILs of a process have their pauses at once."""
    covered_ns, until_ns = 0, 0
    for start_ns, end_ns in sorted(spans):
        covered_ns += max(0, end_ns - max(start_ns, until_ns))
        until_ns = max(until_ns, end_ns)
    return covered_ns


def _total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _sum_up(gaps: Sequence[Mapping[str, Any]]) -> tuple[GapSum, ...]:
    sums: dict[tuple[str, str], list[int]] = {}
    for gap in gaps:
        found = sums.setdefault((gap["source"], gap["reason"]), [0, 0])
        found[0] += round(gap["seconds"] * NS_PER_S)
        found[1] += 1
    made = [
        GapSum(source=source, reason=reason, ns=ns, count=count)
        for (source, reason), (ns, count) in sums.items()
    ]
    return tuple(sorted(made, key=lambda gap: (-gap.ns, gap.source, gap.reason)))

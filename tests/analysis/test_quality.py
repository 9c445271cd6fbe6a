"""How well a session was watched, from its summary and its counters."""

from __future__ import annotations

import dataclasses

import pytest

from gilscope.analysis.quality import quality_of
from gilscope.analysis.summary import summarise
from gilscope.model import NS_PER_S, Gap, Process, Quality
from tests.recording.samples import GIL, SESSION, plain_ticks

PROCESS = Process(key=1, pid=77, ppid=1, command="python x", python="3.11.7", start_ns=0)
COUNTED = dataclasses.replace(
    SESSION, ended_ns=2 * NS_PER_S, samples_asked=2000, samples_taken=1990, late_ns_max=5_400_000,
    torn_reads=3, failed_reads=1, disagreements=2, cost_cpu_ns=60_000_000,
)  # fmt: skip


def gap(source: str, reason: str, start_s: float, end_s: float) -> Gap:
    return Gap(source=source, pid=77, reason=reason, start_ns=round(start_s * 1e9), end_ns=round(end_s * 1e9))


def quality(*gaps: Gap, stacks: int = 41, ticks: int = 40) -> Quality:
    made = summarise(
        session=COUNTED, processes=[PROCESS], lanes=[], gils=[GIL], ticks=plain_ticks(ticks), gaps=gaps
    )
    return quality_of(made, COUNTED, [GIL], stacks=stacks)


def test_all_figures() -> None:
    found = quality()
    assert found == Quality(
        rate_asked_hz=1000.0, rate_achieved_hz=1000.0, samples_taken=1990, late_ns_max=5_400_000,
        torn_reads=3, failed_reads=1, handoffs=120, handoffs_seen=80, disagreements=2, stacks=41, gaps=(),
        cost_cpu_ns=60_000_000, cost_share=0.03, sources=("probe",), tick_ns=50_000_000,
    )  # fmt: skip
    assert found.handoffs_text.startswith("40 of ")


def test_gaps_are_added_up_by_source_and_reason() -> None:
    found = quality(
        gap("py-spy", "it failed", 0, 0.5),
        gap("gil", "no CPU time", 0, 0.25),
        gap("gil", "no CPU time", 1, 1.75),
        gap("gil", "gone", 0, 0.5),
    )
    assert [(g.source, g.reason, g.ns, g.count) for g in found.gaps] == [
        ("gil", "no CPU time", NS_PER_S, 2),
        ("gil", "gone", NS_PER_S // 2, 1),
        ("py-spy", "it failed", NS_PER_S // 2, 1),
    ]


def test_a_rate_is_that_of_the_pauses_too() -> None:
    """GIVEN a sampler that stood still for a while THEN the samples of that while are missed."""
    whole = quality()
    assert whole.rate_achieved_hz == 1000
    assert quality(gap("py-spy", "it failed", 0, 1.5)).rate_achieved_hz == 1000
    assert quality(gap("gil", "no CPU time", 0.5, 1.5)).rate_achieved_hz == pytest.approx(1000 * 2 / 3)
    # Those of two GILs at once, and what goes beyond the part that is summed up.
    twice = (gap("gil", "no CPU time", 0.5, 1.4), gap("gil", "no CPU time", 0.6, 1.5), gap("gil", "x", 2, 9))
    assert quality(*twice).rate_achieved_hz == pytest.approx(1000 * 2 / 3)


def test_what_was_not_watched_is_not_zero() -> None:
    found = quality(ticks=0, stacks=0)
    assert found.rate_achieved_hz is None
    assert found.handoffs_text == "0 of 0"
    assert (found.disagreements, found.stacks) == (2, 2)  # those of threads without a lane are not kept


def test_the_source_is_that_of_the_gils() -> None:
    summary = summarise(session=SESSION, processes=[], lanes=[], gils=[], ticks=[])
    assert quality_of(summary, SESSION).sources == ("probe",)
    other = dataclasses.replace(GIL, key=2, source="py-spy")
    assert quality_of(summary, SESSION, [GIL, other, GIL]).sources == ("probe", "py-spy")

"""Native-parallel: threads compute side by side in C code that lets go of the GIL."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import concurrency, cores_line, speedup_bound
from gilscope.analysis.verdict.rule import Condition, Rule, Told, reaches
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.analysis.verdict.words import percent


def _conditions(facts: Facts) -> list[Condition] | None:
    # Of CPU time only: a run queue, or a holder that gets no core, says nothing of what the code is.
    on_cpu_s = facts.native_s + facts.running_s
    if not on_cpu_s:
        return None
    share = facts.native_s / on_cpu_s
    return [concurrency(facts), reaches("CPU time without the GIL", share, THRESHOLDS.native_share)]


def _tell(facts: Facts) -> Told:
    return Told(
        headline="Native-parallel: threads compute side by side in C code that lets go of the GIL.",
        evidence=(
            cores_line(facts),
            (
                f"{facts.native_s:.1f} s of CPU time without the GIL; the GIL is held "
                f"{percent(facts.utilisation)} of the time."
            ),
        ),
        advice=("Threads serve this program well; processes would cost more memory for the same work.",),
        would_change=("With more Python between the calls into C code, the threads would wait for the GIL.",),
        bound=speedup_bound(facts),
    )


RULE = Rule("native-parallel", _conditions, _tell, frozenset({"oversubscribed"}))

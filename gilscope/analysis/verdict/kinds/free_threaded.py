"""Free-threaded: a Python without a GIL runs several threads at the same time."""

from __future__ import annotations

from gilscope.analysis.verdict.facts import Facts
from gilscope.analysis.verdict.parallel import concurrency, cores_line
from gilscope.analysis.verdict.rule import Condition, Rule, Told
from gilscope.analysis.verdict.thresholds import THRESHOLDS


def _conditions(facts: Facts) -> list[Condition] | None:
    return [concurrency(facts)] if facts.no_gil else None


def _tell(facts: Facts) -> Told:
    lanes = sum(lane.running_s > THRESHOLDS.active_lane_share * facts.wall_s for lane in facts.lanes)
    return Told(
        headline=f"Free-threaded: there is no GIL, {max(2, lanes)} threads run Python at the same time.",
        evidence=(
            cores_line(facts),
            f"{facts.running_s:.1f} s of CPU time in Python, {facts.native_s:.1f} s in C code.",
        ),
        advice=("Threads serve this program well; more of them than usable cores bring nothing more.",),
        would_change=(
            (
                "An import that turns the GIL on (Python warns of it) would make it gil-bound; "
                "PYTHON_GIL=0 keeps it off."
            ),
        ),
    )


RULE = Rule("free-threaded", _conditions, _tell, frozenset({"oversubscribed"}))

"""What a check found. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "limited", "not"]
"""ok: works. limited: works in part, or not for all. not: does not work."""

SCHEMA = "gilscope.doctor/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's report."""

    group: str
    """system, access, interpreters, tools, place."""
    name: str
    state: State
    what: str
    """What is so, in a sentence without its full stop."""
    todo: str | None = None
    """What to do about it, where something can be done."""
    needed: bool = False
    """Without it nothing can be observed at all."""


def can_observe(findings: Sequence[Finding]) -> bool:
    """Whether some Python can be watched here: none of what is needed is missing."""
    return not any(finding.needed and finding.state == "not" for finding in findings)


def as_json(findings: Sequence[Finding], *, version: str) -> dict[str, Any]:
    """The report for machines. Keys are stable."""
    return {
        "schema": SCHEMA,
        "gilscope": version,
        "can_observe": can_observe(findings),
        "checks": [
            {key: value for key, value in asdict(finding).items() if key != "needed"} for finding in findings
        ],
    }

"""All checks in their order, and the report for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from gilscope.doctor.finding import Finding, can_observe
from gilscope.doctor.interpreters import check_interpreters
from gilscope.doctor.reading import check_reading
from gilscope.doctor.system import check_system, proc_is_there
from gilscope.doctor.tools import check_tools
from gilscope.text import clean, wrap

WIDTH = 100
WORDS = {"ok": "ok", "limited": "limited", "not": "not"}
_MARK_COLUMNS = 9


def examine() -> Iterator[Finding]:
    """Make all checks, one after the other; each finding comes as soon as it is known."""
    yield from check_system()
    if sys.platform != "linux":
        yield from check_tools()
        return
    if proc_is_there():
        yield from check_reading()
    else:
        yield Finding(
            group="access",
            name="/proc",
            state="not",
            what="/proc is not mounted, so that no process can be read",
            todo="Mount it: mount -t proc proc /proc",
            needed=True,
        )
        return
    yield from check_interpreters()
    yield from check_tools()


def lines_of(finding: Finding) -> list[str]:
    """A finding for people: the state, the name, what is so, what to do."""
    head = f"{WORDS[finding.state]:<{_MARK_COLUMNS}}"
    blank = " " * _MARK_COLUMNS
    lines = wrap(clean(f"{finding.name}: {finding.what}"), WIDTH, first=head, then=blank + "  ")
    if finding.todo is not None:
        lines += wrap(clean(finding.todo), WIDTH, first=f"{blank}→ ", then=blank + "  ")
    return lines


def conclusion(findings: Sequence[Finding]) -> str:
    """The last line."""
    if not can_observe(findings):
        return "gilscope cannot watch anything here; see above what to do."
    limited = sum(finding.state != "ok" for finding in findings)
    if not limited:
        return "All works."
    return f"gilscope works here; {limited} thing{'s' if limited > 1 else ''} above could be better."

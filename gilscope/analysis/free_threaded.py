"""Free-threaded builds: what happened to their GIL, and what a verdict says of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from gilscope.model import NS_PER_S, Event, Verdict

TURNED_ON, TURNED_OFF, WORLD_STOPPED = "gil-enabled", "gil-disabled", "stop-the-world"
_WARNING = re.compile(
    r"global interpreter lock \(GIL\) has been enabled\s+to\s+load\s+module\s+'([^']{1,200})'"
)
"""What CPython prints when an import turns the GIL on, wherever a terminal breaks the line."""


def turned_on_for_good(events: Iterable[Event]) -> list[Event]:
    """For each GIL that was turned on and stayed so: when that was. Importing turns one on for a moment."""
    found: dict[tuple[int | None, str], Event] = {}
    for event in sorted(events, key=lambda event: event.at_ns):
        # The text names the interpreter before it says what became of its GIL.
        gil = (event.process, event.text.partition(" was ")[0].partition(" is ")[0])
        if event.kind == TURNED_ON:
            found[gil] = event
        elif event.kind == TURNED_OFF:
            found.pop(gil, None)
    return sorted(found.values(), key=lambda event: event.at_ns)


def modules_that_turned_it_on(text: str) -> list[str]:
    """The modules that Python's own warnings name, each once, in order."""
    return list(dict.fromkeys(_WARNING.findall(text)))


def with_remarks(verdict: Verdict, events: Iterable[Event], output: str = "") -> Verdict:
    """The verdict, with what is to be said of a GIL that was off and is on, and of stopped worlds."""
    events = list(events)
    evidence = [f"At {event.at_ns / NS_PER_S:.1f} s {event.text}." for event in turned_on_for_good(events)]
    modules = modules_that_turned_it_on("\n".join([output, *(event.text for event in events)]))
    also: list[str] = []
    if evidence or modules:
        evidence += [f"The import of {module} turned the GIL on, Python says." for module in modules]
        named = f" ({', '.join(modules)})" if modules else ""
        also.append(
            f"This Python is free-threaded, but not any more here: an extension module{named} that does not "
            "say it can do without the GIL turns it on for all threads. Python names it in a warning; "
            "PYTHON_GIL=0 keeps the GIL off."
        )
    stops = sum(event.kind == WORLD_STOPPED for event in events)
    if stops:
        times = "once" if stops == 1 else f"{stops} times"
        also.append(f"The world was seen to stand {times}: all threads waited for one.")
    return replace(verdict, evidence=(*verdict.evidence, *evidence), also=(*verdict.also, *also))

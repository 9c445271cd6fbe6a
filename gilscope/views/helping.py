"""What help says of each panel and screen: what it shows, and which words stand in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """A panel or screen, for somebody who sees it for the first time."""

    title: str
    what: str
    words: tuple[str, ...] = ()
    """Keys of WORDS."""
    states: bool = False
    """States of lanes stand in it."""


ABOUT: dict[str, About] = {
    "header": About(
        "The line on top",
        "What is watched; whether you see the newest moment or an older one; how often the GIL is read, and "
        "what that costs.",
        ("target", "sample", "cost"),
    ),
    "gil": About(
        "GIL",
        "Who holds each GIL, in which function, how much of the time it is held and how many threads wait "
        "for it. The bar is its utilisation.",
        ("GIL", "▶ holder", "waiter", "handoff", "hold", "utilisation", "contended"),
    ),
    "lanes": About(
        "Lanes",
        "A row for each thread, time runs to the right. A cell shows the state that filled most of it; an "
        "empty cell: nothing was recorded. The mark ▶ is at the thread that holds the GIL.",
        ("lane", "▶ holder", "% beside a lane", "handoff", "tick", "gap"),
        states=True,
    ),
    "cores": About(
        "Cores",
        "How busy each core is, and which of the target's lanes runs on it. Green: the target causes the "
        "load. Grey: other programs do.",
        ("lane", "target"),
    ),
    "verdict": About(
        "Verdict",
        "What limits the program, in a sentence; then advice and the figures that it rests on. While the "
        "target runs it is on the last seconds; of a selected span it is on that span.",
        ("utilisation", "contended", "waiter", "stall"),
    ),
    "output": About(
        "Output",
        "What the target writes to its terminal, each line with its moment. It is the terminal of the "
        "target: t types a line to it.",
        ("target",),
    ),
    "info": About(
        "Watching",
        "How well the session is watched: where it is read who holds the GIL, how often, what was missed "
        "and why, and what watching costs.",
        ("sample", "tick", "handoff", "gap", "cost"),
    ),
    "scrub": About(
        "The bar below",
        "The whole session: the higher, the more of the time the GIL was held. ┃ is where you are, ◆ a "
        "mark, ! a stall. A click goes there.",
        ("utilisation", "mark", "stall"),
    ),
    "keys": About("The keys", "A click on one does what the key does. ? has them all, ctrl p too."),
    "threads": About(
        "Threads",
        "Each thread with its time in each state, from the session's start to the position.",
        ("% beside a lane", "waiter"),
        states=True,
    ),
    "processes": About(
        "Processes",
        "Each process with its CPU time, memory and threads, from the session's start to the position.",
        ("target",),
    ),
    "stalls": About(
        "Stalls",
        "Each hold of a GIL that was long while others waited. Below stands what the thread did, innermost "
        "first; enter goes to that moment.",
        ("stall", "hold", "waiter"),
    ),
    "settings": About(
        "Layout and settings",
        "Which panels the dashboard has, in which order and how high; colours and what else is remembered.",
    ),
    "flame": About(
        "Functions that hold the GIL",
        "The time in which a GIL was held, by the functions that ran meanwhile: the wider, the longer. Below "
        "a function stands what it called.",
        ("▶ holder", "hold", "sample"),
    ),
    "lesson": About("Lesson", "What to look at, and what to change in the script to see another picture."),
    "runs": About(
        "Runs",
        "Every run from its start, one below the other, on one axis of time.",
        ("run", "lane", "% of a lane", "GIL held", "│ exit 0"),
        states=True,
    ),
    "compared": About(
        "Comparison",
        "What was measured, side by side, and what it comes to. Each figure is against the first run.",
        ("× as fast", "GIL held"),
    ),
}
"""By the id of a panel, or the name of a screen."""

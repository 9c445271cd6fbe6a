"""The words of the screen and what they mean, in one table: tooltips, help and the README agree with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gilscope.views.render.palette import GLYPHS, MEANINGS

WORDS: dict[str, str] = {
    "target": "the watched program: a process and all that it starts",
    "lane": "a row of the timeline: a thread, or a process that is no Python",
    "GIL": "the lock of one interpreter. Only the thread that holds it executes Python. "
    "A process usually has one",
    "▶ holder": "the thread that holds the GIL now. While paused: the one that held it in the cell "
    "under the cursor",
    "waiter": "a thread that is blocked because it wants the GIL",
    "handoff": "the GIL passes to another thread. CPython counts these itself; gilscope reads the count",
    "hold": "a span in which one thread holds the GIL without a handoff",
    "stall": "a hold that is longer than the limit (--stall) while at least one thread waits",
    "utilisation": "share of the time in which the GIL is held",
    "contended": "share of the time in which at least one thread waits",
    "% beside a lane": "its share of the last second as the holder of its GIL",
    "sample": "one reading of a GIL: who holds it, who waits. Usually 1000 a second",
    "tick": "the step in which all is counted: the samples in it, folded into time per state and lane",
    "gap": "a span that could not be read, with the reason. It is shown as unknown, never as idle",
    "cost": "CPU time that watching takes, in per cent of one core",
    "mark": "a moment that you marked, with a note",
}
"""The words of the dashboard."""

RUN_WORDS: dict[str, str] = {
    "run": "a recording of the program: one section, one below the other",
    "% of a lane": "its share of the whole run as the GIL's holder",
    "GIL held": "share of the time that the busiest GIL was held",
    "│ exit 0": "the run ended here, with this exit code",
    "× as fast": "against the first run, or the mean of its way",
}
"""More words, of the screen of a comparison."""

STATES: dict[str, str] = dict(MEANINGS)
"""The states of a lane."""
STATE_GLYPHS: dict[str, str] = {word: GLYPHS[number] for number, (word, _) in enumerate(MEANINGS)}

_LIVE = "it runs, and the newest moment is shown"
_SHOWN: tuple[tuple[str, str, str], ...] = (
    # On the screen, the word that it is of, and what is to be said of it there if that is not the same.
    (r"▶ \d\S* ×", "slow motion", "how fast it plays: s and < > change it"),
    (r"● LIVE", "LIVE", _LIVE),
    (r"● FOLLOW", "FOLLOW", _LIVE),
    (r"‖ PAUSED", "PAUSED", "the picture stands still at this moment; the target runs on. space goes on"),
    (r"▶ REPLAY", "REPLAY", "it plays what was recorded, from this moment"),
    (r"■ ENDED", "ENDED", "the target is over; all of it is recorded"),
    (r"■ SAMPLER LOST", "SAMPLER LOST", "the process that watches has died; what it wrote is kept"),
    (r"◌ STARTING", "STARTING", "the target is being started"),
    (r"−[\d.]+ s", "behind", "so long before the newest moment"),
    (r"py-spy, \d+ Hz, 1 s behind", "py-spy", "who holds the GIL comes from py-spy here: coarser and later"),
    (r"\d+ Hz", "sample", "samples a second, as far as they were really taken"),
    (r"cost [\d.]+ %", "cost", ""),
    (r"pid \d+", "pid", "the number by which the system knows the process"),
    (r"CPython [\d.]+\S*", "CPython", "the interpreter that runs the target"),
    (r"threads(?= ·)", "mode", "its processes were made threads for this run"),
    (r"processes(?= ·)", "mode", "its threads were made processes for this run"),
    (r"exit -?\d+", "exit", "the code with which the target ended: 0 is well"),
    (r"longest hold \S+( \S+)?", "hold", "the longest one of the last second"),
    (r"handoffs unseen\s+\S+", "handoffs unseen", "happened between two samples; CPython counts them all"),
    (r"[\d.,]+ handoffs?/s", "handoff", ""),
    (r"handoffs?", "handoff", ""),
    (r"▶", "▶ holder", ""),
    (r"nobody holds it", "▶ holder", "no thread executes Python just now"),
    (r"held +[\d.]+ %", "utilisation", ""),
    (r"waiting +[\d.]+( threads?)?", "waiter", "so many wait for the GIL, on average"),
    (r"[\d.]+ % utilisation|utilisation", "utilisation", ""),
    (r"[\d.]+ % contended|contended [\d.]+ %|contended", "contended", ""),
    (r"stalls?", "stall", ""),
    (r"samples?", "sample", ""),
    (r"ticks?", "tick", ""),
    (r"gaps?", "gap", ""),
    (r"waiters?", "waiter", ""),
    (r"GILs?", "GIL", ""),
    (r"lanes?|Lanes", "lane", ""),
    (r"× as fast", "× as fast", RUN_WORDS["× as fast"]),
    (r"holds?", "hold", ""),
)
_PATTERNS = tuple(
    (re.compile(rf"(?<!\w){pattern}(?!\w)"), word, said or WORDS[word]) for pattern, word, said in _SHOWN
) + tuple(
    (re.compile(rf"(?:{re.escape(STATE_GLYPHS[word])} )?\b{word}\b"), word, meaning)
    for word, meaning in MEANINGS
)


@dataclass(frozen=True, slots=True)
class Told:
    """A word that stands somewhere, and what it means there."""

    word: str
    meaning: str

    def __str__(self) -> str:
        """As a tooltip."""
        return f"{self.word}: {self.meaning}"


def word_at(line: str, index: int) -> Told | None:
    """The word whose place in a line a character is of; where several are, the one that is listed first.

    Args:
        line: a line of the screen.
        index: of the character, not the column.
    """
    for pattern, word, meaning in _PATTERNS:
        for match in pattern.finditer(line):
            if match.start() <= index < match.end():
                return Told(word, meaning)
    return None

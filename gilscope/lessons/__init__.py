"""Scripts to watch, each with something to learn: a script, a text beside it, and the verdict it must get.

A new lesson is NAME.py, NAME.md and a line in LESSONS.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson."""

    name: str
    """As it is called for: with hyphens."""
    expects: tuple[str, ...]
    """Kinds of verdict; one of them it must get."""
    at_least: tuple[int, int] = (3, 8)
    """The oldest Python that it runs on."""
    free_threaded: bool = False
    """It needs a build without a GIL."""

    @property
    def script(self) -> Path:
        """The script."""
        return _FOLDER / f"{self.name.replace('-', '_')}.py"

    @property
    def text(self) -> str:
        """What to read before and while it runs: a title, paragraphs, what to look at, what to change."""
        return self.script.with_suffix(".md").read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The first line of the text."""
        return self.text.partition("\n")[0].lstrip("# ")

    def part(self, heading: str) -> str:
        """The paragraphs under one heading of the text; "" for those before the first."""
        parts = ("\n" + self.text.partition("\n")[2]).split("\n## ")
        if not heading:
            return parts[0].strip()
        found = (part.partition("\n")[2] for part in parts[1:] if part.partition("\n")[0] == heading)
        return next(found, "").strip()


LESSONS: tuple[Lesson, ...] = (
    Lesson("never-started", ("never-started",)),
    Lesson("four-threads", ("gil-bound",)),
    Lesson("four-processes", ("process-parallel", "oversubscribed")),
    Lesson("io-threads", ("io-bound",)),
    Lesson("native-code", ("native-parallel",)),
    Lesson("convoy", ("convoy",)),
    Lesson("gil-hog", ("gil-hog",)),
    Lesson("memory", ("process-parallel",)),
    Lesson("costs", ("io-bound",)),
    Lesson("lifetimes", ("io-bound",)),
    Lesson("subinterpreters", ("interpreter-parallel",), at_least=(3, 12)),
    Lesson("free-threaded", ("free-threaded", "oversubscribed"), at_least=(3, 13), free_threaded=True),
)
"""In the order in which they are best read."""


def find(name: str) -> Lesson | None:
    """The lesson of a name, with hyphens or underscores, or of a number from 1 on."""
    wanted = name.strip().lower().replace("_", "-").removesuffix(".py")
    if wanted.isdecimal():
        return LESSONS[int(wanted) - 1] if 1 <= int(wanted) <= len(LESSONS) else None
    return next((lesson for lesson in LESSONS if lesson.name == wanted), None)


def nearest(name: str) -> str | None:
    """The name that was probably meant."""
    wanted = name.strip().lower().replace("_", "-")
    found = difflib.get_close_matches(wanted, [lesson.name for lesson in LESSONS], n=1, cutoff=0.4)
    return found[0] if found else None


def beside(lesson: Lesson, step: int) -> Lesson | None:
    """The lesson so many places after, or before, another one."""
    index = LESSONS.index(lesson) + step
    return LESSONS[index] if 0 <= index < len(LESSONS) else None

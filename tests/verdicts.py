"""The programs of tests/targets/verdicts (and some others) with the verdict that each must get."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands import Outcome, gilscope
from tests.pythons import found_free_threaded, found_pythons
from tests.watched import TARGETS

VERSIONS = ("3.9", "3.11", "3.13")
FOLDER = TARGETS / "verdicts"


@dataclass(frozen=True)
class Program:
    """A program and what has to be said of it."""

    script: str
    """In tests/targets/verdicts, or below tests/targets with a slash."""
    kind: str
    also: str | None = None
    """A kind that has to be named beside it."""
    arguments: tuple[str, ...] = ()
    version: str = "3.11"
    """The one that the test suite runs it on; the whole table is run on VERSIONS."""
    only: tuple[str, ...] = VERSIONS
    check: bool = False
    """Written after the thresholds were fixed, to try them on something they had not seen."""

    @property
    def name(self) -> str:
        words = [Path(self.script).stem, *self.arguments]
        return " ".join(words)

    @property
    def path(self) -> Path:
        return TARGETS / self.script if "/" in self.script else FOLDER / self.script


TABLE: tuple[Program, ...] = (
    Program("count_alone.py", "single-threaded", version="3.9"),
    Program("count_threads.py", "gil-bound"),
    Program("count_pool.py", "gil-bound", version="3.13"),
    Program("sleepers.py", "io-bound"),
    Program("idle_main.py", "io-bound", version="3.9"),
    Program("requests_pool.py", "io-bound", version="3.13"),
    Program("echo_convoy.py", "convoy", version="3.9"),
    Program("heartbeat_convoy.py", "convoy"),
    Program("convoy_behind_two.py", "gil-bound", "convoy", version="3.13"),
    Program("regex_hog.py", "gil-hog"),
    Program("sorted_hog.py", "gil-hog", version="3.13"),
    Program("held_sleep_hog.py", "gil-hog", version="3.9"),
    Program("hash_threads.py", "native-parallel"),
    Program("process_pool.py", "process-parallel", version="3.13"),
    Program("crowded_pool.py", "oversubscribed", "process-parallel"),
    Program("switch_interval_starves.py", "starved", version="3.9"),
    Program("never_started.py", "never-started", version="3.13"),
    Program("never_started_busy.py", "never-started", version="3.9"),
    Program("hello.py", "too-short"),
    Program("zlib_pool.py", "native-parallel", version="3.13", check=True),
    Program("json_hog.py", "gil-hog", version="3.9", check=True),
    Program("child_scripts.py", "process-parallel", check=True),
    Program("async_sleeps.py", "io-bound", version="3.13", check=True),
    Program("async_behind_executor.py", "convoy", version="3.9", check=True),
    Program("unequal_threads.py", "gil-bound", check=True),
    Program("crowded_hashes.py", "oversubscribed", "native-parallel", version="3.13", check=True),
    Program("one_worker.py", "single-threaded", version="3.9", check=True),
    Program("hog_and_two_busy.py", "gil-hog", "convoy", check=True),
    Program("ways/cpu.py", "gil-bound", version="3.13", check=True),
    Program("ways/native.py", "native-parallel", version="3.9", check=True),
    Program("ways/waits.py", "io-bound", check=True),
    Program("interpreters.py", "interpreter-parallel", version="3.13", only=("3.13",), check=True),
    Program("free_threads.py", "free-threaded", version="3.14t", only=("3.14t",), check=True),
)


def interpreters() -> dict[str, Path]:
    """Those that the table can be run on, free-threaded ones too."""
    return {**found_pythons(), **found_free_threaded()}


def run(folder: Path, program: Program, python: Path) -> Outcome:
    """Watch it once."""
    return gilscope(
        folder, "run", "--headless", "--python", python, "--json", folder / "s.json",
        "-o", folder / "r.gilscope", program.path, "--", *program.arguments,
    )  # fmt: skip


def wrong(program: Program, verdict: dict[str, Any]) -> str | None:
    """What is wrong with a verdict on it, if anything."""
    if verdict["kind"] != program.kind:
        return f"{verdict['kind']} instead of {program.kind}"
    if program.also is not None and program.also not in verdict["also_kinds"]:
        return f"no {program.also} beside {program.kind}"
    return None

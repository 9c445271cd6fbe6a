"""`gilscope compare`: the same script in several ways, one after the other, or recordings side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gilscope.errors import RecordingError, UsageError
from gilscope.model import NS_PER_S, Lane, Process

if TYPE_CHECKING:
    from gilscope.analysis.compare import Run

MODES = ("asis", "threads", "processes")
REPEATS_MOST = 100


def compare_script(
    target: Sequence[str],
    *,
    modes: str,
    pythons: Sequence[str],
    repeat: int,
    options: Sequence[str],
    say: Callable[[str], object],
) -> list[Run]:
    """Run a script in each mode with each interpreter, `repeat` times, never two at a time.

    Args:
        target: the script and its arguments, or `-m MODULE` …
        modes: names, separated by commas.
        pythons: interpreters; none means gilscope's own.
        repeat: how many runs of each; they take turns, so that a machine that slows down slows all.
        options: further options of `gilscope run`.
        say: told of each run as it ends.

    Raises:
        UsageError: a mode or number is wrong, or the script cannot be started.
        CannotObserveError: a run could not be watched.
    """
    from gilscope.analysis.compare import Run  # noqa: PLC0415 - a command starts fast
    from gilscope.launch.runs import run_watched  # noqa: PLC0415
    from gilscope.recording import store  # noqa: PLC0415

    if not 1 <= repeat <= REPEATS_MOST:
        raise UsageError(f"--repeat {repeat} is out of range: it is in runs, from 1 to {REPEATS_MOST}.")
    ways = list(product(_checked_modes(modes), pythons or (None,)))
    title = next((word for word in target if not word.startswith("-")), "target")
    runs: list[Run] = []
    for number, (mode, python) in product(range(repeat), ways):
        recording = store.new_path(f"{title}-{mode}")
        interpreter = [] if python is None else ["--python", python]
        done = run_watched([*options, "--mode", mode, *interpreter, *target], recording)
        ran = done.summary["target"]
        label = f"{mode} {ran['python']}" if len(pythons) > 1 else mode
        say(f"{label}, run {number + 1} of {repeat}: {ran['wall_s']:.2f} s, recorded in {recording}")
        if ran["exit_code"]:
            say(f"it ended with exit code {ran['exit_code']}:\n{done.said.rstrip()}")
        runs.append(
            Run(
                label=label,
                summary=done.summary,
                startup_s=_startup_s(recording),
                output=done.output,
                recording=str(recording),
            )
        )
    return runs


def _checked_modes(modes: str) -> list[str]:
    names = [name.strip() for name in modes.split(",") if name.strip()]
    wrong = next((name for name in names if name not in MODES), None)
    if wrong is not None:
        raise UsageError(f"--modes {wrong}: there is no such mode.\nModes are {', '.join(MODES)}.")
    if len(set(names)) != len(names) or not names:
        raise UsageError("--modes names each mode once, separated by commas: --modes threads,processes")
    return names


def compare_recordings(files: Sequence[str]) -> list[Run]:
    """What is compared of recordings; those of one label are not joined, each stands for itself.

    Raises:
        RecordingError: one is none.
    """
    from gilscope.analysis.compare import Run  # noqa: PLC0415
    from gilscope.exports.read import summary_of  # noqa: PLC0415
    from gilscope.recording import store  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    runs: list[Run] = []
    for number, file in enumerate(files):
        path = store.find(file)
        reader = RecordingReader(path)
        try:
            summary = summary_of(reader)
            started = startup_s(reader.processes(), reader.lanes())
        finally:
            reader.close()
        label = f"{chr(ord('A') + number % 26)} {summary['target']['mode']}"
        runs.append(Run(label=label, summary=summary, startup_s=started, recording=str(path)))
    return runs


def is_recording(name: str) -> bool:
    """Whether a word of the command names a recording rather than a script."""
    from gilscope.recording import store  # noqa: PLC0415

    return name == "last" or name.endswith(store.SUFFIX)


def _startup_s(path: Path) -> float | None:
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    try:
        reader = RecordingReader(path)
    except RecordingError:
        return None
    try:
        return startup_s(reader.processes(), reader.lanes())
    finally:
        reader.close()


def startup_s(processes: Sequence[Process], lanes: Sequence[Lane]) -> float | None:
    """When the last worker had started: of processes, if there are several, else of threads."""
    first = min((process.key for process in processes), default=0)
    starts = [process.start_ns for process in processes if process.key != first]
    if not starts:
        pids = {process.key: process.pid for process in processes}
        starts = [lane.start_ns for lane in lanes if lane.tid != pids.get(lane.process)]
    return max(starts) / NS_PER_S if starts else None


def render(runs: Sequence[Run], *, as_json: bool) -> str:
    """The comparison, for people or as JSON."""
    from gilscope.analysis.compare import compare  # noqa: PLC0415
    from gilscope.exports.compare import render as as_text  # noqa: PLC0415

    compared = compare(runs)
    return json.dumps(compared, indent=2) + "\n" if as_json else as_text(compared)


@dataclass(frozen=True, slots=True)
class Shown:
    """The comparison as values that a screen can show."""

    recordings: tuple[tuple[Path, dict[str, Any]], ...]
    """Of each run: its recording, and its figures as of a way of the schema gilscope.compare/1."""
    labels: tuple[str, ...]
    """A way each."""
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """A figure each: words, and a value a way."""
    advice: tuple[str, ...]


def shown(runs: Sequence[Run]) -> Shown:
    """What a screen shows of runs; those whose recording is not kept are only in the table."""
    from gilscope.analysis.compare import compare, each_run  # noqa: PLC0415
    from gilscope.exports.compare import figures, sentences  # noqa: PLC0415

    compared = compare(runs)
    return Shown(
        recordings=tuple(
            (Path(run.recording), fields)
            for run, fields in zip(runs, each_run(runs), strict=True)
            if run.recording is not None
        ),
        labels=tuple(way["label"] for way in compared["ways"]),
        rows=tuple(figures(compared)),
        advice=tuple(sentences(compared)),
    )

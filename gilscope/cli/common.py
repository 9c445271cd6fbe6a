"""What several commands do: end with a message, write a file, sum a recording up."""

from __future__ import annotations

import contextlib
import math
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from gilscope.errors import EXIT_USAGE, GilscopeError, UsageError
from gilscope.model import NS_PER_S, Flames, Quality, SpanReport, Verdict
from gilscope.text import clean

if TYPE_CHECKING:
    from gilscope.recording.reader import RecordingReader


_UNITS = {"s": 1, "m": 60, "h": 3_600}


def length_ns(option: str, text: str, *, least_s: int) -> int:
    """A length of time such as 90s, 10m or 2h, in nanoseconds.

    Raises:
        UsageError: it is none, or too short.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = math.nan
    if not least_s <= seconds <= 1e6 * _UNITS["h"]:
        raise UsageError(
            f"{option} {text} is out of range: it takes a length from {least_s}s on, such as 10m or 2h.\n"
            f"Leave {option} out to record all."
        )
    return round(seconds * NS_PER_S)


@contextlib.contextmanager
def errors_end_it() -> Iterator[None]:
    """An error of ours ends the command with its message and its exit code."""
    try:
        yield
    except GilscopeError as error:
        # It may name files and programs, which strangers have named.
        say(f"gilscope: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)
    except OSError as error:
        # Standard output, as all that is written to files has words of its own: it is a full disk, say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        say(f"gilscope: Cannot write the output: {error.strerror or error}.")
        sys.exit(EXIT_USAGE)


def say(text: str) -> None:
    """Lines with what others have printed, made safe for the terminal."""
    for line in text.split("\n"):
        click.echo(clean(line), err=True)


def has_screen() -> bool:
    """Whether a screen would be seen: Textual draws on standard error, and its size is standard output's."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def has_live_screen() -> bool:
    """Whether a running program can be shown on it: elsewhere than on Linux only recordings can."""
    if has_screen() and sys.platform != "linux":
        say(f"gilscope: the live screen needs Linux; this is {sys.platform}: a summary follows at the end.")
        return False
    return has_screen()


def check_writable(path: Path, option: str = "--json") -> None:
    """Fail now rather than after the script has run for an hour."""
    existed = path.exists()
    try:
        with path.open("a"):
            pass
    except OSError as error:
        raise UsageError(
            f"Cannot write {path}: {error.strerror}.\nName another file with {option}."
        ) from error
    if not existed:
        path.unlink()


def write_file(path: Path, text: str) -> None:
    """Write a file that only its owner may read; an error of ours if that cannot be."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            if sys.platform != "win32" and stat.S_ISREG(os.fstat(handle).st_mode):  # /dev/null is everybody's
                with contextlib.suppress(PermissionError):
                    os.fchmod(handle, 0o600)
            file.write(text)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.\nName another file.") from error


def summary_and_quality(path: Path) -> tuple[dict[str, Any], Quality]:
    """What a recording comes to, and how well it was watched."""
    from gilscope.exports.read import summary_of, watch_quality  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    reader = RecordingReader(path)
    try:
        summary = summary_of(reader)
        return summary, watch_quality(reader, summary)
    finally:
        reader.close()


class ScreenVerdict:
    """For the screen: on the last seconds while the target runs, on the whole session once it is over."""

    def __init__(self) -> None:
        from gilscope.analysis.verdict.live import LiveVerdict  # noqa: PLC0415

        self._live = LiveVerdict()

    def __call__(self, reader: RecordingReader, end_ns: int) -> Verdict:
        """The verdict up to a moment, no earlier than that of the call before."""
        from gilscope.analysis.verdict.thresholds import THRESHOLDS  # noqa: PLC0415
        from gilscope.exports.read import summary_of  # noqa: PLC0415

        if reader.session().ended_ns is not None:
            return verdict_of(reader, end_ns)
        start_ns = max(reader.first_ns(), end_ns - round(THRESHOLDS.live_span_s * NS_PER_S))
        summary = summary_of(reader, start_ns=start_ns, end_ns=end_ns)
        events = [event for event in reader.events() if event.at_ns <= end_ns]
        self._live = self._live.after(end_ns, summary, events)
        return self._live.shown or verdict_of(reader, end_ns)


def verdict_of(reader: RecordingReader, end_ns: int) -> Verdict:
    """What the session up to a moment says, for the screen."""
    from gilscope.analysis.verdict import verdict_from  # noqa: PLC0415
    from gilscope.exports.read import summary_of  # noqa: PLC0415

    # With what its events say, which the figures alone do not.
    return verdict_from(summary_of(reader, end_ns=end_ns)["verdict"])


def quality_of(reader: RecordingReader, end_ns: int) -> Quality:
    """How well the session was watched up to a moment, for the screen."""
    from gilscope.exports.read import watch_quality  # noqa: PLC0415

    return watch_quality(reader, end_ns=end_ns)


def figures_until(reader: RecordingReader, end_ns: int) -> dict[str, Any]:
    """All figures up to a moment, for the screen."""
    from gilscope.exports.read import summary_of  # noqa: PLC0415

    if reader.session().ended_ns is not None and end_ns >= reader.head_ns():
        return summary_of(reader)
    # What is told of processes and threads themselves, such as their end, is of the newest moment.
    return summary_of(reader, start_ns=reader.first_ns(), end_ns=end_ns)


def flames_of(reader: RecordingReader, end_ns: int) -> Flames:
    """The functions that held a GIL up to a moment, and that waited for it, for the screen."""
    from gilscope.exports.read import flames_of as made  # noqa: PLC0415

    return made(reader, end_ns)


def span_of(reader: RecordingReader, start_ns: int, end_ns: int) -> SpanReport:
    """What a span of the session says, for the screen."""
    from gilscope.analysis.span import facts_of  # noqa: PLC0415
    from gilscope.analysis.verdict import verdict_from  # noqa: PLC0415
    from gilscope.exports.read import summary_of  # noqa: PLC0415

    summary = summary_of(reader, start_ns=start_ns, end_ns=end_ns)
    return SpanReport(start_ns, end_ns, verdict_from(summary["verdict"]), facts_of(summary))

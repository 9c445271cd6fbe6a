"""gilscope export: a recording for other tools."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import rich_click as click

from gilscope.cli.common import errors_end_it, quality_of, verdict_of
from gilscope.errors import UsageError
from gilscope.model import NS_PER_S
from gilscope.signals import HANG_UPS

if TYPE_CHECKING:
    from gilscope.exports.options import Options
    from gilscope.recording.streams import RecordingStreams

FORMATS = ("perfetto", "firefox", "speedscope", "csv", "svg", "cast")
COLUMNS, ROWS = 120, 36
RECORDING = ".gilscope"


@click.command()
@click.argument("file", metavar="FILE|last")
@click.option(
    "--format",
    "name",
    type=click.Choice(FORMATS),
    required=True,
    help="perfetto: ui.perfetto.dev. firefox: profiler.firefox.com. speedscope: speedscope.app. "
    "csv: a file for each table. svg: a picture of the screen. cast: an animation for asciinema.",
)
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write here, not to stdout. csv: a new directory, or a FILE.zip; to stdout it is a zip file.",
)
@click.option("--with-output", is_flag=True, help="Include what the target printed (not: speedscope, cast).")
@click.option(
    "--at", "at_s", type=float, metavar="SECONDS", help="svg: the moment to show. [default: the end]"
)
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 1000),
    default=1.0,
    show_default=True,
    metavar="X",
    help="cast: seconds of the recording in a second; 0.1 is slow motion.",
)
def export(
    *, file: str, name: str, output: Path | None, with_output: bool, at_s: float | None, speed: float
) -> None:
    """Turn a recording into a file for another tool.

    Long recordings are written piece by piece, in little memory. A file appears when it is complete.
    """
    from gilscope.exports.options import Options  # noqa: PLC0415
    from gilscope.recording import store  # noqa: PLC0415
    from gilscope.recording.streams import RecordingStreams  # noqa: PLC0415

    with errors_end_it():
        source = store.find(file)
        check_output(output, source, name)
        with contextlib.closing(RecordingStreams(source)) as streams:
            _write(streams, name, output, Options(with_output=with_output, speed=speed), at_s)


def check_output(output: Path | None, source: Path, name: str) -> None:
    """Refuse what would go wrong, or destroy something, before any work is done."""
    if output is None:
        if sys.stdout.isatty():
            raise UsageError("This would fill your terminal.\nName a file with -o FILE, or send it on: | …")
        return
    example = _example(source, name)
    if output.suffix == RECORDING and output.exists():
        raise UsageError(f"{output} is a recording and is not overwritten.\nName another file with -o FILE.")
    if name != "csv" and output.is_dir():
        raise UsageError(f"{output} is a directory.\nName a file: -o {output / example}")
    if name == "csv" and output.suffix != ".zip":
        if output.is_dir() and any(output.iterdir()):
            raise UsageError(
                f"{output} is a directory with files in it.\nName a new one, or a zip file: -o {example}"
            )
        if output.exists() and not output.is_dir():
            raise UsageError(
                f"{output} is a file, and csv writes a file for each table.\n"
                f"Name a new directory, or a zip file: -o {example}"
            )


def _example(source: Path, name: str) -> str:
    return f"{source.stem}." + {
        "csv": "csv.zip",
        "svg": "svg",
        "cast": "cast",
        "html": "html",
        "md": "md",
        "text": "txt",
    }.get(name, f"{name}.json")


def _write(
    streams: RecordingStreams, name: str, output: Path | None, options: Options, at_s: float | None
) -> None:
    from gilscope.exports import tables  # noqa: PLC0415
    from gilscope.exports.registry import FORMATS as WRITERS  # noqa: PLC0415

    if name == "csv" and output is not None and output.suffix != ".zip":
        with new_folder(output) as folder:
            tables.write_folder(streams, folder, options)
        return
    with new_file(output) as file:
        if name == "svg":
            file.write(_picture(streams, at_s, with_output=options.with_output).encode())
        else:
            WRITERS[name].write(streams, file, options)


def _picture(streams: RecordingStreams, at_s: float | None, *, with_output: bool) -> str:
    from gilscope.views.still import picture_of  # noqa: PLC0415

    if at_s is not None and not 0 <= at_s * NS_PER_S <= streams.until_ns:
        raise UsageError(
            f"There is no second {at_s:g} in this recording.\n"
            f"It ends at {streams.until_ns / NS_PER_S:.3f} s: --at SECONDS"
        )
    return picture_of(
        streams.path,
        at_ns=None if at_s is None else round(at_s * NS_PER_S),
        size=(COLUMNS, ROWS),
        title=streams.session().command,
        verdict_of=verdict_of,
        quality_of=quality_of,
        with_output=with_output,
    )


@contextlib.contextmanager
def new_file(path: Path | None) -> Iterator[IO[bytes]]:
    """A file that appears, readable by its owner only, when all is written; None: standard output.

    What is not a plain file (a pipe, /dev/stdout) is written as it comes.

    Raises:
        UsageError: it cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():
        with _as_ours(path), path.open("wb") as file:
            yield file
        return
    with _as_ours(path), _ends_on_sigterm():
        target = path.resolve()  # through a link, as any program writes
        part = _part_of(target)
        try:
            with open(part, "xb", opener=_for_its_owner) as file:
                yield file
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A directory, for its owner only, that appears when all is written; it may exist if it is empty.

    Raises:
        UsageError: it cannot be written.
    """
    with _as_ours(path), _ends_on_sigterm():
        target = path.resolve()
        part = _part_of(target)
        try:
            part.mkdir(0o700)
            yield part
            part.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _part_of(target: Path) -> Path:
    """Known by name before it is there: a signal between the two leaves nothing behind."""
    return target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")


def _for_its_owner(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


@contextlib.contextmanager
def _as_ours(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.\nName another with -o.") from error


@contextlib.contextmanager
def _ends_on_sigterm() -> Iterator[None]:
    """Whoever is asked to end tidies up first."""

    def end(number: int, _frame: object) -> None:
        for again in HANG_UPS:
            signal.signal(again, signal.SIG_IGN)  # or the tidying would be stopped as well
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in HANG_UPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""What is done with recordings: gilscope replay, recordings."""

from __future__ import annotations

import sys

import rich_click as click

from gilscope.cli.common import errors_end_it, quality_of, span_of, verdict_of
from gilscope.errors import RecordingError, UsageError
from gilscope.model import NS_PER_S


@click.command()
@click.argument("file", metavar="FILE|last")
@click.option("--at", "at_s", type=click.FloatRange(0), metavar="SECONDS", help="Begin here.")
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 100),
    default=1.0,
    show_default=True,
    help="Play this many times as fast.",
)
def replay(*, file: str, at_s: float | None, speed: float) -> None:
    """Scrub through a recording again."""
    from gilscope.recording import store  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    with errors_end_it():
        path = store.find(file)
        reader = RecordingReader(path)
        title, head_ns = reader.session().command, reader.head_ns()
        reader.close()
        at_ns = None if at_s is None else round(at_s * NS_PER_S)
        if at_ns is not None and at_ns > head_ns:
            raise UsageError(
                f"{path} is {head_ns / NS_PER_S:.1f} s long: there is nothing at {at_s:g} s.\n"
                "Name an earlier moment with --at."
            )
        if not sys.stdout.isatty():
            raise UsageError(
                "replay needs a terminal on its standard output.\nFor text: gilscope report " + file
            )
        from gilscope.views.app import GilscopeApp  # noqa: PLC0415

        app = GilscopeApp(
            path,
            control=None,
            title=title,
            verdict_of=verdict_of,
            quality_of=quality_of,
            span_of=span_of,
            at_ns=at_ns,
            speed=speed,
        )
        app.run()
        if app.exit_error:
            raise RecordingError(app.exit_error)


@click.group(invoke_without_command=True)
@click.pass_context
def recordings(context: click.Context) -> None:
    """List or remove the recordings that runs have left."""
    if context.invoked_subcommand is None:
        context.invoke(list_recordings)


@recordings.command("list")
def list_recordings() -> None:
    """List them, newest first."""
    from gilscope.recording import store  # noqa: PLC0415

    with errors_end_it():
        found = store.all_recordings()
        if not found:
            click.echo(f"No recordings in {store.directory()}.", err=True)
        for path in found:
            click.echo(f"{path.stat().st_size / 1e6:8.1f} MB  {path}")


@recordings.command("rm")
@click.argument("files", nargs=-1, required=True, metavar="FILE|last …")
def remove_recordings(*, files: tuple[str, ...]) -> None:
    """Remove recordings."""
    from gilscope.recording import store  # noqa: PLC0415

    with errors_end_it():
        for name in files:
            store.remove(store.find(name))

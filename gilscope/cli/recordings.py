"""What is done with recordings: gilscope replay, recordings."""

from __future__ import annotations

import sys

import rich_click as click

from gilscope.cli.common import errors_end_it, quality_of, verdict_of
from gilscope.errors import RecordingError, UsageError


@click.command()
@click.argument("file", metavar="FILE|last")
def replay(*, file: str) -> None:
    """Scrub through a recording again."""
    from gilscope.recording import store  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    with errors_end_it():
        path = store.find(file)
        reader = RecordingReader(path)
        title = reader.session().command
        reader.close()
        if not sys.stdout.isatty():
            raise UsageError(
                "replay needs a terminal on its standard output.\nFor text: gilscope report " + file
            )
        from gilscope.views.app import GilscopeApp  # noqa: PLC0415

        app = GilscopeApp(path, control=None, title=title, verdict_of=verdict_of, quality_of=quality_of)
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

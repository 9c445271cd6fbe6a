"""What is done with recordings: gilscope replay, recordings."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from gilscope.cli.common import (
    errors_end_it,
    figures_until,
    flames_of,
    has_screen,
    quality_of,
    span_of,
    verdict_of,
)
from gilscope.cli.looks import check_look, look_of, look_options
from gilscope.cli.serve import ServingCommand, replay_in_browser, serve_option
from gilscope.errors import RecordingError, UsageError
from gilscope.model import NS_PER_S
from gilscope.serving.place import Place
from gilscope.text import clean, clock_text, cut, pad

CHECKED_BYTES = 8_000_000


@click.command(cls=ServingCommand)
@click.argument("file", metavar="FILE|last")
@click.option("--at", "at_s", type=click.FloatRange(0), metavar="SECONDS", help="Begin here.")
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 100),
    default=1.0,
    show_default=True,
    help="Play this many times as fast.",
)
@look_options
@serve_option
def replay(
    *,
    file: str,
    at_s: float | None,
    speed: float,
    serve: Place | None,
    theme: str | None,
    plain: bool | None,
) -> None:
    """Scrub through a recording again."""
    from gilscope.recording import store  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    with errors_end_it():
        check_look(theme)
        path = store.find(file)
        reader = RecordingReader(path, live=True)  # the app checks it in full
        title, head_ns = reader.session().command, reader.head_ns()
        reader.close()
        at_ns = None if at_s is None else round(at_s * NS_PER_S)
        if at_ns is not None and at_ns > head_ns:
            raise UsageError(
                f"{path} is {head_ns / NS_PER_S:.1f} s long: there is nothing at {at_s:g} s.\n"
                "Name an earlier moment with --at."
            )
        if serve is not None:
            replay_in_browser(path, serve, title=title, at_ns=at_ns, speed=speed, theme=theme)
            return
        if not has_screen():
            raise UsageError(
                "replay needs a terminal on its standard output and its standard error.\n"
                "For a browser: --serve. For text: gilscope report " + file
            )
        from gilscope.views.app import GilscopeApp  # noqa: PLC0415

        app = GilscopeApp(
            path,
            control=None,
            title=title,
            verdict_of=verdict_of,
            quality_of=quality_of,
            flames_of=flames_of,
            span_of=span_of,
            summary_of=figures_until,
            at_ns=at_ns,
            speed=speed,
        )
        app.put_look(look_of(theme, plain))
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
    """List them, newest first: when, how long, the verdict, what was run, how large, where."""
    from gilscope.recording import store  # noqa: PLC0415

    with errors_end_it():
        found = store.all_recordings()
        if not found:
            click.echo(f"No recordings in {store.directory()}.", err=True)
        for path in found:
            click.echo(f"{_described(path)}  {path.stat().st_size / 1e6:7.1f} MB  {clean(str(path))}")


def _described(path: Path) -> str:
    """Columns that say what a recording is of."""
    from datetime import datetime  # noqa: PLC0415

    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    try:
        # To check every page of all would take long: only of small ones.
        reader = RecordingReader(path, live=path.stat().st_size > CHECKED_BYTES)
        try:
            session, head_ns = reader.session(), reader.head_ns()
            verdict = verdict_of(reader, head_ns).kind if head_ns else "empty"
        finally:
            reader.close()
    except (RecordingError, OSError):
        return f"{'?':<16}  {'?':>9}  {'damaged':<16}  {'':<24}"
    try:
        started = datetime.fromisoformat(session.started).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        started = "?"
    length = clock_text(head_ns) + ("" if session.ended_ns is not None else "+")
    command = pad(cut(clean(session.command.replace("\n", " ")), 24), 24)
    return f"{started:<16}  {length:>9}  {clean(verdict):<16}  {command}"


@recordings.command("rm")
@click.argument("files", nargs=-1, metavar="FILE|last …")
@click.option("--all", "everything", is_flag=True, help="All that `recordings list` names.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_recordings(*, files: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Remove recordings. With --all it asks first; where it cannot, it needs --yes."""
    from gilscope.recording import store  # noqa: PLC0415

    with errors_end_it():
        if everything == bool(files):
            raise UsageError("Name the recordings to remove, or: --all.")
        if not everything:
            paths = [store.find(name) for name in files]
            for path in paths:
                store.refuse_others(path)
        else:
            paths = store.all_recordings()
            if paths and not yes:
                if not sys.stdin.isatty():
                    raise UsageError(f"{len(paths)} recordings would be removed.\nSay so with --all --yes.")
                click.confirm(f"Remove {len(paths)} recordings in {store.directory()}?", abort=True, err=True)
        for path in paths:
            store.remove(path)
        if everything:
            click.echo(f"{len(paths)} recordings removed.", err=True)

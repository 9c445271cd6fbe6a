"""gilscope compare."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from gilscope.cli.common import check_writable, errors_end_it, say, write_file
from gilscope.cli.looks import check_look, look_of, look_options
from gilscope.errors import UsageError

if TYPE_CHECKING:
    from gilscope.analysis.compare import Run
    from gilscope.views.scope_app import Look


@click.command()
@click.argument("target", metavar="SCRIPT | A.gilscope", required=False)
@click.argument("others", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGS] | B.gilscope …")
@click.option("-m", "module", metavar="MODULE", help="Compare a module, as `python -m` runs it.")
@click.option(
    "--modes",
    default="threads,processes",
    show_default=True,
    metavar="LIST",
    help="The ways to run it, the first one the measure of the others.",
)
@click.option("--python", "pythons", multiple=True, metavar="PATH", help="Interpreter; may be repeated.")
@click.option("--repeat", type=int, default=1, show_default=True, metavar="N", help="Runs of each way.")
@click.option("--rate", type=float, metavar="HZ", help="GIL samples a second.")
@click.option("--cwd", metavar="DIR", help="Directory to run it in.")
@click.option("--env", multiple=True, metavar="K=V", help="Set an environment variable; may be repeated.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the comparison (-: to stdout).",
)
@click.option("--no-screen", is_flag=True, help="Print the table only, also on a terminal.")
@look_options
def compare(
    *,
    target: str | None,
    others: tuple[str, ...],
    module: str | None,
    modes: str,
    pythons: tuple[str, ...],
    repeat: int,
    rate: float | None,
    cwd: str | None,
    env: tuple[str, ...],
    json_file: Path | None,
    no_screen: bool,
    theme: str | None,
    plain: bool | None,
) -> None:
    """Run a SCRIPT with threads and with processes, one after the other, and say which is better.

    With recordings in the place of a script these are compared.
    """
    from gilscope import comparing  # noqa: PLC0415

    words = [word for word in (target, *others) if word is not None]
    with errors_end_it():
        check_look(theme)
        if json_file is not None and str(json_file) != "-":
            check_writable(json_file)
        if module is None and words and all(map(comparing.is_recording, words)):
            if len(words) < 2:
                raise UsageError(
                    "There is one recording only.\nName two: gilscope compare A.gilscope B.gilscope"
                )
            runs = comparing.compare_recordings(words)
        elif module is None and not words:
            raise UsageError("There is nothing to compare.\nName a script, or two recordings.")
        else:
            options = [] if rate is None else ["--rate", str(rate)]
            options += [] if cwd is None else ["--cwd", cwd]
            options += [word for setting in env for word in ("--env", setting)]
            named = ["-m", module, "--", *words] if module else [words[0], "--", *words[1:]]
            runs = comparing.compare_script(
                named,
                modes=modes,
                pythons=pythons,
                repeat=repeat,
                options=options,
                say=say,
            )
        if json_file is not None:
            written = comparing.render(runs, as_json=True)
            if str(json_file) == "-":
                click.echo(written, nl=False)
            else:
                write_file(json_file, written)
        if json_file is None or str(json_file) != "-":
            if not no_screen and _has_terminal() and not _show_compared(runs, look_of(theme, plain)):
                return
            click.echo(comparing.render(runs, as_json=False), nl=False)


def _has_terminal() -> bool:
    """Whether there is somebody who sees a screen and can type to it."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _show_compared(runs: Sequence[Run], look: Look) -> bool:
    """Show runs side by side until somebody quits; whether the terminal is still there then."""
    from gilscope import comparing  # noqa: PLC0415
    from gilscope.views.compare_app import CompareApp  # noqa: PLC0415
    from gilscope.views.comparing import ComparedRun, ComparedTable  # noqa: PLC0415

    shown = comparing.shown(runs)
    app = CompareApp(
        [ComparedRun(recording=path, figures=figures) for path, figures in shown.recordings],
        ComparedTable(labels=shown.labels, rows=shown.rows, advice=shown.advice),
    )
    app.put_look(look)
    app.run()
    return not app.hung_up

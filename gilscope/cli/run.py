"""gilscope run."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import rich_click as click

from gilscope.cli.closing import sum_up
from gilscope.cli.common import errors_end_it, has_live_screen
from gilscope.cli.gate import list_metrics
from gilscope.cli.looks import check_look, look_of, look_options
from gilscope.cli.options import WatchOptions, watch_options
from gilscope.cli.serve import ServingCommand, watch_in_browser
from gilscope.cli.watching import watch_headless, watch_on_screen


@click.command(cls=ServingCommand)
@click.argument("script", required=False)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("-m", "module", metavar="MODULE", help="Run a module, as `python -m` does.")
@click.option("-c", "code", metavar="CODE", help="Run this code, as `python -c` does.")
@click.option(
    "--mode",
    default="asis",
    metavar="MODE",
    help="asis: leave it as it is. threads, processes: make its processes threads, or its threads processes.",
)
@click.option(
    "--workers", type=int, metavar="N", help="Call SCRIPT:FUNCTION in so many workers (default: 1)."
)
@click.option("--python", metavar="PATH", help="Interpreter to run it with (default: gilscope's own).")
@click.option("--cwd", metavar="DIR", help="Directory to run it in.")
@click.option("--env", multiple=True, metavar="K=V", help="Set an environment variable; may be repeated.")
@watch_options(duration="End the script after so many seconds.")
@look_options
def run(
    *,
    script: str | None,
    args: tuple[str, ...],
    module: str | None,
    code: str | None,
    mode: str,
    workers: int | None,
    python: str | None,
    cwd: str | None,
    env: tuple[str, ...],
    theme: str | None,
    plain: bool | None,
    **watching: Any,
) -> None:
    """Run a SCRIPT (or `-m MODULE`, `-c CODE`) and watch it. Its ARGS follow after `--`.

    `SCRIPT:FUNCTION` calls a function in `--workers` threads, or processes with `--mode processes`.

    Exits with the script's own exit code, or 2 for a wrong command, 3 if a limit of `--fail-on` was crossed,
    4 if it cannot be observed.
    """
    options = WatchOptions(**watching)
    if "help" in options.fail_on:
        list_metrics()
    from gilscope.launch.spec import resolve_spec  # noqa: PLC0415 - a command starts fast

    if (module or code) and script is not None:
        # As with python itself, all that follows belongs to the program.
        args, script = (script, *args), None
    with errors_end_it():
        check_look(theme)
        gate = options.gate()
        options.check()
        spec = resolve_spec(
            script=script,
            module=module,
            code=code,
            args=args,
            python=python,
            mode=mode,
            workers=workers,
            cwd=cwd,
            env=env,
        )
        config = options.settled(spec)
        if options.serve is not None:
            to_stdout = not options.prints_to_stdout
            exit_code = watch_in_browser(config, options.serve, theme=theme, address_to_stdout=to_stdout)
        elif options.headless or not has_live_screen():
            exit_code = watch_headless(config)
        else:
            exit_code = watch_on_screen(config, look_of(theme, plain))
        with contextlib.suppress(BrokenPipeError):
            sum_up(config.recording, options.json_file, gate)
        exit_code = gate.exit_code(exit_code, ended_by_us=options.duration is not None)
    sys.exit(exit_code)

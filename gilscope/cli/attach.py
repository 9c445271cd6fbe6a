"""gilscope attach."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import rich_click as click

from gilscope.cli.closing import sum_up
from gilscope.cli.common import errors_end_it, has_live_screen, say
from gilscope.cli.gate import list_metrics
from gilscope.cli.looks import check_look, look_of, look_options
from gilscope.cli.options import WatchOptions, watch_options
from gilscope.cli.serve import ServingCommand, watch_in_browser
from gilscope.cli.watching import watch_from_beside, watch_on_screen
from gilscope.errors import UsageError
from gilscope.serving.place import FREE_PORT, Place


@click.command(cls=ServingCommand)
@click.argument("pid", required=False)
@watch_options(duration="Watch for so many seconds; the process runs on.")
@look_options
def attach(*, pid: str | None, theme: str | None, plain: bool | None, **watching: Any) -> None:
    """Watch a Python that runs already, and its child processes, by its PID.

    Nothing in it is stopped, changed or added. It runs on when the watch ends: with `q`, ctrl-C, after
    `--duration`, or with itself.

    Exits with 0, or 2 for a wrong command, 3 if a limit of `--fail-on` was crossed, 4 if it cannot be
    observed.
    """
    options = WatchOptions(**watching)
    if "help" in options.fail_on:
        list_metrics()
    with errors_end_it():
        check_look(theme)
        gate = options.gate()
        options.check()
        number = _pid(pid, options.serve)
        from gilscope.sampler.attaching import examine, is_stopped  # noqa: PLC0415 - a command starts fast

        config = options.settled(examine(number))
        if is_stopped(number):
            say(
                f"gilscope: process {number} is stopped, by a signal or a debugger: until then there is "
                f"little to see.\nTo let it go on: kill -CONT {number}"
            )
        if options.serve is not None:
            to_stdout = not options.prints_to_stdout
            watch_in_browser(config, options.serve, theme=theme, address_to_stdout=to_stdout)
        elif options.headless or not has_live_screen():
            watch_from_beside(config)
        else:
            watch_on_screen(config, look_of(theme, plain))
        with contextlib.suppress(BrokenPipeError):
            sum_up(config.recording, options.json_file, gate)
        exit_code = gate.exit_code(0)
    sys.exit(exit_code)


def _pid(text: str | None, serve: Place | None) -> int:
    if text is None and serve is not None and serve.port != FREE_PORT:
        raise UsageError(
            f"No process is named: a number after --serve is a port, here {serve.port}.\n"
            "Name the process first: gilscope attach PID --serve"
        )
    if text is None:
        raise UsageError("No process is named.\nGive its number: gilscope attach PID")
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST_PID:
        raise UsageError(
            f"{text} is no process number.\nGive the pid of a running Python; `pgrep -af python` lists them."
        )
    return int(text)


MOST_PID = 2**22
"""The kernel's own limit."""

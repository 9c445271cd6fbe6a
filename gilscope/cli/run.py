"""gilscope run."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from gilscope.cli.common import (
    check_writable,
    errors_end_it,
    has_screen,
    length_ns,
    summary_and_quality,
    write_file,
)
from gilscope.cli.gate import Gate, list_metrics
from gilscope.cli.serve import ServingCommand, serve_option, watch_in_browser
from gilscope.cli.watching import watch_headless, watch_on_screen
from gilscope.errors import UsageError
from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.sampler import config as limits
from gilscope.serving.place import Place

if TYPE_CHECKING:
    from gilscope.launch.spec import TargetSpec


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
@click.option(
    "--source",
    type=click.Choice(["probe", "py-spy"]),
    help="Who tells who holds the GIL (default: probe; py-spy where that cannot read the interpreter).",
)
@click.option(
    "--rate",
    type=float,
    metavar="HZ",
    help=f"GIL samples a second (default: {limits.DEFAULT_RATE_HZ:g}; of py-spy "
    f"{limits.DEFAULT_PYSPY_RATE_HZ:g}).",
)
@click.option(
    "--tick",
    type=int,
    default=limits.DEFAULT_TICK_MS,
    metavar="MS",
    help=f"Length of a tick, the step in which all is counted (default: {limits.DEFAULT_TICK_MS}).",
)
@click.option(
    "--budget",
    type=float,
    default=limits.DEFAULT_BUDGET_PERCENT,
    metavar="PERCENT",
    help=f"Share of one core that watching may take (default: {limits.DEFAULT_BUDGET_PERCENT:g}).",
)
@click.option(
    "--stall",
    type=float,
    default=limits.DEFAULT_STALL_MS,
    metavar="MS",
    help="A hold of the GIL longer than this, while others wait, is a stall "
    f"(default: {limits.DEFAULT_STALL_MS:g}).",
)
@click.option(
    "--native",
    is_flag=True,
    help="Show C functions in the stacks of stalls: stops the script for some 0.1 s at each.",
)
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    metavar="EXPR",
    help="End with exit code 3 if this is so, as in 'gil.contention > 0.5'; may be repeated. "
    "`--fail-on help` lists what can be limited.",
)
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the limits of --fail-on as a JUnit report.",
)
@click.option(
    "--markdown",
    "markdown_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the summary as Markdown, for a job's page (-: to stdout).",
)
@click.option("--duration", type=float, metavar="S", help="End the script after so many seconds.")
@click.option(
    "--keep",
    metavar="LENGTH",
    help="Record only the newest 90s, 10m or 2h: the file stops growing.",
)
@serve_option
@click.option("--headless", is_flag=True, help="No screen: pass the script's output through, then sum up.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the summary (-: to stdout).",
)
@click.option(
    "-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Keep the recording in this file."
)
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
    source: limits.Source | None,
    rate: float | None,
    tick: int,
    budget: float,
    stall: float,
    native: bool,
    duration: float | None,
    keep: str | None,
    serve: Place | None,
    headless: bool,
    json_file: Path | None,
    fail_on: tuple[str, ...],
    junit_file: Path | None,
    markdown_file: Path | None,
    output: Path | None,
) -> None:
    """Run a SCRIPT (or `-m MODULE`, `-c CODE`) and watch it. Its ARGS follow after `--`.

    `SCRIPT:FUNCTION` calls a function in `--workers` threads, or processes with `--mode processes`.

    Exits with the script's own exit code, or 2 for a wrong command, 3 if a limit of `--fail-on` was crossed,
    4 if it cannot be observed.
    """
    if "help" in fail_on:
        list_metrics()
    from gilscope.launch.spec import resolve_spec  # noqa: PLC0415 - a command starts fast
    from gilscope.recording import store  # noqa: PLC0415

    if (module or code) and script is not None:
        # As with python itself, all that follows belongs to the program.
        args, script = (script, *args), None
    with errors_end_it():
        gate = Gate.of(fail_on, junit_file=junit_file, markdown_file=markdown_file)
        if serve is not None and headless:
            raise UsageError("--serve shows the screen in a browser, --headless none.\nName one of them.")
        if rate is None:
            rate = limits.DEFAULT_PYSPY_RATE_HZ if source == "py-spy" else limits.DEFAULT_RATE_HZ
        _check_numbers(rate, tick, budget, stall, duration)
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
        _check_source(source, rate, spec)
        for option, file in (("--json", json_file), ("--junit", junit_file), ("--markdown", markdown_file)):
            if file is not None and str(file) != "-":
                check_writable(file, option)
        recording = output if output is not None else store.new_path(spec.display)
        config = limits.SamplerConfig(
            spec=spec,
            recording=recording,
            source=source or "auto",
            rate_hz=rate,
            tick_ns=tick * NS_PER_MS,
            budget_share=budget / 100,
            stall_ns=round(stall * NS_PER_MS),
            native=native,
            duration_ns=None if duration is None else round(duration * NS_PER_S),
            keep_ns=None if keep is None else length_ns("--keep", keep, least_s=limits.MIN_KEEP_S),
        )
        if serve is not None:
            exit_code = watch_in_browser(
                config, serve, address_to_stdout="-" not in (str(json_file), str(markdown_file))
            )
        else:
            watch = watch_headless if headless or not has_screen() else watch_on_screen
            exit_code = watch(config)
        with contextlib.suppress(BrokenPipeError):
            sum_up(config.recording, json_file, gate)
        exit_code = gate.exit_code(exit_code, ended_by_us=duration is not None)
    sys.exit(exit_code)


def _check_numbers(rate: float, tick: int, budget: float, stall: float, duration: float | None) -> None:
    def need(option: str, value: float, low: float, high: float, unit: str) -> None:
        if not low <= value <= high:
            raise UsageError(
                f"{option} {value:g} is out of range: it is in {unit}, from {low:g} to {high:g}.\n"
                f"Leave {option} out for the default."
            )

    need("--rate", rate, limits.MIN_RATE_HZ, limits.MAX_RATE_HZ, "samples a second")
    need("--tick", tick, limits.MIN_TICK_MS, limits.MAX_TICK_MS, "ms")
    need("--budget", budget, 0.1, 100, "percent of one core")
    need("--stall", stall, 1, 3_600_000, "ms")
    if duration is not None:
        need("--duration", duration, 0.001, 366 * 86_400, "seconds")


def _check_source(source: str | None, rate: float, spec: TargetSpec) -> None:
    if source == "probe" and not spec.shim:
        raise UsageError(
            f"--source probe reads CPython 3.8 and later, and this is {spec.version}.\n"
            "Leave --source out: py-spy then tells who holds the GIL."
        )
    if source == "py-spy" and rate > limits.MAX_PYSPY_RATE_HZ:
        raise UsageError(
            f"--rate {rate:g} is more than py-spy can do: {limits.MAX_PYSPY_RATE_HZ:g} samples a second.\n"
            "Leave --rate out for the default."
        )


def sum_up(recording: Path, json_file: Path | None, gate: Gate | None = None) -> str | None:
    """Print the summary for people to standard error, and write it as JSON where that was asked.

    `gate`: the limits to hold it against. Returns the kind of its verdict; None: there is no recording.
    """
    from gilscope.exports import text  # noqa: PLC0415
    from gilscope.recording import store  # noqa: PLC0415

    if not recording.exists():
        return None
    summary, quality = summary_and_quality(recording)
    if gate is not None:
        gate.check(summary)
    click.echo("\n" + text.render(summary, quality) + f"recording {recording}", err=True)
    if gate is not None:
        gate.report(summary, quality)
    if sys.stderr.isatty():
        again = "last" if recording.parent == store.directory() else shlex.quote(str(recording))
        click.echo(f"see it again: gilscope replay {again}", err=True)
    if json_file is not None:
        written = json.dumps(summary, indent=2) + "\n"
        if str(json_file) == "-":
            click.echo(written, nl=False)
        else:
            write_file(json_file, written)
    return str(summary["verdict"]["kind"])

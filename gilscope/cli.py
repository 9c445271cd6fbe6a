"""The commands. The only place that prints and exits."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from gilscope import __version__
from gilscope.errors import GilscopeError, RecordingError, UsageError
from gilscope.model import NS_PER_MS, NS_PER_S, Quality, Session, Verdict
from gilscope.sampler import config as limits
from gilscope.text import clean

if TYPE_CHECKING:
    from gilscope.analysis.compare import Run
    from gilscope.launch.spec import TargetSpec
    from gilscope.launch.target import Target
    from gilscope.recording.reader import RecordingReader

Command = TypeVar("Command", bound=Callable[..., Any])

click.rich_click.TEXT_MARKUP = "markdown"
click.rich_click.SHOW_ARGUMENTS = True
click.rich_click.COMMAND_GROUPS = {
    "gilscope": [{"name": "Commands", "commands": ["run", "compare", "replay", "report", "recordings"]}],
}
click.rich_click.OPTION_GROUPS = {
    "gilscope run": [
        {
            "name": "What to run",
            "options": ["-m", "-c", "--mode", "--workers", "--python", "--cwd", "--env"],
        },
        {"name": "How to watch", "options": ["--source", "--rate", "--tick", "--budget", "--duration"]},
        {"name": "What comes of it", "options": ["--headless", "--json", "-o", "--help"]},
    ]
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gilscope", message="%(prog)s %(version)s")
def main() -> None:
    """See which Python thread or process runs, who holds the GIL and who waits for it.

    `gilscope run script.py` watches a script; `gilscope replay last` scrubs through it again.
    """


@main.command()
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
    help="A hold of the GIL longer than this, with a waiter, is a stall.",
    # It is kept in the recording; shown when there is something that shows stalls.
    hidden=True,
)
@click.option("--duration", type=float, metavar="S", help="End the script after so many seconds.")
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
    duration: float | None,
    headless: bool,
    json_file: Path | None,
    output: Path | None,
) -> None:
    """Run a SCRIPT (or `-m MODULE`, `-c CODE`) and watch it. Its ARGS follow after `--`.

    `SCRIPT:FUNCTION` calls a function in `--workers` threads, or processes with `--mode processes`.

    Exits with the script's own exit code, or 2 for a wrong command, 4 if it cannot be observed.
    """
    from gilscope.launch.spec import resolve_spec  # noqa: PLC0415 - a command starts fast
    from gilscope.recording import store  # noqa: PLC0415

    if (module or code) and script is not None:
        # As with python itself, all that follows belongs to the program.
        args, script = (script, *args), None
    with _errors_end_it():
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
        if json_file is not None and str(json_file) != "-":
            _check_writable(json_file)
        recording = output if output is not None else store.new_path(spec.display)
        config = limits.SamplerConfig(
            spec=spec,
            recording=recording,
            source=source or "auto",
            rate_hz=rate,
            tick_ns=tick * NS_PER_MS,
            budget_share=budget / 100,
            stall_ns=round(stall * NS_PER_MS),
            duration_ns=None if duration is None else round(duration * NS_PER_S),
        )
        watch = _run_headless if headless or not sys.stdout.isatty() else _run_app
        exit_code = watch(config)
        with contextlib.suppress(BrokenPipeError):
            _sum_up(config.recording, json_file)
    sys.exit(exit_code)


@main.command()
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
) -> None:
    """Run a SCRIPT with threads and with processes, one after the other, and say which is better.

    With recordings in the place of a script these are compared.
    """
    from gilscope import comparing  # noqa: PLC0415

    words = [word for word in (target, *others) if word is not None]
    with _errors_end_it():
        if json_file is not None and str(json_file) != "-":
            _check_writable(json_file)
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
                say=_say,
            )
        if json_file is not None:
            written = comparing.render(runs, as_json=True)
            if str(json_file) == "-":
                click.echo(written, nl=False)
            else:
                _write_file(json_file, written)
        if json_file is None or str(json_file) != "-":
            if not no_screen and _has_terminal() and not _show_compared(runs):
                return
            click.echo(comparing.render(runs, as_json=False), nl=False)


@main.command()
@click.argument("file", metavar="FILE|last")
def replay(*, file: str) -> None:
    """Scrub through a recording again."""
    from gilscope.recording import store  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    with _errors_end_it():
        path = store.find(file)
        reader = RecordingReader(path)
        title = reader.session().command
        reader.close()
        if not sys.stdout.isatty():
            raise UsageError(
                "replay needs a terminal on its standard output.\nFor text: gilscope report " + file
            )
        from gilscope.views.app import GilscopeApp  # noqa: PLC0415

        app = GilscopeApp(path, control=None, title=title, verdict_of=_verdict_of, quality_of=_quality_of)
        app.run()
        if app.exit_error:
            raise RecordingError(app.exit_error)


@main.command()
@click.argument("file", metavar="FILE|last")
@click.option("--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Write here, not to stdout."
)
def report(*, file: str, kind: str, output: Path | None) -> None:
    """Sum a recording up: for people, or as JSON (the same as `run --json`)."""
    from gilscope.exports import text  # noqa: PLC0415
    from gilscope.recording import store  # noqa: PLC0415

    with _errors_end_it():
        summary, quality = _summary(store.find(file))
        written = text.render(summary, quality) if kind == "text" else json.dumps(summary, indent=2) + "\n"
        if output is None:
            click.echo(written, nl=False)
        else:
            _write_file(output, written)


@main.group(invoke_without_command=True)
@click.pass_context
def recordings(context: click.Context) -> None:
    """List or remove the recordings that runs have left."""
    if context.invoked_subcommand is None:
        context.invoke(list_recordings)


@recordings.command("list")
def list_recordings() -> None:
    """List them, newest first."""
    from gilscope.recording import store  # noqa: PLC0415

    with _errors_end_it():
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

    with _errors_end_it():
        for name in files:
            store.remove(store.find(name))


def _has_terminal() -> bool:
    """Whether there is somebody who sees a screen and can type to it."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _show_compared(runs: Sequence[Run]) -> bool:
    """Show runs side by side until somebody quits; whether the terminal is still there then."""
    from gilscope import comparing  # noqa: PLC0415
    from gilscope.views.compare_app import CompareApp  # noqa: PLC0415
    from gilscope.views.comparing import ComparedRun, ComparedTable  # noqa: PLC0415

    shown = comparing.shown(runs)
    app = CompareApp(
        [ComparedRun(recording=path, figures=figures) for path, figures in shown.recordings],
        ComparedTable(labels=shown.labels, rows=shown.rows, advice=shown.advice),
    )
    app.run()
    return not app.hung_up


def _say(text: str) -> None:
    """Lines with what others have printed, made safe for the terminal."""
    for line in text.split("\n"):
        click.echo(clean(line), err=True)


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


def _check_writable(path: Path) -> None:
    """Fail now rather than after the script has run for an hour."""
    existed = path.exists()
    try:
        with path.open("a"):
            pass
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.\nName another file with --json.") from error
    if not existed:
        path.unlink()


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text)
        path.chmod(0o600)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.\nName another file.") from error


@contextlib.contextmanager
def _errors_end_it() -> Iterator[None]:
    """An error of ours ends the command with its message and its exit code."""
    try:
        yield
    except GilscopeError as error:
        click.echo(f"gilscope: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)


def _run_headless(config: limits.SamplerConfig) -> int:
    """Watch in this process; the target has our terminal and our standard streams."""
    from gilscope.sampler.loop import Ending  # noqa: PLC0415
    from gilscope.sampler.session import run_session  # noqa: PLC0415

    targets: list[Target] = []
    ending: list[Ending] = []

    def pass_on(number: int, _frame: object) -> None:
        # Ctrl-C reaches the whole foreground group: the target has had it already.
        if targets and not (number == signal.SIGINT and _in_foreground()):
            targets[0].signal(number)
        elif not targets:
            ending.append(Ending("interrupted", stop_target=True))

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, pass_on)
    result = run_session(config, on_start=targets.append, control=lambda: ending[0] if ending else None)
    if result.recording_stopped:
        click.echo(f"gilscope: {result.recording_stopped}", err=True)
    return _code(result.session)


def _in_foreground() -> bool:
    """Whether we are in the foreground process group of a terminal."""
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - no path of ours
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _run_app(config: limits.SamplerConfig) -> int:
    """Watch in a process of its own, and show the recording while it grows."""
    import dataclasses  # noqa: PLC0415
    import shutil  # noqa: PLC0415

    from gilscope.launch.remote import SamplerLink  # noqa: PLC0415
    from gilscope.recording.writer import make_way  # noqa: PLC0415

    size = shutil.get_terminal_size()
    make_way(config.recording)
    from gilscope.views.app import GilscopeApp  # noqa: PLC0415
    from gilscope.views.control import ControlStatus  # noqa: PLC0415

    class AppLink(SamplerLink):
        """What the app needs to know of the sampler, in its words."""

        def status(self) -> ControlStatus:
            alive = self.alive()
            return ControlStatus(sampler_alive=alive, error=self.error)

    link = AppLink.start(dataclasses.replace(config, columns=max(20, size.columns - 4), rows=24).to_json())
    app = GilscopeApp(
        config.recording,
        control=link,
        title=" ".join([config.spec.display, *config.spec.args]),
        verdict_of=_verdict_of,
        quality_of=_quality_of,
    )
    try:
        app.run()
    finally:
        link.finish()
    if link.error is not None:
        click.echo(f"gilscope: {link.error}", err=True)
        if link.error_code is not None:
            sys.exit(link.error_code)
    if app.outcome == "left-running":
        click.echo(
            f"gilscope: {config.spec.display} runs on, and is recorded until it ends: {config.recording}",
            err=True,
        )
    return link.exit_code or 0


def _code(session: Session) -> int:
    return 0 if session.exit_code is None else session.exit_code


def _verdict_of(reader: RecordingReader, end_ns: int) -> Verdict:
    from gilscope.analysis.verdict import judge  # noqa: PLC0415
    from gilscope.exports.read import summary_of  # noqa: PLC0415

    return judge(summary_of(reader, end_ns=end_ns))


def _quality_of(reader: RecordingReader, end_ns: int) -> Quality:
    from gilscope.exports.read import watch_quality  # noqa: PLC0415

    return watch_quality(reader, end_ns=end_ns)


def _summary(path: Path) -> tuple[dict[str, Any], Quality]:
    from gilscope.exports.read import summary_of, watch_quality  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    reader = RecordingReader(path)
    try:
        summary = summary_of(reader)
        return summary, watch_quality(reader, summary)
    finally:
        reader.close()


def _sum_up(recording: Path, json_file: Path | None) -> None:
    """Print the summary for people to standard error, and write it as JSON where that was asked."""
    from gilscope.exports import text  # noqa: PLC0415
    from gilscope.recording import store  # noqa: PLC0415

    if not recording.exists():
        return
    summary, quality = _summary(recording)
    click.echo("\n" + text.render(summary, quality) + f"recording {recording}", err=True)
    if sys.stderr.isatty():
        again = "last" if recording.parent == store.directory() else shlex.quote(str(recording))
        click.echo(f"see it again: gilscope replay {again}", err=True)
    if json_file is not None:
        written = json.dumps(summary, indent=2) + "\n"
        if str(json_file) == "-":
            click.echo(written, nl=False)
        else:
            _write_file(json_file, written)

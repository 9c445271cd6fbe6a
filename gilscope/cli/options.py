"""The options that `run` and `attach` share, and what is checked of them before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from gilscope.cli.common import check_writable, length_ns, say
from gilscope.cli.gate import Gate
from gilscope.cli.serve import need_screen, serve_option
from gilscope.errors import UsageError
from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.sampler import config as limits

if TYPE_CHECKING:
    from gilscope.launch.attached import AttachSpec
    from gilscope.launch.spec import TargetSpec
    from gilscope.serving.place import Place

Command = TypeVar("Command", bound=Callable[..., Any])


def _file(name: str, parameter: str, help_text: str) -> Callable[[Any], Any]:
    return click.option(name, parameter, type=click.Path(path_type=Path), metavar="FILE", help=help_text)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--source",
        type=click.Choice(["probe", "py-spy"]),
        help="Who tells who holds the GIL (default: probe; py-spy where that cannot read the interpreter).",
    ),
    click.option(
        "--rate",
        type=float,
        metavar="HZ",
        help=f"GIL samples a second (default: {limits.DEFAULT_RATE_HZ:g}; of py-spy "
        f"{limits.DEFAULT_PYSPY_RATE_HZ:g}).",
    ),
    click.option(
        "--tick",
        type=int,
        default=limits.DEFAULT_TICK_MS,
        metavar="MS",
        help="Length of a tick, the step in which all is counted; longer where the budget asks for it "
        f"(default: {limits.DEFAULT_TICK_MS}).",
    ),
    click.option(
        "--budget",
        type=float,
        default=limits.DEFAULT_BUDGET_PERCENT,
        metavar="PERCENT",
        help=f"Share of one core that watching may take (default: {limits.DEFAULT_BUDGET_PERCENT:g}).",
    ),
    click.option(
        "--stall",
        type=float,
        default=limits.DEFAULT_STALL_MS,
        metavar="MS",
        help="A hold of the GIL longer than this, while others wait, is a stall "
        f"(default: {limits.DEFAULT_STALL_MS:g}).",
    ),
    click.option(
        "--native",
        is_flag=True,
        help="Show C functions in the stacks of stalls: stops the program for some 0.1 s at each.",
    ),
    click.option(
        "--fail-on",
        "fail_on",
        multiple=True,
        metavar="EXPR",
        help="End with exit code 3 if this is so, as in 'gil.contention > 0.5'; may be repeated. "
        "`--fail-on help` lists what can be limited.",
    ),
    _file("--junit", "junit_file", "Write the limits of --fail-on as a JUnit report."),
    _file("--markdown", "markdown_file", "Write the summary as Markdown, for a job's page (-: to stdout)."),
    click.option(
        "--keep",
        metavar="LENGTH",
        help="Record only the newest 90s, 10m or 2h: the file stops growing.",
    ),
    click.option(
        "--headless", is_flag=True, help="No screen: sum up at the end (a script's output passes through)."
    ),
    _file("--json", "json_file", "Write the summary (-: to stdout)."),
    _file("-o", "output", "Keep the recording in this file."),
)


def watch_options(*, duration: str) -> Callable[[Command], Command]:
    """Give a ServingCommand the options of watching; `duration`: what --duration does there."""

    def give(command: Command) -> Command:
        ends = click.option("--duration", type=float, metavar="S", help=duration)
        options = (*_OPTIONS, ends, serve_option)
        for option in reversed(options):
            command = option(command)
        return command

    return give


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """What the user wrote; None where nothing."""

    source: limits.Source | None
    rate: float | None
    tick: int
    budget: float
    stall: float
    native: bool
    duration: float | None
    keep: str | None
    headless: bool
    json_file: Path | None
    fail_on: tuple[str, ...]
    junit_file: Path | None
    markdown_file: Path | None
    output: Path | None
    serve: Place | None

    @property
    def prints_to_stdout(self) -> bool:
        """Whether a report goes to standard output, which then holds nothing else."""
        return "-" in (str(self.json_file), str(self.markdown_file))

    def gate(self) -> Gate:
        """The limits to hold the session against.

        Raises:
            UsageError: one is none.
        """
        return Gate.of(self.fail_on, junit_file=self.junit_file, markdown_file=self.markdown_file)

    def check(self) -> None:
        """Check what can be checked before it is known what to watch.

        Raises:
            UsageError: a number is out of range, or two options contradict each other.
        """
        need_screen(self.serve, headless=self.headless)
        _need("--rate", self._rate(), limits.MIN_RATE_HZ, limits.MAX_RATE_HZ, "samples a second")
        _need("--tick", self.tick, limits.MIN_TICK_MS, limits.MAX_TICK_MS, "ms")
        _need("--budget", self.budget, 0.1, 100, "percent of one core")
        _need("--stall", self.stall, 1, 3_600_000, "ms")
        if self.duration is not None:
            _need("--duration", self.duration, 0.001, 366 * 86_400, "seconds")

    def _rate(self) -> float:
        if self.rate is not None:
            return self.rate
        return limits.DEFAULT_PYSPY_RATE_HZ if self.source == "py-spy" else limits.DEFAULT_RATE_HZ

    def settled(self, spec: TargetSpec | AttachSpec) -> limits.SamplerConfig:
        """Check the rest against what is to be watched, and return the session's settings.

        Raises:
            UsageError: something of it cannot be.
            RecordingError: there is no place for a recording.
        """
        from gilscope.recording import store  # noqa: PLC0415 - a command starts fast

        self._check_source(spec)
        self._check_files()
        path = self.output
        if path is None:
            path = store.new_path(spec.display)
            if path.parent != store.directory():
                say(f"gilscope: {store.directory()} cannot be written: recorded in {path.parent}.")
        return self._config(spec, path)

    def _check_files(self) -> None:
        """Fail now rather than after the script has run for an hour."""
        files = (
            ("--json", self.json_file), ("--junit", self.junit_file), ("--markdown", self.markdown_file),
        )  # fmt: skip
        for option, file in files:
            if file is not None and str(file) != "-":
                check_writable(file, option)

    def _check_source(self, spec: TargetSpec | AttachSpec) -> None:
        if self.source == "probe" and spec.needs_pyspy:
            raise UsageError(
                f"--source probe reads CPython 3.8 and later, and this is {spec.version or 'older'}.\n"
                "Leave --source out: py-spy then tells who holds the GIL."
            )
        if self.source == "py-spy" and self._rate() > limits.MAX_PYSPY_RATE_HZ:
            raise UsageError(
                f"--rate {self._rate():g} is more than py-spy can do: {limits.MAX_PYSPY_RATE_HZ:g} samples a "
                "second.\nLeave --rate out for the default."
            )

    def _config(self, spec: TargetSpec | AttachSpec, recording: Path) -> limits.SamplerConfig:
        duration_ns = None if self.duration is None else round(self.duration * NS_PER_S)
        keep_ns = None if self.keep is None else length_ns("--keep", self.keep, least_s=limits.MIN_KEEP_S)
        return limits.SamplerConfig(
            spec=spec,
            recording=recording,
            source=self.source or "auto",
            rate_hz=self._rate(),
            tick_ns=self.tick * NS_PER_MS,
            budget_share=self.budget / 100,
            stall_ns=round(self.stall * NS_PER_MS),
            native=self.native,
            duration_ns=duration_ns,
            keep_ns=keep_ns,
        )


def _need(option: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise UsageError(
            f"{option} {value:g} is out of range: it is in {unit}, from {low:g} to {high:g}.\n"
            f"Leave {option} out for the default."
        )

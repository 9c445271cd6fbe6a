"""Limits that a run has to keep: --fail-on, and the reports of it for continuous integration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from gilscope.cli.common import write_file
from gilscope.errors import EXIT_LIMIT_CROSSED, UsageError
from gilscope.model import Quality

if TYPE_CHECKING:
    from gilscope.analysis.limits import Limit, Outcome

SIGNALLED = 128
"""Exit codes above it are of a target that a signal ended."""


def list_metrics() -> None:
    """Print what can be limited, and end."""
    from gilscope.analysis.limits import help_text  # noqa: PLC0415 - a command starts fast

    click.echo(help_text(), nl=False)
    sys.exit(0)


@dataclass(slots=True)
class Gate:
    """The limits of one run, and how they were kept."""

    limits: tuple[Limit, ...]
    junit_file: Path | None
    markdown_file: Path | None
    outcomes: list[Outcome] = field(default_factory=list)
    checked: bool = False

    @classmethod
    def of(
        cls, expressions: Sequence[str], *, junit_file: Path | None = None, markdown_file: Path | None = None
    ) -> Gate:
        """Read the limits, before anything runs.

        Raises:
            UsageError: one is none, or there is none for a report of them.
        """
        if junit_file is not None and not expressions:
            raise UsageError(
                "--junit writes how the limits of --fail-on were kept, and there is none.\n"
                "Give a limit, as in --fail-on 'gil.contention > 0.5'."
            )
        if not expressions:
            return cls((), junit_file, markdown_file)
        from gilscope.analysis.limits import parse  # noqa: PLC0415

        return cls(tuple(parse(text) for text in expressions), junit_file, markdown_file)

    def check(self, summary: dict[str, Any]) -> None:
        """Hold the finished summary against the limits, and note in it how they were kept."""
        self.checked = True
        if not self.limits:
            return
        from gilscope.analysis.limits import check, outcome_fields  # noqa: PLC0415

        self.outcomes = [check(summary, limit) for limit in self.limits]
        summary["limits"] = [outcome_fields(outcome) for outcome in self.outcomes]

    def report(self, summary: Mapping[str, Any], quality: Quality) -> None:
        """Print each limit with the measured value, and write the reports that were asked for."""
        for outcome in self.outcomes:
            click.echo(outcome.sentence, err=True)
        if self.junit_file is not None:
            from gilscope.exports import junit  # noqa: PLC0415

            _write(self.junit_file, junit.render(summary, self.outcomes))
        if self.markdown_file is not None:
            from gilscope.exports import markdown  # noqa: PLC0415

            _write(self.markdown_file, markdown.render(summary, quality, self.outcomes))

    def exit_code(self, target: int, *, ended_by_us: bool = False) -> int:
        """The run's exit code: the target's own if it failed, else whether the limits were kept.

        Args:
            target: the target's.
            ended_by_us: it was to be ended after some time; that a signal did it is then no failure.
        """
        kept = self.checked and all(outcome.passed for outcome in self.outcomes)
        if not self.limits or (kept and self.checked):
            return target
        if not self.checked:
            click.echo("gilscope: there is no recording, so no limit could be checked.", err=True)
        return target if target and not (ended_by_us and target > SIGNALLED) else EXIT_LIMIT_CROSSED


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        click.echo(text, nl=False)
    else:
        write_file(path, text)

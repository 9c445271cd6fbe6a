"""gilscope doctor."""

from __future__ import annotations

import json
import sys

import rich_click as click

from gilscope import __version__
from gilscope.cli.common import errors_end_it
from gilscope.errors import EXIT_CANNOT_OBSERVE


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON (gilscope.doctor/1).")
def doctor(*, as_json: bool) -> None:
    """Look what works here, and say what to do about what does not.

    Processes and interpreters are tried: each is started for a moment, and its GIL is read.

    Exits with 0 if a Python can be watched here, else with 4.
    """
    from gilscope.doctor import finding, report  # noqa: PLC0415 - a command starts fast

    with errors_end_it():
        found = []
        group = ""
        if sys.stderr.isatty():
            click.echo("gilscope: looking; interpreters are started for a moment …", err=True)
        for one in report.examine():
            found.append(one)
            if as_json:
                continue
            if one.group != group:
                group = one.group
                click.echo(f"\n{group.capitalize()}")
            for line in report.lines_of(one):
                click.echo(line)
        if as_json:
            click.echo(json.dumps(finding.as_json(found, version=__version__), indent=2))
        else:
            click.echo("\n" + report.conclusion(found))
    sys.exit(0 if finding.can_observe(found) else EXIT_CANNOT_OBSERVE)

"""What comes of a session once it is over: the summary for people, as JSON, against limits."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from gilscope.cli.common import summary_and_quality, write_file

if TYPE_CHECKING:
    from gilscope.cli.gate import Gate


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
        again = "last" if store.is_unnamed(recording) else shlex.quote(str(recording))
        click.echo(f"see it again: gilscope replay {again}", err=True)
    if json_file is not None:
        written = json.dumps(summary, indent=2) + "\n"
        if str(json_file) == "-":
            click.echo(written, nl=False)
        else:
            write_file(json_file, written)
    return str(summary["verdict"]["kind"])

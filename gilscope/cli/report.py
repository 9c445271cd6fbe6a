"""gilscope report: a recording summed up."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from gilscope.cli.common import errors_end_it, summary_and_quality
from gilscope.cli.export import check_output, new_file

if TYPE_CHECKING:
    from gilscope.model import Quality


@click.command()
@click.argument("file", metavar="FILE|last")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "md", "json", "html"]),
    default="text",
    show_default=True,
    help="text: for a terminal. md: Markdown. json: the same as `run --json`. html: one page, opens offline.",
)
@click.option(
    "-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Write here, not to stdout."
)
def report(*, file: str, kind: str, output: Path | None) -> None:
    """Sum a recording up: for people, for a browser, or as JSON (the same as `run --json`)."""
    from gilscope.recording import store  # noqa: PLC0415

    with errors_end_it():
        path = store.find(file)
        if output is not None or kind == "html":
            check_output(output, path, kind)
        summary, quality = summary_and_quality(path)
        written = _render(kind, path, summary, quality)
        if output is None:
            click.echo(written, nl=False)
        else:
            with new_file(output) as target:
                target.write(written.encode())


def _render(kind: str, path: Path, summary: dict[str, Any], quality: Quality) -> str:
    if kind == "json":
        return json.dumps(summary, indent=2) + "\n"
    if kind == "html":
        from gilscope.exports import html  # noqa: PLC0415
        from gilscope.recording.streams import RecordingStreams  # noqa: PLC0415

        with contextlib.closing(RecordingStreams(path)) as streams:
            return html.render(summary, quality, streams)
    if kind == "md":
        from gilscope.exports import markdown  # noqa: PLC0415

        return markdown.render(summary, quality)
    from gilscope.exports import text  # noqa: PLC0415

    return text.render(summary, quality)

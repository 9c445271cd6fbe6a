"""The commands. The only place that prints and exits."""

from __future__ import annotations

import rich_click as click

from gilscope import __version__
from gilscope.cli.attach import attach
from gilscope.cli.compare import compare
from gilscope.cli.doctor import doctor
from gilscope.cli.export import export
from gilscope.cli.lesson import lesson
from gilscope.cli.recordings import recordings, replay
from gilscope.cli.report import report
from gilscope.cli.run import run

click.rich_click.TEXT_MARKUP = "markdown"
click.rich_click.SHOW_ARGUMENTS = True
click.rich_click.COMMAND_GROUPS = {
    "gilscope": [
        {
            "name": "Commands",
            "commands": [
                *("run", "attach", "compare", "lesson", "replay"),
                *("report", "export", "recordings", "doctor"),
            ],
        }
    ],
}
click.rich_click.OPTION_GROUPS = {
    "gilscope run": [
        {
            "name": "What to run",
            "options": ["-m", "-c", "--mode", "--workers", "--python", "--cwd", "--env"],
        },
        {
            "name": "How to watch",
            "options": ["--source", "--rate", "--tick", "--budget", "--stall", "--native", "--duration"],
        },
        {
            "name": "What comes of it",
            "options": ["--serve", "--headless", "--json", "-o", "--keep", "--help"],
        },
        {"name": "The screen", "options": ["--theme", "--ascii"]},
        {"name": "A gate for CI", "options": ["--fail-on", "--junit", "--markdown"]},
    ],
    "gilscope attach": [
        {
            "name": "How to watch",
            "options": ["--source", "--rate", "--tick", "--budget", "--stall", "--native", "--duration"],
        },
        {"name": "What comes of it", "options": ["--headless", "--json", "-o", "--keep", "--help"]},
        {"name": "A gate for CI", "options": ["--fail-on", "--junit", "--markdown"]},
    ],
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gilscope", message="%(prog)s %(version)s")
def main() -> None:
    """See which Python thread or process runs, who holds the GIL and who waits for it.

    `gilscope run script.py` watches a script; `gilscope replay last` scrubs through it again.
    """


for command in (run, attach, compare, lesson, replay, report, export, recordings, doctor):
    main.add_command(command)

"""gilscope lesson: read what is to be seen, and see it."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

import rich_click as click

from gilscope.cli.closing import sum_up
from gilscope.cli.common import errors_end_it, has_live_screen
from gilscope.cli.lesson_text import MARKDOWN, put_text
from gilscope.cli.looks import check_look, look_of, look_options
from gilscope.cli.serve import ServingCommand, need_screen, serve_option, watch_in_browser
from gilscope.cli.watching import watch_headless, watch_on_screen
from gilscope.errors import UsageError
from gilscope.lessons import LESSONS, Lesson, beside, find, nearest
from gilscope.sampler import config as limits
from gilscope.serving.place import Place

if TYPE_CHECKING:
    from gilscope.views.app import GilscopeApp
    from gilscope.views.scope_app import Look

WIDTH = 80


@click.command(cls=ServingCommand)
@click.argument("name", required=False)
@click.option("--seconds", type=float, metavar="S", help="How long its script is to run (default: its own).")
@click.option(
    "--python", metavar="PATH", help="Interpreter to run it with (default: one that it can run on)."
)
@click.option("--headless", is_flag=True, help="No screen: the text, the run, the summary.")
@serve_option
@look_options
def lesson(
    *,
    name: str | None,
    seconds: float | None,
    python: str | None,
    headless: bool,
    serve: Place | None,
    theme: str | None,
    plain: bool | None,
) -> None:
    """Learn by watching: a short script, with a text beside it. Without a NAME: list the lessons."""
    with errors_end_it():
        check_look(theme)
        need_screen(serve, headless=headless)
        if seconds is not None and not 0.5 <= seconds <= 3600:
            raise UsageError(
                f"--seconds {seconds:g} is out of range: it is from 0.5 to 3600.\n"
                "Leave it out for the lesson's own time."
            )
        if name is None and serve is not None:
            raise UsageError(
                "No lesson is named; a number after --serve is a port.\n"
                "Name one first: gilscope lesson NAME --serve; `gilscope lesson` lists them."
            )
        if name is None:
            _list()
            return
        chosen = find(name)
        if chosen is None:
            meant = nearest(name)
            hint = f"Did you mean {meant}? " if meant else ""
            raise UsageError(f"There is no lesson {name}.\n{hint}`gilscope lesson` lists them all.")
        if serve is not None:
            code = _in_browser(chosen, seconds, python, serve, theme)
        elif not headless and has_live_screen():
            code = _on_screen(chosen, seconds, python, look=lambda: look_of(theme, plain))
        else:
            code = _headless(chosen, seconds, python)
    sys.exit(code)


def _list() -> None:
    width = max(len(each.name) for each in LESSONS)
    for number, each in enumerate(LESSONS, 1):
        click.echo(f"{number:>3}  {each.name:<{width}}  {each.title}")
    click.echo("\nRead and watch one: gilscope lesson NAME", err=True)


def _config(chosen: Lesson, seconds: float | None, python: str | None) -> limits.SamplerConfig:
    from gilscope.launch.spec import resolve_spec  # noqa: PLC0415 - a command starts fast
    from gilscope.recording import store  # noqa: PLC0415

    args = [] if seconds is None else [f"{seconds:g}"]
    spec = resolve_spec(script=str(chosen.script), args=args, python=python or _python(chosen))
    return limits.SamplerConfig(spec=spec, recording=store.new_path(chosen.script.name))


def _python(chosen: Lesson) -> str:
    """An interpreter on which the lesson shows what it says."""
    from gilscope.launch.pythons import find_python  # noqa: PLC0415

    found = find_python(chosen.at_least, free_threaded=chosen.free_threaded)
    if found is not None:
        return found
    version = ".".join(map(str, chosen.at_least))
    what = (
        f"a free-threaded Python {version} or newer" if chosen.free_threaded else f"Python {version} or newer"
    )
    raise UsageError(
        f"The lesson {chosen.name} needs {what}, and none was found on PATH or under pyenv.\n"
        "Install one, or name it with --python PATH."
    )


def _headless(chosen: Lesson, seconds: float | None, python: str | None) -> int:
    config = _config(chosen, seconds, python)
    click.echo(f"{chosen.title}\n\n{_plain(chosen.part(''))}\n\n$ {chosen.script.name}")
    sys.stdout.flush()
    code = watch_headless(config)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        verdict = sum_up(config.recording, None)
        click.echo(f"\nLook at\n\n{_plain(chosen.part('Look at'))}")
        click.echo(f"\nChange\n\n{_plain(chosen.part('Change'))}")
        click.echo(f"\nThe script: {chosen.script}")
        expected = " or ".join(chosen.expects)
        click.echo(f"The verdict that this lesson is about: {expected}; of this run: {verdict or 'none'}.")
    return code


def _plain(markdown: str) -> str:
    """A text for the terminal: paragraphs, without the marks around code."""
    paragraphs = (" ".join(part.split()) for part in markdown.translate(MARKDOWN).split("\n\n"))
    return "\n\n".join(textwrap.fill(part, WIDTH) for part in paragraphs)


def _in_browser(
    chosen: Lesson, seconds: float | None, python: str | None, serve: Place, theme: str | None
) -> int:
    config = _config(chosen, seconds, python)
    code = watch_in_browser(config, serve, theme=theme, lesson=chosen.name)
    with contextlib.suppress(BrokenPipeError):
        sum_up(config.recording, None)
    return code


def _on_screen(chosen: Lesson, seconds: float | None, python: str | None, *, look: Callable[[], Look]) -> int:
    """Show lessons until the user has had enough."""
    while True:
        config = _config(chosen, seconds, python)
        steps: list[int] = []
        code = watch_on_screen(config, look(), dress=_dress(chosen, steps))
        following = _runnable(chosen, steps[0]) if steps else None
        if following is None:
            with contextlib.suppress(BrokenPipeError):
                sum_up(config.recording, None)
            return code
        chosen = following


def _runnable(chosen: Lesson, by: int) -> Lesson | None:
    """The next lesson in one direction for which there is an interpreter; says which it passes over."""
    following = beside(chosen, by)
    while following is not None:
        try:
            _python(following)
        except UsageError as error:
            click.echo(f"gilscope: {error}", err=True)
            following = beside(following, by)
        else:
            break
    return following


def _dress(chosen: Lesson, steps: list[int]) -> Callable[[GilscopeApp], None]:
    """What puts the lesson's text beside the scope; the user's wish for another one goes to `steps`."""

    def dress(app: GilscopeApp) -> None:
        def step(by: int) -> None:
            if beside(chosen, by) is not None:
                steps.append(by)
                app.leave_for_another()

        put_text(app, chosen, step)

    return dress

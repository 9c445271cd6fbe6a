"""How a screen is to look: --theme, --ascii, and the user's settings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from gilscope.errors import UsageError

if TYPE_CHECKING:
    from gilscope.views.scope_app import Look

_Command = TypeVar("_Command", bound=Callable[..., Any])


def look_options(command: _Command) -> _Command:
    """Give a command the options that `look_of` takes."""
    command = click.option(
        "--ascii/--no-ascii",
        "plain",
        default=None,
        help="Draw with ASCII only, or not (default: as the terminal and the locale can).",
    )(command)
    return click.option(
        "--theme",
        metavar="NAME",
        help="Colours, for this once: dark, light, high-contrast, monochrome, or one of Textual's.",
    )(command)


def look_of(theme: str | None, plain: bool | None) -> Look:  # noqa: FBT001 - as the option has it
    """How the screen is to look.

    Raises:
        UsageError: there is no such theme.
    """
    from gilscope.settings import DEFAULTS, SettingsFile  # noqa: PLC0415 - a command starts fast
    from gilscope.views.ascii import only_ascii  # noqa: PLC0415
    from gilscope.views.scope_app import Look  # noqa: PLC0415

    check_look(theme)
    file = SettingsFile()
    settings, problem = DEFAULTS, ""
    try:
        settings = file.load()
    except UsageError as error:
        problem = str(error)
    return Look(
        settings=settings,
        theme=theme,
        plain=only_ascii(encoding=sys.stderr.encoding) if plain is None else plain,
        problem=problem,
        remember=file.save,
    )


def check_look(theme: str | None) -> None:
    """Fail now rather than when the screen is wanted.

    Raises:
        UsageError: there is no such theme.
    """
    if theme is not None:
        from gilscope.views.themes import check_theme  # noqa: PLC0415 - a command starts fast

        check_theme(theme)

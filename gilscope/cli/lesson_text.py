"""A lesson's text beside the scope, in a terminal and in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gilscope.lessons import LESSONS, Lesson

if TYPE_CHECKING:
    from gilscope.views.app import GilscopeApp

MARKDOWN = str.maketrans("", "", "`")
"""Takes away the marks around code."""


def put_text(app: GilscopeApp, chosen: Lesson, step: Callable[[int], None]) -> None:
    """Put it there, before the app runs; `step`: called with 1 for the next lesson, −1 for the one before."""
    from gilscope.views.screens.lesson import LessonDashboard, LessonText  # noqa: PLC0415 - as all screens

    app.dashboard = LessonDashboard(
        app.dashboard.what,
        live=True,
        resize_output=app.control.resize_output if app.control else None,
        text=LessonText(
            place=f"Lesson {LESSONS.index(chosen) + 1} of {len(LESSONS)}",
            title=chosen.title,
            paragraphs=tuple(
                (heading, chosen.part(heading).translate(MARKDOWN)) for heading in ("", "Look at", "Change")
            ),
            script=chosen.script.name,
        ),
        step=step,
    )

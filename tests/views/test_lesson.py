"""The dashboard with a lesson's text beside it."""

from __future__ import annotations

from pathlib import Path

from gilscope.views.screens.lesson import LessonDashboard, LessonText, lesson_text
from tests.views.conftest import ready, replay, wait
from tests.views.test_render import FORBIDDEN, HOSTILE

TEXT = LessonText(
    place="Lesson 2 of 12",
    title="Four threads",
    paragraphs=(("", "One.\n\nTwo\nlines."), ("Look at", "The lanes."), ("Change", "The number.")),
    script="four_threads.py",
)


def dressed(path: Path, steps: list[int]) -> tuple[object, LessonDashboard]:
    app = replay(path)
    dashboard = LessonDashboard("four_threads.py", live=False, text=TEXT, step=steps.append)
    app.dashboard = dashboard
    return app, dashboard


def test_the_text() -> None:
    plain = lesson_text(TEXT).plain
    assert plain.startswith("Four threads\n\nOne.\n\nTwo lines.\n\nLook at\n\nThe lanes.\n")
    hostile = lesson_text(LessonText(place="", title=HOSTILE, paragraphs=(("", HOSTILE),), script=HOSTILE))
    assert not FORBIDDEN.search(hostile.plain.replace("\n", ""))


async def test_text_beside_the_scope(finished: Path) -> None:
    steps: list[int] = []
    app, dashboard = dressed(finished, steps)
    async with app.run_test(size=(150, 40)) as pilot:  # type: ignore[attr-defined]
        await ready(pilot, app)  # type: ignore[arg-type]
        await wait(pilot, lambda: dashboard.lanes.size.width > 0)
        assert dashboard.lesson.display
        assert dashboard.lanes.region.right <= dashboard.lesson.region.x
        assert dashboard.lesson.region.right == 150
        await pilot.press("f3", "f2")
        assert steps == [1, -1]
        await pilot.press("2")
        await wait(pilot, lambda: dashboard.full == "lanes")
        assert dashboard.lesson.display


async def test_a_narrow_screen_shows_one_or_the_other(finished: Path) -> None:
    app, dashboard = dressed(finished, [])
    async with app.run_test(size=(90, 30)) as pilot:  # type: ignore[attr-defined]
        await ready(pilot, app)  # type: ignore[arg-type]
        await wait(pilot, lambda: dashboard.lanes.size.width > 80)
        assert not dashboard.lesson.display
        await pilot.press("f4")
        await wait(pilot, lambda: dashboard.lesson.region.width == 90)
        assert not dashboard.scope.display
        await pilot.press("f4")
        await wait(pilot, lambda: dashboard.scope.display and not dashboard.lesson.display)
        await pilot.resize_terminal(150, 40)
        await wait(pilot, lambda: dashboard.lesson.display and dashboard.scope.display)

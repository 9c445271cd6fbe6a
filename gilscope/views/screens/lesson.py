"""The dashboard with a lesson's text beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from gilscope.text import clean
from gilscope.views.keymap import Place, hints
from gilscope.views.keymap import key as _key
from gilscope.views.render.footer import KeyHint
from gilscope.views.screens.dashboard import Dashboard
from gilscope.views.screens.keys import BINDINGS
from gilscope.views.widgets.reading import Reading

TEXT_COLUMNS = 46
BESIDE_FROM = 110
"""On a narrower screen the text has no place beside the scope: a key shows one or the other."""


@dataclass(frozen=True, slots=True)
class LessonText:
    """What stands beside the scope."""

    place: str
    """Such as "Lesson 2 of 12"."""
    title: str
    paragraphs: tuple[tuple[str, str], ...]
    """Headings, "" for the first, each with its text; paragraphs are apart by empty lines."""
    script: str


def lesson_text(lesson: LessonText) -> Text:
    """All of it, for as wide a place as there is."""
    text = Text()
    text.append(f"{clean(lesson.title)}\n", "bold")
    for heading, paragraphs in lesson.paragraphs:
        text.append("\n")
        if heading:
            text.append(f"{heading}\n\n", "bold")
        for number, paragraph in enumerate(paragraphs.split("\n\n")):
            text.append("\n" * (number > 0) + clean(" ".join(paragraph.split())) + "\n")
    text.append(f"\nThe script is {clean(lesson.script)}.\n", "dim")
    return text


LESSON_KEYS = (
    _key("f2", "lesson(-1)", "back", name="lesson.previous", tooltip="The lesson before", shown="F2"),
    _key("f3", "lesson(1)", "next lesson", name="lesson.next", tooltip="The next lesson", shown="F3"),
    _key("f4", "lesson_text", "text", name="lesson.text", tooltip="The lesson's text", shown="F4"),
)
LESSON_FOOTER = {"lesson.next": Place(1), "lesson.text": Place(1)}


class LessonDashboard(Dashboard, inherit_bindings=False):
    """The live scope, and the text of a lesson beside it."""

    DEFAULT_CSS = """
    LessonDashboard { layout: vertical; }
    LessonDashboard #scope { width: 1fr; height: 100%; }
    LessonDashboard #lesson {
        width: 46;
        height: 100%;
        border: round $accent;
        padding: 0 1;
        background: $background;
    }
    """
    BINDINGS = [  # noqa: RUF012 - Textual's way
        *BINDINGS,
        *LESSON_KEYS,
    ]

    def __init__(
        self,
        title: str,
        *,
        live: bool,
        resize_output: Callable[[int, int], None] | None = None,
        text: LessonText,
        step: Callable[[int], None],
    ) -> None:
        """A dashboard with a text.

        Args:
            title: what is watched.
            live: a sampler of ours records it.
            resize_output: as of any dashboard.
            text: the lesson.
            step: called with 1 for the next lesson and −1 for the one before.
        """
        super().__init__(title, live=live, resize_output=resize_output)
        self._step = step
        self._text_wanted = False
        """On a narrow screen: the text is to be shown in the place of the scope."""
        self._narrow = False
        self.lesson = Reading(Static(lesson_text(text)), id="lesson")
        self.lesson.border_title = text.place
        self.lesson.border_subtitle = "F2 previous · F3 next · F4 text"
        self.scope = Vertical(id="scope")

    def compose(self) -> ComposeResult:
        """The scope's panels, then the text at the right."""
        with Horizontal():
            with self.scope:
                yield from super().compose()
            yield self.lesson

    def on_mount(self) -> None:
        """Where the text has no place beside the scope, say how to see it."""
        if self.app.size.width < BESIDE_FROM:
            self.notify("F4 shows the lesson's text, F3 the next lesson", timeout=10)

    def _share(self, width: int, height: int) -> None:
        self._narrow = width < BESIDE_FROM
        self.lesson.display = not self._narrow or self._text_wanted
        self.scope.display = not (self._narrow and self._text_wanted)
        self.lesson.styles.width = "100%" if self._narrow else TEXT_COLUMNS
        super()._share(width if self._narrow else width - TEXT_COLUMNS, height)

    def more_hints(self) -> list[KeyHint]:
        """To other lessons."""
        return hints(LESSON_KEYS, LESSON_FOOTER)

    def action_lesson(self, by: int) -> None:
        """To another lesson."""
        self._step(by)

    def action_back(self) -> None:
        """The scope again, where the text has its place; else as on any dashboard."""
        if self._narrow and self._text_wanted:
            self.action_lesson_text()
        else:
            super().action_back()

    def action_lesson_text(self) -> None:
        """The text, or the scope again; where there is room for both, the text gets the focus, to scroll."""
        self._text_wanted = not self._text_wanted
        self._share(self.size.width, self.size.height)
        if self._text_wanted or not self._narrow:
            self.lesson.focus()

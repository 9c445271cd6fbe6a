"""The small screens over the dashboard. Opaque: a translucent one would cost a repaint of all beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static

from gilscope.model import Mark
from gilscope.text import clean, clock_text
from gilscope.views.render.palette import COLOURS, GLYPHS, MEANINGS

QuitChoice = Literal["stop", "leave", "stay"]

WORDS: tuple[tuple[str, str], ...] = (
    ("GIL", "the lock of one interpreter: only the thread that holds it executes Python"),
    ("lane", "a row of the timeline: a thread, or a process that is no Python"),
    ("▶ holder", "the thread that holds the GIL now"),
    ("waiting", "threads that want the GIL and do not have it, on average"),
    ("handoff", "the GIL passes to another thread; CPython's own count"),
    ("hold", "a span in which one thread holds the GIL without a handoff"),
    ("contended", "share of time in which at least one thread waits"),
    ("% of a lane", "its share of the time as the GIL's holder, over the last second"),
    ("cost", "CPU time of watching, in per cent of one core"),
)

NOTES: tuple[str, ...] = (
    "A cell shows the state that filled most of it. An empty cell: nothing was recorded.",
    "Core bars are green where the target causes the load, grey where others do.",
)


class QuitScreen(ModalScreen[QuitChoice]):
    """Asks what is to become of the target."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("s", "choose('stop')", "Stop it", id="quit.stop"),
        Binding("l", "choose('leave')", "Leave it running", id="quit.leave"),
        Binding("escape,q", "choose('stay')", "Stay", id="quit.stay"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def compose(self) -> ComposeResult:
        """A question and three buttons."""
        with Vertical(classes="dialog"):
            yield Static("The target still runs.", classes="question")
            with Horizontal():
                yield Button("Stop it (s)", id="stop", variant="error")
                yield Button("Let it run (l)", id="leave")
                yield Button("Stay (esc)", id="stay", variant="primary")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button is a key with a name."""
        choices: dict[str | None, QuitChoice] = {"stop": "stop", "leave": "leave"}
        self.action_choose(choices.get(event.button.id, "stay"))

    def action_choose(self, choice: QuitChoice) -> None:
        """Answer."""
        self.dismiss(choice)


class InputScreen(ModalScreen[str | None]):
    """Asks for a line: for the target's terminal, for a mark, for a search."""

    BINDINGS = [Binding("escape", "cancel", "Cancel", id="input.cancel")]  # noqa: RUF012 - Textual's way

    def __init__(
        self,
        question: str = "A line for the target's input. Enter sends it, escape does not.",
        value: str = "",
    ) -> None:
        super().__init__()
        self._question, self._value = question, value

    def compose(self) -> ComposeResult:
        """One line."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            yield Input(self._value, id="line")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """That is it."""
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        """None."""
        self.dismiss(None)


class MarksScreen(ModalScreen[int | None]):
    """All marks, to choose one to go to."""

    BINDINGS = [Binding("escape,M,q", "cancel", "Close", id="marks.close")]  # noqa: RUF012 - Textual's way

    def __init__(self, marks: Sequence[Mark]) -> None:
        super().__init__()
        self._marks = marks

    def compose(self) -> ComposeResult:
        """A line a mark."""
        with Vertical(classes="dialog"):
            yield Static("Marks. Enter goes to one, escape to none.", classes="question")
            yield OptionList(
                *(
                    Text(f"◆ {clock_text(mark.at_ns):<11} {clean(mark.text)}".rstrip(), no_wrap=True)
                    for mark in self._marks
                )
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go there."""
        self.dismiss(self._marks[event.option_index].at_ns)

    def action_cancel(self) -> None:
        """Stay."""
        self.dismiss(None)


class HelpScreen(ModalScreen[None]):
    """Keys, states and words."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("escape,question_mark,f1,q", "dismiss", "Close", id="help.close"),
    ]

    def __init__(
        self,
        keys: list[tuple[str, str]],
        *,
        words: tuple[tuple[str, str], ...] = WORDS,
        notes: tuple[str, ...] = NOTES,
    ) -> None:
        super().__init__()
        self._keys, self._words, self._notes = keys, words, notes

    def compose(self) -> ComposeResult:
        """Text that scrolls."""
        with VerticalScroll(classes="help"):
            yield Static(self._text())

    def _text(self) -> Text:
        text = Text()
        for number, (word, meaning) in enumerate(MEANINGS):
            if number == 0:
                text.append("States of a lane\n", "bold")
            text.append(f"  {GLYPHS[number] * 3}  ", COLOURS[number])
            text.append(f"{word:<12}", "bold")
            text.append(f"{meaning}\n")
        text.append("\nWords\n", "bold")
        for word, meaning in self._words:
            text.append(f"  {word:<14} ", "bold")
            text.append(f"{meaning}\n")
        for note in self._notes:
            text.append(f"  {note}\n")
        text.append("\nKeys\n", "bold")
        for key, meaning in self._keys:
            text.append(f"  {key:<14} ", "bold")
            text.append(f"{meaning}\n")
        text.append("\nescape closes this\n", "dim")
        return text

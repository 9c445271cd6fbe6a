"""The small screens over the dashboard. Opaque: a translucent one would cost a repaint of all beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, OptionList, Static

from gilscope.model import Mark
from gilscope.text import clean, clock_text
from gilscope.views.copying import copy
from gilscope.views.keymap import key as _key
from gilscope.views.standing import Modal

QuitChoice = Literal["stop", "leave", "stay"]


class QuitScreen(Modal[QuitChoice]):
    """Asks what is to become of the target."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("s", "choose('stop')", "Stop it", name="quit.stop"),
        _key("l", "choose('leave')", "Leave it running", name="quit.leave"),
        _key("escape,q", "choose('stay')", "Stay", name="quit.stay", shown="esc"),
        _key("left", "app.focus_previous", "The answer at the left", name="quit.left", shown="←"),
        _key("right", "app.focus_next", "The answer at the right", name="quit.right", shown="→"),
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


class InputScreen(Modal[str | None]):
    """Asks for a line: for the target's terminal, for a mark, for a search."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("escape", "cancel", "Cancel: nothing is done", name="input.cancel", shown="esc")
    ]

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


class MarksScreen(Modal[int | None]):
    """All marks, to choose one to go to."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("escape,M,q", "cancel", "Close", name="marks.close", shown="esc"),
        _key("j", "go('cursor_down')", "The next mark", name="marks.next"),
        _key("k", "go('cursor_up')", "The mark before", name="marks.before"),
        _key("home,g", "go('first')", "The first mark", name="marks.first", shown="g home"),
        _key("end,G", "go('last')", "The last mark", name="marks.last", shown="G end"),
        _key("y", "copy", "Copy the mark", name="marks.copy"),
    ]

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

    def action_go(self, move: str) -> None:
        """Select another one: a method of the list."""
        getattr(self.query_one(OptionList), f"action_{move}")()

    def action_copy(self) -> None:
        """The chosen one, to the clipboard."""
        number = self.query_one(OptionList).highlighted
        if number is not None:
            mark = self._marks[number]
            copy(self.app, "the mark", f"{clock_text(mark.at_ns)}\t{mark.text}")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go there."""
        self.dismiss(self._marks[event.option_index].at_ns)

    def action_cancel(self) -> None:
        """Stay."""
        self.dismiss(None)

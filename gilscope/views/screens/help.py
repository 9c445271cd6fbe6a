"""Help: first what has the focus, with its keys and words; then all keys, states and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from gilscope.views.helping import ABOUT, About
from gilscope.views.keymap import KeyLine, declared, key_lines
from gilscope.views.keymap import key as _key
from gilscope.views.render.palette import COLOURS, GLYPHS, MEANINGS
from gilscope.views.screens.keys import MORE_KEYS
from gilscope.views.screens.panelled import PanelledScreen
from gilscope.views.standing import Modal
from gilscope.views.themes import palette_of
from gilscope.views.widgets.reading import Reading
from gilscope.views.words import RUN_WORDS, STATES, WORDS

NOTES: tuple[str, ...] = (
    "A cell shows the state that filled most of it. An empty cell: nothing was recorded.",
    "Core bars are green where the target causes the load, grey where others do.",
)
KEY_COLUMNS, WORD_COLUMNS = 17, 16


class Hanging:
    """Lines of which each goes on, where it is too long, below the place at which its meaning begins."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """At the width that there is."""
        for line in self._text.split("\n", allow_blank=True):
            hang = min(_hang_of(line), options.max_width // 2)
            head, body = line.divide([hang])
            for part in body.wrap(console, options.max_width - hang) or [Text()]:
                yield head + part
                head = Text(" " * hang)


def _hang_of(line: Text) -> int:
    """Columns of the word and its margin: what `_table` and the states set in bold."""
    plain = line.plain
    ends = [span.end for span in line.spans if span.style == "bold" and plain.startswith(" ")]
    return max(ends, default=len(plain) - len(plain.lstrip()))


class HelpScreen(Modal[None]):
    """What is on the screen, in words."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("escape,question_mark,f1,q", "dismiss", "Close", name="help.close", shown="esc"),
    ]

    def __init__(
        self,
        keys: Sequence[KeyLine],
        *,
        panel: str = "",
        panel_keys: Sequence[KeyLine] = (),
        words: Mapping[str, str] = WORDS,
        notes: Sequence[str] = NOTES,
    ) -> None:
        """Help.

        Args:
            keys: the screen's keys.
            panel: a key of ABOUT: what has the focus, or the screen itself. It comes first.
            panel_keys: its keys.
            words: all words.
            notes: sentences below them.
        """
        super().__init__()
        self._keys, self._words, self._notes = keys, words, notes
        self._panel, self._panel_keys = panel, panel_keys

    def compose(self) -> ComposeResult:
        """Text that scrolls."""
        with Reading(classes="help") as page:
            page.border_subtitle = "↓ keys, states, words ── esc closes" if self._keys else "esc closes"
            yield Static(Hanging(self._text(self._colours())))

    def _colours(self) -> Sequence[str]:
        """Of the states, as the lanes have them in this theme; without colours: the text's own."""
        app = self.app
        palette = palette_of(
            app.current_theme, self.rich_style, no_color=app.no_color, plain=getattr(app, "plain", False)
        )
        return palette.tones.states if palette.colours else [""] * len(GLYPHS)

    def _text(self, colours: Sequence[str] = COLOURS) -> Text:
        text = Text()
        about = ABOUT.get(self._panel)
        if about is not None:
            self._about(text, about)
        if self._keys:
            text.append("Keys\n", "bold")
            _table(text, self._keys, KEY_COLUMNS)
            text.append("\n")
        text.append("States of a lane\n", "bold")
        for number, (word, meaning) in enumerate(MEANINGS):
            text.append(f"  {GLYPHS[number] * 3}  ", colours[number])
            text.append(f"{word:<12}", "bold")
            text.append(f"{meaning}\n")
        text.append("\nWords\n", "bold")
        _table(text, list(self._words.items()), WORD_COLUMNS)
        for note in self._notes:
            text.append(f"  {note}\n")
        text.append("\nescape closes this\n", "dim")
        return text

    def _about(self, text: Text, about: About) -> None:
        text.append(f"{about.title}\n", "bold underline")
        text.append(f"  {about.what}\n")
        known = {**WORDS, **RUN_WORDS}
        _table(text, [(word, known[word]) for word in about.words], WORD_COLUMNS)
        if about.states:
            text.append("  Its states: " + ", ".join(STATES) + "\n", "dim")
        if self._panel_keys:
            _table(text, self._panel_keys, KEY_COLUMNS)
        text.append("\n")


def _table(text: Text, lines: Sequence[tuple[str, str]], columns: int) -> None:
    for word, meaning in lines:
        text.append(f"  {word:<{columns}} ", "bold")
        text.append(f"{meaning}\n")


def help_for(screen: Screen[Any]) -> HelpScreen:
    """Help for what is on a screen: its focused panel, or else the screen itself, first."""
    focused = screen.focused
    panel = str(getattr(screen, "about", "") or "")
    own: list[KeyLine] = []
    if focused is not None and focused.id in ABOUT:
        panel = panel or str(focused.id)
        own = key_lines(declared(focused))
    screens = declared(screen)
    if not isinstance(screen, PanelledScreen):
        # A small screen: its keys are those that count.
        return HelpScreen([], panel=panel, panel_keys=[*own, *key_lines(screens)])
    return HelpScreen(key_lines(screens, MORE_KEYS), panel=panel, panel_keys=own)

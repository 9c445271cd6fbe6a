"""The keys of the comparison's screen, in one table: footer and help read it."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from gilscope.views.keymap import KeyLine, Place, key, key_lines
from gilscope.views.keymap import hints as hints_of
from gilscope.views.render.footer import KeyHint
from gilscope.views.words import RUN_WORDS, WORDS

FOOTER: dict[str, Place] = {
    "compare.later": Place(2, "← →"),
    "compare.zoom-in": Place(1, "+ −"),
    "compare.whole": Place(5, "0"),
    "compare.lanes-on": Place(3, "↑ ↓"),
    "compare.run": Place(6),
    "compare.table": Place(4),
    "compare.help": Place(1),
    "compare.quit": Place(0),
}
"""Keys in the footer, some for two."""


def _key(keys: str, action: str, words: str, *, name: str, tooltip: str = "", shown: str = "") -> Binding:
    return key(keys, action, words, name=f"compare.{name}", tooltip=tooltip, shown=shown or None)


BINDINGS: list[BindingType] = [
    _key("left,h", "scroll(-1)", "Earlier, all runs together", name="earlier", shown="← h"),
    _key("right,l", "scroll(1)", "scroll", name="later", shown="→ l", tooltip="Later, all runs together"),
    _key("shift+left", "scroll(-5)", "Half a screen earlier", name="earlier-5", shown="shift ←"),
    _key("shift+right", "scroll(5)", "Half a screen later", name="later-5", shown="shift →"),
    _key("home,g", "start", "To the start", name="start", shown="g home"),
    _key("end,G", "end", "To the end of the longest run", name="end", shown="G end"),
    _key("plus,equals_sign", "zoom(-1)", "zoom", name="zoom-in", shown="+", tooltip="Shorter cells"),
    _key("minus", "zoom(1)", "Longer cells", name="zoom-out", shown="−"),
    _key("0,escape", "whole", "whole", name="whole", shown="0 esc", tooltip="The longest run as a whole"),
    _key("up,k", "lanes(-1)", "Lanes before (where not all fit)", name="lanes-back", shown="↑ k"),
    _key("down,j", "lanes(1)", "lanes", name="lanes-on", shown="↓ j", tooltip="Lanes after"),
    _key("pageup,ctrl+u", "lanes(-10)", "Ten lanes before", name="page-up", shown="pgup ctrl u"),
    _key("pagedown,ctrl+d", "lanes(10)", "Ten lanes after", name="page-down", shown="pgdn ctrl d"),
    _key("shift+tab", "run(-1)", "The run before, where not all fit", name="run-back", shown="shift tab"),
    _key("tab", "run(1)", "run", name="run", shown="tab", tooltip="The next run, where not all fit"),
    _key("t", "table", "table", name="table", shown="t", tooltip="Fold the table away, or open it"),
    _key("y", "copy", "Copy the comparison: the table, and what it comes to", name="copy"),
    _key("question_mark,f1", "app.help", "help", name="help", shown="?", tooltip="Keys, states and words"),
    _key("q", "app.leave", "quit", name="quit", shown="q", tooltip="Quit, and print the table"),
]  # fmt: skip

MOUSE: tuple[KeyLine, ...] = (
    ("ctrl p", "All of this by name"),
    ("mouse", "Wheel: zoom; over the names: lanes; with shift: scroll; with ctrl: zoom"),
    ("drag", "Over the cells: only that span. Two clicks: the whole"),
)

COMPARE_WORDS: dict[str, str] = {**RUN_WORDS, **{word: WORDS[word] for word in ("GIL", "lane")}}

NOTES: tuple[str, ...] = (
    "A cell shows the state that filled most of it.",
    "All runs start at the left, on one common time.",
    "Where not all lanes of a run fit, the busiest stand first.",
)


def key_list() -> list[KeyLine]:
    """Keys and what they do, for people."""
    return key_lines(BINDINGS, MOUSE)


def hints(*, lanes: bool = True, runs: bool = True) -> list[KeyHint]:
    """The keys of the footer: those for lanes or runs only where not all of them are in sight."""
    without = {name for name, needed in (("compare.lanes-on", lanes), ("compare.run", runs)) if not needed}
    return hints_of(BINDINGS, FOOTER, without=without)

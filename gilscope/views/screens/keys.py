"""The keys of the dashboard, in one table: footer, help screen, command palette and keymaps read it."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from gilscope.views.render.footer import KeyHint

_FOOTER: dict[str, int] = {
    "pause": 0,
    "back": 3,
    "zoom-in": 4,
    "slow": 2,
    "panel": 7,
    "info": 8,
    "full": 6,
    "input": 5,
    "help": 1,
    "quit": 0,
}
"""Keys in the footer, and which give way first when it is narrow: the highest."""

_PAIRS = {"back": "← →", "zoom-in": "+ −"}
"""Keys that stand in the footer for two."""


def _key(
    keys: str, action: str, words: str, *, name: str, tooltip: str = "", shown: str | None = None
) -> Binding:
    return Binding(
        keys, action, words, id=name, tooltip=tooltip or words, key_display=shown, show=name in _FOOTER
    )


BINDINGS: list[BindingType] = [
    _key("space", "pause", "pause", name="pause", tooltip="Pause, or play from here", shown="space"),
    _key("left", "step(-1)", "scrub", name="back", tooltip="A cell back", shown="←"),
    _key("right", "step(1)", "A cell on", name="on", shown="→"),
    _key("shift+left", "step(-10)", "Ten cells back", name="back-10", shown="shift ←"),
    _key("shift+right", "step(10)", "Ten cells on", name="on-10", shown="shift →"),
    _key("ctrl+left", "step(-50)", "Fifty cells back", name="back-50", shown="ctrl ←"),
    _key("ctrl+right", "step(50)", "Fifty cells on", name="on-50", shown="ctrl →"),
    _key("left_square_bracket", "seconds(-1)", "A second back", name="back-second", shown="["),
    _key("right_square_bracket", "seconds(1)", "A second on", name="on-second", shown="]"),
    _key("left_curly_bracket", "seconds(-10)", "Ten seconds back", name="back-10-seconds", shown="{"),
    _key("right_curly_bracket", "seconds(10)", "Ten seconds on", name="on-10-seconds", shown="}"),
    _key("home", "start", "To the start", name="start", shown="home"),
    _key("end,f", "follow", "Follow the newest moment", name="follow", shown="f end"),
    _key("plus,equals_sign", "zoom(-1)", "zoom", name="zoom-in", tooltip="Shorter cells", shown="+"),
    _key("minus", "zoom(1)", "Longer cells", name="zoom-out", shown="−"),
    _key("s", "slow", "slow", name="slow", tooltip="Slow motion: 0.1, 0.02, 0.005, 1 ×", shown="s"),
    _key("shift+tab", "app.focus_previous", "Previous panel", name="panel-before", shown="shift tab"),
    _key("tab", "app.focus_next", "panel", name="panel", tooltip="Next panel", shown="tab"),
    _key("enter", "full", "full", name="full", tooltip="The focused panel in full", shown="enter"),
    _key("escape", "back", "All panels again", name="all", shown="esc"),
    _key("1", "panel('gil')", "GIL on the whole screen", name="panel-gil"),
    _key("2", "panel('lanes')", "Lanes on the whole screen", name="panel-lanes"),
    _key("3", "panel('cores')", "Cores on the whole screen", name="panel-cores"),
    _key("4", "panel('verdict')", "Verdict on the whole screen", name="panel-verdict"),
    _key("5", "panel('output')", "Output on the whole screen", name="panel-output"),
    _key("i", "panel('info')", "info", name="info", tooltip="How well it is watched, the cost", shown="i"),
    _key("t", "app.type_line", "type", name="input", tooltip="Type a line to the target's input", shown="t"),
    _key("question_mark,f1", "app.help", "help", name="help", tooltip="Keys, states and words", shown="?"),
    _key("q", "app.leave", "quit", name="quit", tooltip="Quit", shown="q"),
]  # fmt: skip

PANEL_KEYS: tuple[tuple[str, str], ...] = (
    ("↑ ↓ page", "In lanes and output: select, scroll"),
    ("x", "In lanes: hide or show the threads of the selected row's process"),
    ("ctrl p", "All of this by name, and themes"),
    ("mouse", "Click: go to that moment. Wheel: scroll, with shift scrub, with ctrl zoom"),
)


def key_list() -> list[tuple[str, str]]:
    """Keys and what they do, for people."""
    found = [
        (binding.key_display or binding.key, binding.tooltip or binding.description)
        for binding in BINDINGS
        if isinstance(binding, Binding)
    ]
    return [*found, *PANEL_KEYS]


def hints(*, live: bool) -> list[KeyHint]:
    """The keys of the footer. Only a live target can be typed to."""
    return [
        KeyHint(
            _PAIRS.get(binding.id) or binding.key_display or binding.key,
            binding.description,
            binding.action,
            _FOOTER[binding.id],
        )
        for binding in BINDINGS
        if isinstance(binding, Binding) and binding.id in _FOOTER and (live or binding.id != "input")
    ]

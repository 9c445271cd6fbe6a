"""The keys of the dashboard, in one table: footer, help screen, command palette and keymaps read it."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from gilscope.views.render.footer import KeyHint
from gilscope.views.screens.arranging import BINDINGS as ARRANGING

_FOOTER: dict[str, int] = {
    "pause": 0,
    "back": 3,
    "zoom-in": 4,
    "slow": 2,
    "later-unit": 5,
    "mark": 6,
    "search": 7,
    "end-selection": 8,
    "panel": 9,
    "info": 10,
    "full": 8,
    "input": 7,
    "help": 1,
    "quit": 0,
}
"""Keys in the footer, and which give way first when it is narrow: the highest."""

_PAIRS = {"back": "← →", "zoom-in": "+ −", "later-unit": ", .", "end-selection": "( )"}
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
    _key("less_than_sign", "speed(-1)", "Slower, to 0.001 ×", name="slower", shown="<"),
    _key("greater_than_sign", "speed(1)", "Faster, to 100 ×", name="faster", shown=">"),
    _key("z", "skip_idle", "Skip idle time while playing, or not", name="skip-idle", shown="z"),
    _key("comma", "unit_step(-1)", "Step back", name="earlier-unit", shown=","),
    _key("full_stop", "unit_step(1)", "step", name="later-unit", tooltip="Step on", shown="."),
    _key("u", "unit", "Step by a sample, a tick or a handoff", name="unit", shown="u"),
    _key("h", "jump('handoff', 1)", "The next handoff", name="next-handoff", shown="h"),
    _key("H", "jump('handoff', -1)", "The handoff before", name="handoff-before", shown="H"),
    _key("w", "jump('stall', 1)", "The next stall: a long hold, others wait", name="next-stall", shown="w"),
    _key("W", "jump('stall', -1)", "The stall before", name="stall-before", shown="W"),
    _key("p", "jump('process', 1)", "The next start of a process", name="next-process", shown="p"),
    _key("P", "jump('process', -1)", "The start of a process before", name="process-before", shown="P"),
    _key("m", "app.mark", "mark", name="mark", tooltip="Mark this moment, with a note", shown="m"),
    _key("M", "app.marks", "All marks, to go to one", name="marks", shown="M"),
    _key("apostrophe", "jump('mark', 1)", "The next mark", name="next-mark", shown="'"),
    _key("quotation_mark", "jump('mark', -1)", "The mark before", name="mark-before", shown='"'),
    _key("slash", "app.search", "search", name="search", tooltip="Search the output", shown="/"),
    _key("n", "app.found(1)", "The next line that was searched for", name="next-found", shown="n"),
    _key("N", "app.found(-1)", "The line before that was searched for", name="found-before", shown="N"),
    _key("left_parenthesis", "begin", "A selection begins here", name="begin-selection", shown="("),
    _key("right_parenthesis", "end", "select", name="end-selection", tooltip="It ends here", shown=")"),
    _key("a", "select_screen", "Select what the timeline shows", name="select-screen", shown="a"),
    _key("c", "unselect", "Clear the selection", name="unselect", shown="c esc"),
    _key("shift+tab", "app.focus_previous", "Previous panel", name="panel-before", shown="shift tab"),
    _key("tab", "app.focus_next", "panel", name="panel", tooltip="Next panel", shown="tab"),
    _key("enter", "full", "full", name="full", tooltip="The focused panel in full", shown="enter"),
    _key("escape", "back", "All panels again", name="all", shown="esc"),
    _key("1", "panel('gil')", "GIL on the whole screen", name="panel-gil"),
    _key("2", "panel('lanes')", "Lanes on the whole screen", name="panel-lanes"),
    _key("3", "panel('cores')", "Cores on the whole screen", name="panel-cores"),
    _key("4", "panel('verdict')", "Verdict on the whole screen", name="panel-verdict"),
    _key("5", "panel('output')", "Output on the whole screen", name="panel-output"),
    _key("6", "app.table('threads')", "Threads as a table", name="threads"),
    _key("7", "app.table('processes')", "Processes as a table: memory, state", name="processes"),
    _key("8", "app.functions", "Functions that hold the GIL, as a flame", name="functions"),
    _key("9", "app.stalls", "Stalls as a table, to go to one", name="stalls"),
    *ARRANGING,
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
    ("drag", "Over the lanes: select. On the bar below: scrub, with shift or ctrl select"),
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

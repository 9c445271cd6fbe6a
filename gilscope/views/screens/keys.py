"""The keys of the dashboard, in one table: footer, help screen, command palette and keymaps read it.

Vim's keys stand beside the arrows: h and l go back and on in time, j and k from row to row, g and G to the
start and to the newest moment. So a handoff, which would have an h, is `e`: the end of a hold.
"""

from __future__ import annotations

from textual.binding import BindingType

from gilscope.views.keymap import KeyLine, Place, declared, hints, key_lines
from gilscope.views.keymap import key as _key
from gilscope.views.render.footer import KeyHint
from gilscope.views.screens.arranging import BINDINGS as ARRANGING

FOOTER: dict[str, Place] = {
    "pause": Place(0),
    "back": Place(3, "← →"),
    "zoom-in": Place(4, "+ −"),
    "slow": Place(2),
    "later-unit": Place(5, ", ."),
    "mark": Place(6),
    "search": Place(7),
    "end-selection": Place(8, "( )"),
    "copy": Place(9),
    "panel": Place(9),
    "info": Place(10),
    "full": Place(8),
    "input": Place(7),
    "help": Place(1),
    "quit": Place(0),
}
"""Keys in the footer, some for two."""

PANEL_FOOTER: dict[str, Place] = {
    "lanes.up": Place(2, "↑ ↓"),
    "lanes.fold": Place(5),
    "output.up": Place(2, "↑ ↓"),
    "cores.up": Place(2, "↑ ↓"),
}
"""Keys of panels that stand there too while the panel has the focus."""

BINDINGS: list[BindingType] = [
    _key("space", "pause", "pause", name="pause", tooltip="Pause, or play from here", shown="space"),
    _key("left,h", "step(-1)", "scrub", name="back", tooltip="A cell back", shown="← h"),
    _key("right,l", "step(1)", "A cell on", name="on", shown="→ l"),
    _key("shift+left", "step(-10)", "Ten cells back", name="back-10", shown="shift ←"),
    _key("shift+right", "step(10)", "Ten cells on", name="on-10", shown="shift →"),
    _key("ctrl+left", "step(-50)", "Fifty cells back", name="back-50", shown="ctrl ←"),
    _key("ctrl+right", "step(50)", "Fifty cells on", name="on-50", shown="ctrl →"),
    _key("left_square_bracket", "seconds(-1)", "A second back", name="back-second", shown="["),
    _key("right_square_bracket", "seconds(1)", "A second on", name="on-second", shown="]"),
    _key("left_curly_bracket", "seconds(-10)", "Ten seconds back", name="back-10-seconds", shown="{"),
    _key("right_curly_bracket", "seconds(10)", "Ten seconds on", name="on-10-seconds", shown="}"),
    _key("home,g", "start", "To the start", name="start", shown="g home"),
    _key("end,f,G", "follow", "Follow the newest moment", name="follow", shown="f G end"),
    _key("plus,equals_sign", "zoom(-1)", "zoom", name="zoom-in", tooltip="Shorter cells", shown="+"),
    _key("minus", "zoom(1)", "Longer cells", name="zoom-out", shown="−"),
    _key("s", "slow", "slow", name="slow", tooltip="Slow motion: 0.1, 0.02, 0.005, 1 ×", shown="s"),
    _key("less_than_sign", "speed(-1)", "Slower, to 0.001 ×", name="slower", shown="<"),
    _key("greater_than_sign", "speed(1)", "Faster, to 100 ×", name="faster", shown=">"),
    _key("z", "skip_idle", "Skip idle time while playing, or not", name="skip-idle", shown="z"),
    _key("comma", "unit_step(-1)", "Step back", name="earlier-unit", shown=","),
    _key("full_stop", "unit_step(1)", "step", name="later-unit", tooltip="Step on", shown="."),
    _key("u", "unit", "Step by a sample, a tick or a handoff", name="unit", shown="u"),
    _key("e", "jump('handoff', 1)", "The next handoff: the end of this hold", name="next-handoff", shown="e"),
    _key("E", "jump('handoff', -1)", "The handoff before", name="handoff-before", shown="E"),
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
    _key("up,k", "rows(-1)", "select", name="row-before", tooltip="The row before", shown="↑ k"),
    _key("down,j", "rows(1)", "The next row", name="row-next", shown="↓ j"),
    _key("pageup,ctrl+u", "rows(-10)", "Ten rows before", name="rows-before", shown="pgup ctrl u"),
    _key("pagedown,ctrl+d", "rows(10)", "Ten rows on", name="rows-next", shown="pgdn ctrl d"),
    _key("y", "copy", "copy", name="copy", tooltip="Copy the row, or what the focused panel says", shown="y"),
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

MORE_KEYS: tuple[KeyLine, ...] = (
    ("ctrl p", "All of this by name, and themes"),
    (
        "mouse",
        "Click: go to that moment. Wheel: scroll, with shift scrub, with ctrl zoom where the pointer is",
    ),
    ("drag", "Over the lanes: select. On the bar below: scrub, with shift or ctrl select"),
    ("double click", "The panel on the whole screen, or all again"),
)


def key_list() -> list[KeyLine]:
    """Keys and what they do, for people."""
    return key_lines(BINDINGS, MORE_KEYS)


def dashboard_hints(*, live: bool, focused: object = None, full: bool = False) -> list[KeyHint]:
    """The keys of the footer: those of the focused panel, then the screen's.

    Args:
        live: the target can be typed to.
        focused: the panel with the focus.
        full: a panel has the whole screen.
    """
    without = set() if live else {"input"}
    places = FOOTER
    panel = str(getattr(focused, "id", None) or "")
    if not panel:
        without.add("copy")
    if full:
        places = {**FOOTER, "all": Place(1, word="all panels")}
        without.add("full")
    own = hints(declared(focused), PANEL_FOOTER, panel=panel) if panel else []
    return [*own, *hints(BINDINGS, places, without=without)]

"""The keys of the comparison's screen, in one table: footer and help read it."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from gilscope.views.render.footer import KeyHint

_FOOTER: dict[str, tuple[str, int]] = {
    "later": ("← →", 2),
    "zoom-in": ("+ −", 1),
    "whole": ("0", 5),
    "lanes-on": ("↑ ↓", 3),
    "run": ("tab", 6),
    "table": ("t", 4),
    "help": ("?", 1),
    "quit": ("q", 0),
}
"""Keys in the footer, some for two, and which give way first when it is narrow: the highest."""


def _key(keys: str, action: str, words: str, *, name: str, shown: str, tooltip: str = "") -> Binding:
    return Binding(
        keys,
        action,
        words,
        id=f"compare.{name}",
        tooltip=tooltip or words,
        key_display=shown,
        show=name in _FOOTER,
    )


BINDINGS: list[BindingType] = [
    _key("left,h", "scroll(-1)", "Earlier, all runs together", name="earlier", shown="← h"),
    _key("right,l", "scroll(1)", "scroll", name="later", shown="→ l", tooltip="Later, all runs together"),
    _key("shift+left", "scroll(-5)", "Half a screen earlier", name="earlier-5", shown="shift ←"),
    _key("shift+right", "scroll(5)", "Half a screen later", name="later-5", shown="shift →"),
    _key("home", "start", "To the start", name="start", shown="home"),
    _key("end", "end", "To the end of the longest run", name="end", shown="end"),
    _key("plus,equals_sign", "zoom(-1)", "zoom", name="zoom-in", shown="+", tooltip="Shorter cells"),
    _key("minus", "zoom(1)", "Longer cells", name="zoom-out", shown="−"),
    _key("0,escape", "whole", "whole", name="whole", shown="0 esc", tooltip="The longest run as a whole"),
    _key("up,k", "lanes(-1)", "Lanes before (where not all fit)", name="lanes-back", shown="↑ k"),
    _key("down,j", "lanes(1)", "lanes", name="lanes-on", shown="↓ j", tooltip="Lanes after"),
    _key("pageup", "lanes(-10)", "Ten lanes before", name="page-up", shown="page up"),
    _key("pagedown", "lanes(10)", "Ten lanes after", name="page-down", shown="page down"),
    _key("shift+tab", "run(-1)", "The run before, where not all fit", name="run-back", shown="shift tab"),
    _key("tab", "run(1)", "run", name="run", shown="tab", tooltip="The next run, where not all fit"),
    _key("t", "table", "table", name="table", shown="t", tooltip="Fold the table away, or open it"),
    _key("question_mark,f1", "app.help", "help", name="help", shown="?", tooltip="Keys, states and words"),
    _key("q", "app.leave", "quit", name="quit", shown="q", tooltip="Quit, and print the table"),
]  # fmt: skip

MOUSE: tuple[tuple[str, str], ...] = (("mouse", "Wheel: zoom; over the names: lanes; with shift: scroll"),)

WORDS: tuple[tuple[str, str], ...] = (
    ("run", "a recording of the program: one section, one below the other"),
    ("GIL", "the lock of one interpreter: only the thread that holds it executes Python"),
    ("lane", "a row of the timeline: a thread, or a process that is no Python"),
    ("% of a lane", "its share of the whole run as the GIL's holder"),
    ("GIL held", "share of the time that the busiest GIL was held"),
    ("│ exit 0", "the run ended here, with this exit code"),
    ("× as fast", "against the first run, or the mean of its way"),
)

NOTES: tuple[str, ...] = (
    "A cell shows the state that filled most of it.",
    "All runs start at the left, on one common time.",
    "Where not all lanes of a run fit, the busiest stand first.",
)


def key_list() -> list[tuple[str, str]]:
    """Keys and what they do, for people."""
    found = [
        (binding.key_display or binding.key, binding.tooltip or binding.description)
        for binding in BINDINGS
        if isinstance(binding, Binding)
    ]
    return [*found, *MOUSE]


def hints(*, lanes: bool = True, runs: bool = True) -> list[KeyHint]:
    """The keys of the footer: those for lanes or runs only where not all of them are in sight."""
    without = {name for name, needed in (("lanes-on", lanes), ("run", runs)) if not needed}
    return [
        KeyHint(_FOOTER[name][0], binding.description, binding.action, _FOOTER[name][1])
        for binding in BINDINGS
        if isinstance(binding, Binding)
        and (name := str(binding.id).partition(".")[2]) in _FOOTER.keys() - without
    ]

"""The cores: one can be chosen, to be named in full and copied; on the whole screen they scroll."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from gilscope.views.keymap import key as _key
from gilscope.views.present import AND_OTHERS, CoreRow
from gilscope.views.render.cores import core_at, lines_to_scroll, render_cores
from gilscope.views.widgets.panel import Panel


class CoresPanel(Panel):
    """The cores. Its only state is which one is chosen, and how far the list is scrolled."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("up,k", "core(-1)", "core", name="cores.up", tooltip="The core before", shown="↑ k"),
        _key("down,j", "core(1)", "The next core", name="cores.down", shown="↓ j"),
        _key("pageup,ctrl+u", "core(-10)", "Ten cores before", name="cores.page-up", shown="pgup ctrl u"),
        _key("pagedown,ctrl+d", "core(10)", "Ten cores on", name="cores.page-down", shown="pgdn ctrl d"),
    ]  # fmt: skip

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("Cores", id=id)
        self.core: int | None = None
        """The number of the chosen core."""
        self.top = 0
        self._rows: Sequence[CoreRow] = ()
        self._full = False

    def draw(self, rows: Sequence[CoreRow], *, full: bool) -> None:
        """Draw them, and name the chosen one below; `full`: on the whole screen, each with its history."""
        self._rows, self._full = rows, full
        width, height = self.content_size
        lines = lines_to_scroll(len(rows), width, height)
        self.top = max(0, min(self.top, lines - height)) if full else self.top
        chosen = next((row for row in rows if row.core == self.core), None)
        subtitle = ""
        if chosen is not None:
            subtitle = core_text(chosen).replace("[", r"\[")
        elif full and lines > height:
            subtitle = f"lines {self.top + 1} – {self.top + height} of {lines}"
        strips = render_cores(rows, width, height, self.palette, top=self._top)
        title = f"Cores ── {len(rows)}" if len(rows) > 1 else "Cores"
        self.show(strips, title=title, subtitle=subtitle)

    @property
    def _top(self) -> int | None:
        return self.top if self._full else None

    def copied(self) -> tuple[str, str]:
        """The chosen core; all of them without one."""
        chosen = [row for row in self._rows if row.core == self.core]
        return "the core" if chosen else "the cores", "\n".join(map(core_text, chosen or self._rows))

    def told(self, x: int, y: int) -> str | None:
        """Which core that is, what it does and for whom."""
        row = core_at(self._rows, *self.content_size, x, y, top=self._top)
        return None if row is None else f"{core_text(row)}. Green is the target's load, grey that of others"

    def action_core(self, cores: int) -> None:
        """Choose another one, and keep it in sight."""
        if not self._rows:
            return
        numbers = [row.core for row in self._rows]
        before_first = -1 if cores > 0 else len(numbers)
        at = (numbers.index(self.core) if self.core in numbers else before_first) + cores
        at = max(0, min(at, len(numbers) - 1))
        self.core = numbers[at]
        width, height = self.content_size
        line = at * lines_to_scroll(len(numbers), width, height) // len(numbers)
        self.top = max(line - height + 1, min(self.top, line))
        self.draw(self._rows, full=self._full)

    def on_click(self, event: events.Click) -> None:
        """Choose the core, or let go of it."""
        at = event.get_content_offset(self)
        row = None if at is None else core_at(self._rows, *self.content_size, at.x, at.y, top=self._top)
        if row is not None and event.chain == 1:
            self.core = None if row.core == self.core else row.core
            self.draw(self._rows, full=self._full)

    def _scroll_lines(self, lines: int) -> None:
        if self._full:
            self.top = max(0, self.top + lines)
            self.draw(self._rows, full=True)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back."""
        event.stop()
        self._scroll_lines(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On."""
        event.stop()
        self._scroll_lines(3)


def core_text(row: CoreRow) -> str:
    """A core in words."""
    load = "not read" if row.busy_share is None else f"{100 * row.busy_share:.0f} % busy"
    label = row.label.replace(AND_OTHERS, " and more by other programs")
    runs = {"": "", "other": ", with other programs"}.get(row.label, f", with {label}")
    return f"core {row.core}: {load}{runs}"

"""The cores: one of them can be chosen, by key or by click, to be named in full and copied."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from gilscope.views.keymap import key as _key
from gilscope.views.present import CoreRow
from gilscope.views.render.cores import core_at, render_cores
from gilscope.views.widgets.panel import Panel


class CoresPanel(Panel):
    """All cores. Its only state is which one is chosen."""

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
        self._rows: Sequence[CoreRow] = ()

    def draw(self, rows: Sequence[CoreRow]) -> None:
        """Draw all cores, and name the chosen one below."""
        self._rows = rows
        chosen = self._chosen()
        self.show(
            render_cores(rows, *self.content_size, self.palette),
            subtitle="" if chosen is None else core_text(chosen).replace("[", r"\["),
        )

    def _chosen(self) -> CoreRow | None:
        return next((row for row in self._rows if row.core == self.core), None)

    def copied(self) -> tuple[str, str]:
        """The chosen core; all of them without one."""
        chosen = [row for row in self._rows if row.core == self.core]
        return "the core" if chosen else "the cores", "\n".join(map(core_text, chosen or self._rows))

    def told(self, x: int, y: int) -> str | None:
        """Which core that is, what it does and for whom."""
        row = core_at(self._rows, *self.content_size, x, y)
        return None if row is None else f"{core_text(row)}. Green is the target's load, grey that of others"

    def action_core(self, cores: int) -> None:
        """Choose another one."""
        if not self._rows:
            return
        numbers = [row.core for row in self._rows]
        at = (
            numbers.index(self.core) + cores if self.core in numbers else 0 if cores > 0 else len(numbers) - 1
        )
        self.core = numbers[max(0, min(at, len(numbers) - 1))]
        self.draw(self._rows)

    def on_click(self, event: events.Click) -> None:
        """Choose the core, or let go of it."""
        at = event.get_content_offset(self)
        row = None if at is None else core_at(self._rows, *self.content_size, at.x, at.y)
        if row is not None and event.chain == 1:
            self.core = None if row.core == self.core else row.core
            self.draw(self._rows)


def core_text(row: CoreRow) -> str:
    """A core in words."""
    load = "not read" if row.busy_share is None else f"{100 * row.busy_share:.0f} % busy"
    runs = {"": "", "other": ", with other programs"}.get(row.label, f", with {row.label}")
    return f"core {row.core}: {load}{runs}"

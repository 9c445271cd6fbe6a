"""Functions that hold a GIL, or wait for it, as a flame: each as wide as its part of the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FilePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Click, MouseEvent, MouseScrollDown, MouseScrollUp
from textual.worker import get_current_worker

from gilscope.errors import GilscopeError
from gilscope.model import Flame, Flames
from gilscope.recording.reader import RecordingReader
from gilscope.text import clean
from gilscope.views.copying import copy
from gilscope.views.keymap import Place, hints
from gilscope.views.keymap import key as _key
from gilscope.views.render.flame import Block, Path, block_at, blocks, moved, render_details, render_flame
from gilscope.views.render.lines import fill, text_strip
from gilscope.views.standing import Modal
from gilscope.views.widgets.keys import KeysLine
from gilscope.views.widgets.panel import Panel

FlamesOf = Callable[[RecordingReader, int], Flames]
REFRESH_S = 2.0
COPY_COLUMNS = 200
NO_WAITING = "No thread was caught waiting for the GIL so far: nothing is known of where threads wait"


class FunctionsScreen(Modal[None]):
    """The flame of all threads, or of one, up to a moment."""

    DEFAULT_CSS = """
    FunctionsScreen { background: $background; }
    FunctionsScreen #flame { height: 1fr; border: round $accent; background: $background; padding: 0 1; }
    FunctionsScreen #flame-details { height: 2; background: $background; padding: 0 2; }
    FunctionsScreen #flame-keys { height: 1; }
    """
    BINDINGS = [  # noqa: RUF012 - Textual's way
        _key("left,h", "move('left')", "select", name="functions.left", tooltip="To the left", shown="← h"),
        _key("right,l", "move('right')", "The function at the right", name="functions.right", shown="→ l"),
        _key("up,k", "move('up')", "Its caller", name="functions.up", shown="↑ k"),
        _key("down,j", "move('down')", "The widest that it calls", name="functions.down", shown="↓ j"),
        _key("enter", "zoom", "zoom", name="functions.zoom", tooltip="This one over the whole width"),
        _key("backspace,minus", "out", "out", name="functions.out", tooltip="A step out", shown="−"),
        _key("home,g", "whole", "All of it", name="functions.whole", shown="g home"),
        _key("w", "waiting", "waiting", name="functions.waiting", tooltip="Held or waiting time"),
        _key("tab", "thread(1)", "thread", name="functions.next", tooltip="The next thread", priority=True),
        _key("shift+tab", "thread(-1)", "The thread before", name="functions.before", priority=True),
        _key("y", "copy", "copy", name="functions.copy", tooltip="Copy the function, with its share"),
        _key("question_mark,f1", "app.help", "help", name="functions.help", tooltip="About it", shown="?"),
        _key("escape,q,8", "dismiss", "close", name="functions.close", tooltip="Close", shown="esc"),
    ]  # fmt: skip
    FOOTER: ClassVar = {
        "functions.left": Place(2, "← → ↑ ↓"),
        "functions.zoom": Place(3),
        "functions.out": Place(4, "−"),
        "functions.next": Place(3),
        "functions.waiting": Place(4),
        "functions.copy": Place(5),
        "functions.help": Place(2),
        "functions.close": Place(1),
    }
    about = "flame"

    def __init__(self, path: FilePath, until_ns: Callable[[], int], flames_of: FlamesOf) -> None:
        """A screen without a flame yet.

        Args:
            path: the recording.
            until_ns: asked for the moment up to which all is counted.
            flames_of: makes the flames; called in a thread, with a reader of its own.
        """
        super().__init__()
        self._path, self._until_ns, self._flames_of = path, until_ns, flames_of
        self._flames: Flames | None = None
        self._made_ns = -1
        self._waiting = False
        """Waiting time is shown, not held time."""
        self._thread = 0
        """0: all threads; else one of them."""
        self._top: Path = ()
        self._selected: Path = ()
        self._rows: list[list[Block]] = []
        self.panel = Panel("Functions", id="flame")
        self.details = Panel("", id="flame-details")
        self.details.can_focus = False
        self.keys = KeysLine(hints(self.BINDINGS, self.FOOTER), id="flame-keys")

    def compose(self) -> ComposeResult:
        """The flame, what is selected in it, the keys."""
        with Vertical():
            yield self.panel
            yield self.details
            yield self.keys

    def on_mount(self) -> None:
        """Begin."""
        if not self.is_attached:
            return  # closed before it was open
        self.panel.focus()
        self._look()
        self.set_interval(REFRESH_S, self._look)

    def on_panel_changed(self) -> None:
        """A panel has another size."""
        self.keys.draw()
        self._draw()

    # --- the flame ---

    def _look(self) -> None:
        until_ns = self._until_ns()
        if until_ns != self._made_ns:
            self.run_worker(
                lambda: self._make(until_ns), thread=True, group="flame", exclusive=True, exit_on_error=False
            )

    def _make(self, until_ns: int) -> None:
        worker = get_current_worker()
        try:
            reader = RecordingReader(self._path, live=True)
            try:
                flames = self._flames_of(reader, until_ns)
            finally:
                reader.close()
        except GilscopeError:
            return  # the frames say what is wrong with the recording
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, flames, until_ns)

    def _show(self, flames: Flames, until_ns: int) -> None:
        shown = self._shown
        self._flames, self._made_ns = flames, until_ns
        self._waiting = self._waiting and flames.waiting is not None
        self._stay_with(shown)
        self._draw()

    def _stay_with(self, before: Flames | None) -> None:
        """Threads are ordered by their share, which changes: stay with the one that was shown."""
        if before is not None and self._shown is not None and self._thread:
            name = before.threads[self._thread - 1][0]
            names = [other for other, _ in self._shown.threads]
            self._thread = names.index(name) + 1 if name in names else 0

    @property
    def _shown(self) -> Flames | None:
        """Those of held or of waiting time."""
        return self._flames.waiting if self._flames is not None and self._waiting else self._flames

    @property
    def flame(self) -> Flame | None:
        """What is shown."""
        shown = self._shown
        if shown is None:
            return None
        return shown.threads[self._thread - 1][1] if self._thread else shown.whole

    def _draw(self) -> None:
        flame = self.flame
        if not self.is_mounted:
            return
        width, height = self.panel.content_size
        palette = self.panel.palette
        if flame is None or not flame.time_ns:
            text = "Adding up …" if flame is None else "No stacks yet: py-spy brings them every few seconds."
            self.panel.show(fill([text_strip(text, width, palette.dim, palette)], width, height, palette))
            return
        self._rows = blocks(flame, width, height, self._top)
        if not self._rows:
            self._top = ()
            self._rows = blocks(flame, width, height)
        if all(block.path != self._selected for row in self._rows for block in row):
            self._selected = self._top
        self.panel.show(
            render_flame(self._rows, self._selected, width, height, palette, whole_ns=flame.time_ns),
            title=f"Functions that {'wait for' if self._waiting else 'hold'} the GIL: {self._title()}",
            subtitle=f"rests on {flame.samples} stack{'' if flame.samples == 1 else 's'}",
        )
        place, palette = self.details.content_size, self.details.palette
        self.details.show(render_details(flame, self._selected, place.width, palette, waiting=self._waiting))

    def _title(self) -> str:
        shown = self._shown
        if shown is None or not self._thread:
            return "all threads"
        return clean(shown.threads[self._thread - 1][0]).replace("[", "(").replace("]", ")")

    # --- keys ---

    def action_move(self, step: str) -> None:
        """Select a neighbour."""
        if self._rows:
            self._selected = moved(self._rows, self._selected, step)
            self._draw()

    def action_zoom(self) -> None:
        """The selected function over the whole width."""
        self._top = self._selected
        self._draw()

    def action_out(self) -> None:
        """Its caller over the whole width."""
        self._top = self._top[:-1]
        self._draw()

    def action_thread(self, by: int) -> None:
        """Another thread, or all of them."""
        shown = self._shown
        if shown is not None:
            self._thread = (self._thread + by) % (len(shown.threads) + 1)
            self._top = self._selected = ()
            self._draw()

    def action_whole(self) -> None:
        """All of it, and nothing selected."""
        self._top = self._selected = ()
        self._draw()

    def action_copy(self) -> None:
        """The selected function, to the clipboard."""
        flame = self.flame
        if flame is None or not flame.time_ns:
            copy(self.app, "the function", "")
            return
        palette = self.details.palette
        lines = render_details(flame, self._selected, COPY_COLUMNS, palette, waiting=self._waiting)
        copy(self.app, "the function", "\n".join(line.text.strip() for line in lines))

    def _wheel(self, event: MouseEvent, direction: int) -> None:
        """To callers or callees; with ctrl, zoom."""
        event.stop()
        if event.ctrl:
            self.action_zoom() if direction < 0 else self.action_out()
        elif event.shift:
            self.action_move("right" if direction > 0 else "left")
        else:
            self.action_move("down" if direction > 0 else "up")

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """To what it calls; with shift to the right, with ctrl out."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """To its caller; with shift to the left, with ctrl in."""
        self._wheel(event, -1)

    def action_waiting(self) -> None:
        """Held time or waiting time."""
        if self._flames is None or self._flames.waiting is None:
            self.notify(NO_WAITING, timeout=4, markup=False)
            return
        shown = self._shown
        self._waiting = not self._waiting
        self._stay_with(shown)
        self._top = self._selected = ()
        self._draw()

    def on_click(self, event: Click) -> None:
        """Select; a second click on the same one zooms."""
        place = self.panel.content_region
        path = block_at(self._rows, event.screen_x - place.x, event.screen_y - place.y)
        if path is not None:
            if path == self._selected:
                self._top = path
            self._selected = path
            self._draw()

"""Functions that hold a GIL, or wait for it, as a flame: each as wide as its part of the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FilePath

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import Click
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import get_current_worker

from gilscope.errors import GilscopeError
from gilscope.model import Flame, Flames
from gilscope.recording.reader import RecordingReader
from gilscope.text import clean
from gilscope.views.render.flame import Block, Path, block_at, blocks, moved, render_details, render_flame
from gilscope.views.render.lines import fill, text_strip
from gilscope.views.widgets.panel import Panel

FlamesOf = Callable[[RecordingReader, int], Flames]
REFRESH_S = 2.0
KEYS = " ← → ↑ ↓ select  enter zoom in  backspace out  tab next thread  w held or waiting  esc close"
NO_WAITING = "No thread was caught waiting for the GIL so far: nothing is known of where threads wait"


class FunctionsScreen(ModalScreen[None]):
    """The flame of all threads, or of one, up to a moment."""

    DEFAULT_CSS = """
    FunctionsScreen { background: $background; }
    FunctionsScreen #flame { height: 1fr; border: round $accent; background: $background; padding: 0 1; }
    FunctionsScreen #flame-details { height: 2; background: $background; padding: 0 2; }
    FunctionsScreen #flame-keys { height: 1; color: $text-muted; }
    """
    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("escape,q,8", "dismiss", "Close", id="functions.close"),
        Binding("left", "move('left')", "The function at the left", id="functions.left"),
        Binding("right", "move('right')", "The function at the right", id="functions.right"),
        Binding("up", "move('up')", "Its caller", id="functions.up"),
        Binding("down", "move('down')", "The widest that it calls", id="functions.down"),
        Binding("enter", "zoom", "This one over the whole width", id="functions.zoom"),
        Binding("backspace,minus", "out", "A step out", id="functions.out"),
        Binding("w", "waiting", "Held time or waiting time", id="functions.waiting"),
        Binding("tab", "thread(1)", "The next thread", id="functions.next", priority=True),
        Binding("shift+tab", "thread(-1)", "The thread before", id="functions.before", priority=True),
    ]

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

    def compose(self) -> ComposeResult:
        """The flame, what is selected in it, the keys."""
        with Vertical():
            yield self.panel
            yield self.details
            yield Static(KEYS, id="flame-keys", markup=False)

    def on_mount(self) -> None:
        """Begin."""
        self.panel.focus()
        self._look()
        self.set_interval(REFRESH_S, self._look)

    def on_panel_changed(self) -> None:
        """A panel has another size."""
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

"""The Textual app: opens the recording, runs the frames, and asks before it ends.

It only reads the recording. A live session is the same recording while it grows; what goes the other way,
to the target, goes through a `SessionControl`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.worker import get_current_worker

from gilscope.clock import Clock, MonotonicClock
from gilscope.errors import GilscopeError
from gilscope.model import NS_PER_MS, NS_PER_S, Quality, Verdict
from gilscope.recording.reader import RecordingReader
from gilscope.text import clean
from gilscope.views.control import SessionControl
from gilscope.views.screens.dashboard import Dashboard
from gilscope.views.screens.dialogs import HelpScreen, InputScreen, QuitChoice, QuitScreen
from gilscope.views.screens.keys import BINDINGS, key_list
from gilscope.views.viewing import Viewing

FRAMES_PER_S = 30
UNDER_MODAL = 10
"""Under another screen only every so many frames are drawn."""
SESSION_NS = 250 * NS_PER_MS
"""How often the session's own description is read."""
OPEN_PATIENCE_NS = 10 * NS_PER_S
"""For so long a recording of a live session may be missing or unfinished before that is an error."""
VERDICT_NS = NS_PER_S
READ_PATIENCE = 30
"""So many reads in a row may fail before the app gives up."""

Outcome = Literal["stopped", "left-running", "ended"]
VerdictOf = Callable[[RecordingReader, int], Verdict]
QualityOf = Callable[[RecordingReader, int], Quality]


class GilscopeApp(App[None]):
    """Shows a recording, live or finished. After `run`, `exit_error` and `outcome` tell how it ended."""

    CSS_PATH = "gilscope.tcss"
    TITLE = "gilscope"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+c,ctrl+q", "leave", "Quit", show=False, priority=True, id="app.quit")
    ]

    def __init__(
        self,
        path: Path,
        *,
        control: SessionControl | None,
        title: str,
        clock: Clock | None = None,
        verdict_of: VerdictOf | None = None,
        quality_of: QualityOf | None = None,
    ) -> None:
        """Prepare; nothing is opened before `run`.

        Args:
            path: the recording; of a live session it may not exist yet.
            control: the live session, or None to replay a file.
            title: what is watched, in the user's words.
            clock: replaced by tests.
            verdict_of: gives the verdict on a recording up to a moment; called in a thread, with a
                reader of its own.
            quality_of: likewise, how well it was watched; called while that is on the screen.
        """
        super().__init__()
        self.path = path
        self.control = control
        self.clock: Clock = clock or MonotonicClock()
        self.verdict_of = verdict_of
        self.quality_of = quality_of
        self.exit_error: str | None = None
        """Why the app had to end, in words for the user."""
        self.outcome: Outcome = "ended"
        self.dashboard = Dashboard(
            title,
            live=control is not None,
            resize_output=control.resize_output if control else None,
        )
        self._reader: RecordingReader | None = None
        self._started_ns = self._last_ns = self._session_ns = self.clock.now_ns()
        self._frames = 0
        self._failures = 0
        self._judging = False
        self._verdict_due_ns = 0
        self._verdict_head_ns = -1

    # --- life ---

    def on_mount(self) -> None:
        """Begin to draw."""
        self.push_screen(self.dashboard)
        self.set_interval(1 / FRAMES_PER_S, self._frame)
        self.call_after_refresh(self._settle)
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGHUP, signal.SIGTERM):
                with contextlib.suppress(ValueError, RuntimeError):
                    loop.add_signal_handler(number, self._hung_up)

    @staticmethod
    def _settle() -> None:
        """Keep what start-up made out of all later garbage collections: they would be seen as hitches."""
        gc.collect()
        gc.freeze()

    def _hung_up(self) -> None:
        """The terminal is gone: nobody can be asked, and a program without its terminal ends."""
        if self.control and self._target_runs:
            self.control.stop_target()
            self.outcome = "stopped"
        self.exit()

    def on_unmount(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @property
    def _target_runs(self) -> bool:
        viewing = self.dashboard.viewing
        return self.control is not None and (viewing is None or viewing.growing) and not self.dashboard.lost

    def _fail(self, message: str) -> None:
        self.exit_error = message
        self.exit()

    # --- frames ---

    def _frame(self) -> None:
        self._frames += 1
        if len(self.screen_stack) > 2 and self._frames % UNDER_MODAL:
            return
        if self._terminal_is_behind():
            return
        now = self.clock.now_ns()
        passed, self._last_ns = now - self._last_ns, now
        try:
            self._look(now)
            self.dashboard.frame(passed)
            self._failures = 0
        except GilscopeError as error:
            self._failures += 1
            if self._failures == 1 and self.dashboard.viewing is not None:
                self.notify(
                    clean(str(error).replace("\n", " ")), title="Cannot read", severity="error", markup=False
                )
            if self._failures >= READ_PATIENCE:
                self._fail(str(error))

    def _terminal_is_behind(self) -> bool:
        """A slow terminal has not yet drawn the last frames; more would only make keys slow to answer."""
        writer = getattr(self._driver, "_writer_thread", None)
        queue = getattr(writer, "_queue", None)
        size = getattr(queue, "qsize", None)
        return bool(size and size() > 1)

    def _look(self, now: int) -> None:
        """See how the session and the recording have moved on."""
        session = now - self._session_ns >= SESSION_NS
        viewing = self.dashboard.viewing
        if self.control and (session or viewing is None):
            status = self.control.status()
            if status.error is not None:
                self._fail(status.error)
                return
            self.dashboard.lost = not status.sampler_alive and viewing is not None and viewing.growing
        if session:
            self._session_ns = now
        if viewing is None:
            self._open(now)
        else:
            viewing.poll(session=session)
            self._judge(now, viewing)

    def _open(self, now: int) -> None:
        live = self.control is not None
        waited = now - self._started_ns
        try:
            if not self.path.exists():
                if not live:
                    self._fail(f"There is no recording {clean(str(self.path))}.")
                elif waited > OPEN_PATIENCE_NS:
                    self._fail(f"The sampler has written no recording in {waited // NS_PER_S} s: {self.path}")
                return
            reader = RecordingReader(self.path, live=live)
            viewing = Viewing(reader)
        except GilscopeError as error:
            if not live or waited > OPEN_PATIENCE_NS:
                self._fail(str(error))
            return
        self._reader = reader
        self.dashboard.viewing = viewing
        self.dashboard.redraw()

    # --- verdict ---

    def _judge(self, now: int, viewing: Viewing) -> None:
        """Have the verdict on all that is recorded made anew, if there is more than at the last one."""
        if self._judging or (self.verdict_of is None and self.quality_of is None):
            return
        # Who asks for the quality for the first time need not wait for the next verdict.
        asked = self._wants_quality and self.dashboard.quality_at_ns < 0
        if now < self._verdict_due_ns and not asked:
            return
        if viewing.head_ns == self._verdict_head_ns and not self._wants_quality:
            return
        self._judging = True
        self._verdict_head_ns = viewing.head_ns
        self.run_worker(self._make_verdict, thread=True, group="verdict", exclusive=True, exit_on_error=False)

    @property
    def _wants_quality(self) -> bool:
        """It is to be shown, and is not of the newest moment that there is a verdict on."""
        dashboard = self.dashboard
        return (
            self.quality_of is not None
            and dashboard.full == "info"
            and dashboard.quality_at_ns != self._verdict_head_ns
        )

    def _make_verdict(self) -> None:
        worker = get_current_worker()
        started, at_ns = self.clock.now_ns(), self._verdict_head_ns
        with_quality = self.dashboard.full == "info"
        verdict: Verdict | None = None
        quality: Quality | None = None
        try:
            reader = RecordingReader(self.path, live=True)
            try:
                if self.verdict_of is not None:
                    verdict = self.verdict_of(reader, at_ns)
                if with_quality and self.quality_of is not None:
                    quality = self.quality_of(reader, at_ns)
            finally:
                reader.close()
        except GilscopeError as error:
            verdict = Verdict("none", f"No verdict: {error}")
        if not worker.is_cancelled:
            took_ns = self.clock.now_ns() - started
            self.call_from_thread(self._show_verdict, verdict, took_ns)
            if with_quality:
                self.call_from_thread(self.dashboard.show_quality, quality, at_ns)

    def _show_verdict(self, verdict: Verdict | None, took_ns: int) -> None:
        self._judging = False
        # A long recording takes long to judge: at most a tenth of the time goes into it.
        self._verdict_due_ns = self.clock.now_ns() + max(VERDICT_NS, 10 * took_ns)
        if verdict is not None and verdict != self.dashboard.verdict:
            self.dashboard.verdict = verdict
            self.dashboard.redraw()

    # --- actions ---

    def action_help(self) -> None:
        """Keys, states and words."""
        self.push_screen(HelpScreen(key_list()))

    def action_type_line(self) -> None:
        """A line for the target's input."""
        if self.control is None or not self._target_runs:
            self.notify("Only a target that runs can be typed to.", severity="warning")
            return
        self.push_screen(InputScreen(), self._typed)

    def _typed(self, line: str | None) -> None:
        if line is not None and self.control is not None:
            self.control.send_input(line.encode("utf-8", "replace") + b"\n")

    def leave_for_another(self) -> None:
        """End at once, and the target with it: the user wants to watch another one."""
        if self.control is not None and self._target_runs:
            self.control.stop_target()
            self.outcome = "stopped"
        self.exit()

    def action_leave(self) -> None:
        """Quit; ask first while the target runs."""
        if not self._target_runs:
            self.exit()
            return
        self.push_screen(QuitScreen(), self._leave)

    def _leave(self, choice: QuitChoice | None) -> None:
        if self.control is None or choice not in ("stop", "leave"):
            return
        if not self._target_runs:
            self.exit()
            return
        if choice == "stop":
            self.outcome = "stopped"
            self.control.stop_target()
        else:
            self.outcome = "left-running"
            self.control.leave_running()
        self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: the same actions as the keys, and themes."""
        if screen is self.dashboard:
            for binding in BINDINGS:
                if isinstance(binding, Binding):
                    yield SystemCommand(
                        (binding.tooltip or binding.description).split(":")[0],
                        f"key {binding.key_display or binding.key}",
                        self._runner(binding.action),
                    )
        yield SystemCommand("Theme", "Change the colours of the screen", self.action_change_theme)

    def _runner(self, action: str) -> Callable[[], Any]:
        async def run() -> None:
            await self.dashboard.run_action(action)

        return run

"""The Textual app: opens the recording, runs the frames, and asks before it ends.

It only reads the recording. A live session is the same recording while it grows; what goes the other way,
to the target, goes through a `SessionControl`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual.app import SystemCommand
from textual.screen import Screen
from textual.timer import Timer

from gilscope.clock import Clock, MonotonicClock
from gilscope.errors import GilscopeError
from gilscope.model import NS_PER_MS, NS_PER_S, Mark
from gilscope.recording.marks import add_mark
from gilscope.recording.reader import RecordingReader
from gilscope.settings import Settings
from gilscope.signals import HANG_UPS
from gilscope.text import clean, clock_text
from gilscope.views import garbage
from gilscope.views.control import SessionControl
from gilscope.views.keymap import key as _key
from gilscope.views.notices import Notices
from gilscope.views.pace import OVER_SSH_PER_S, Pace
from gilscope.views.screens.dashboard import Dashboard
from gilscope.views.screens.detach import DetachScreen
from gilscope.views.screens.dialogs import InputScreen, MarksScreen, QuitChoice, QuitScreen
from gilscope.views.screens.functions import FlamesOf, FunctionsScreen
from gilscope.views.screens.help import help_for
from gilscope.views.screens.stalls import StallsScreen
from gilscope.views.screens.tables import SummaryOf, TableScreen
from gilscope.views.thinking import QualityOf, SpanOf, ThinkingApp, VerdictOf
from gilscope.views.viewing import Viewing
from gilscope.views.writing import outlive, waiting

UNDER_MODAL = 10
"""Under another screen only every so many frames are drawn."""
SESSION_NS = 250 * NS_PER_MS
"""How often the session's own description is read."""
OPEN_PATIENCE_NS = 10 * NS_PER_S
"""For so long a recording of a live session may be missing or unfinished before that is an error."""
LARGE_BYTES = 20_000_000
NOTE_MOST = 200
"""Characters of a mark's note."""
READ_PATIENCE = 30
"""So many reads in a row may fail before the app gives up."""

Outcome = Literal["stopped", "left-running", "ended"]


class GilscopeApp(ThinkingApp):
    """Shows a recording, live or finished. After `run`, `exit_error` and `outcome` tell how it ended."""

    CSS_PATH = "gilscope.tcss"
    TITLE = "gilscope"
    BINDINGS: ClassVar[list[Any]] = [
        _key("ctrl+c,ctrl+q", "leave", "Quit", name="app.quit", shown="ctrl c", priority=True)
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
        span_of: SpanOf | None = None,
        summary_of: SummaryOf | None = None,
        flames_of: FlamesOf | None = None,
        at_ns: int | None = None,
        speed: float = 1.0,
        budget_share: float | None = None,
        attached: bool = False,
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
            span_of: likewise, what a selected span comes to.
            summary_of: likewise, all figures up to a moment.
            flames_of: likewise, the functions that held a GIL.
            at_ns: where a replay begins; None: at its start.
            speed: how fast it plays.
            budget_share: how much of a core watching may take, for a word when it takes more.
            attached: the target was there before us: it is never stopped, and has no terminal of ours.
        """
        super().__init__(verdict_of, quality_of, span_of)
        self.path = path
        self.control = control
        self.clock: Clock = clock or MonotonicClock()
        self.at_ns, self.speed = at_ns, speed
        self.attached = attached
        self.summary_of = summary_of
        self.flames_of = flames_of
        self.exit_error: str | None = None
        """Why the app had to end, in words for the user."""
        self.outcome: Outcome = "ended"
        self.dashboard = Dashboard(
            title,
            live=control is not None,
            resize_output=control.resize_output if control and not attached else None,
        )
        self._reader: RecordingReader | None = None
        self._notices = Notices(budget_share)
        self._started_ns = self._last_ns = self._session_ns = self.clock.now_ns()
        self._frames = 0
        self.pace = Pace()
        self._timer: Timer | None = None
        self._failures = 0

    # --- life ---

    def on_mount(self) -> None:
        """Begin to draw."""
        self.push_screen(self.dashboard)
        self._begin_frames()
        self.call_after_refresh(garbage.settle)
        self.set_interval(garbage.LOOK_S, garbage.look)
        self.dashboard.pace = self.pace
        if not self.is_headless:
            self.call_after_refresh(lambda: outlive(self._driver))
            loop = asyncio.get_running_loop()
            for number in HANG_UPS:
                with contextlib.suppress(ValueError, RuntimeError):
                    loop.add_signal_handler(number, self._hung_up)

    def _begin_frames(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        rate = float(self.settings.frame_rate)
        if os.environ.get("SSH_CONNECTION"):
            rate = min(rate, OVER_SSH_PER_S)
        self.pace.most = self.pace.rate = rate
        self._timer = self.set_interval(1 / rate, self._frame)

    def settings_changed(self, before: Settings) -> None:
        """Another frame rate holds at once."""
        if self.settings.frame_rate != before.frame_rate and self._timer is not None:
            self._begin_frames()

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

    def fail(self, message: str) -> None:
        """End with an error, in words for the user."""
        self.exit_error = message
        self.exit()

    # --- frames ---

    def _frame(self) -> None:
        self._frames += 1
        if len(self.screen_stack) > 2 and self._frames % UNDER_MODAL:
            return
        now = self.clock.now_ns()
        if not self.is_headless and not self.pace.due(time.monotonic_ns(), waiting(self._driver)):
            return
        began_ns = time.thread_time_ns()
        passed, self._last_ns = now - self._last_ns, now
        try:
            self._look(now)
            self.dashboard.frame(passed)
            self._failures = 0
            self.pace.took(2 * (time.thread_time_ns() - began_ns))  # Textual paints what was made here
        except GilscopeError as error:
            self._failures += 1
            if self._failures == 1 and self.dashboard.viewing is not None:
                self.notify(
                    clean(str(error).replace("\n", " ")), title="Cannot read", severity="error", markup=False
                )
            if self._failures >= READ_PATIENCE:
                self.fail(str(error))

    def _look(self, now: int) -> None:
        """See how the session and the recording have moved on."""
        session = now - self._session_ns >= SESSION_NS
        viewing = self.dashboard.viewing
        if self.control and (session or viewing is None):
            status = self.control.status()
            if status.error is not None:
                self.fail(status.error)
                return
            self.dashboard.lost = not status.sampler_alive and viewing is not None and viewing.growing
        if session:
            self._session_ns = now
        if viewing is None:
            self._open(now)
        else:
            viewing.poll(session=session)
            if session and self.control is not None:
                self._tell_news(viewing, now)
            self.judge(now, viewing)
            self.sum_up(viewing)

    def _tell_news(self, viewing: Viewing, now: int) -> None:
        if self._reader is not None:
            for notice in self._notices.look(viewing.session, viewing.head_ns, self._reader, now):
                self.notify(notice.words, severity=notice.severity, timeout=6, markup=False)

    def _open(self, now: int) -> None:
        live = self.control is not None
        waited = now - self._started_ns
        try:
            if not self.path.exists():
                if not live:
                    self.fail(f"There is no recording {clean(str(self.path))}.")
                elif waited > OPEN_PATIENCE_NS:
                    self.fail(f"The sampler has written no recording in {waited // NS_PER_S} s: {self.path}")
                return
            # To check every page of a long recording takes a second: that is done while it is shown.
            large = self.path.stat().st_size > LARGE_BYTES
            self.unchecked = large and not live
            reader = RecordingReader(self.path, live=live, pages=not large)
            viewing = Viewing(reader)
            viewing.begin_with(cell_ns=self.settings.cell_ms * NS_PER_MS, fold=self.settings.fold)
        except GilscopeError as error:
            if not live or waited > OPEN_PATIENCE_NS:
                self.fail(str(error))
            return
        self._reader = reader
        if self.control is None:
            if large:
                self.run_worker(self.check_pages, thread=True, group="check", exit_on_error=False)
            viewing.begin_at(self.at_ns, self.speed)
        self.dashboard.viewing = viewing
        self.dashboard.redraw()

    # --- actions ---

    def action_help(self) -> None:
        """Keys, states and words."""
        self.push_screen(help_for(self.screen))

    def action_type_line(self) -> None:
        """A line for the target's input."""
        if self.control is None or not self._target_runs:
            self.notify("Only a target that runs can be typed to.", severity="warning")
            return
        if self.attached:
            self.notify("A process that gilscope did not start reads its own terminal.", severity="warning")
            return
        self.push_screen(InputScreen(), self._typed)

    def action_table(self, kind: str) -> None:
        """Threads or processes as a table, up to the position."""
        viewing = self.dashboard.viewing
        if viewing is not None and self.summary_of is not None:
            until_ns = lambda: viewing.playback.position_ns  # noqa: E731 - asked again and again
            self.push_screen(TableScreen(kind, self.path, until_ns, self.summary_of))

    def action_functions(self) -> None:
        """The functions that hold a GIL, up to the position."""
        viewing = self.dashboard.viewing
        if viewing is not None and self.flames_of is not None:
            until_ns = lambda: viewing.playback.position_ns  # noqa: E731 - asked again and again
            self.push_screen(FunctionsScreen(self.path, until_ns, self.flames_of))

    def action_stalls(self) -> None:
        """All stalls, to go to one."""
        if self.dashboard.viewing is not None:
            self.push_screen(StallsScreen(self.path, self._recorded_ns, self._go_to_stall))

    def _recorded_ns(self) -> int:
        viewing = self.dashboard.viewing
        return viewing.head_ns if viewing is not None else 0

    def _go_to_stall(self, start_ns: int, end_ns: int, words: str) -> None:
        self.dashboard.show_full(None)
        self.dashboard.jump_to(start_ns + 1)  # at its start nobody holds the GIL yet
        self.dashboard.select(start_ns, end_ns)
        self.dashboard.call_after_refresh(self.notify, words, title="Stall", timeout=15, markup=False)

    def action_mark(self) -> None:
        """Mark this moment, with a note."""
        viewing = self.dashboard.viewing
        if viewing is None:
            return
        at_ns = viewing.playback.position_ns

        def put(note: str | None) -> None:
            if note is not None:
                self._put_mark(Mark(at_ns=at_ns, text=note.strip()[:NOTE_MOST]))

        question = f"A note for the mark at {clock_text(at_ns)}. Enter sets it, escape does not."
        self.push_screen(InputScreen(question), put)

    def _put_mark(self, mark: Mark) -> None:
        """By the sampler while it writes the recording: two writers would wait for each other."""
        if self.control is not None and self._target_runs:
            self.control.put_mark(mark.at_ns, mark.text)
            return
        try:
            add_mark(self.path, mark)
        except GilscopeError as error:
            self.notify(clean(str(error)), title="No mark", severity="error", markup=False)
            return
        if self.dashboard.viewing is not None:
            self.dashboard.viewing.whole.poll()
            self.dashboard.redraw()

    def action_marks(self) -> None:
        """All marks, to go to one."""
        viewing = self.dashboard.viewing
        marks = viewing.whole.marks if viewing else ()
        if not marks:
            self.notify("There is no mark yet: m sets one", timeout=3)
            return
        self.push_screen(
            MarksScreen(marks), lambda at_ns: None if at_ns is None else self.dashboard.jump_to(at_ns)
        )

    def action_search(self) -> None:
        """Search the output."""
        question = "Search the output for. Enter goes to the next line with it, n and N to others."
        self.push_screen(InputScreen(question, self.sought), lambda text: self.search(text or "", 1))

    def action_found(self, direction: int) -> None:
        """The next or previous line that was searched for."""
        if self.sought:
            self.search(self.sought, direction)
        else:
            self.action_search()

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
        self.push_screen(DetachScreen() if self.attached else QuitScreen(), self._leave)

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
        yield from super().get_system_commands(screen)
        yield SystemCommand("Theme", "Change the colours of the screen", self.action_change_theme)

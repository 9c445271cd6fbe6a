"""What takes longer than a frame: verdicts, the figures of a span, a search.

Each runs in a thread, with a reader of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.worker import get_current_worker

from gilscope.clock import Clock
from gilscope.errors import GilscopeError
from gilscope.model import NS_PER_S, Quality, SpanReport, Verdict
from gilscope.recording.reader import RecordingReader
from gilscope.views.scope_app import ScopeApp
from gilscope.views.screens.dashboard import Dashboard
from gilscope.views.searching import Found, find_line
from gilscope.views.viewing import Viewing

VERDICT_NS = NS_PER_S
"""The first verdict on a program that runs is of its first second; the next are not less far apart."""
THINKING = 40
"""After a verdict, so many times as long as it took goes into other things."""
STALE = 4
"""But of a session that is still short, no verdict stands for more than a fourth of its time."""

VerdictOf = Callable[[RecordingReader, int], Verdict]
QualityOf = Callable[[RecordingReader, int], Quality]
SpanOf = Callable[[RecordingReader, int, int], SpanReport]


class ThinkingApp(ScopeApp):
    """The part of the app that works in threads."""

    path: Path
    clock: Clock
    dashboard: Dashboard

    def __init__(
        self, verdict_of: VerdictOf | None, quality_of: QualityOf | None, span_of: SpanOf | None
    ) -> None:
        super().__init__()
        self.verdict_of = verdict_of
        self.quality_of = quality_of
        self.span_of = span_of
        self.unchecked = False
        """The recording's pages are still to be checked, while it is shown."""
        self._damaged = False
        """They are not what they should be, and the app ends for that."""
        self.sought = ""
        """What was searched for last."""
        self._judging = False
        self._verdict_due_ns = 0
        self._verdict_head_ns = -1
        self._summing: tuple[int, int] | None = None
        """The span whose figures are made, or were made last."""

    def fail(self, message: str) -> None:
        """End with an error, in words for the user."""
        raise NotImplementedError

    def check_pages(self) -> None:
        """Check every page of the recording, in a thread."""
        wrong = self._damage()
        if not get_current_worker().is_cancelled:
            self.call_from_thread(self._checked, wrong)

    def _damage(self) -> str:
        """What is wrong with the recording; "" if nothing is."""
        try:
            RecordingReader(self.path).close()
        except GilscopeError as error:
            return str(error)
        return ""

    def _checked(self, wrong: str) -> None:
        self.unchecked = False
        if wrong:
            self.fail(wrong)

    def _handle_exception(self, error: Exception) -> None:
        """Of a recording that is not checked yet, rows of any type may be shown: is it that?"""
        if self._damaged:
            return  # one more frame of it, drawn on the way out
        wrong = self._damage() if self.unchecked else ""
        if not wrong:
            super()._handle_exception(error)
            return
        self.unchecked = False
        self._damaged = True
        self.fail(wrong)
        # What failed may be the loop that would have ended the app.
        self._close_messages_no_wait()

    # --- verdict ---

    def judge(self, now: int, viewing: Viewing) -> None:
        """Have the verdict on all that is recorded made anew, if there is more than at the last one."""
        if self._judging or (self.verdict_of is None and self.quality_of is None):
            return
        # Who asks for the quality for the first time need not wait for the next verdict.
        asked = self._wants_quality and self.dashboard.quality_at_ns < 0
        early = viewing.growing and viewing.head_ns < VERDICT_NS
        if (early or now < self._verdict_due_ns) and not asked:
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
            and dashboard.wants_quality
            and dashboard.quality_at_ns != self._verdict_head_ns
        )

    def _make_verdict(self) -> None:
        worker = get_current_worker()
        started, at_ns = self.clock.now_ns(), self._verdict_head_ns
        with_quality = self.dashboard.wants_quality
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
            # The verdict last: with it the next one may begin, which must not ask for this quality again.
            if with_quality:
                self.call_from_thread(self.dashboard.show_quality, quality, at_ns)
            self.call_from_thread(self._show_verdict, verdict, took_ns)

    def _show_verdict(self, verdict: Verdict | None, took_ns: int) -> None:
        self._judging = False
        # A long recording takes long to judge, and changes its verdict seldom.
        rest_ns = max(VERDICT_NS, min(THINKING * took_ns, self._verdict_head_ns // STALE))
        self._verdict_due_ns = self.clock.now_ns() + rest_ns
        if verdict is not None and verdict != self.dashboard.verdict:
            self.dashboard.verdict = verdict
            self.dashboard.redraw()

    # --- the selected span ---

    def sum_up(self, viewing: Viewing) -> None:
        """Have the figures of the selected span made, once it stays the same from one frame to the next."""
        span = viewing.whole.selection
        if span is None or span == self._summing or self.span_of is None:
            return
        self._summing = span
        self.run_worker(
            lambda: self._make_report(*span), thread=True, group="span", exclusive=True, exit_on_error=False
        )

    def _make_report(self, start_ns: int, end_ns: int) -> None:
        worker = get_current_worker()
        if self.span_of is None:
            return
        try:
            reader = RecordingReader(self.path, live=True)
            try:
                report = self.span_of(reader, start_ns, end_ns)
            finally:
                reader.close()
        except GilscopeError as error:
            report = SpanReport(start_ns, end_ns, Verdict("none", f"No figures: {error}"), ())
        if not worker.is_cancelled:
            self.call_from_thread(self._show_report, report)

    def _show_report(self, report: SpanReport) -> None:
        self.dashboard.report = report
        self.dashboard.redraw()

    # --- search ---

    def search(self, text: str, direction: int) -> None:
        """Go to the next (1) or previous (-1) line of output with this text in it."""
        viewing = self.dashboard.viewing
        if viewing is None or not text:
            return
        self.sought = self.dashboard.output.sought = text
        viewing.pause()
        at_ns = viewing.playback.position_ns
        self.run_worker(
            lambda: self._search(text, at_ns, direction),
            thread=True,
            group="search",
            exclusive=True,
            exit_on_error=False,
        )

    def _search(self, text: str, at_ns: int, direction: int) -> None:
        worker = get_current_worker()
        try:
            reader = RecordingReader(self.path, live=True)
            try:
                found = find_line(reader.output(), text, at_ns, direction, stop=lambda: worker.is_cancelled)
            finally:
                reader.close()
        except GilscopeError:
            found = Found(None, 0, 0)  # the frames say what is wrong with the recording
        if not worker.is_cancelled:
            self.call_from_thread(self._show_found, found, direction)

    def _show_found(self, found: Found, direction: int) -> None:
        if found.at_ns is None:
            side = "later" if direction > 0 else "earlier"
            there = f" ({found.total} in all)" if found.total else ""
            self.notify(f"No {side} line of output has “{self.sought}” in it{there}", timeout=3, markup=False)
        else:
            self.dashboard.jump_to(found.at_ns)
            viewing = self.dashboard.viewing
            at_ns = viewing.playback.position_ns if viewing else 0
            self.dashboard.output.found = (at_ns, f"{found.number}/{found.total}")
        self.dashboard.redraw()

"""The verdict while the target runs: on the last seconds, and steady enough to be read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gilscope.analysis.verdict import judge
from gilscope.analysis.verdict.thresholds import THRESHOLDS
from gilscope.model import NS_PER_S, Event, Verdict

TOO_SHORT = "too-short"


@dataclass(frozen=True, slots=True)
class LiveVerdict:
    """A fold of summaries, each of the last seconds: `live = live.after(at_ns, summary)`.

    The kind shown stays while its figures are no further than a slack on the wrong side of their limits, and
    its words follow the figures. Another kind takes its place once it has stood for a while.
    """

    shown: Verdict | None = None
    """What to show; None before the first summary."""
    rival: str | None = None
    """The kind that would take its place."""
    rival_since_ns: int = 0
    unfit_since_ns: int | None = None
    """Since when the kind shown does not fit any more; None while it does."""

    def after(
        self, at_ns: int, summary: Mapping[str, Any], events: Iterable[Event] = (), output: str = ""
    ) -> LiveVerdict:
        """The live verdict after one more summary.

        Args:
            at_ns: when its span ends; session time, never less than before.
            summary: of the last `THRESHOLDS.live_span_s` seconds.
            events: what happened until then.
            output: as `judge` takes it.
        """
        shown = self.shown
        found = judge(
            summary, events, output, stay=shown.kind if shown else None, slack=THRESHOLDS.live_slack
        )
        if shown is None or shown.kind in (TOO_SHORT, found.kind):
            return LiveVerdict(found)
        if found.kind == TOO_SHORT:
            return self  # a moment of which nothing is known says nothing against what is shown
        unfit_ns = at_ns if self.unfit_since_ns is None else self.unfit_since_ns
        since_ns = self.rival_since_ns if found.kind == self.rival else at_ns
        stood = at_ns - since_ns >= THRESHOLDS.live_settle_s * NS_PER_S
        given_up = at_ns - unfit_ns >= THRESHOLDS.live_give_up_s * NS_PER_S
        if stood or given_up:
            return LiveVerdict(found)
        return replace(self, rival=found.kind, rival_since_ns=since_ns, unfit_since_ns=unfit_ns)

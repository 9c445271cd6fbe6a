"""What the scrub bar shows of the whole session: utilisation, stalls, marks, the selected span."""

from __future__ import annotations

from typing import Protocol

from gilscope.model import NS_PER_S, Mark
from gilscope.views.overview import Overview

READ_NS = 400 * NS_PER_S
"""So much of the session, in sums by the second, is read at once: a long one fills in a few frames."""
READ_FINE_NS = 20 * NS_PER_S
"""Likewise by ticks."""


class FarPlaces(Protocol):
    """What is asked of a recording's `places`."""

    def counts(self) -> tuple[int, int]: ...  # noqa: D102
    def stall_spans(self) -> list[tuple[int, int]]: ...  # noqa: D102
    def utilisation(  # noqa: D102
        self, start_ns: int, end_ns: int, *, fine: bool
    ) -> list[tuple[int, int, float | None]]: ...


class FarView(Protocol):
    """What is asked of a recording; RecordingReader has it."""

    def marks(self) -> tuple[Mark, ...]: ...  # noqa: D102

    @property
    def places(self) -> FarPlaces: ...  # noqa: D102


class Whole:
    """The whole session from afar, as far as it is read."""

    def __init__(self, recording: FarView, head_ns: int, first_ns: int) -> None:
        self._recording = recording
        self._overview = Overview(head_ns)
        self._counts = (-1, -1)
        self._asked_ns = first_ns
        self.marks: tuple[Mark, ...] = ()
        self.stalls: list[tuple[int, int]] = []
        """Start and end of each."""
        self.selection: tuple[int, int] | None = None
        """The span that is selected."""
        self.begin_ns: int | None = None
        """Where a selection begins that has no end yet."""
        self.version = 0
        """Grows with whatever is to be drawn anew."""
        self.poll()

    def poll(self) -> None:
        """Learn of new stalls and marks."""
        counts = self._recording.places.counts()
        if counts != self._counts:
            if counts[0] != self._counts[0]:
                self.stalls = self._recording.places.stall_spans()
            if counts[1] != self._counts[1]:
                self.marks = self._recording.marks()
            self._counts = counts
            self.version += 1

    def select(self, span: tuple[int, int] | None) -> None:
        """Select a span, or none."""
        self.selection, self.begin_ns = span, None
        self.version += 1

    def begin(self, at_ns: int) -> None:
        """A selection begins here."""
        self.begin_ns = at_ns
        self.version += 1

    def fill(self, head_ns: int) -> bool:
        """Read on; whether there is more to read."""
        overview = self._overview
        fine = overview.fine
        step_ns = READ_FINE_NS if fine else READ_NS
        if head_ns - self._asked_ns < overview.bucket_ns // 4 and self._asked_ns:
            return False
        until_ns = min(head_ns, self._asked_ns + step_ns)
        rows = self._recording.places.utilisation(self._asked_ns, until_ns, fine=fine)
        before = overview.until_ns
        overview.add(rows)
        # Seconds come late, when they are over; what is not there yet is asked for again.
        self._asked_ns = until_ns if until_ns < head_ns else max(self._asked_ns, overview.until_ns)
        if overview.until_ns != before:
            self.version += 1
        return until_ns < head_ns

    def columns(self, count: int, first_ns: int, head_ns: int) -> list[float | None]:
        """The utilisation in each of `count` columns."""
        return self._overview.columns(count, first_ns, head_ns)

"""Where in the recording the app stands, and how it moves. Pure: time comes in as an argument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gilscope.model import NS_PER_MS

SPEEDS = (1.0, 0.1, 0.02, 0.005)
"""What slow motion goes through with one key."""
ALL_SPEEDS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
)  # fmt: skip
"""What slower and faster go through."""
SLOW_START_NS = 300 * NS_PER_MS
"""How far before the head slow motion starts in a live session, so that there is something to show."""


GLIDE_MOST_NS = 400 * NS_PER_MS
"""Further behind the head than this one does not follow: the picture jumps there."""
GLIDE_NS = 300 * NS_PER_MS
"""In about this time the distance to the head is mended."""


class Mode(Enum):
    """How the position moves."""

    FOLLOW = "follow"
    """It is the head of the recording."""
    PAUSED = "paused"
    PLAYING = "playing"
    """It moves on at `speed`."""


@dataclass(slots=True)
class Playback:
    """The position in the recording.

    In all methods `head_ns` is the newest recorded moment, `growing` whether more is to come.
    """

    mode: Mode = Mode.FOLLOW
    position_ns: int = 0
    speed: float = 1.0
    slowed_from_follow: bool = False
    """Slow motion began at the head, so full speed means to follow again."""
    _rest: float = 0.0
    """The part of a nanosecond that slow motion has still to move."""
    _head_ns: int = 0
    _head_step_ns: int = 0
    """By how much the head last moved at once: a tick, or some."""

    def advance(self, passed_ns: int, head_ns: int, *, growing: bool) -> None:
        """Let `passed_ns` of the viewer's time pass."""
        if self.mode is Mode.FOLLOW:
            self._glide(passed_ns, head_ns, growing=growing)
        elif self.mode is Mode.PLAYING:
            moved = passed_ns * self.speed + self._rest
            self._rest = moved - int(moved)
            self.position_ns += int(moved)
            if self.position_ns >= head_ns:
                self.position_ns = head_ns
                if not growing:
                    self.mode = Mode.PAUSED
                elif self.speed >= 1.0:
                    # Nothing is faster than what happens now.
                    self.mode = Mode.FOLLOW
                    self.speed = 1.0

    def _glide(self, passed_ns: int, head_ns: int, *, growing: bool) -> None:
        """Follow the head, which jumps from tick to tick, as evenly as time passes, a tick or two behind."""
        if head_ns != self._head_ns:
            self._head_ns, self._head_step_ns = head_ns, head_ns - self._head_ns
        behind_ns = head_ns - self.position_ns
        if not growing or not 0 <= behind_ns <= GLIDE_MOST_NS:
            self.position_ns = head_ns
            return
        # As far behind as the next jump of the head is away, and half as much for its delays.
        wanted_ns = min(3 * self._head_step_ns // 2, GLIDE_MOST_NS // 2)
        pace = max(0.0, 1.0 + (behind_ns - wanted_ns) / GLIDE_NS)
        self.position_ns = min(head_ns, self.position_ns + round(passed_ns * pace))

    def toggle(self, head_ns: int, *, growing: bool) -> None:
        """Pause, or go on from where it stands; at the end of a finished recording, from the start."""
        if self.mode is not Mode.PAUSED:
            self.mode = Mode.PAUSED
            return
        if self.position_ns >= head_ns:
            if growing:
                self.mode = Mode.FOLLOW
                return
            self.position_ns = 0
        self.mode = Mode.PLAYING

    def follow(self, head_ns: int, *, growing: bool) -> None:
        """Go to the head, at full speed, and stay there."""
        self.mode = Mode.FOLLOW if growing else Mode.PAUSED
        self.position_ns = head_ns
        self.speed = 1.0
        self.slowed_from_follow = False

    def seek(self, position_ns: int, head_ns: int) -> None:
        """Stand still at a moment, within what is recorded; a position that plays goes on from there."""
        self.position_ns = max(0, min(position_ns, head_ns))
        if self.mode is Mode.FOLLOW:
            self.mode = Mode.PAUSED

    def cycle_speed(self, head_ns: int, *, growing: bool) -> None:
        """The next slower speed, and after the slowest full speed again."""
        known = SPEEDS.index(self.speed) if self.speed in SPEEDS else 0
        self.speed = SPEEDS[(known + 1) % len(SPEEDS)]
        if self.speed == 1.0:
            if self.slowed_from_follow:
                self.follow(head_ns, growing=growing)
            return
        if self.position_ns > head_ns - SLOW_START_NS and self.mode is not Mode.PLAYING:
            self.slowed_from_follow = self.mode is Mode.FOLLOW
            self.position_ns = max(0, head_ns - SLOW_START_NS)
        self.mode = Mode.PLAYING

    def change_speed(self, steps: int, head_ns: int, *, growing: bool) -> None:
        """Slower (negative) or faster; who follows and goes slower falls behind from the head."""
        known = min(range(len(ALL_SPEEDS)), key=lambda number: abs(ALL_SPEEDS[number] - self.speed))
        if self.mode is Mode.FOLLOW:
            if steps > 0:
                return
            self.slowed_from_follow = True
            self.position_ns = max(0, head_ns - SLOW_START_NS)
            self.mode = Mode.PLAYING
        self.speed = ALL_SPEEDS[max(0, min(known + steps, len(ALL_SPEEDS) - 1))]
        if self.speed == 1.0 and self.slowed_from_follow:
            self.follow(head_ns, growing=growing)


def scroll_edge(edge: int, position: int, width: int, *, follow: bool) -> int:
    """The cell behind the last one on the screen, all in cells.

    Following, the position is the right edge. Else the picture stands still and the position moves in
    it, like the head of a video recorder; it is scrolled only as far as keeps the position in sight.
    """
    if follow or edge <= 0:
        return position
    return max(position, min(edge, position + width - 1))

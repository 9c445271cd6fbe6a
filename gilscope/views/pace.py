"""How often the picture is drawn: as often as the terminal takes it, at most so often as is asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gilscope.model import NS_PER_S

FRAMES_PER_S = 30.0
LEAST_PER_S = 2.0
OVER_SSH_PER_S = 15.0
"""A network keeps megabytes of pictures that nobody sees here, and keys wait behind them."""
SLOWER = 0.7
"""By this the rate falls when the last picture has not gone yet."""
LATE = 1.8
"""So many times as long as a picture stands, one may be on its way before the rate falls."""
RISE_PER_S = 8.0
"""By so many pictures a second it rises in a second without that."""
BUSY_MOST = 0.5
"""Of the time, drawing takes at most this part."""
_EARLY = 0.9
"""A timer's call a little before its time is in time: the next one would be late by a whole picture."""


@dataclass(slots=True)
class Pace:
    """The rate of pictures. Time comes in as an argument."""

    most: float = FRAMES_PER_S
    rate: float = 0.0
    """Pictures a second, now."""
    _drawn_ns: int | None = None
    _asked_ns: int = 0
    _cost_ns: float = 0.0

    def __post_init__(self) -> None:
        """Begin with what is asked for."""
        self.rate = self.rate or self.most

    def due(self, now_ns: int, waiting: int) -> bool:
        """Whether to draw a picture now.

        Args:
            now_ns: the time.
            waiting: writes that the terminal has not taken yet.
        """
        if self._drawn_ns is None:
            self._drawn_ns = self._asked_ns = now_ns
            return True
        passed_ns, since_ns = now_ns - self._asked_ns, now_ns - self._drawn_ns
        self._asked_ns = now_ns
        if since_ns < _EARLY * NS_PER_S / self._allowed():
            return False
        if waiting:
            # Late by more than a picture, it is slow and not only busy; and it is so once a picture.
            if since_ns * self._allowed() > LATE * NS_PER_S:
                self.rate = max(LEAST_PER_S, self.rate * SLOWER ** min(1.0, passed_ns * self.rate / NS_PER_S))
            return False
        self.rate = min(self.most, self.rate + RISE_PER_S * min(since_ns, NS_PER_S) / NS_PER_S)
        self._drawn_ns = now_ns
        return True

    def took(self, cost_ns: int) -> None:
        """What the last picture took to draw."""
        self._cost_ns += (cost_ns - self._cost_ns) / 8

    def _allowed(self) -> float:
        busy = BUSY_MOST * NS_PER_S / self._cost_ns if self._cost_ns > 0 else self.most
        return max(LEAST_PER_S, min(self.rate, busy))

    @property
    def words(self) -> str:
        """For the user: the rate, and what is asked for if that is more."""
        now = round(self._allowed())
        return f"{now} a second" if now >= round(self.most) else f"{now} of {round(self.most)} a second"

"""What the target writes to its terminal, taken as it comes, between samples."""

from __future__ import annotations

import select
import time
from collections.abc import Callable

from gilscope.launch.handle import TargetHandle
from gilscope.model import NS_PER_S, Output

READ_PER_TURN_BYTES = 1 << 18
"""How much is taken before the next look at the clock."""


class OutputTap:
    """The target's end of the terminal; without one there is nothing to take."""

    def __init__(
        self, target: TargetHandle, now_ns: Callable[[], int], monotonic_ns: Callable[[], int]
    ) -> None:
        """`now_ns` is session time, with which output is stamped."""
        self._target = target
        self._now_ns = now_ns
        self._monotonic_ns = monotonic_ns
        self._fd = target.output_fd
        self._end_ns: int | None = None
        self._taken: list[Output] = []
        self.is_open = self._fd is not None

    def wait_until(self, deadline_ns: int, now_ns: int) -> None:
        """Wait until a moment of the monotonic clock; take what comes meanwhile."""
        while self._fd is not None and self.is_open:
            readable, _, _ = select.select([self._fd], [], [], max(0, deadline_ns - now_ns) / NS_PER_S)
            if readable:
                self.take_some()
            now_ns = self._monotonic_ns()
            if now_ns >= deadline_ns:
                return
        # Closed meanwhile: whoever waits must still wait, or deadlines run far ahead of the time.
        if deadline_ns > now_ns:
            time.sleep((deadline_ns - now_ns) / NS_PER_S)

    def take_some(self) -> bool:
        """Take what is there now; False when that is nothing."""
        data = self._target.read_output(READ_PER_TURN_BYTES) if self.is_open else None
        if data is None:
            self.is_open = False
        elif data:
            at_ns = self._now_ns() if self._end_ns is None else self._end_ns
            self._taken.append(Output(at_ns=at_ns, data=data))
        return bool(data)

    def take_rest(self, end_ns: int) -> None:
        """Take all that is there, without waiting for more: the session ends then, and nothing later."""
        self._end_ns = end_ns
        while self.take_some():
            pass

    def collect(self) -> list[Output]:
        """What was taken since the last call."""
        taken, self._taken = self._taken, []
        return taken

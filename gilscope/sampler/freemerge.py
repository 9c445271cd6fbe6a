"""Pure: what sweeps see of threads that share no GIL → their states, and the spans in which the world stood.

Without a GIL nobody holds one, so that samples say nothing of a thread. Whether it executes Python is written
in its own state, which sweeps read; how long it was on a CPU the kernel counts. No clock, no reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gilscope.model import StateTimes
from gilscope.sampler.merge import GAP_NS, TOLERANCE_NS, LaneReading


@dataclass(slots=True)
class AttachedSweeps:
    """What sweeps saw of one thread; older ticks count half as much as the one after them."""

    attached: float = 0.0
    """On a CPU, executing Python."""
    detached: float = 0.0
    """On a CPU in C code, or in a thread that Python does not know."""
    stopped: int = 0
    """In this tick: off the CPU, kept from going on with Python."""
    was_attached: bool = False
    """At the last sweep that did not see it suspended."""
    owed_ns: int = 0
    """CPU time that its tick had no room for: it is read a little after the tick's end."""

    def see(self, *, on_cpu: bool, attached: bool, suspended: bool) -> None:
        """Add a sweep.

        A sleeper is suspended with all others while the world stands, and misses nothing; one that executed
        Python until then waits to go on.
        """
        if not suspended:
            self.was_attached = attached
        if on_cpu:
            self.attached += attached
            self.detached += not attached
        elif suspended and self.was_attached:
            self.stopped += 1

    def end_tick(self) -> None:
        """Begin with the next tick."""
        self.attached /= 2
        self.detached /= 2
        self.stopped = 0


def merge_free(reading: LaneReading, sweeps: AttachedSweeps) -> StateTimes:
    """Nanoseconds per state of a thread without a GIL in a tick; they sum to the lane's length.

    Running and native share the kernel's exact CPU time as sweeps found the thread attached or not; CPU time
    of a thread that no sweep ever met on a CPU is unknown. Off the CPU the kernel's word counts: nobody holds
    anything, so a thread is ready or blocked, or it waits for the world to go on.

    Args:
        reading: of the tick. A GIL that was on for a part of it is in `held_ns`.
        sweeps: of the same thread; what the tick has no room for is carried on in it.
    """
    length = max(0, reading.length_ns)
    asleep = reading.cpu_ns == 0 and reading.asleep_sweeps and not reading.on_cpu_sweeps
    unknown = 0 if asleep else max(0, length - max(0, reading.watched_ns))
    room = length - unknown
    limit = length + max(0, reading.sweep_error_ns) + TOLERANCE_NS
    used = sweeps.owed_ns
    if length:
        used += round(max(0, min(reading.cpu_ns, limit)) * (room / length))
    cpu = min(used, room)
    sweeps.owed_ns = min(used - cpu, TOLERANCE_NS + abs(reading.sweep_error_ns))
    met = sweeps.attached + sweeps.detached
    running = round(cpu * sweeps.attached / met) if met else 0
    running = max(running, min(max(0, reading.held_ns), cpu))
    native = cpu - running if met else 0
    unknown += cpu - running - native
    rest = room - cpu
    ready = min(max(0, reading.queue_ns), rest)
    rest -= ready
    waiting = hidden = 0
    off_cpu = reading.waiting_sweeps + reading.asleep_sweeps + reading.unreadable_sweeps
    if off_cpu:
        waits = min(off_cpu, reading.waiting_sweeps + sweeps.stopped)
        waiting = rest * waits // off_cpu
        hidden = rest * min(reading.unreadable_sweeps, off_cpu - waits) // off_cpu
    return (running, 0, waiting, native, ready, rest - waiting - hidden, unknown + hidden)


class Stop(NamedTuple):
    """A span in which the world stood: nearly all threads were kept from executing Python."""

    start_ns: int
    end_ns: int
    most_ns: int
    """From the sweep before it to the one after it: it cannot have lasted longer."""
    threads: int
    """The most that were suspended at once."""


class StoppedWorld:
    """Makes one span of sweeps in a row that see suspended threads."""

    def __init__(self) -> None:
        self._seen_ns: int | None = None
        """The last sweep."""
        self._before_ns = 0
        """The last sweep before the span that goes on."""
        self._start_ns: int | None = None
        self._threads = 0

    def see(self, at_ns: int, suspended: int) -> Stop | None:
        """Add a sweep that found so many suspended; the span that it ends, if it ends one.

        Both ends are taken to be half-way between the sweeps that differ.
        """
        last_ns = self._seen_ns
        near = last_ns is not None and at_ns - last_ns <= GAP_NS
        ended = self.end(at_ns) if not suspended or not near else None
        if suspended:
            if self._start_ns is None:
                self._before_ns = last_ns if near and last_ns is not None else at_ns
                self._start_ns = (at_ns + self._before_ns) // 2
            self._threads = max(self._threads, suspended)
        self._seen_ns = at_ns
        return ended

    def end(self, at_ns: int) -> Stop | None:
        """No more is seen from `at_ns` on; the span that went on, if one did."""
        start_ns, last_ns = self._start_ns, self._seen_ns
        if start_ns is None or last_ns is None:
            return None
        # After a gap in the sweeps it is known only until the last one of them.
        end_ns = (last_ns + at_ns) // 2 if at_ns - last_ns <= GAP_NS else last_ns
        stop = Stop(start_ns, end_ns, max(at_ns, end_ns) - self._before_ns, self._threads)
        self._start_ns, self._threads = None, 0
        return stop

"""Where threads are while they wait for the GIL: py-spy looks at random moments, and our own looks prove it.

py-spy does not know who waits. It needs some 30 ms to start and reads all threads within the last one or two
of them: meanwhile the kernel is asked each millisecond who is in the futex of a GIL. A thread that was in it
before, during and after the reading executed nothing, so that its stack is where it waits. Others count for
nothing. (So waits of less than a few milliseconds are seen more rarely than longer ones of the same thread.)
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gilscope.model import NS_PER_MS, LaneTick, State, WaitingStack
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources.pyspy import PySpy
from gilscope.sources.pyspy_results import Snapshot

FIRST_LOOKS = 3
"""So many follow each other faster, so that a short session has some."""
FIRST_SHARE, COST_SHARE = 0.03, 0.005
"""The first looks, and those after them, may take this part of a core on average."""
START_COST_NS, COST_PER_THREAD_NS = 20 * NS_PER_MS, 400_000
"""What a look takes, before there was one: py-spy reads all threads of a process."""
FIRST_PAUSE_NS = 500 * NS_PER_MS
RETRY_NS = 100 * NS_PER_MS
"""Where nobody waits, it is asked again so soon whether somebody does."""
LEAST_WAITING_NS = 5 * NS_PER_MS
"""Of a process that waited for less since the last tick's end there is nothing to see."""
LOOK_NS = NS_PER_MS
LOOK_SHARE = 0.1
"""Our own looks at the threads take this part of the time at most."""
READING_NS, READING_PER_THREAD_NS = 1_500_000, 30_000
"""How long before its first output py-spy may have begun to read the threads."""


@dataclass(slots=True)
class _Asked:
    """py-spy was asked, and what was seen meanwhile."""

    watch: ProcessWatch
    start_ns: int
    looks: list[tuple[int, frozenset[int]]] = field(default_factory=list)
    """Moments, and the tids that waited then."""
    read_ns: int | None = None
    """When py-spy was seen to have read all that it wanted."""

    def waiting(self) -> frozenset[int]:
        """Those that waited as long as py-spy may have been reading."""
        if self.read_ns is None:
            return frozenset()
        threads = len(self.watch.tasks.tasks)
        since_ns = self.read_ns - READING_NS - threads * READING_PER_THREAD_NS
        if not self.looks or self.looks[0][0] > since_ns:
            return frozenset()
        before = max(at_ns for at_ns, _ in self.looks if at_ns <= since_ns)
        return frozenset.intersection(*(tids for at_ns, tids in self.looks if at_ns >= before))


class WaiterLooks:
    """Asks py-spy where threads wait, of the process that waits most, at random moments."""

    def __init__(self, pyspy: PySpy, chance: random.Random | None = None) -> None:
        self._pyspy = pyspy
        self._chance = chance or random.Random()  # noqa: S311 - no secret
        self._asked: _Asked | None = None
        self._waiting_ns: dict[int, int] = {}
        """By pid: how long its threads waited in the ticks since it was asked last."""
        self._next_ns: int | None = None
        self._begun_ns = 0
        self._looks = 0
        self._cost_ns = 0
        self.due_ns: int | None = None
        """When to look at the threads, while py-spy is on its way to them."""
        self.samples: list[WaitingStack] = []
        """To be written."""

    def note(self, pid: int, lanes: Iterable[LaneTick]) -> None:
        """A tick of a process has ended."""
        waiting_ns = sum(lane.states[State.WAITING] for lane in lanes)
        if waiting_ns:
            self._waiting_ns[pid] = self._waiting_ns.get(pid, 0) + waiting_ns

    def step(self, watches: Iterable[ProcessWatch], now_ns: int) -> None:
        """Ask if that is due, and somebody waits."""
        if self._next_ns is None:
            self._begun_ns, self._next_ns = now_ns, now_ns + self._some(FIRST_PAUSE_NS)
        if self._asked is not None or now_ns < self._next_ns or not self._pyspy.usable:
            return
        # A stall's culprit goes first: each start of py-spy makes another one slower.
        found = [watch for watch in watches if watch.can_sample and not self._pyspy.snapshots(watch.pid)]
        most = max(found, key=lambda watch: self._waiting_ns.get(watch.pid, 0), default=None)
        if most is None or self._waiting_ns.get(most.pid, 0) < LEAST_WAITING_NS:
            self._waiting_ns.clear()
            self._next_ns = now_ns + self._some(RETRY_NS)
            return
        likely_ns = self._cost_ns or START_COST_NS + len(most.tasks.tasks) * COST_PER_THREAD_NS
        if not self._looks and likely_ns > FIRST_SHARE * (now_ns - self._begun_ns):
            return
        del self._waiting_ns[most.pid]
        if self._pyspy.snapshot(most.pid, now_ns, waiters=True) is None:
            self._asked, self.due_ns = _Asked(most, now_ns), now_ns + LOOK_NS
        self._looks += 1
        share = FIRST_SHARE if self._looks < FIRST_LOOKS else COST_SHARE
        self._next_ns = now_ns + self._some(max(FIRST_PAUSE_NS, round(likely_ns / share)))

    def _some(self, mean_ns: int) -> int:
        """A time about so long: what the target does at regular times is not to be met each time."""
        return round(mean_ns * self._chance.uniform(0.5, 1.5))

    def look(self, now_ns: int) -> None:
        """Look who waits now, and whether py-spy has read the threads."""
        asked = self._asked
        if asked is None:
            self.due_ns = None
            return
        began_ns = time.monotonic_ns()
        spans = [(gil.gil.key, *gil.probe.cond_span) for gil in asked.watch.gils]
        asked.looks.append((now_ns, frozenset(asked.watch.tasks.waiters(spans))))
        took_ns = time.monotonic_ns() - began_ns
        self.due_ns = now_ns + max(LOOK_NS, round(took_ns / LOOK_SHARE))
        if self._pyspy.has_written(asked.watch.pid):
            asked.read_ns, self.due_ns = now_ns, None

    def take(self, snapshot: Snapshot, lane_of: Callable[[int, int], int | None]) -> None:
        """py-spy's answer."""
        asked, self._asked, self.due_ns = self._asked, None, None
        self._cost_ns = snapshot.cpu_ns
        if asked is None or asked.start_ns != snapshot.start_ns:
            return
        for tid in asked.waiting():
            thread, lane = snapshot.threads.get(tid), lane_of(snapshot.pid, tid)
            if thread is not None and thread.frames and not thread.owns_gil and lane is not None:
                at_ns = asked.start_ns if asked.read_ns is None else asked.read_ns
                self.samples.append(WaitingStack(lane=lane, at_ns=at_ns, frames=thread.frames))

"""When to ask py-spy for what, and what its answers mean for the recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gilscope.model import NS_PER_MS, NS_PER_S, Gap, StackSample
from gilscope.sampler.waiters import WaiterLooks
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources import processes
from gilscope.sources.pyspy import PySpy
from gilscope.sources.pyspy_results import Names, PySpyFailure, Result, Snapshot, Stacks

NAMES_AFTER_NS = 100 * NS_PER_MS
"""A new thread gets so long to be given its name before py-spy is asked."""
NAMES_COST_SHARE = 0.01
"""Asking for names may take this part of a core."""
NAMES_PAUSE_FIRST_NS = 500 * NS_PER_MS
NAMES_PAUSE_LAST_NS = 30 * NS_PER_S
"""Threads that are not Python's never get a name: ask ever more rarely."""


NAMES_AT_ONCE = 64


def names_its_threads(python: str | None) -> bool:
    """Whether a Python of this version gives the kernel the names of its threads: 3.14 and later."""
    words = (python or "").split(".")
    return (
        len(words) > 1
        and all(word.isdecimal() for word in words[:2])
        and ((int(words[0]), int(words[1])) >= (3, 14))
    )


class StackCollector:
    """Keeps py-spy busy for the processes of a session, and its answers in the session's terms."""

    def __init__(self, pyspy: PySpy) -> None:
        self.pyspy = pyspy
        self.disagreements = 0
        self.gaps: list[Gap] = []
        self.samples: list[StackSample] = []
        self.waiters = WaiterLooks(pyspy)
        self.snapshots: list[Snapshot] = []
        """For whoever asked for them."""
        self._unnamed: dict[int, int] = {}
        self._ask_at_ns: dict[int, int] = {}
        self._pause_ns: dict[int, int] = {}
        self._record_at_ns = 0
        self._held_since_record: set[tuple[int, int]] = set()
        self._busy_ticks: dict[int, int] = {}

    def note_holders(self, pid: int, tids: Sequence[int]) -> None:
        """These threads were seen by the probe to hold the GIL: py-spy may name them too."""
        if tids:
            self._held_since_record.update((pid, tid) for tid in tids)
            self._busy_ticks[pid] = self._busy_ticks.get(pid, 0) + 1

    def step(
        self, watches: Sequence[ProcessWatch], lane_of: Callable[[int, int], int | None], now_ns: int,
        *, stacks: bool,
    ) -> None:  # fmt: skip
        """Take what has finished and begin what is due.

        Args:
            watches: the processes; the first one is the target's own.
            lane_of: the lane of (pid, tid), also of one that has ended.
            now_ns: session time.
            stacks: whether the budget allows records.
        """
        by_pid = {watch.pid: watch for watch in watches}
        for result in self.pyspy.poll(now_ns):
            self.take(result, by_pid, lane_of, now_ns)
        if not self.pyspy.usable:
            return
        for watch in watches:
            if watch.can_sample:
                self._ask_for_names(watch, now_ns)
        if stacks:
            self.waiters.step(watches, now_ns)
        if stacks and watches and not self.pyspy.recording and now_ns >= self._record_at_ns:
            readable = [watch for watch in watches if watch.can_sample]
            if readable:
                # One process at a time, the one that held its GIL most since it was looked at: py-spy's
                # own way through a whole tree costs several percent of a core with five processes.
                pid = max(readable, key=lambda watch: self._busy_ticks.get(watch.pid, 0)).pid
                self._busy_ticks.pop(pid, None)
                self._held_since_record.clear()
                self._failed(self.pyspy.record(pid, now_ns), now_ns)

    def _ask_for_names(self, watch: ProcessWatch, now_ns: int) -> None:
        if watch.lanes.unnamed and names_its_threads(watch.process.python):
            watch.lanes.rename(processes.thread_names(watch.pid, watch.lanes.some_unnamed(NAMES_AT_ONCE)))
        unnamed, pid = watch.lanes.unnamed, watch.pid
        if not unnamed:
            self._unnamed[pid] = 0
            self._pause_ns[pid] = NAMES_PAUSE_FIRST_NS
            return
        if unnamed > self._unnamed.get(pid, 0):
            self._pause_ns[pid] = NAMES_PAUSE_FIRST_NS
            self._ask_at_ns[pid] = max(self._ask_at_ns.get(pid, 0), now_ns + NAMES_AFTER_NS)
        self._unnamed[pid] = unnamed
        if now_ns >= self._ask_at_ns.get(pid, 0) and not self.pyspy.dumping(pid):
            self._failed(self.pyspy.dump(pid, now_ns), now_ns)
            self._ask_at_ns[pid] = now_ns + self._pause_ns[pid]
            self._pause_ns[pid] = min(NAMES_PAUSE_LAST_NS, self._pause_ns[pid] * 2)

    def take(
        self,
        result: Result,
        by_pid: Mapping[int, ProcessWatch],
        lane_of: Callable[[int, int], int | None],
        now_ns: int,
    ) -> None:
        """Turn one answer of py-spy into names, stack samples, a gap."""
        if isinstance(result, PySpyFailure):
            self._failed(result, now_ns)
        elif isinstance(result, Names):
            watch = by_pid.get(result.pid)
            if watch is not None:
                if not watch.tasks.whole:
                    watch.lanes.rename(result.names)
                    # Threads of C libraries are unknown to Python; some give the kernel a name.
                    unnamed = watch.lanes.some_unnamed(NAMES_AT_ONCE)
                    watch.lanes.rename(processes.thread_names(watch.pid, unnamed))
                pause_ns = round(result.cpu_ns / NAMES_COST_SHARE)
                self._ask_at_ns[result.pid] = max(self._ask_at_ns.get(result.pid, 0), now_ns + pause_ns)
            self._take_stacks(result.stacks, by_pid, lane_of)
        elif isinstance(result, Stacks):
            self._take_stacks(result, by_pid, lane_of)
        elif isinstance(result, Snapshot) and result.waiters:
            self.waiters.take(result, lane_of)
        elif isinstance(result, Snapshot):
            self.snapshots.append(result)

    def _take_stacks(
        self,
        result: Stacks,
        by_pid: Mapping[int, ProcessWatch],
        lane_of: Callable[[int, int], int | None],
    ) -> None:
        for stack in result.stacks:
            if stack.name and stack.pid in by_pid:
                by_pid[stack.pid].lanes.rename({stack.tid: stack.name})
            lane = lane_of(stack.pid, stack.tid)
            if (stack.pid, stack.tid) not in self._held_since_record:
                self.disagreements += stack.count
            if lane is not None:
                self.samples.append(
                    StackSample(
                        lane=lane,
                        start_ns=result.start_ns,
                        end_ns=result.end_ns,
                        count=stack.count,
                        frames=stack.frames,
                    )
                )

    def _failed(self, failure: PySpyFailure | None, now_ns: int) -> None:
        if failure is None:
            return
        self._record_at_ns = now_ns + NS_PER_S
        self.gaps.append(
            Gap(
                source="py-spy",
                pid=failure.pid,
                reason=failure.reason + ("; not tried again" if failure.final else ""),
                start_ns=failure.start_ns,
                end_ns=now_ns,
            )
        )

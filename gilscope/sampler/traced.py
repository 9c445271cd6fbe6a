"""A session whose GILs py-spy reads: traces one after the other, and ticks that wait for them.

A trace tells who held the GIL only when it has ended, so a tick is written a second or so after it was. A
reader of the recording sees nothing of that but a head that lies a little further back.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gilscope.errors import CannotObserveError
from gilscope.model import NS_PER_MS, NS_PER_S, Gap, Hold, StackSample, Tick
from gilscope.sampler.gilwatch import ProcessPart
from gilscope.sampler.merge import UNKNOWN_HOLDER
from gilscope.sampler.stacks import StackCollector
from gilscope.sampler.tracedwatch import Counts, TracedPart, TracedWatch
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources.pyspy import PySpy
from gilscope.sources.pyspy_results import Result, Trace

TRACE_S = 1
"""The shortest that py-spy takes: what is seen of a turn-taking is the sum of so long."""
OVERLAP_NS = 250 * NS_PER_MS
"""The next trace begins before one ends: its start takes a while, and py-spy's own end is not exact."""
PROCESSES_MAX = 4
"""Each traced process costs a few percent of a core."""
RETRY_NS = NS_PER_S
PROVE_S = 10.0
PROVE_STEP_S = 0.005
TOO_MANY = f"py-spy is asked for {PROCESSES_MAX} processes at once, which is as much as is light"

LaneOf = Callable[[int, int], int | None]


@dataclass(slots=True)
class _Waiting:
    """A tick that is not written yet."""

    tick: Tick
    parts: list[tuple[TracedWatch, TracedPart]]


class Traces(StackCollector):
    """py-spy as the source of holders, and of names and stacks as well."""

    def __init__(self, pyspy: PySpy, rate_hz: float) -> None:
        """`rate_hz`: samples a second."""
        super().__init__(pyspy)
        self.rate_hz = max(1, round(rate_hz))
        self.samples_taken = 0
        self.samples_asked = 0
        self._origin_ns = 0
        self._waiting: list[_Waiting] = []
        self._counts: list[tuple[TracedWatch, Counts]] = []
        """What came for ticks that have not ended yet."""
        self._watches: dict[int, TracedWatch] = {}
        """By pid: processes with a trace that is under way or to be read, also when they have ended."""
        self._left_out: dict[int, int] = {}
        """By pid: since when it is not traced, there being so many."""
        self._failing: dict[int, tuple[int, str]] = {}
        """By pid: since when py-spy fails, and why."""

    def prove(self, root: ProcessWatch, command: str, alive: Callable[[], bool], *, started: bool) -> None:
        """Begin to trace the target, and wait until py-spy samples it.

        Args:
            root: its process.
            command: the user's words for it.
            alive: whether it still runs.
            started: its program runs already, perhaps on the way through a script to its interpreter, so
                that an early failure may be none.

        Raises:
            CannotObserveError: py-spy cannot read it.
        """
        deadline = time.monotonic() + PROVE_S
        reason = f"it said nothing for {PROVE_S:.0f} s"
        while time.monotonic() < deadline:
            begun = self.pyspy.traces(root.pid)
            if any(at_ns is not None for at_ns in begun) or not alive():
                # The threads of a version whose ids py-spy does not know are found while they live.
                self.pyspy.dump(root.pid, 0)
                if begun and isinstance(root, TracedWatch):
                    root.found_gil()
                return
            if not begun:
                failure = self.pyspy.trace(root.pid, 0, rate_hz=self.rate_hz, seconds=TRACE_S)
                if failure is not None:
                    raise CannotObserveError(_why_not(command, failure.reason))
                self._follow(root)
            time.sleep(PROVE_STEP_S)
            for result in self.pyspy.poll(0):
                if isinstance(result, Trace) and result.failure is not None:
                    reason = result.failure
                    if not started:
                        raise CannotObserveError(_why_not(command, reason))
        raise CannotObserveError(_why_not(command, reason))

    def _follow(self, watch: ProcessWatch) -> None:
        if isinstance(watch, TracedWatch):
            self._watches[watch.pid] = watch

    def begin(self, origin_ns: int) -> None:
        """Session time is zero when the monotonic clock shows `origin_ns`."""
        self._origin_ns = origin_ns

    def step(
        self,
        watches: Sequence[ProcessWatch],
        lane_of: LaneOf,
        now_ns: int,
        *,
        stacks: bool,  # noqa: ARG002 - traces bring them
    ) -> None:
        """Take what has finished and begin what is due."""
        super().step(watches, lane_of, now_ns, stacks=False)
        traced = [watch for watch in watches if isinstance(watch, TracedWatch) and watch.can_sample]
        for watch in traced[:PROCESSES_MAX]:
            self._close_gap(self._left_out.pop(watch.pid, None), watch.pid, TOO_MANY, now_ns)
            self._trace_if_due(watch, now_ns)
        for watch in traced[PROCESSES_MAX:]:
            self._left_out.setdefault(watch.pid, now_ns)

    def _trace_if_due(self, watch: TracedWatch, now_ns: int) -> None:
        begun = self.pyspy.traces(watch.pid)
        if begun and begun[0] is not None:
            watch.found_gil()
        due_ns = TRACE_S * NS_PER_S - OVERLAP_NS
        going_on = [at_ns for at_ns in begun if at_ns is None or self._origin_ns + now_ns - at_ns < due_ns]
        if going_on or now_ns < watch.retry_ns:
            return
        self._follow(watch)
        watch.retry_ns = now_ns + OVERLAP_NS
        self._failed(self.pyspy.trace(watch.pid, now_ns, rate_hz=self.rate_hz, seconds=TRACE_S), now_ns)

    def take(self, result: Result, by_pid: Mapping[int, ProcessWatch], lane_of: LaneOf, now_ns: int) -> None:
        """Take one answer of py-spy."""
        if isinstance(result, Trace):
            self._take_trace(result, lane_of, now_ns)
            return
        super().take(result, by_pid, lane_of, now_ns)
        self.disagreements = 0  # there is no other source to disagree with

    def _take_trace(self, trace: Trace, lane_of: LaneOf, now_ns: int) -> None:
        watch = self._watches.get(trace.pid)
        if watch is None:
            return
        start_ns, end_ns = trace.start_ns - self._origin_ns, trace.end_ns - self._origin_ns
        if trace.failure is not None:
            watch.retry_ns = now_ns + RETRY_NS
            if not watch.has_ended():
                self._failing.setdefault(trace.pid, (max(0, min(start_ns, now_ns)), trace.failure))
            return
        since_ns, reason = self._failing.pop(trace.pid, (None, ""))
        self._close_gap(since_ns, trace.pid, reason, start_ns)
        if trace.samples <= 0 or end_ns <= start_ns:
            return
        watch.found_gil()
        self.samples_taken += trace.samples
        self.samples_asked += round((end_ns - start_ns) / NS_PER_S * self.rate_hz)
        held: dict[int, int] = {}
        for stack in trace.stacks:
            held[stack.tid] = held.get(stack.tid, 0) + stack.count
            watch.tasks.wake(stack.tid)
            if stack.name and not watch.tasks.whole:
                watch.lanes.rename({stack.tid: stack.name})
            lane = watch.lanes.key_of(stack.tid) or lane_of(stack.pid, stack.tid)
            if lane is not None and stack.frames:
                self.samples.append(
                    StackSample(
                        lane=lane,
                        start_ns=max(0, start_ns),
                        end_ns=max(0, end_ns),
                        count=stack.count,
                        frames=stack.frames,
                    )
                )
        unnamed = trace.held_samples - sum(held.values())
        if unnamed > 0:
            held[UNKNOWN_HOLDER] = unnamed
        counts = Counts(held=held, samples=trace.samples, start_ns=start_ns, end_ns=end_ns)
        self._counts.append((watch, counts))

    def _close_gap(self, since_ns: int | None, pid: int, reason: str, end_ns: int) -> None:
        if since_ns is not None and end_ns > since_ns:
            self.gaps.append(Gap(source="py-spy", pid=pid, reason=reason, start_ns=since_ns, end_ns=end_ns))

    def hold_back(
        self, tick: Tick, watches: Sequence[ProcessWatch], parts: Sequence[ProcessPart]
    ) -> list[tuple[Tick, list[Hold]]]:
        """Keep a tick whose holders are not known yet; those of earlier ticks that are known by now."""
        pairs = [
            (watch, part)
            for watch, part in zip(watches, parts, strict=True)
            if isinstance(watch, TracedWatch) and isinstance(part, TracedPart)
        ]
        self._waiting.append(_Waiting(tick, pairs))
        self._apply(tick.end_ns)
        done = 0
        while done < len(self._waiting) and self._is_known(self._waiting[done]):
            done += 1
        return self._release(done)

    def flush(self, end_ns: int) -> list[tuple[Tick, list[Hold]]]:
        """All ticks that are left: nothing more will come. The session ends at `end_ns`."""
        for pid, (since_ns, reason) in self._failing.items():
            self._close_gap(since_ns, pid, reason, end_ns)
        for pid, since_ns in self._left_out.items():
            self._close_gap(since_ns, pid, TOO_MANY, end_ns)
        self._apply(1 << 62)
        return self._release(len(self._waiting))

    def _apply(self, until_ns: int) -> None:
        """Tell the ticks of all traces that end by then: all their ticks have come."""
        counts, self._counts = self._counts, []
        for watch, found in sorted(counts, key=lambda pair: pair[1].end_ns):
            if found.end_ns > until_ns:
                self._counts.append((watch, found))
                continue
            parts = [part for waiting in self._waiting for other, part in waiting.parts if other is watch]
            watch.apply(found, parts)

    def _is_known(self, waiting: _Waiting) -> bool:
        return not any(
            part.python and watch.covered_ns < part.end_ns and self._is_awaited(watch, part)
            for watch, part in waiting.parts
        )

    def _is_awaited(self, watch: TracedWatch, part: TracedPart) -> bool:
        """Whether a trace that is under way, or not applied yet, may tell of this part."""
        if any(other is watch for other, _ in self._counts):
            return True
        return any(
            at_ns is None or at_ns - self._origin_ns < part.end_ns for at_ns in self.pyspy.traces(watch.pid)
        )

    def _release(self, count: int) -> list[tuple[Tick, list[Hold]]]:
        known, self._waiting = self._waiting[:count], self._waiting[count:]
        for waiting in known:
            for watch, part in waiting.parts:
                watch.complete(part)
        return [
            (
                replace(
                    waiting.tick,
                    gils=tuple(gil for _, part in waiting.parts for gil in part.gils),
                    lanes=tuple(lane for _, part in waiting.parts for lane in part.lanes),
                ),
                [],
            )
            for waiting in known
        ]


def _why_not(command: str, reason: str) -> str:
    advice = "Run gilscope as the same user, or as root; py-spy reads CPython 2.7 and 3.3 or later."
    if "not installed" in reason:
        advice = "Install it beside gilscope: pip install py-spy."
    elif "ermission" in reason or "not permitted" in reason:
        advice = "Run gilscope as root"
        if sys.platform == "linux":
            advice += ", or allow it: /proc/sys/kernel/yama/ptrace_scope must be below 2"
        advice += "."
    return f"Cannot observe {command}: only py-spy could read its GIL.\n{reason}.\n{advice}"

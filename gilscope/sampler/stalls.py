"""Stalls while they happen: who holds a GIL for long while others wait, and where its holder is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gilscope.model import NS_PER_MS, NS_PER_S, Event, Frame, Gap, Stall
from gilscope.sampler.gilwatch import LaneHold
from gilscope.sources.pyspy import PySpy
from gilscope.sources.pyspy_results import Snapshot

COST_SHARE, NATIVE_COST_SHARE = 0.01, 0.05
"""Asking where holders are may take this part of a core on average; more where C frames were asked for …"""
BURST = 5
"""… but so many stalls may come at once."""
FIRST_COST_NS = 25 * NS_PER_MS
TELL_NS = NS_PER_S
"""A stall that goes on is told of after so long; most are over before, and told of then."""
PATIENCE_NS = 5 * NS_PER_S
"""A stall that is over is written without a stack after so long."""
ASK_TIMES = 3
"""So often py-spy is asked where the holder of one stall is, if it brings nothing."""
LOOK_AGAIN_NS = 5 * NS_PER_MS
SAME_MOMENT_NS = NS_PER_MS

_Key = tuple[int, int]
"""A GIL and when the hold of it began."""


@dataclass(slots=True)
class _Case:
    """A stall that is not written yet."""

    seen: LaneHold
    asked_ns: int | None = None
    """When py-spy was asked last."""
    times: int = 0
    """How often it was asked."""
    pending: int = 0
    """Answers of py-spy that are still to come."""
    told: bool = False
    failure: str | None = None
    """Why py-spy brought no stack."""
    snapshots: list[Snapshot] = field(default_factory=list)
    """Which of them are of the hold, and not of what came after it, is known at its end."""


class StallWatch:
    """Follows long holds of GILs from tick to tick; asks py-spy for the stack of each stall's holder."""

    def __init__(self, pyspy: PySpy, stall_ns: int, *, native: bool = False) -> None:
        """Begin.

        Args:
            pyspy: asked for stacks.
            stall_ns: a longer hold with a waiter is a stall.
            native: have py-spy show C frames too, for which it stops the target for a moment.
        """
        self._pyspy = pyspy
        self._stall_ns = stall_ns
        self._native = native
        self._cases: dict[_Key, _Case] = {}
        self._credit = float(BURST)
        """So many times py-spy may be asked now."""
        self._credit_at_ns = 0
        self._cost_ns = FIRST_COST_NS
        """What a snapshot cost the last time."""
        self.due_ns: int | None = None
        """When to look again: then a hold that goes on becomes a stall."""
        self.stalls: list[Stall] = []
        """To be written."""
        self.events: list[Event] = []
        self.gaps: list[Gap] = []

    def see(self, holds: Iterable[LaneHold], now_ns: int) -> None:
        """Take what the GILs' folds know now of all holds that are long, or may become so."""
        self.due_ns = None
        for seen in holds:
            key = (seen.gil, seen.hold.start_ns)
            case = self._cases.get(key)
            if seen.hold.is_stall(self._stall_ns):
                if case is None:
                    case = self._cases[key] = _Case(seen)
                case.seen = seen
                if not seen.ended:
                    self._ask(case, now_ns)
                    if seen.hold.length_ns >= TELL_NS:
                        self._tell(case)
                continue
            if seen.ended:
                # It looked like one until it was known that its holder had no CPU.
                self._cases.pop(key, None)
                continue
            due_ns = seen.hold.start_ns + self._stall_ns
            if due_ns <= now_ns and seen.hold.contended_ns:
                # Long enough already: who waits has not waited for long.
                due_ns = now_ns + max(LOOK_AGAIN_NS, seen.hold.lacks_ns(self._stall_ns))
            if due_ns > now_ns:
                self.due_ns = due_ns if self.due_ns is None else min(self.due_ns, due_ns)
        self._write(now_ns)

    def _tell(self, case: _Case) -> None:
        if case.told:
            return
        case.told = True
        seen, hold = case.seen, case.seen.hold
        waiters = f"{hold.waiters_max} wait" if hold.waiters_max > 1 else "another one waits"
        text = f"a thread holds the GIL for over {self._stall_ns / NS_PER_MS:g} ms while {waiters}"
        if seen.ended:
            waiters = f"{hold.waiters_max} waited" if hold.waiters_max > 1 else "another one waited"
            text = f"a thread held the GIL for {hold.length_ns / NS_PER_MS:.0f} ms while {waiters}"
        self.events.append(
            Event(at_ns=hold.start_ns, kind="stall", process=seen.process, lane=seen.lane, text=text)
        )

    def _ask(self, case: _Case, now_ns: int) -> None:
        """Ask py-spy where the holder is, if that is not known yet and may be paid for."""
        share = NATIVE_COST_SHARE if self._native else COST_SHARE
        self._credit += (now_ns - self._credit_at_ns) * share / self._cost_ns
        self._credit, self._credit_at_ns = min(self._credit, float(BURST)), now_ns
        pid = case.seen.pid
        if case.pending or case.times >= ASK_TIMES or _best(case) or not self._pyspy.usable:
            return
        if self._credit < 1 or self._pyspy.snapshots(pid):
            return
        case.asked_ns = now_ns
        case.times += 1
        self._credit -= 1
        for native in (False, True) if self._native else (False,):
            failure = self._pyspy.snapshot(pid, now_ns, native=native)
            if failure is None:
                case.pending += 1
            else:
                case.failure = failure.reason

    def take(self, snapshot: Snapshot) -> None:
        """An answer of py-spy."""
        self._cost_ns = max(1, snapshot.cpu_ns)
        for case in self._cases.values():
            if case.seen.pid == snapshot.pid and case.asked_ns == snapshot.start_ns and case.pending:
                case.pending -= 1
                case.snapshots.append(snapshot)
                if snapshot.failure:
                    case.failure = snapshot.failure

    def _write(self, now_ns: int) -> None:
        """Hand on the stalls of which all is known."""
        for key, case in list(self._cases.items()):
            hold = case.seen.hold
            if case.seen.ended and (not case.pending or now_ns - hold.end_ns > PATIENCE_NS):
                del self._cases[key]
                self._hand_on(case, now_ns)
            elif not case.seen.ended and now_ns - hold.end_ns > PATIENCE_NS:
                # Nobody speaks of it any more: its process has gone.
                case.seen = replace(case.seen, ended=True)

    def _hand_on(self, case: _Case, now_ns: int) -> None:
        hold = case.seen.hold
        self._tell(case)
        frames = _best(case)
        if not frames and case.failure:
            self.gaps.append(
                Gap(
                    source="py-spy",
                    pid=case.seen.pid,
                    reason=f"the stack of a stall could not be read: {case.failure}",
                    start_ns=hold.start_ns,
                    end_ns=min(now_ns, hold.end_ns),
                )
            )
        self.stalls.append(
            Stall(
                gil=case.seen.gil,
                lane=case.seen.lane,
                start_ns=hold.start_ns,
                end_ns=hold.end_ns,
                waiters_mean=round(hold.waiters_mean, 3),
                waiters_max=hold.waiters_max,
                frames=frames,
            )
        )

    def close(self) -> None:
        """The session ends, and with it all that goes on."""
        for case in self._cases.values():
            case.seen = replace(case.seen, ended=True)
            self._hand_on(case, case.seen.hold.end_ns)
        self._cases.clear()


def _best(case: _Case) -> tuple[Frame, ...]:
    """The holder's stack, from snapshots of the hold: the one with native frames if there is."""
    return max((_frames(snapshot, case.seen) for snapshot in case.snapshots), key=len, default=())


def _frames(snapshot: Snapshot, seen: LaneHold) -> tuple[Frame, ...]:
    """Where the holder was, if the snapshot is of the hold and not of what came after it."""
    thread = snapshot.threads.get(seen.tid)
    if thread is None:
        return ()
    meant = thread.owns_gil or snapshot.end_ns <= seen.hold.end_ns + SAME_MOMENT_NS
    return thread.frames if meant else ()

"""One process of the target while it is watched: its GILs, its lanes, and what a tick makes of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from gilscope.model import UNTOLD, Gap, GilTick, Hold, Lane, Process
from gilscope.sampler.attribute import Holders
from gilscope.sampler.freethreads import FreeThreads
from gilscope.sampler.gilwatch import GilWatch, LaneHold, ProcessPart
from gilscope.sampler.interpreters import Interpreters, Keys
from gilscope.sampler.lanes import LaneSet, TickReading
from gilscope.sampler.merge import GilSums
from gilscope.sources import processes
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.layouts import Version
from gilscope.sources.memory import NotReadableError, ReadFailedError
from gilscope.sources.tasks import CLOCK_TICKS_PER_S, Sweep, Task
from gilscope.sources.threads import tasks_of

IDLE_FOLD_NS = 1_000_000_000
STEADY_NS = 500_000_000
"""After so long without a thread's start or end the threads are taken for those that stay."""
MAIN_THREAD = "MainThread"
ENDING_NS = 1_000_000_000
RETRY_FIRST_NS = 20_000_000
RETRY_LAST_NS = 2_000_000_000
"""A process that cannot be read may be on its way to another program: try again, ever more rarely."""


class ProcessWatch:
    """Watches one process."""

    def __init__(
        self,
        facts: processes.ProcessFacts,
        keys: Keys,
        *,
        start_ns: int,
        now_ns: int,
        tick_end_ns: int,
        python: str | None = None,
        older: bool = False,
        parent: InterpreterReader | None = None,
        stall_ns: int = 0,
    ) -> None:
        """Begin to watch.

        Args:
            facts: what the kernel says of it.
            keys: gives out the session's keys.
            start_ns: when it started.
            now_ns: when the watch of it begins.
            tick_end_ns: the end of the tick that goes on.
            python: the version it is known to run, where it is.
            older: it ran before the session: CPU time until now is not the session's.
            parent: what reads its parent, from which it may have been forked.
            stall_ns: longer holds of a GIL may be stalls; 0: nobody looks for any.
        """
        self.identity = facts.identity
        self._keys = keys
        keys.process += 1
        self.process = Process(
            key=keys.process,
            pid=facts.identity.pid,
            ppid=facts.ppid,
            command=processes.command_line(facts.identity.pid),
            python=python,
            start_ns=start_ns,
        )
        self.is_python = python is not None
        self._older = older
        self._parent = parent
        self.tasks = tasks_of(facts.identity.pid)
        self.interpreters = Interpreters(self.process.key, keys, stall_ns)
        self.lanes = LaneSet()
        self.free = FreeThreads(self.process.key, facts.identity.pid)
        self.unreadable: str | None = None
        """Why its GIL cannot be read, while that is so."""
        self.changed = True
        self._retry_ns = RETRY_FIRST_NS
        self._retry_at_ns = now_ns
        self._tick_start_ns = now_ns
        self._tick_end_ns = tick_end_ns
        self._swept_ns = now_ns
        self._unread_since_ns = now_ns
        self._lost_ns: int | None = None
        self._cpu_base_ns = 0
        self._holders = Holders()
        self._threads_changed_ns = now_ns
        self._idle = False
        self._was_active = True
        self._folded_ns = now_ns

    @property
    def pid(self) -> int:
        """Its pid."""
        return self.identity.pid

    def try_open(self, now_ns: int, version: Version | None = None) -> bool:
        """Find its GILs if that is due; True when they can be read now."""
        if self.reader is not None:
            return True
        if now_ns < self._retry_at_ns:
            return False
        try:
            reader = self._open(version)
        except ReadFailedError as error:
            self.unreadable = str(error)
            if isinstance(error, NotReadableError) and error.no_python:
                self._is_no_python()
            self._retry_at_ns = now_ns + self._retry_ns
            self._retry_ns = min(RETRY_LAST_NS, self._retry_ns * 2)
            return False
        try:
            self._opened(reader, now_ns)
        except ReadFailedError as error:
            reader.close()
            self.lost(str(error), now_ns)
            return False
        return True

    def _open(self, version: Version | None) -> InterpreterReader:
        parent, self._parent = self._parent, None
        if parent is not None:
            with contextlib.suppress(ReadFailedError):
                return InterpreterReader.of_fork(self.pid, parent)
        return InterpreterReader.open(self.pid, version)

    def _is_no_python(self) -> None:
        self.is_python = False
        self._lost_ns = None
        self.process = replace(self.process, python=None, command=processes.command_line(self.pid))
        self.changed = True
        self.lanes.rename({self.pid: _program(self.process.command)}, kind="process")

    def _opened(self, reader: InterpreterReader, now_ns: int) -> None:
        self.interpreters.open(reader, self._tick_end_ns)
        if not self.is_python:
            self.lanes.rename({self.pid: MAIN_THREAD}, kind="thread")  # it was on its way: sh, or a loader
        self.is_python = True
        self.unreadable = self._lost_ns = None
        self._retry_ns = RETRY_FIRST_NS
        self._retry_at_ns = now_ns
        found = ".".join(map(str, reader.layout.version))
        known = self.process.python
        self.process = replace(
            self.process,
            # What the interpreter said of itself is more exact than what its layout shows.
            python=known if known is not None and known.startswith(found + ".") else known or found,
            command=processes.command_line(self.pid),
        )
        self.changed = True

    def rescan(self, now_ns: int) -> None:
        """Once a tick: follow interpreters that are made and destroyed."""
        self.interpreters.rescan(now_ns, self._tick_end_ns)

    def lost(self, reason: str, now_ns: int) -> None:
        """Its memory could not be read: it ended, or became another program."""
        self.interpreters.close()
        self.unreadable = reason
        self._unread_since_ns = self._lost_ns = now_ns
        self._retry_at_ns = now_ns + RETRY_FIRST_NS

    @property
    def reader(self) -> InterpreterReader | None:
        """What reads its memory, while that can be read."""
        return self.interpreters.reader

    @property
    def gils(self) -> list[GilWatch]:
        """Its GILs, as far as they can be read."""
        return self.interpreters.gils

    @property
    def can_sample(self) -> bool:
        """Its GILs can be read now."""
        return self.reader is not None

    def sweep(self, now_ns: int, *, thorough: bool = True) -> Sweep:
        """Read its threads once; a tick ends with a thorough sweep, which brings CPU times too."""
        spans = [(watch.gil.key, *watch.probe.cond_span) for watch in self.gils] if self.reader else []
        sweep = self.tasks.sweep(spans, thorough=thorough)
        for task in sweep.started:
            self._start_lane(task, now_ns)
        ended = [task.tid for task in sweep.ended]
        if ended:
            for gil in self.gils:
                gil.probe.forget_holder()
        if self._lost_ns is not None and self.has_ended():
            ended = list(self.lanes)
        for tid in ended:
            self.lanes.end(tid, self._end_ns(now_ns))
        self.lanes.see(sweep.seen)
        self.free.sweep(now_ns, self.reader if FreeThreads.is_off(self.gils) else None, sweep)
        if thorough:
            self._note_change(now_ns, changed=bool(sweep.started or ended))
            if self._older:
                self._cpu_base_ns = self.tasks.last_cpu_ns
            self._idle = sweep.idle
            self._was_active = self._was_active or not sweep.idle
            self._swept_ns = now_ns
            self._older = False
        return sweep

    def _end_ns(self, now_ns: int) -> int:
        """When threads ended that are seen to have ended now: a process's memory goes before they do.

        But not before the last tick's end, up to which they were told to be there: an end may take its time.
        """
        return now_ns if self._lost_ns is None else min(now_ns, max(self._lost_ns, self._tick_start_ns))

    def _note_change(self, now_ns: int, *, changed: bool) -> None:
        if changed:
            self._threads_changed_ns = now_ns
        if self.reader is not None:
            steady = now_ns - self._threads_changed_ns > STEADY_NS
            self.reader.steady(self.tasks.tasks if steady else None)
            for watch in self.gils:
                watch.probe.check_holder()

    @property
    def is_idle(self) -> bool:
        """It used no CPU time in the last tick."""
        return self._idle

    def was_active(self) -> bool:
        """It used CPU time since the last call: it may have started others, or become something else."""
        was_active, self._was_active = self._was_active, False
        return was_active

    def refresh(self) -> None:
        """Note the CPU time of the process and its lanes so far."""
        self.lanes.refresh()
        cpu_ns = max(0, self.tasks.last_cpu_ns - self._cpu_base_ns)
        if cpu_ns != self.process.cpu_ns:
            self.process = replace(self.process, cpu_ns=cpu_ns)
            self.changed = True

    def has_ended(self) -> bool:
        """Gone from the process table, or in it only until its parent asks how it ended."""
        facts = processes.facts(self.pid)
        return facts is None or facts.identity != self.identity or facts.state in "ZX"

    def _start_lane(self, task: Task, now_ns: int) -> None:
        self._keys.lane += 1
        program = (not self.is_python or self.tasks.whole) and task.tid == self.pid
        lane = Lane(
            key=self._keys.lane,
            process=self.process.key,
            tid=task.tid,
            kind="process" if program else "thread",
            name=self._first_name(task, program=program),
            start_ns=max(self.process.start_ns, min(self._swept_ns, now_ns)),
        )
        self.lanes.start(lane, task, older=self._older)

    def _first_name(self, task: Task, *, program: bool) -> str | None:
        """What it is called until py-spy says more: Python's first thread is known by its id."""
        if program:
            return _program(self.process.command)
        return MAIN_THREAD if self.is_python and task.tid == self.pid else None

    def finish_tick(self, end_ns: int, next_end_ns: int, *, last: bool = False) -> ProcessPart:
        """Fold all that was read since the last tick's end; sweep just before. None follows the `last`."""
        part = ProcessPart()
        start_ns, self._tick_start_ns, self._tick_end_ns = self._tick_start_ns, end_ns, next_end_ns
        is_free = FreeThreads.is_off(self.interpreters.all_in_tick)
        for watch in self.interpreters.all_in_tick:
            watch.settle()
            if not self._idle:
                watch.quiet = 0
        self.interpreters.changed += self.free.follow(self.gils, end_ns)
        if not last and self._may_wait(end_ns):
            for watch in self.gils:
                watch.fold.extend(next_end_ns)
            return part
        self._folded_ns = end_ns
        held: dict[int, int] = {}
        waiter_ns: dict[int, int] = {}
        # Interpreters come and go within a tick; the main one's GIL is there as long as the process.
        watched_ns = 0
        folded = [(watch, watch.finish(next_end_ns)) for watch in self.interpreters.take_all()]
        for watch, sums in folded:
            watched_ns = max(watched_ns, sums.watched_ns)
            for tid, ns in sums.held_by_tid.items():
                held[tid] = held.get(tid, 0) + ns
            if watch.probe.reader.counts_waiters:
                waiter_ns[watch.gil.key] = sums.waiter_ns
        held = self._find_holders(held, end_ns - start_ns)
        for watch, sums in folded:
            self._add_gil(part, watch, sums)
            part.long_holds += self._long_holds(watch, (start_ns, end_ns))
        for tid in held:
            self.tasks.wake(tid)
        part.holders += held
        part.lanes, part.core_ns = self.lanes.finish_tick(
            TickReading(
                start_ns=start_ns,
                end_ns=end_ns,
                python=self.is_python,
                watched_ns=watched_ns,
                swept_ns=self._swept_ns,
                held=held,
                waiter_ns=waiter_ns,
                only_gil=self.gils[0].gil.key if len(self.gils) == 1 else None,
                free=self.free.sweeps if is_free else None,
            )
        )
        part.gaps += self.free.end_tick(self.tasks.tasks)
        return part

    def _find_holders(self, held: dict[int, int], span_ns: int) -> dict[int, int]:
        """Put tids in the place of doubtful holders."""
        claims = self.reader.claims if self.reader is not None else {}
        return self._holders.find(held, claims, self.lanes.used_in_tick, span_ns=span_ns)

    def _lane_of(self, holder: int | None) -> int | None:
        return None if holder is None else self.lanes.key_of(self._holders.tid(holder))

    def _long_holds(self, watch: GilWatch, tick: tuple[int, int] | None = None) -> Iterator[LaneHold]:
        """Long holds of a GIL that ended with or before the `tick` that ends, then the hold that goes on."""
        key, stalls = watch.gil.key, watch.fold.stalls
        holds = [(hold, True) for hold in stalls.take_ended()] if tick else []
        if stalls.open is not None:
            holds.append((stalls.open, False))
        for hold, ended in holds:
            tid = self._holders.tid(hold.tid)
            if tick:
                hold.book_queue(self.lanes.queued_ns(tid), *tick)
            lane = self.lanes.key_of(tid)
            yield LaneHold(key, self.pid, self.process.key, tid, lane, hold, ended)

    def holds_now(self) -> Iterator[LaneHold]:
        """In the middle of a tick: the hold of each GIL that goes on."""
        for watch in self.gils:
            watch.settle()
            if watch.fold.hold_now() is None:
                watch.fold.stalls.open = None
            yield from self._long_holds(watch)

    def _may_wait(self, end_ns: int) -> bool:
        """Nothing happened: such a process's GILs are folded once a second only, their time in one row."""
        return self._idle and end_ns - self._folded_ns < IDLE_FOLD_NS and self.interpreters.all_free

    def _add_gil(self, part: ProcessPart, watch: GilWatch, sums: GilSums) -> None:
        key = watch.gil.key
        tells = watch.probe.reader.counts_waiters
        if sums.samples or sums.watched_ns:
            part.gils.append(
                GilTick(
                    gil=key,
                    samples=sums.samples,
                    locked_samples=sums.locked_samples,
                    watched_ns=sums.watched_ns,
                    held_ns=sums.held_ns,
                    contended_ns=sums.contended_ns if tells else UNTOLD,
                    waiter_ns=sums.waiter_ns if tells else UNTOLD,
                    waiters_max=sums.waiters_max if tells else UNTOLD,
                    handoffs=sums.handoffs,
                    handoffs_seen=sums.handoffs_seen,
                    longest_hold_ns=sums.longest_hold_ns,
                    holder=self._lane_of(sums.holder),
                )
            )
        part.holds += [
            Hold(gil=key, lane=self._lane_of(h.tid), start_ns=h.start_ns, end_ns=h.end_ns) for h in sums.holds
        ]
        for start_ns, end_ns in sums.gaps:
            part.gaps.append(
                Gap(
                    source="gil",
                    pid=self.pid,
                    reason="the sampler got no CPU time for a while",
                    start_ns=start_ns,
                    end_ns=end_ns,
                )
            )

    def close(self, end_ns: int, exit_code: int | None) -> Iterator[Gap]:
        """End all lanes; give descriptors back. Yields what could not be read to the end."""
        # A process that ends is unreadable until that is seen, which is no gap.
        unread = self.is_python and self.reader is None and self.unreadable is not None
        if unread and end_ns - self._unread_since_ns > ENDING_NS:
            yield Gap(
                source="gil",
                pid=self.pid,
                reason=self.unreadable or "",
                start_ns=self._unread_since_ns,
                end_ns=end_ns,
            )
        yield from self.free.close(end_ns)
        self.lanes.end_all(self._end_ns(end_ns))
        self.refresh()
        self.tasks.close()
        self.lost("it ended", end_ns)
        self.process = replace(self.process, end_ns=end_ns, exit_code=exit_code)
        self.changed = True


def started_ns(start_ticks: int, boot_offset_ns: int, earliest_ns: int, latest_ns: int) -> int:
    """When a process started, in session time: the kernel's coarse moment, between two that are known.

    Args:
        start_ticks: clock ticks since boot, as /proc has it.
        boot_offset_ns: session time of the machine's boot.
        earliest_ns: it did not exist yet.
        latest_ns: it was seen.
    """
    exact_ns = boot_offset_ns + start_ticks * 1_000_000_000 // CLOCK_TICKS_PER_S
    return max(earliest_ns, min(latest_ns, exact_ns))


def _program(command: str) -> str:
    return command.split(" ", 1)[0].rpartition("/")[2] or "?"

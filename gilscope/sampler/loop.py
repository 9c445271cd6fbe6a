"""Ticker → sources → merge → recording: one session from go to end.

Nothing in here waits but for the next sample's deadline, and a source that fails becomes a gap. The
recording may stop (a full disk); the target never does because of us.
"""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

from gilscope.clock import BootClock, MonotonicClock, SleepWatch
from gilscope.errors import CannotObserveError, RecordingError
from gilscope.launch.handle import TargetHandle
from gilscope.launch.reports import ExitStatus, ForkReport, NoteReport, ThreadsReport
from gilscope.model import NS_PER_S, Counters, Event, Hold, Mark, Session, Tick
from gilscope.recording.writer import RecordingWriter
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.cost import CostKeeper
from gilscope.sampler.fromwithin import thread_events
from gilscope.sampler.machine import MachineWatch
from gilscope.sampler.output import OutputTap
from gilscope.sampler.sampling import GilSampling
from gilscope.sampler.schedule import sharpen
from gilscope.sampler.stacks import StackCollector
from gilscope.sampler.stalls import StallWatch
from gilscope.sampler.traced import Traces
from gilscope.sampler.tracedwatch import TracedWatch
from gilscope.sampler.tree import ProcessTree
from gilscope.sampler.watch import ProcessWatch
from gilscope.sources.pyspy import PySpy

EXIT_PATIENCE, EXIT_STEP_S = 40, 0.000_5
LAST_TRACES_S = 3.0
FEW_PROCESSES = 16
"""Up to so many, new children are looked for in each tick, else in every second one."""
LOOK_AROUND_SHARE = 0.005
"""A walk through all threads of all processes takes longer the more there are: at most so much of time."""
RATE_WITHOUT_SAMPLES_HZ = 200.0
"""Where py-spy samples in our place there is nothing to read, but ticks and sweeps come on time by it."""
BEHIND_NS = NS_PER_S
"""After a pause longer than this (a stopped machine), ticks begin anew instead of being made up for."""


class ProbeCannotReadError(CannotObserveError):
    """The probe cannot read this target; it has not run, and another source may be tried."""


@dataclass(slots=True)
class Ending:
    """Why a session ends."""

    reason: str
    stop_target: bool


class Sampler:
    """Samples one target into one recording."""

    def __init__(
        self,
        config: SamplerConfig,
        target: TargetHandle,
        writer: RecordingWriter,
        session: Session,
        *,
        control: Callable[[], Ending | None] = lambda: None,
    ) -> None:
        """Take over a target that is ready and waits for go, or one that ran before us.

        Args:
            config: what was asked.
            target: not yet told to go.
            writer: the recording, open.
            session: what is known so far; kept up to date in the recording.
            control: asked once a tick whether to end; handles commands on the way.
        """
        self.config = config
        self.session = session
        self._target = target
        self._writer: RecordingWriter | None = writer
        self._control = control
        self._clock = MonotonicClock()
        self._sleeps = SleepWatch(self._clock, BootClock())
        self._origin_ns = self._clock.now_ns()
        self._counters = Counters()
        self._machine = MachineWatch()
        pyspy = PySpy(on_start=target.spare)
        self._traces = Traces(pyspy, config.rate_hz) if session.source == "py-spy" else None
        self._collector = self._traces or StackCollector(pyspy)
        self._stalls = StallWatch(self._collector.pyspy, config.stall_ns, native=config.native)
        self._cost = CostKeeper(config, self._collector.pyspy.cpu_ns)
        self._tick_index = 0
        self._tick_start_ns = 0
        self._tick_end_ns = config.tick_ns
        self._next_sweep_ns = 0
        self._second_ns = NS_PER_S
        self._look_around_ns = 0
        self._collect_at_ns = 60 * NS_PER_S
        self._unwritten: list[tuple[Tick, list[Hold]]] = []
        self._events: list[Event] = []
        watch_type = ProcessWatch if self._traces is None else TracedWatch
        self._tree = ProcessTree(target, watch_type, stall_ns=config.stall_ns)
        self._output = OutputTap(target, self.now_ns, self._clock.now_ns)
        rate_hz = config.rate_hz if self._traces is None else RATE_WITHOUT_SAMPLES_HZ
        self._sampling = GilSampling(self._tree, self._output, self._counters, rate_hz)

    def now_ns(self) -> int:
        """Session time."""
        return self._clock.now_ns() - self._origin_ns

    def put_mark(self, mark: Mark) -> None:
        """Write a mark that a viewer set; it is committed with the next tick."""
        self._write(lambda writer: writer.put_marks([mark]))

    def prepare(self) -> None:
        """Prove that the target can be read, before a line of it has run if it is ours.

        Raises:
            CannotObserveError: it cannot; a target of ours has not run.
        """
        root = self._tree.add_root(self.session.python, self._tick_end_ns)
        ready, waits = self._target.ready, self._target.begins_with_go
        if self._traces is not None:
            # What it uses before it is let go is not the session's; without a shim it runs already.
            if not waits:
                root.sweep(0)
            self._traces.prove(
                root, self.session.command, lambda: self._target.poll() is None, started=not waits
            )
        else:
            version = (ready.version[0], ready.version[1]) if ready else None
            if not root.try_open(0, version) and waits:
                raise ProbeCannotReadError(_why_unreadable(root.unreadable or "", self.session))
        root.sweep(0)
        if not self._target.is_ours:
            self._tree.add_others(self._tick_end_ns)
        self._machine.core_ticks([], 0, 1)

    def run(self) -> Session:
        """Let the target go, and watch it until it or the watch ends. Returns the session as recorded."""
        sharpen()
        gc.collect()
        gc.freeze()
        gc.disable()  # collected at a moment of our choice, once a minute
        self._begin()
        self._target.go()
        try:
            ending = self._watch()
        except BaseException:
            self._target.stop()
            raise
        finally:
            gc.enable()
            status = self._finish()
        if ending.stop_target and status is None:
            status = self._end_target()
        exit_code = None if status is None else status.shell_code
        self.session = dataclasses.replace(self.session, ended_ns=self._tick_start_ns, exit_code=exit_code)
        self._write(lambda writer: writer.put_session(self.session))
        self._write(lambda writer: writer.close())
        return self.session

    def _begin(self) -> None:
        """Session time begins now: what was before is preparation."""
        if self._target.begins_with_go or self._traces is None:
            self._origin_ns = self._clock.now_ns()
        if self._traces is not None:
            self._traces.begin(self._origin_ns)
        self._sampling.begin(self._origin_ns)
        self._tree.begin(self._origin_ns)
        self._cost.begin()
        if self._target.is_ours:
            self._event("target-started", f"{self.session.command} started")
        else:
            self._event("target-attached", f"{self.session.command} ran already: its past is not known")

    def _watch(self) -> Ending:
        while True:
            due_ns, look_ns = self._stalls.due_ns, self._collector.waiters.due_ns
            soon = [ns for ns in (due_ns, look_ns) if ns is not None]
            lost = self._sampling.sample_until(min(self._tick_end_ns, self._next_sweep_ns, *soon))
            now_ns = self.now_ns()
            if look_ns is not None and now_ns >= look_ns:
                self._collector.waiters.look(now_ns)
            if due_ns is not None and now_ns >= due_ns:
                self._stalls.see((hold for watch in self._tree.watches for hold in watch.holds_now()), now_ns)
            if now_ns >= self._tick_end_ns:
                ending = self._finish_ticks(now_ns)
                if ending is not None:
                    return ending
            elif now_ns >= self._next_sweep_ns:
                if self._target.has_reports():
                    self._take_reports(now_ns, counts=False)
                self._sweep(now_ns, thorough=False)
            if lost and self._ends_now():
                return Ending("the target ended", stop_target=False)

    def _ends_now(self) -> bool:
        """A process's memory goes a moment before its exit can be seen: wait that moment, not a tick."""
        if self._tree.watches[0].can_sample:
            return False
        for _ in range(EXIT_PATIENCE):
            if self._target.poll() is not None:
                return True
            time.sleep(EXIT_STEP_S)
        return False

    def _sweep(self, now_ns: int, *, thorough: bool = True) -> None:
        self._counters.sweeps += 1
        for watch in self._tree.watches:
            watch.sweep(now_ns, thorough=thorough)
        plan = self._cost.plan
        self._next_sweep_ns = now_ns + round(NS_PER_S * plan.stretch / plan.sweep_hz)

    def _finish_ticks(self, now_ns: int) -> Ending | None:
        """Write the tick that ended, and what is due with it; the reason to end, if there is one."""
        plan = self._cost.plan
        self._sweep(now_ns)
        while self._tick_end_ns <= now_ns:
            behind_ns = now_ns - self._tick_end_ns
            if behind_ns > BEHIND_NS:
                self._tick_end_ns = now_ns
            next_end_ns = self._tick_end_ns + self.config.tick_ns * plan.stretch
            self._finish_tick(self._tick_end_ns, next_end_ns)
        self._sampling.sample_if_due()
        self._take_reports(now_ns, counts=now_ns >= self._second_ns)
        odd = self._tick_index % 2
        if odd or len(self._tree.watches) <= FEW_PROCESSES:
            self._tree.grow(now_ns, self._tick_end_ns)
        if not odd:
            self._collector.step(self._tree.watches, self._tree.lane_of, now_ns, stacks=plan.stacks)
            self._take_snapshots()
        if now_ns >= self._second_ns:
            self._sampling.sample_if_due()
            self._each_second(now_ns)
        self._sampling.sample_if_due()
        if len(self._unwritten) * plan.stretch >= plan.commit_ticks or self._traces is not None:
            self._write_pending()
        ending = self._control()
        if ending is not None:
            return ending
        if self._target.poll() is not None:
            return Ending("the target ended", stop_target=False)
        if self.config.duration_ns is not None and now_ns >= self.config.duration_ns:
            return Ending("the time asked for is over", stop_target=True)
        return None

    def _take_reports(self, now_ns: int, *, counts: bool) -> None:
        for report in self._target.reports(counts=counts):
            if isinstance(report, ForkReport):
                self._tree.add_forked(report, now_ns, self._tick_end_ns)
            elif isinstance(report, ThreadsReport):
                self._counters.threads_by_pid[report.pid] = (report.created, report.started)
            elif isinstance(report, NoteReport):
                self._event("swap-note", str(report), process=self._tree.process_of(report.pid))

    def _finish_tick(self, end_ns: int, next_end_ns: int, *, last: bool = False) -> None:
        parts = []
        for watch in self._tree.watches:
            part = watch.finish_tick(end_ns, next_end_ns, last=last)
            self._collector.note_holders(watch.pid, part.holders)
            self._collector.waiters.note(watch.pid, part.lanes)
            parts.append(part)
        tick = Tick(
            index=self._tick_index,
            start_ns=self._tick_start_ns,
            end_ns=end_ns,
            gils=tuple(gil for part in parts for gil in part.gils),
            lanes=tuple(lane for part in parts for lane in part.lanes),
            cores=self._machine.core_ticks([part.core_ns for part in parts], self._tick_start_ns, end_ns),
        )
        self._tick_index += 1
        self._tick_start_ns, self._tick_end_ns = end_ns, next_end_ns
        holds = [hold for part in parts for hold in part.holds]
        self._stalls.see((hold for part in parts for hold in part.long_holds), end_ns)
        self._collector.gaps += [gap for part in parts for gap in part.gaps]
        if self._traces is None:
            self._unwritten.append((tick, holds))
        else:
            self._unwritten += self._traces.hold_back(tick, self._tree.watches, parts)

    def _take_snapshots(self) -> None:
        snapshots, self._collector.snapshots = self._collector.snapshots, []
        for snapshot in snapshots:
            self._stalls.take(snapshot)

    def _each_second(self, now_ns: int) -> None:
        self._second_ns = now_ns + NS_PER_S
        slept_ns = self._sleeps.slept_ns()
        if slept_ns:
            self._tree.begin(self._origin_ns)  # the clock that starts are told by went on
            said = (
                f"the machine was suspended for {slept_ns / NS_PER_S:.0f} s, which are no part of the session"
            )
            self._event("machine-suspended", said)
        if now_ns >= self._look_around_ns:
            began_ns = self._clock.now_ns()
            self._tree.look_around(now_ns, self._tick_end_ns)
            self._look_around_ns = now_ns + round((self._clock.now_ns() - began_ns) / LOOK_AROUND_SHARE)
        for watch in self._tree.watches:
            watch.refresh()
        ticks = self._machine.process_ticks(self._tree.watches, now_ns)
        self._write(lambda writer: writer.put_process_ticks(ticks))
        if self._cost.keep_budget(now_ns):
            self._sampling.set_rate(self._cost.plan.rate_hz)
        self._update_session()
        if now_ns >= self._collect_at_ns:
            self._collect_at_ns = now_ns + 60 * NS_PER_S
            gc.collect()

    def _update_session(self) -> None:
        threads = self._counters.threads_by_pid.values()
        counted = self._target.ready is not None
        asked, taken = round(self.now_ns() / NS_PER_S * self.config.rate_hz), self._counters.samples_taken
        if self._traces is not None:
            asked, taken = self._traces.samples_asked, self._traces.samples_taken
        self.session = dataclasses.replace(
            self.session,
            cost_cpu_ns=self._cost.cpu_ns(),
            samples_asked=asked,
            samples_taken=taken,
            late_ns_max=self._counters.late_ns_max,
            torn_reads=self._tree.torn_reads(),
            failed_reads=self._counters.failed_reads,
            sweeps=self._counters.sweeps,
            disagreements=self._collector.disagreements,
            threads_created=sum(created for created, _ in threads) if counted else None,
            threads_started=sum(started for _, started in threads) if counted else None,
        )
        self._write(lambda writer: writer.put_session(self.session))

    def _write_pending(self) -> None:
        """Write what gathered since the last tick."""
        output = self._output.collect()
        stalls, self._stalls.stalls = self._stalls.stalls, []
        events, self._events = self._events + self._tree.take_events() + self._stalls.events, []
        self._collector.gaps += self._stalls.gaps
        self._stalls.events, self._stalls.gaps = [], []
        stacks, self._collector.samples = self._collector.samples, []
        waiters = self._collector.waiters
        waiting, waiters.samples = waiters.samples, []
        gaps, self._collector.gaps = self._collector.gaps + self._tree.take_gaps(), []
        processes, lanes, gils = self._tree.take_changes()
        ticks, self._unwritten = self._unwritten, []

        def put(writer: RecordingWriter) -> None:
            for tick, holds in ticks:
                writer.put_tick(tick, holds)
            writer.put_processes(processes)
            writer.put_lanes(lanes)
            writer.put_gils(gils)
            writer.put_output(output)
            writer.put_events(events)
            writer.put_gaps(gaps)
            writer.put_stacks(stacks)
            writer.put_waiting_stacks(waiting)
            writer.put_stalls(stalls)
            writer.commit()

        self._write(put)

    def _write(self, put: Callable[[RecordingWriter], None]) -> None:
        """Write, unless the recording has stopped; a full disk stops it, and nothing else."""
        if self._writer is None:
            return
        try:
            put(self._writer)
        except RecordingError as error:
            self.recording_stopped = str(error)
            self._writer = None

    recording_stopped: str | None = None
    """Why the recording ended before the session, if it did."""

    def _event(self, kind: str, text: str, *, process: int | None = None) -> None:
        at_ns = max(0, self.now_ns())
        self._events.append(Event(at_ns=at_ns, kind=kind, process=process, lane=None, text=text))

    def _finish(self) -> ExitStatus | None:
        """Close the last tick and all sources; how the target ended if it has."""
        status = self._target.poll()
        end_ns = max(self.now_ns(), self._tick_start_ns + 1)
        self._sweep(end_ns)
        if status is not None:
            self._output.take_rest()
        self._collector.pyspy.finish_soon()
        self._finish_tick(end_ns, end_ns + self.config.tick_ns, last=True)
        exit_code = None if status is None else status.shell_code
        if status is not None:
            how = "" if exit_code is None else f" with exit code {exit_code}"
            self._event("target-ended", f"{self.session.command} ended{how}")
        self._take_reports(end_ns, counts=True)
        self._events += thread_events(
            self._target.places(),
            self._counters.threads_by_pid,
            at_ns=end_ns,
            process_of=self._tree.last_process_of,
        )
        self._collect_last_stacks()
        self._stalls.close()
        if self._traces is not None:
            self._unwritten += self._traces.flush(end_ns)
        self._update_session()
        self._tree.close(end_ns, exit_code)
        self._write_pending()
        return status

    def _collect_last_stacks(self) -> None:
        """Give py-spy a moment to write what it has of a session that ended."""
        pyspy = self._collector.pyspy
        # Of stacks a little may be lost; traces are all that is known of the last second.
        deadline = time.monotonic() + (0.5 if self._traces is None else LAST_TRACES_S)
        while pyspy.recording and time.monotonic() < deadline:
            time.sleep(0.005)
            for result in pyspy.poll(self.now_ns()):
                by_pid = {watch.pid: watch for watch in self._tree.watches}
                self._collector.take(result, by_pid, self._tree.lane_of, self.now_ns())
        self._take_snapshots()
        pyspy.close(wait_s=0.1)

    def _end_target(self) -> ExitStatus | None:
        """End the target and its descendants, its last output kept; or let go of one that is not ours."""
        status = self._target.stop()
        self._output.take_rest()
        if self._target.is_ours:
            self._event("target-ended", f"{self.session.command} was ended by gilscope")
        elif status is None:
            self._event("target-detached", f"{self.session.command} runs on, no longer watched")
        self._write_pending()
        return status


def _why_unreadable(reason: str, session: Session) -> str:
    if "Permission denied" in reason or "Operation not permitted" in reason:
        return (
            f"Cannot observe {session.command}: {reason}.\n"
            "The kernel lets a process be read by the same user only, if its program file is readable, and "
            "where ptrace_scope is below 3.\nRun gilscope as the user who may read "
            f"{session.executable}, or as root."
        )
    return (
        f"Cannot observe {session.command}: the GIL of {session.executable} cannot be read ({reason}).\n"
        "Try --source py-spy, or name another interpreter with --python PATH."
    )

"""The processes of the target: found, watched, and let go when they end."""

from __future__ import annotations

from gilscope.clock import MonotonicClock
from gilscope.launch.handle import TargetHandle
from gilscope.launch.reports import ForkReport
from gilscope.model import NOT_KNOWN, Event, Gap, Gil, Lane, Process
from gilscope.sampler.forknames import ForkNames
from gilscope.sampler.gilwatch import GilWatch
from gilscope.sampler.interpreters import Keys
from gilscope.sampler.recent import Recent
from gilscope.sampler.watch import ProcessWatch, started_ns
from gilscope.sources import processes
from gilscope.sources.tasks import boot_ns

ZOMBIE_NS = 1_000_000_000
"""A parent has so long to ask how its child ended, before the child is called a zombie."""
LATE_REPORT_NS = 1_000_000_000
"""A report of a fork is read this late at most; a process of that pid that ended before is another one."""
ALL_THREADS_EVERY = 5
"""Children are looked for at each tick below the first thread, and below all threads at every fifth."""
KEPT_LANES, KEPT_PROCESSES = 10_000, 4_000
"""Of so many that ended it is known which they were, for answers that come late."""
KEPT_CLOSED = 1_000
"""Of so many that ended lately all is known, for reports of forks that come late."""
MANY_THREADS = 64
"""Where there are more, children of the others are left to the look around, once a second."""


class ProcessTree:
    """All watched processes of a session; the first one is the target's own."""

    def __init__(
        self, target: TargetHandle, watch_type: type[ProcessWatch] = ProcessWatch, *, stall_ns: int = 0
    ) -> None:
        self._target = target
        self._stall_ns = stall_ns
        self._watch_type = watch_type
        self._keys = Keys()
        self._boot_offset_ns = 0
        """Session time of the machine's boot."""
        self._by_identity: dict[processes.ProcessIdentity, ProcessWatch] = {}
        self._watched_pids: set[int] = set()
        self._lane_keys: Recent[tuple[int, int], int] = Recent(KEPT_LANES)
        self._done: list[Process] = []
        self._done_lanes: list[Lane] = []
        self._done_gils: list[Gil] = []
        self._events: list[Event] = []
        self._gaps: list[Gap] = []
        self._torn = 0
        self._turn = 0
        self._zombies: dict[processes.ProcessIdentity, tuple[int, int]] = {}
        """Processes that ended lately: key, and when to see whether they are still in the table."""
        self._parents: dict[int, int] = {}
        """By key of a process: the parent that it is known to have."""
        self._names = ForkNames()
        self._closed: Recent[int, Process] = Recent(KEPT_CLOSED)
        """By pid: what was let go of, for reports that come late."""
        self._exit_codes: dict[int, int | None] = {}
        self._last_keys: Recent[int, int] = Recent(KEPT_PROCESSES)
        self._unknown: set[str] = set()
        """What was told already that nobody can know."""
        self.watches: list[ProcessWatch] = []

    def begin(self, origin_ns: int) -> None:
        """Session time is zero when the monotonic clock shows `origin_ns`."""
        self._boot_offset_ns = MonotonicClock().now_ns() - origin_ns - boot_ns()

    def add_root(self, python: str | None, tick_end_ns: int) -> ProcessWatch:
        """Watch the target's own process."""
        facts = processes.facts(self._target.pid)
        if facts is None:
            facts = processes.ProcessFacts(
                processes.ProcessIdentity(self._target.pid, self._target.start_ticks), 0, "X"
            )
        watch = self._watch_type(
            facts, self._keys, start_ns=0, now_ns=0, tick_end_ns=tick_end_ns, python=python, older=True,
            stall_ns=self._stall_ns,
        )  # fmt: skip
        self._insert(watch)
        return watch

    def add_others(self, tick_end_ns: int) -> None:
        """Watch what the target's own process has started before the session."""
        for entry in self._target.descendants():
            self.add(entry.pid, 0, tick_end_ns, older=True)

    def add(self, pid: int, now_ns: int, tick_end_ns: int, *, older: bool = False) -> None:
        """Watch a process of the target, unless it is watched already or gone; `older` than the session."""
        if pid in self._watched_pids or self._target.spares(pid):
            return
        facts = processes.facts(pid)
        if facts is None or facts.state in "ZX" or facts.identity in self._by_identity:
            return
        parent = next((watch for watch in self.watches if watch.pid == facts.ppid), None)
        same = parent is not None and processes.executable(pid) == processes.executable(parent.pid)
        watch = self._watch_type(
            facts,
            self._keys,
            start_ns=started_ns(facts.identity.start_ticks, self._boot_offset_ns, 0, now_ns),
            now_ns=now_ns,
            tick_end_ns=tick_end_ns,
            python=parent.process.python if parent is not None and same else None,
            parent=parent.reader if parent is not None and same else None,
            older=older,
            stall_ns=self._stall_ns,
        )
        self._insert(watch)
        self._names.found(watch, facts.image)
        if not older:
            said = f"process {pid} started: {watch.process.command}"
            self._tell(now_ns, "process-started", watch.process.key, said)
        watch.try_open(now_ns)
        watch.sweep(now_ns)

    def add_forked(self, report: ForkReport, now_ns: int, tick_end_ns: int) -> None:
        """Watch a process that has told of its fork; if it is gone already, note that there was one."""
        pid = report.pid
        self.add(pid, now_ns, tick_end_ns)
        if pid in self._watched_pids:
            self._names.give(next(watch for watch in self.watches if watch.pid == pid), report)
            return
        closed = self._closed.get(pid)
        if closed is not None and now_ns - (closed.end_ns or 0) < LATE_REPORT_NS:
            named = self._names.late(closed, report)
            if named != closed:
                self._let_go(named)
            return
        facts = processes.facts(pid)
        if facts is not None and (facts.state not in "ZX" or facts.identity in self._by_identity):
            return
        parent = next((watch for watch in self.watches if watch.pid == report.ppid), None)
        self._keys.process += 1
        # It lived between two looks: what it was is what its parent was, and its length is not known.
        process = Process(
            key=self._keys.process,
            pid=pid,
            ppid=report.ppid,
            name=report.name,
            command=parent.process.command if parent is not None else "?",
            python=parent.process.python if parent is not None else None,
            start_ns=now_ns,
            end_ns=now_ns,
        )
        self._let_go(process)
        if facts is not None:
            self._zombies[facts.identity] = (process.key, now_ns + ZOMBIE_NS)
        for kind, word in (("process-started", "started"), ("process-ended", "ended")):
            self._tell(now_ns, kind, process.key, f"process {pid} {word} between two looks")

    def _insert(self, watch: ProcessWatch) -> None:
        self._by_identity[watch.identity] = watch
        self._watched_pids.add(watch.pid)
        self._last_keys.put(watch.pid, watch.process.key)
        self.watches.append(watch)

    def grow(self, now_ns: int, tick_end_ns: int) -> None:
        """Once a tick: find new children, let go of processes that ended, retry those not readable yet."""
        self._turn += 1
        for watch in list(self.watches):
            if not watch.can_sample:
                self._let_go_if_ended(watch, now_ns)
            if watch not in self.watches or not watch.tasks.tasks:
                continue
            if not watch.was_active():
                continue
            known = watch.can_sample
            watch.try_open(now_ns)
            if not known:
                self._names.check(watch)
            watch.rescan(now_ns)
            tids = list(watch.tasks.tasks)
            if self._turn % ALL_THREADS_EVERY or len(tids) > MANY_THREADS:
                tids = [watch.pid]
            for pid in processes.children(watch.pid, tids):
                self.add(pid, now_ns, tick_end_ns)

    def look_around(self, now_ns: int, tick_end_ns: int) -> None:
        """Once a second: the whole tree, orphans that came to us, and the ends of those."""
        for entry in self._target.descendants():
            self.add(entry.pid, now_ns, tick_end_ns)
        for pid, status in self._target.reap_orphans():
            self._exit_codes[pid] = status.shell_code
        self._look_for_orphans(now_ns)
        for watch in list(self.watches):
            self._names.check(watch)
            self._let_go_if_ended(watch, now_ns)
        self._look_at_zombies(now_ns)

    def _let_go_if_ended(self, watch: ProcessWatch, now_ns: int) -> None:
        if watch is self.watches[0]:
            return  # the target's own end ends the session
        if watch.has_ended():
            self._close(watch, now_ns, self._exit_codes.pop(watch.pid, None))
            self._tell(now_ns, "process-ended", watch.process.key, f"process {watch.pid} ended")
            self._zombies[watch.identity] = (watch.process.key, now_ns + ZOMBIE_NS)

    def _look_at_zombies(self, now_ns: int) -> None:
        """Tell of processes that ended some time ago and that their parents have still not asked about."""
        for identity, (key, due_ns) in list(self._zombies.items()):
            if now_ns < due_ns:
                continue
            del self._zombies[identity]
            facts = processes.facts(identity.pid)
            if facts is not None and facts.identity == identity and facts.state == "Z":
                said = "its parent has not asked how: it keeps its place in the process table"
                self._tell(now_ns, "process-zombie", key, f"process {identity.pid} has ended, but {said}")

    def _look_for_orphans(self, now_ns: int) -> None:
        """Tell of processes whose parent ended before them; the kernel gave them another one."""
        for watch in self.watches[1:]:
            facts = processes.facts(watch.pid)
            known = self._parents.setdefault(watch.process.key, watch.process.ppid)
            if facts is not None and facts.identity == watch.identity and facts.ppid != known:
                self._parents[watch.process.key] = facts.ppid
                said = f"process {watch.pid} runs on without its parent {known}, which has ended"
                self._tell(now_ns, "process-orphaned", watch.process.key, said)

    def _tell(self, at_ns: int, kind: str, process: int, text: str) -> None:
        self._events.append(Event(at_ns=at_ns, kind=kind, process=process, lane=None, text=text))

    def _close(self, watch: ProcessWatch, end_ns: int, exit_code: int | None) -> None:
        self._torn += watch.interpreters.torn_reads()
        self._gaps += watch.close(end_ns, exit_code)
        self._events += watch.free.take_events()
        self._take_lanes(watch)
        self._take_gils(watch)
        self._let_go(watch.process)
        self.watches.remove(watch)
        self._watched_pids.discard(watch.pid)
        self._parents.pop(watch.process.key, None)
        # A zombie keeps its identity in the process table: it must not be found again.
        if processes.facts(watch.pid) is None:
            self._by_identity.pop(watch.identity, None)

    def _let_go(self, process: Process) -> None:
        self._done.append(process)
        self._closed.put(process.pid, process)

    def process_of(self, pid: int) -> int | None:
        """Key of the process that is watched under this pid now."""
        return next((watch.process.key for watch in self.watches if watch.pid == pid), None)

    def last_process_of(self, pid: int) -> int | None:
        """Key of the process that was watched under this pid last, also when it has ended."""
        return self._last_keys.get(pid)

    def lane_of(self, pid: int, tid: int) -> int | None:
        """Key of the lane of this thread, also when it has ended."""
        key = self._lane_keys.get((pid, tid))
        if key is None:  # it lives for long, and thousands came after it
            key = next(
                (key for each in self.watches if each.pid == pid and (key := each.lanes.key_of(tid))), None
            )
        return key

    def _take_lanes(self, watch: ProcessWatch) -> None:
        for lane in watch.lanes.changed:
            self._lane_keys.put((watch.pid, lane.tid), lane.key)
        self._done_lanes += watch.lanes.changed
        watch.lanes.changed.clear()

    def _take_gils(self, watch: ProcessWatch) -> None:
        self._done_gils += watch.interpreters.changed
        watch.interpreters.changed = []

    def take_changes(self) -> tuple[list[Process], list[Lane], list[Gil]]:
        """What is new or changed since the last call."""
        changed, self._done = self._done, []
        for watch in self.watches:
            self._take_lanes(watch)
            self._take_gils(watch)
            if watch.changed:
                changed.append(watch.process)
                watch.changed = False
        lanes, self._done_lanes = self._done_lanes, []
        gils, self._done_gils = self._done_gils, []
        return changed, lanes, gils

    def take_events(self) -> list[Event]:
        """Events since the last call."""
        for watch in self.watches:
            self._events += watch.free.take_events()
            self._tell_unknown(watch)
        events, self._events = self._events, []
        return events

    def _tell_unknown(self, watch: ProcessWatch) -> None:
        """What the kernel does not tell of a process's threads; if it is so for all, once of all."""
        told, watch.tasks.not_known = watch.tasks.not_known, []
        for kind, text in told:
            if kind != NOT_KNOWN or text not in self._unknown:
                self._unknown.add(text)
                self._tell(watch.process.start_ns, kind, watch.process.key, text)

    def take_gaps(self) -> list[Gap]:
        """Gaps since the last call."""
        gaps, self._gaps = self._gaps, []
        return gaps

    def torn_reads(self) -> int:
        """Samples that contradicted themselves, of all processes so far."""
        return self._torn + sum(watch.interpreters.torn_reads() for watch in self.watches)

    def close(self, end_ns: int, exit_code: int | None) -> None:
        """Let go of all; `exit_code` is that of the target's own process."""
        for number, watch in enumerate(list(self.watches)):
            self._close(watch, end_ns, exit_code if number == 0 else None)

    def readable_gils(self) -> list[tuple[ProcessWatch, GilWatch]]:
        """All GILs that can be sampled now."""
        return [(watch, gil) for watch in self.watches if watch.can_sample for gil in watch.gils]

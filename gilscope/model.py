"""The values that every part of gilscope hands on: frozen, plain, with their units in their names.

Times are whole nanoseconds since the session's start (`_ns`) unless a name says otherwise. Processes,
lanes and GILs are known by small integer keys that are unique in one session: a pid or a tid alone is
reused by the kernel, a key never is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000


UNTOLD = -1
"""In the place of a figure that is never below zero: nobody could read it. Sums of it stay below zero."""


ATTACHED = "attach"
"""The mode of a session whose target ran already; beside asis, threads and processes."""


NOT_KNOWN = "not-known"
"""The kind of an event that names what cannot be known of this session, and why."""
WAITS_NOT_KNOWN = "waits-not-known"
"""Likewise of one process: which of its threads wait for a GIL. Their waiting is part of what is unknown."""


class State(IntEnum):
    """What a lane does; exclusive: in a tick the nanoseconds of all states sum to the tick's length."""

    RUNNING = 0
    """Executes Python: holds its GIL (or is attached, free-threaded) and is on a CPU."""
    HOLDING = 1
    """Holds its GIL while off the CPU, blocked or descheduled."""
    WAITING = 2
    """Wants the GIL and does not have it; free-threaded: executed Python until the world was stopped."""
    NATIVE = 3
    """On a CPU without the GIL: C code that released it, or a program that is no Python."""
    READY = 4
    """Could run, but no CPU is free."""
    BLOCKED = 5
    """Asleep: I/O, a lock, a sleep."""
    UNKNOWN = 6
    """Not readable."""

    @property
    def word(self) -> str:
        """The word for people, screens and files."""
        return self.name.lower()


N_STATES = len(State)
StateTimes = tuple[int, int, int, int, int, int, int]
"""Nanoseconds per state, indexed by State."""
NO_TIME: StateTimes = (0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process of the target."""

    key: int
    pid: int
    ppid: int
    command: str
    """Its command line, arguments joined by spaces."""
    python: str | None
    """Version such as "3.11.7", or None for a program that is no Python."""
    start_ns: int
    end_ns: int | None = None
    exit_code: int | None = None
    """As a shell has it, 128 + signal for a death by signal; None where nobody could learn it."""
    cpu_ns: int = 0
    """CPU time while it was watched, threads included that came and went between two sweeps."""
    name: str | None = None
    """What multiprocessing called it as it forked it, such as "Process-1"; a later change is not seen.

    None: something else made it, or its report was lost. At most 200 characters, as the program gave them.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A row of the timeline: a thread, or a process that is no Python."""

    key: int
    process: int
    """Key of its process."""
    tid: int
    kind: str
    """"thread" or "process"."""
    name: str | None
    """As Python calls the thread; None until it is known."""
    start_ns: int
    end_ns: int | None = None
    cpu_ns: int = 0
    """CPU time while it was watched, exact, by the kernel's account."""

    @property
    def label(self) -> str:
        """The name for people, also while Python's name is not known."""
        return self.name or f"{self.kind} {self.tid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gil:
    """One interpreter lock. A process can have several, or none."""

    key: int
    process: int
    interpreter: int
    """The interpreter's id in its process; the main one is 0."""
    kind: str
    """"shared" (by all interpreters that do not own one), "own", or "disabled" (free-threaded)."""
    switch_interval_us: int | None = None
    """How long a waiter waits before it asks the holder to let go (sys.setswitchinterval)."""
    source: str = "probe"
    """"probe" (the memory of the target) or "py-spy"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GilTick:
    """One GIL in one tick. Nanoseconds are of watched time: gaps are in no sum.

    UNTOLD in a figure that the GIL's source cannot see: of py-spy contention, waiters, handoffs and the
    longest hold.
    """

    gil: int
    samples: int
    locked_samples: int
    watched_ns: int
    """Real time that the samples stand for."""
    held_ns: int
    contended_ns: int
    """Time in which at least one thread waited."""
    waiter_ns: int
    """Sum over waiters of the time they waited: two waiters through a whole tick count it twice."""
    waiters_max: int
    handoffs: int
    """Exact: the difference of CPython's own counter."""
    handoffs_seen: int
    """Changes of holder that samples saw, with or without a free moment between."""
    longest_hold_ns: int
    """Longest hold that ended, or was still going on, in the tick; it may have begun before."""
    holder: int | None
    """The lane that held the GIL longest in this tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTick:
    """One lane in one tick."""

    lane: int
    states: StateTimes
    held_ns: int
    """running + holding, as the GIL's samples have it; 0 where there is no GIL."""
    core: int | None
    """The core on which it was last seen to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreTick:
    """One core in one tick."""

    core: int
    busy_share: float
    """0 – 1, of everything on the machine."""
    lane: int | None
    """The target's lane that ran there longest, if one did."""
    target_share: float
    """0 – 1, the target's part of the tick on this core, as far as sweeps can place it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessTick:
    """What a process costs, read about once a second."""

    process: int
    at_ns: int
    cpu_ns: int
    """Since the process was first seen."""
    rss_bytes: int
    pss_bytes: int | None
    uss_bytes: int | None
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A span in which one thread held a GIL without a handoff, as far as samples saw it."""

    gil: int
    lane: int | None
    """None: the holder is in no thread list that was read."""
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One step of the animation: all that was read in it, folded."""

    index: int
    start_ns: int
    end_ns: int
    gils: tuple[GilTick, ...] = ()
    lanes: tuple[LaneTick, ...] = ()
    """Only lanes that did anything but sleep."""
    cores: tuple[CoreTick, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A span that a source could not read, with the reason."""

    source: str
    pid: int | None
    reason: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened once: a start, an end, a fork, a limit reached."""

    at_ns: int
    kind: str
    """A word such as "target-started", "target-ended", "process-started", "recording-stopped".

    Of free-threaded builds: "stop-the-world", "gil-enabled", "gil-disabled".
    """
    process: int | None
    lane: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A piece of what the target wrote to its terminal, as bytes, just as it came."""

    at_ns: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A place in the target's source."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        """As shown to people: function (file:line), the file without its folders."""
        return f"{self.function} ({self.file.rpartition('/')[2]}:{self.line})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSample:
    """How often a stack was seen to hold the GIL in a span (from py-spy)."""

    lane: int
    start_ns: int
    end_ns: int
    count: int
    frames: tuple[Frame, ...]
    """Outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingStack:
    """Where a thread was that waited for the GIL at a moment of our choice (from py-spy)."""

    lane: int
    at_ns: int
    frames: tuple[Frame, ...]
    """Outermost first; never empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flame:
    """A function in the tree of who called whom while a GIL was held (or waited for); the root is all."""

    frame: Frame
    """The line is the one in which it was for longest; of the root all is empty."""
    time_ns: int
    """With all that it called."""
    own_ns: int
    samples: int
    """Stacks that it was seen in."""
    children: tuple[Flame, ...] = ()
    """The widest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flames:
    """The functions that held a GIL in a session, or waited for it: of all threads, and of each."""

    whole: Flame
    threads: tuple[tuple[str, Flame], ...]
    """Name and tree, the thread with the most time first."""
    waiting: Flames | None = None
    """Beside those of held time, those of waiting time; None: no thread was caught waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A hold, longer than the session's `stall_ns`, for which at least one thread waited."""

    gil: int
    lane: int | None
    """None: the holder is in no thread list that was read."""
    start_ns: int
    end_ns: int
    waiters_mean: float
    waiters_max: int
    frames: tuple[Frame, ...]
    """Where the holder was, outermost first; empty where nothing caught it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment that a user marked, with a note that may be empty."""

    at_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a recording is of, and how it was made."""

    command: str
    """The user's words for the target, such as "fib.py 30"."""
    mode: str
    workers: int | None
    python: str | None
    implementation: str | None
    executable: str | None
    pid: int | None
    started: str
    """ISO 8601, UTC."""
    platform: str
    cores: int
    cores_usable: int
    rate_hz: float
    tick_ns: int
    stall_ns: int
    gilscope_version: str
    source: str = "probe"
    ended_ns: int | None = None
    """When the target ended or the watch stopped; None while it goes on."""
    exit_code: int | None = None
    """As a shell has it; None while the target runs, or where it was left running."""
    cost_cpu_ns: int = 0
    """CPU time of the sampler and its helpers so far."""
    samples_asked: int = 0
    """Samples that the rate called for so far."""
    samples_taken: int = 0
    late_ns_max: int = 0
    """The most that a sample came after its deadline."""
    torn_reads: int = 0
    failed_reads: int = 0
    sweeps: int | None = None
    """How often all threads were looked at; None in recordings of older versions."""
    disagreements: int = 0
    """Stacks for which py-spy named another holder than the probe could have seen."""
    threads_created: int | None = None
    threads_started: int | None = None

    @property
    def attached(self) -> bool:
        """The target was there before gilscope, which did not start it."""
        return self.mode == ATTACHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a recording, whole for what a view needs: the only thing views are drawn from."""

    session: Session
    start_ns: int
    end_ns: int
    head_ns: int
    """The newest moment that is recorded, in the window or not."""
    processes: tuple[Process, ...] = ()
    """All of the session that had started by the window's end."""
    lanes: tuple[Lane, ...] = ()
    gils: tuple[Gil, ...] = ()
    ticks: tuple[Tick, ...] = ()
    """Those that overlap the window, in order of time."""
    holds: tuple[Hold, ...] = ()
    """Those that overlap the window, in order of time."""
    gaps: tuple[Gap, ...] = ()
    events: tuple[Event, ...] = ()
    stacks: tuple[StackSample, ...] = ()
    """The newest stacks known at the window's end, a few seconds' worth."""
    process_ticks: tuple[ProcessTick, ...] = ()
    """The last reading of each process at or before the window's end."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the figures mean, in words a beginner understands."""

    kind: str
    headline: str
    evidence: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    speedup_bound_processes: float | None = None
    """At most this many times as fast with processes; an upper bound, never a promise."""
    also_kinds: tuple[str, ...] = ()
    """The kinds of other rules that fit as well; their words are in `also`."""
    confidence: str = "medium"
    """"low", "medium" or "high"."""
    confidence_reason: str = ""
    would_change: tuple[str, ...] = ()
    """What would have to be different for another verdict."""
    limits: tuple[tuple[str, str, str], ...] = ()
    """The figures that decided: what each is, its value, and the limit that it keeps, in words."""


@dataclass(frozen=True, slots=True)
class SpanReport:
    """What a span of a session comes to."""

    start_ns: int
    end_ns: int
    verdict: Verdict
    facts: tuple[tuple[str, str], ...]
    """Figures with their words: ("held", "99 %"), the most important first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapSum:
    """All that one source could not read for one reason."""

    source: str
    reason: str
    ns: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well a session was watched, from its start on, and what that cost."""

    rate_asked_hz: float
    rate_achieved_hz: float | None
    """Of the GIL that was sampled most often; None: no GIL was watched."""
    samples_taken: int
    late_ns_max: int
    """The most that a sample came after its deadline."""
    torn_reads: int
    failed_reads: int
    handoffs: int | None
    """None where a GIL's source cannot count them; likewise those seen."""
    handoffs_seen: int | None
    disagreements: int
    """Stacks for which py-spy named another holder than the probe could have seen."""
    stacks: int
    """Stacks that py-spy gave."""
    gaps: tuple[GapSum, ...]
    """The longest first."""
    cost_cpu_ns: int
    cost_share: float | None
    """Of one core; None: no time has passed yet."""
    sources: tuple[str, ...]
    """Where the holders of the GILs come from: "probe", "py-spy"."""
    tick_ns: int
    unknown: tuple[str, ...] = ()
    """What cannot be known of this session, and why."""

    @property
    def handoffs_text(self) -> str:
        """How many of all handoffs came between two samples: CPython counted them, no sample saw them."""
        if self.handoffs is None or self.handoffs_seen is None:
            return "?"
        return f"{max(0, self.handoffs - self.handoffs_seen)} of {self.handoffs}"


@dataclass(slots=True)
class Counters:
    """Running totals that the sampler keeps of its own quality; written into the session's row."""

    samples_taken: int = 0
    late_ns_max: int = 0
    failed_reads: int = 0
    sweeps: int = 0
    threads_by_pid: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Per pid: threads created and started, as the shim counts them."""

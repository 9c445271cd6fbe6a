"""From a window of the recording to what the panels show. Pure: it sees the model and nothing else.

All names that leave this module are cleaned for the terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gilscope.model import NS_PER_S, Frame, Gil, Hold, Lane, Process, Session, Window
from gilscope.roles import pid_and_name, with_role
from gilscope.text import clean, clock_text, cut, duration_text, fine_clock_text
from gilscope.views.figures import Figures, GilFigures, holder_at, holder_over, top_frames
from gilscope.views.playback import Mode


@dataclass(frozen=True, slots=True)
class Header:
    """The line on top."""

    title: str
    facts: tuple[str, ...]
    """Mode, version, pid: the least important last."""
    kind: str
    """"live", "paused", "slow", "replay", "ended", "lost" or "starting": the colour of `state`."""
    state: str
    costs: tuple[str, ...]
    """Achieved rate and cost."""


@dataclass(frozen=True, slots=True)
class GilLine:
    """What is shown of one GIL."""

    holder: str | None
    """Name of the lane that holds it; None: nobody does."""
    function: str
    """What the holder executes, "" if that is not known."""
    process: str
    """"pid 5098" where there are several GILs, else ""."""
    held_share: float | None
    facts: tuple[tuple[str, str], ...]
    """Word and figure, the most important first: ("held", "99 %")."""
    words: str = ""
    """In place of figures: a GIL that is off."""


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A row of the timeline: a lane, or the heading of a process that groups its lanes."""

    label: str
    lane: Lane | None
    """None: a heading."""
    process: int
    pid: int | None
    note: str = ""
    """Of a heading: how many lanes it has."""
    folded: bool = False
    ended: bool = False
    pinned: bool = False


AND_OTHERS = " + other"


@dataclass(frozen=True, slots=True)
class CoreRow:
    """A core with its load now and before."""

    core: int
    busy_share: float | None
    label: str
    """The target's lane that runs there, with AND_OTHERS where other programs cause most of the load.

    "other": other programs alone; "": nobody.
    """
    cells: tuple[tuple[float, float] | None, ...]
    """Load and the target's part of it; None: not read."""


def present_header(
    session: Session | None,
    *,
    title: str,
    mode: Mode,
    speed: float,
    position_ns: int,
    head_ns: int,
    live: bool,
    lost: bool = False,
) -> Header:
    """The header at a position. `live`: a sampler of ours records; `lost`: it has died."""
    if session is None:
        return Header(clean(title), (), "starting", "◌ STARTING", ())
    # A program that runs as it was written needs no word for that.
    facts = [] if session.mode == "asis" else [clean(session.mode)]
    if session.python:
        facts.append(f"{clean(session.implementation or 'Python')} {clean(session.python)}")
    if session.pid is not None:
        facts.append(f"pid {session.pid}")
    kind, state = _state(session, mode, speed, position_ns, head_ns, live=live, lost=lost)
    return Header(clean(title), tuple(facts), kind, state, _costs(session, head_ns))


def _state(
    session: Session, mode: Mode, speed: float, position_ns: int, head_ns: int, *, live: bool, lost: bool
) -> tuple[str, str]:
    at = clock_text(position_ns)
    # Who stands still, or goes slowly, looks at milliseconds.
    exact = fine_clock_text(position_ns)
    ended = session.ended_ns is not None
    behind = f" −{(head_ns - position_ns) / NS_PER_S:.1f} s" if not ended and position_ns < head_ns else ""
    if mode is Mode.PLAYING and speed != 1.0:
        return "slow", f"▶ {speed:g} × {exact if speed < 1 else at}{behind}"
    if mode is Mode.PLAYING:
        return "replay", f"▶ REPLAY {at}{behind}"
    if mode is Mode.PAUSED and (position_ns < head_ns or not ended):
        return "paused", f"‖ PAUSED {exact}{behind}"
    if ended:
        code = session.exit_code
        return "ended", f"■ ENDED {at}" + ("" if code is None else f" exit {code}")
    if lost:
        return "lost", f"■ SAMPLER LOST {at}"
    return ("live", f"● LIVE {at}") if live else ("live", f"● FOLLOW {at}")


def _costs(session: Session, head_ns: int) -> tuple[str, ...]:
    costs = []
    if session.samples_asked:
        rate = f"{session.rate_hz * session.samples_taken / session.samples_asked:.0f} Hz"
        # Its samples come in traces of a second, and the newest one goes on.
        costs.append(f"py-spy, {rate}, 1 s behind" if session.source == "py-spy" else rate)
    if head_ns and session.cost_cpu_ns:
        costs.append(f"cost {100 * session.cost_cpu_ns / head_ns:.1f} %")
    return tuple(costs)


def holders_now(
    window: Window, figures: Figures, *, exact_at_ns: int | None, cell: tuple[int, int] | None = None
) -> dict[int, int]:
    """By GIL: the lane that holds it, at a moment exactly, or else over the folded span.

    With the span of a `cell`, a lane that held it for most of that comes first: who looks at the cell under
    the cursor would take another mark for a mistake.
    """
    if exact_at_ns is None:
        return {
            gil.key: values.holder
            for gil in window.gils
            if (values := figures.gils.get(gil.key)) is not None and values.holder is not None
        }
    found = {}
    # Of those seen in the window: a long session has had thousands of processes, and this is every frame's.
    seen = {hold.gil for hold in window.holds} or {gil.gil for tick in window.ticks for gil in tick.gils}
    for gil in window.gils:
        if gil.key in seen:
            lane = holder_over(window.holds, gil.key, *cell) if cell else None
            if lane is None:
                lane = _holder_exactly(window, gil, exact_at_ns)
            if lane is not None:
                found[gil.key] = lane
    return found


def _holder_exactly(window: Window, gil: Gil, at_ns: int) -> int | None:
    holds: tuple[Hold, ...] = window.holds
    if holds:
        return holder_at(holds, gil.key, at_ns)
    for tick in window.ticks:  # a span too long for holds: the tick's word must do
        if tick.start_ns < at_ns <= tick.end_ns:
            return next((g.holder for g in tick.gils if g.gil == gil.key), None)
    return None


def present_gils(window: Window, figures: Figures, holders: Mapping[int, int]) -> tuple[GilLine, ...]:
    """A line for each GIL of a process that still runs; of all, if none does."""
    lanes = {lane.key: lane for lane in window.lanes}
    processes = {process.key: process for process in window.processes}
    running = [gil for gil in window.gils if _runs(processes.get(gil.process), window.end_ns)]
    frames = top_frames(window.stacks)
    several = len(window.gils) > 1
    lines = []
    for gil in running or window.gils:
        holder = lanes.get(holders.get(gil.key, -1))
        frame = frames.get(holder.key) if holder else None
        values = figures.gils.get(gil.key)
        process = processes.get(gil.process)
        where = f"pid {pid_and_name(process.pid, _short_name(process))}" if several and process else ""
        if where and gil.kind == "own":
            where += f" interpreter {gil.interpreter}"
        lines.append(
            GilLine(
                holder=clean(holder.label) if holder else None,
                function=frame_text(frame) if frame else "",
                process=where,
                held_share=values.held_share if values else None,
                facts=_gil_facts(values),
                words="off: this Python is free-threaded, its threads run side by side"
                if gil.kind == "disabled"
                else "",
            )
        )
    return tuple(lines)


def frame_text(frame: Frame) -> str:
    """A place in the source, as people read it; C code has no line."""
    if frame.line:
        return clean(str(frame))
    return clean(f"{frame.function} ({frame.file.rpartition('/')[2]}, C code)")


def _gil_facts(values: GilFigures | None) -> tuple[tuple[str, str], ...]:
    if values is None or values.held_share is None:
        return (("held", "?"),)
    facts = [("held", f"{values.held_share * 100:.0f} %")]
    waiting = "?" if values.waiters_mean is None else f"{values.waiters_mean:.1f} threads"
    facts.append(("waiting", waiting))
    if values.handoffs_per_s is not None:
        facts.append(("", f"{values.handoffs_per_s:.0f} handoffs/s"))
    if values.longest_hold_ns is not None:
        facts.append(("longest hold", duration_text(values.longest_hold_ns)))
    if values.contended_share is not None:
        facts.append(("contended", f"{values.contended_share * 100:.0f} %"))
    return tuple(facts)


def _runs(process: Process | None, at_ns: int) -> bool:
    return process is not None and (process.end_ns is None or process.end_ns > at_ns)


def process_label(process: Process, role: str | None = None) -> str:
    """Its pid, what `roles` says it is, and its command line, the program without its folders."""
    program, _, arguments = process.command.partition(" ")
    line = f"{clean(program.rpartition('/')[2])} {clean(arguments)}"
    return f"pid {process.pid} {with_role(line, role)}".rstrip()


NAME_CELLS = 16
"""So much of a process's name stands beside its pid."""


def _short_name(process: Process) -> str | None:
    """What multiprocessing calls it, as far as there is room for it beside its pid."""
    return None if process.name is None else cut(clean(process.name), NAME_CELLS)


def _core_labels(window: Window, wanted: Collection[int]) -> dict[int, str]:
    """By lane, of those that are wanted: what stands beside a core. Each process has a MainThread."""
    processes = {process.key: process for process in window.processes}
    lanes = [lane for lane in window.lanes if lane.key in wanted]
    if len({lane.process for lane in window.lanes}) < 2:
        return {lane.key: clean(lane.label) for lane in lanes}
    names = Counter(process.name for process in window.processes)
    return {lane.key: _lane_of_process(lane, processes.get(lane.process), names) for lane in lanes}


def _lane_of_process(lane: Lane, process: Process | None, names: Counter[str | None]) -> str:
    """What a lane is called beside a core, where there is little room: by one word if that is enough."""
    if process is None:
        return f"? {clean(lane.label)}"
    if lane.tid != process.pid:
        return f"{process.pid} {clean(lane.label)}"
    name = _short_name(process)
    if name is None:
        return f"pid {process.pid}"
    return name if names[process.name] == 1 else pid_and_name(process.pid, name)


def present_cores(
    window: Window,
    figures: Figures,
    cells: Mapping[int, tuple[tuple[float, float] | None, ...]],
) -> tuple[CoreRow, ...]:
    """A row for each core that was read."""
    names = _core_labels(window, {core.lane for core in figures.cores.values() if core.lane is not None})
    # Sweeps place the target's time on cores only roughly; what it took on all of them is exact.
    others = sum(values.busy_share - values.target_share for values in figures.cores.values())
    rows = []
    for core in sorted({*figures.cores, *cells}):
        values = figures.cores.get(core)
        label = ""
        if values is not None:
            if values.lane is not None and values.target_share >= 0.05:
                label = names.get(values.lane, "")
                if label and 2 * min(values.busy_share - values.target_share, others) > values.busy_share:
                    label += AND_OTHERS
            elif values.busy_share >= 0.05:
                label = "other"
        rows.append(CoreRow(core, values.busy_share if values else None, label, cells.get(core, ())))
    return tuple(rows)

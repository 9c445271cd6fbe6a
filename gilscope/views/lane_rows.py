"""Which lanes have a row, and in which order: grouped, folded, filtered, sorted, pinned. Pure.

All names that leave this module are cleaned for the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gilscope.model import Lane, Process, Window
from gilscope.roles import roles
from gilscope.text import clean
from gilscope.views.present import LaneRow, process_label

ORDERS: dict[str, str] = {
    "start": "",
    "activity": "by activity",
    "held": "by time held",
    "waiting": "by time waiting",
    "name": "by name",
}
"""What lanes are sorted by, and the words for it."""


@dataclass(frozen=True, slots=True)
class LaneOrder:
    """Which lanes are shown, and where, as the user wants it."""

    by: str = "start"
    """A key of ORDERS."""
    only: str = ""
    """Lanes with this text in their name, or in that of their process, whatever its case; empty: all."""
    pinned: tuple[int, ...] = ()
    """Lanes that stay on top, filter or not."""
    fold: bool = False
    """Processes are folded, but for those that are named, instead of the other way round."""


AS_STARTED = LaneOrder()


def present_lanes(
    window: Window,
    active: Collection[int],
    folded: Collection[int],
    *,
    fits: int,
    order: LaneOrder = AS_STARTED,
    weights: Mapping[int, int] | None = None,
) -> tuple[LaneRow, ...]:
    """The rows of the timeline, grouped by process if there are several.

    While all rows fit on the screen they stand in the order of their start and never move. When they do
    not, lanes that do anything come before those that sleep, and those before the ones that ended. With
    another order they always stand in that.

    Args:
        window: gives the lanes and processes.
        active: lanes that did anything but sleep lately.
        folded: processes of which only the heading is shown.
        fits: how many rows the screen has.
        order: what the user wants of it.
        weights: by lane, what they are sorted by, the largest first; lanes without one come last.
    """
    of_process: dict[int, list[Lane]] = {process.key: [] for process in window.processes}
    for lane in window.lanes:
        of_process.setdefault(lane.process, []).append(lane)
    processes = {process.key: process for process in window.processes}
    known = roles(window.processes)
    grouped = len([key for key, lanes in of_process.items() if lanes]) > 1
    rows = _pinned_rows(window, processes, order.pinned, grouped=grouped)
    _thin_out(of_process, processes, order, known)
    if order.fold:
        folded = of_process.keys() - set(folded)
    total = len(rows) + sum(map(len, of_process.values())) + (len(of_process) if grouped else 0)
    if order.by != "start":
        keys = _sorted(of_process, order.by, weights or {})
    elif total > fits:
        keys = _active_first(of_process, active, window.end_ns)
    else:
        keys = list(of_process)
    for key in keys:
        lanes, process = of_process[key], processes.get(key)
        pid = process.pid if process else None
        if grouped and lanes:
            rows.append(
                _heading(key, process, lanes, window.end_ns, folded=key in folded, role=known.get(key))
            )
            if key in folded:
                continue
        rows += [
            LaneRow(clean(lane.label), lane, key, pid, ended=_ended(lane, window.end_ns)) for lane in lanes
        ]
    return tuple(rows)


def ended_at(window: Window) -> tuple[int, int]:
    """How many processes and lanes have ended at a window's end: they only ever grow as time passes."""
    return (
        sum(process.end_ns is not None and process.end_ns <= window.end_ns for process in window.processes),
        sum(lane.end_ns is not None and lane.end_ns <= window.end_ns for lane in window.lanes),
    )


def _active_first(of_process: dict[int, list[Lane]], active: Collection[int], at_ns: int) -> list[int]:
    """Sort the lanes of each process, and the processes: who does anything, who sleeps, who ended."""

    def rank(lane: Lane) -> int:
        return 0 if lane.key in active else 2 if _ended(lane, at_ns) else 1

    for lanes in of_process.values():
        lanes.sort(key=rank)
    return sorted(of_process, key=lambda key: min((rank(lane) for lane in of_process[key]), default=2))


def _sorted(of_process: dict[int, list[Lane]], by: str, weights: Mapping[int, int]) -> list[int]:
    """Sort them by name, or by their weights."""
    if by == "name":
        for lanes in of_process.values():
            lanes.sort(key=lambda lane: _natural(lane.label))
        return list(of_process)
    for lanes in of_process.values():
        lanes.sort(key=lambda lane: -weights.get(lane.key, 0))
    return sorted(of_process, key=lambda key: -sum(weights.get(lane.key, 0) for lane in of_process[key]))


def _pinned_rows(
    window: Window, processes: Mapping[int, Process], pinned: Collection[int], *, grouped: bool
) -> list[LaneRow]:
    """A row for each lane that stays on top, in the order in which they were pinned."""
    lanes = {lane.key: lane for lane in window.lanes}
    rows = []
    for key in pinned:
        lane = lanes.get(key)
        if lane is not None:
            process = processes.get(lane.process)
            pid = process.pid if process else None
            label = f"▪ {pid} {clean(lane.label)}" if grouped else f"▪ {clean(lane.label)}"
            ended = _ended(lane, window.end_ns)
            rows.append(LaneRow(label, lane, lane.process, pid, ended=ended, pinned=True))
    return rows


def _thin_out(
    of_process: dict[int, list[Lane]],
    processes: Mapping[int, Process],
    order: LaneOrder,
    known: Mapping[int, str],
) -> None:
    """Take away the lanes that are pinned, or do not have what is looked for, and groups without any."""
    wanted = order.only.casefold()
    if not wanted and not order.pinned:
        return
    for key, lanes in list(of_process.items()):
        process = processes.get(key)
        whole = process is not None and wanted in process_label(process, known.get(key)).casefold()
        of_process[key] = [
            lane
            for lane in lanes
            if lane.key not in order.pinned
            and (whole or wanted in lane.label.casefold() or wanted == str(lane.tid))
        ]
        if not of_process[key]:
            del of_process[key]


def _natural(label: str) -> list[tuple[bool, int, str]]:
    """Sorts worker-2 before worker-10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", label.casefold())
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _ended(lane: Lane, at_ns: int) -> bool:
    return lane.end_ns is not None and lane.end_ns <= at_ns


def _heading(
    key: int, process: Process | None, lanes: list[Lane], at_ns: int, *, folded: bool, role: str | None
) -> LaneRow:
    alive = sum(not _ended(lane, at_ns) for lane in lanes)
    note = f"{alive} lane{'' if alive == 1 else 's'}"
    label, pid = f"process {key}", None
    if process is not None:
        label, pid = process_label(process, role), process.pid
        if process.end_ns is not None and process.end_ns <= at_ns:
            note = "ended" if process.exit_code is None else f"ended, exit {process.exit_code}"
    return LaneRow(label, None, key, pid, note=note, folded=folded)

"""asciicast v2: the lanes drawn over time, for asciinema's players.

20 frames a second; at speed 1 a frame is 50 ms of the recording. Each frame fills one column, from left to
right and then from the left again, as on an oscilloscope, so that only what is new is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from gilscope.exports.cells import Cell, GilCell, cells_of
from gilscope.exports.options import Options
from gilscope.exports.screen import ScreenCells
from gilscope.model import N_STATES, NS_PER_S, Gil, Lane, Session, State
from gilscope.recording.streams import RecordingStreams
from gilscope.text import clean, clock_text, cut, pad

COLUMNS, ROWS = 100, 28
FRAMES_PER_S = 20
NAMES = 16
LEFT = NAMES + 10
"""Where the cells begin; before them mark, name and share."""
MOST_GILS, MOST_CORES = 2, 4
SMOOTH = 20
"""Shares are those of about so many frames."""
GLYPHS = "█!░▓▒·?"
COLOURS = ("#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#9a9a9a", "#6c6c6c")
GREY, ORANGE = "#9a9a9a", "#E69F00"
LONGEST_NS = 10 * NS_PER_S
"""Of a longer tick only the end is drawn: nothing in it would change."""
BARS = " ▁▂▃▄▅▆▇█"


def pieces(streams: RecordingStreams, options: Options) -> Iterator[str]:
    """The file: a header, and a line a frame in which something changed."""
    session = streams.session()
    header = {
        "version": 2,
        "width": COLUMNS,
        "height": ROWS,
        "timestamp": _timestamp(session),
        "title": f"gilscope: {clean(session.command)}",
        "env": {"TERM": "xterm-256color"},
    }
    yield json.dumps(header) + "\n"
    frame_ns = max(1, round(NS_PER_S / FRAMES_PER_S * options.speed))
    picture = _Picture(streams, options.speed)
    yield _event(0.0, "\x1b[2J\x1b[?25l" + picture.first())
    last = 0
    # What a long watch has let go is not waited for.
    first = streams.first_ns() // frame_ns
    for cell in cells_of(streams.steps(), frame_ns, longest_ns=LONGEST_NS):
        changed = picture.draw(cell, frame_ns)
        last = cell.index + 1 - first
        if changed:
            yield _event(last / FRAMES_PER_S, changed)
    yield _event((last + 1) / FRAMES_PER_S, f"\x1b[{ROWS};1H\x1b[?25h")


def _event(at_s: float, data: str) -> str:
    return json.dumps([round(at_s, 6), "o", data], ensure_ascii=False) + "\n"


def _timestamp(session: Session) -> int:
    try:
        return int(datetime.fromisoformat(session.started).timestamp())
    except (ValueError, OverflowError):
        return 0  # a damaged file


class _Picture:
    """The screen, and which row is whose."""

    def __init__(self, streams: RecordingStreams, speed: float) -> None:
        self._session = session = streams.session()
        self._speed = speed
        self._screen = ScreenCells(COLUMNS, ROWS)
        gils = streams.gils()
        self._gils: tuple[Gil, ...] = tuple(gil for gil in gils if gil.kind != "disabled")[:MOST_GILS]
        self._cores = min(MOST_CORES, session.cores)
        self._top = 2 + len(self._gils) + 1
        room = ROWS - self._top - self._cores - 3
        lanes = streams.lanes()
        busiest = _busiest(streams, lanes)
        self._lanes: list[Lane] = sorted(busiest[:room], key=lambda lane: lane.key)
        self._more = len(lanes) - len(self._lanes)
        self._held = dict.fromkeys((lane.key for lane in lanes), 0.0)
        self._names = {lane.key: lane.label for lane in lanes}
        self._core_top = self._top + len(self._lanes) + 1

    def first(self) -> str:
        """What stands still, and an empty timeline."""
        session, screen = self._session, self._screen
        python = " ".join(word for word in (session.implementation, session.python) if word)
        facts = " · ".join(word for word in (session.command, session.mode, python) if word)
        screen.put(0, 1, "gilscope  " + cut(facts, COLUMNS - 40))
        for number in range(self._cores):
            screen.put(self._core_top + number, 1, f"core {number}", GREY)
        for number, lane in enumerate(self._lanes):
            screen.put(self._top + number, 3, pad(cut(lane.label, NAMES), NAMES))
        if self._more > 0:
            screen.put(self._top + len(self._lanes), 3, f"… and {self._more} more that did less", GREY)
        column = 1
        for state in State:
            screen.put(ROWS - 1, column, GLYPHS[state], COLOURS[state])
            screen.put(ROWS - 1, column + 2, state.word, GREY)
            column += len(state.word) + 4
        return screen.changes()

    def draw(self, cell: Cell, frame_ns: int) -> str:
        """Add one column; what a terminal must be told."""
        screen = self._screen
        column = LEFT + cell.index % (COLUMNS - LEFT)
        following = LEFT + (cell.index + 1) % (COLUMNS - LEFT)
        at = clock_text((cell.index + 1) * frame_ns)
        speed = "" if self._speed == 1 else f"{self._speed:g} × "
        screen.put(0, COLUMNS - 22, f"{speed + at:>20}", ORANGE)
        holders = {of_gil.holder for of_gil in cell.gils.values() if of_gil.held_ns > 0}
        for number, gil in enumerate(self._gils):
            self._draw_gil(2 + number, gil, cell.gils.get(gil.key))
        for number, lane in enumerate(self._lanes):
            self._draw_lane(self._top + number, lane, cell, column, held=lane.key in holders)
            screen.put(self._top + number, following, "│", GREY)
        for number in range(self._cores):
            load = cell.cores.get(number)
            row = self._core_top + number
            share = None if load is None or not cell.covered_ns else load[0] / cell.covered_ns
            screen.put(row, LEFT - 7, "   ? %" if share is None else f"{100 * share:4.0f} %", GREY)
            mark = "?" if share is None else BARS[max(0, min(8, round(8 * share)))]
            screen.put(row, column, mark, COLOURS[State.NATIVE])
            screen.put(row, following, "│", GREY)
        return screen.changes()

    def _draw_gil(self, row: int, gil: Gil, of_gil: GilCell | None) -> None:
        screen = self._screen
        screen.put(row, 1, "GIL" if len(self._gils) < 2 else f"GIL {gil.key}")
        watched = of_gil is not None and of_gil.watched_ns > 0
        if of_gil is None or not watched:
            screen.put(row, 8, pad("not read", COLUMNS - 9), GREY)
            return
        holder = self._names.get(of_gil.holder or 0, "nobody" if of_gil.held_ns <= 0 else "?")
        screen.put(row, 8, pad("▶ " + cut(holder, NAMES), NAMES + 2), COLOURS[State.RUNNING])
        share = max(0.0, min(1.0, of_gil.held_ns / of_gil.watched_ns))
        waiting = "?" if of_gil.waiter_ns < 0 else f"{of_gil.waiter_ns / of_gil.watched_ns:.1f}"
        screen.put(row, LEFT + 2, f"held {100 * share:3.0f} %   {waiting:>4} waiting   ")
        filled = round(30 * share)
        screen.put(row, LEFT + 34, "█" * filled, COLOURS[State.RUNNING])
        screen.put(row, LEFT + 34 + filled, "·" * (30 - filled), GREY)

    def _draw_lane(self, row: int, lane: Lane, cell: Cell, column: int, *, held: bool) -> None:
        screen = self._screen
        times = cell.lanes.get(lane.key, [0.0] * N_STATES)
        slept = max(0.0, cell.covered_ns - sum(times))
        share = (times[State.RUNNING] + times[State.HOLDING]) / (cell.covered_ns or 1.0)
        self._held[lane.key] += (share - self._held[lane.key]) / SMOOTH
        screen.put(row, 1, "▶" if held else " ", ORANGE)
        screen.put(row, LEFT - 7, f"{100 * self._held[lane.key]:4.0f} %", GREY)
        states = [time + (slept if state == State.BLOCKED else 0.0) for state, time in enumerate(times)]
        state = max(range(N_STATES), key=lambda state: states[state])
        screen.put(row, column, GLYPHS[state], COLOURS[state])


def _busiest(streams: RecordingStreams, lanes: tuple[Lane, ...]) -> list[Lane]:
    """All lanes, those that did most besides sleeping first."""
    done: dict[int, int] = {}
    for tick in streams.coarse_ticks(streams.until_ns):
        for row in tick.lanes:
            done[row.lane] = done.get(row.lane, 0) + sum(row.states) - row.states[State.BLOCKED]
    return sorted(lanes, key=lambda lane: (-done.get(lane.key, 0), lane.key))

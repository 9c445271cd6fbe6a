"""The cells of one zoom, as far as they are read: in parts, put together for the lanes in sight. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from gilscope.model import Lane
from gilscope.views.cells import NO_DATA, Folded

AHEAD = 2
"""Of the cells that time will bring into sight next, a part of this of those in sight is read in advance."""
WAITING_MOST = 50_000
"""So many ticks of lanes, about 15 MB, are kept for lanes that are not in sight."""
ROWS_MOST = 2_000


@dataclass(slots=True)
class Timeline:
    """One unbroken stretch of cells, kept so that only what is new is read.

    It knows nothing but what `missing` asks for and `put` gives it: dropping it loses no information.
    """

    cell_ns: int
    first: int = 0
    end: int = 0
    """The cell after the last one held; those from `sure` on are of a time that is still recorded."""
    sure: int = 0
    head_ns: int = -1
    """How far the recording reached when it was last filled."""
    _parts: list[tuple[int, Folded]] = field(default_factory=list)
    """From which cell on each is good; it is so up to the next one."""
    _rows: dict[int, bytearray] = field(default_factory=dict)
    """By lane: its cells from `first` on, as far as they were asked for."""

    def missing(self, first: int, end: int, head_ns: int) -> tuple[int, int] | None:
        """The cells that have to be read and put before [first, end) can be drawn, and a few more."""
        # The last cell of a long span need not be read again for each tick.
        fresh = head_ns - self.head_ns < max(1, self.cell_ns // 10)
        last = head_ns // self.cell_ns + 1
        ahead = max(0, end - first) // AHEAD
        first, end = max(0, first), min(end, last)
        if end <= first:
            return None
        if self.first == self.end or first > self.end or end < self.first:
            return first, end
        if first < self.first:
            # A step back reads further than it must: the next steps are free.
            back = max(0, min(first, self.first - (end - first) // 2))
            return back, self.first
        if end > self.end:
            return max(first, self.sure), min(last, end + ahead)
        if end > self.sure and not fresh:
            return max(first, self.sure), max(end, min(last, self.end))
        return None

    def put(self, part: Folded, head_ns: int) -> None:
        """Add cells that `missing` asked for, in place of those they overlap; what they do not touch goes."""
        end = part.first + len(part.base)
        if self.first == self.end or part.first > self.end or end < self.first:
            self._rows.clear()
            self._parts = [(part.first, part)]
            self.first = part.first
        elif part.first < self.first:
            self._rows.clear()
            self._parts.insert(0, (part.first, part))
            self.first = part.first
            return
        else:
            keep = part.first - self.first
            for row in self._rows.values():
                del row[keep:]
            while self._parts and self._parts[-1][0] >= part.first:
                self._parts.pop()
            self._parts.append((part.first, part))
        self.end = end
        self.head_ns = head_ns
        self.sure = min(self.end, head_ns // self.cell_ns)

    def trim(self, first: int, wanted: int | None = None) -> None:
        """Forget the cells before `first`, and with many lanes all before `wanted`: memory stays flat."""
        if wanted is not None and sum(part.waiting for _, part in self._parts) > WAITING_MOST:
            first = max(first, wanted)
        first = min(first, self.sure)
        drop = first - self.first
        if drop <= 0:
            return
        for row in self._rows.values():
            del row[:drop]
        if len(self._rows) > ROWS_MOST:
            self._rows.clear()
        while len(self._parts) > 1 and self._parts[1][0] <= first:
            del self._parts[0]
        self._parts[0] = first, self._parts[0][1]
        self.first = first

    def row(self, lane: Lane, pid: int | None, first: int, count: int) -> bytes:
        """The cells of one lane; no data where nothing is held and outside of the lane's life."""
        begin, end = max(first, self.first), min(first + count, self.end)
        born = lane.start_ns // self.cell_ns
        begin = max(begin, born)
        if lane.end_ns is not None:
            end = min(end, -(-lane.end_ns // self.cell_ns))
        if end <= begin:
            return bytes([NO_DATA]) * count
        cells = bytes(self._whole(lane.key, pid)[begin - self.first : end - self.first])
        if len(cells) == count:
            return cells
        return bytes([NO_DATA]) * (begin - first) + cells + bytes([NO_DATA]) * (first + count - end)

    def _whole(self, lane: int, pid: int | None) -> bytearray:
        """All cells of a lane, those that are new put behind what was put together before."""
        row = self._rows.get(lane)
        if row is None:
            row = self._rows[lane] = bytearray()
        at = self.first + len(row)
        if at < self.end:
            number = len(self._parts) - 1
            while number and self._parts[number][0] > at:
                number -= 1
            for index in range(number, len(self._parts)):
                part = self._parts[index][1]
                stop = self._parts[index + 1][0] if index + 1 < len(self._parts) else self.end
                if lane in part.rows:
                    cells = part.rows[lane]
                else:
                    owner = part.pids.get(lane)
                    cells = part.empty(pid if owner is None else owner)
                row += cells[at - part.first : stop - part.first]
                at = stop
        return row

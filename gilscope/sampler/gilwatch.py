"""One GIL while it is watched, and what a process adds to a tick."""

from __future__ import annotations

from dataclasses import dataclass, field

from gilscope.model import Gap, Gil, GilTick, Hold, LaneTick
from gilscope.sampler.lanes import CoreTimes
from gilscope.sampler.merge import GilFold, GilSums
from gilscope.sampler.stallfold import LongHold
from gilscope.sources.gil import Fields, GilProbe, Sample

COLD_SAMPLES = 100
WARM_SHARE = 0.05
"""A GIL that was held for less than this part of a tick, with no waiter, need not be read often."""


class GilWatch:
    """A GIL, and its samples since the last tick's end.

    While a tick goes on samples are only noted; they are folded together when it ends. Code that runs once a
    sample runs with cold caches, and takes several times as long as what runs for all of them in a row.
    """

    __slots__ = (
        "_last",
        "_noted",
        "_plain",
        "fold",
        "gil",
        "is_warm",
        "missing",
        "probe",
        "quiet",
        "same",
        "same_ns",
    )

    def __init__(self, gil: Gil, probe: GilProbe, fold: GilFold) -> None:
        self.gil = gil
        self.probe = probe
        self.fold = fold
        self.same = 0
        """Samples in a row that equal the last one noted, and the moment of the newest."""
        self.same_ns = 0
        self.missing = 0
        """Scans in a row that did not find its interpreter."""
        self.is_warm = False
        """It was hardly held in the last tick."""
        self.quiet = 0
        """Samples in a row that found it free and unchanged, while its process used no CPU time."""
        self._plain: list[tuple[int, int, int, Fields]] = []
        """For each sample noted: equal ones before it, the newest one's moment, its own, its fields."""
        self._noted: list[tuple[int, int, int, Sample]] = []
        """The same, understood."""
        self._last: Sample | None = None

    def read(self, at_ns: int) -> None:
        """Take one sample; what the hot loop does, for use elsewhere.

        Raises:
            ReadFailedError: the process is gone, or its memory is.
        """
        fields = self.probe.read()
        if fields != self.probe.fields:
            self.note(at_ns, fields)
        else:
            self.same += 1
            self.same_ns = at_ns

    def note(self, at_ns: int, fields: Fields) -> None:
        """Note a sample that differs from the last one, or comes after a gap.

        Raises:
            ReadFailedError: the process is gone, or its memory is.
        """
        probe = self.probe
        if probe.is_plain(fields):
            self._plain.append((self.same, self.same_ns, at_ns, fields))
            probe.fields = fields
        else:
            self._understand()
            self._noted.append((self.same, self.same_ns, at_ns, probe.take(fields)))
        self.same = 0

    def _understand(self) -> None:
        """What the fields noted so far amount to."""
        plain, self._plain = self._plain, []
        take = self.probe.take_later
        self._noted += [(same, same_ns, at_ns, take(fields)) for same, same_ns, at_ns, fields in plain]

    def settle(self) -> None:
        """Tell the fold of all samples since the last call."""
        self._understand()
        noted, self._noted = self._noted, []
        fold = self.fold
        for same, same_ns, at_ns, sample in noted:
            if same:
                fold.again(same_ns, same)
            fold.add(at_ns, *sample)
        if noted:
            self._last, self.quiet = noted[-1][3], 0
        if self.same:
            fold.again(self.same_ns, self.same)
            self.quiet = self.quiet + self.same if self.is_free else 0
            self.same = 0

    @property
    def is_free(self) -> bool:
        """Nobody held it, and nobody waited, at the last sample."""
        return self._last is not None and self._last.tid == 0 and self._last.waiters <= 0

    def finish(self, next_end_ns: int) -> GilSums:
        """Close the fold's tick; the next one ends at `next_end_ns`."""
        sums = self.fold.finish(next_end_ns)
        self.is_warm = not sums.contended_ns and sums.held_ns < WARM_SHARE * sums.watched_ns
        return sums

    @property
    def is_cold(self) -> bool:
        """It has been free for so long that it may be sampled more rarely."""
        return self.quiet >= COLD_SAMPLES


@dataclass(frozen=True, slots=True)
class LaneHold:
    """A long hold of a GIL, or one that may become one, and whose it is."""

    gil: int
    pid: int
    process: int
    """Key of the process."""
    tid: int
    lane: int | None
    hold: LongHold
    ended: bool


@dataclass(slots=True)
class ProcessPart:
    """What one process adds to a tick."""

    gils: list[GilTick] = field(default_factory=list)
    lanes: list[LaneTick] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    long_holds: list[LaneHold] = field(default_factory=list)
    """Those that ended, and those that go on."""
    gaps: list[Gap] = field(default_factory=list)
    holders: list[int] = field(default_factory=list)
    """Tids that held a GIL."""
    core_ns: CoreTimes = field(default_factory=dict)

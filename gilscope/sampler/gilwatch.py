"""One GIL while it is watched, and what a process adds to a tick."""

from __future__ import annotations

from dataclasses import dataclass, field

from gilscope.model import Gap, Gil, GilTick, Hold, LaneTick
from gilscope.sampler.lanes import CoreTimes
from gilscope.sampler.merge import GilFold
from gilscope.sources.gil import GilProbe, Sample

COLD_SAMPLES = 100


@dataclass(slots=True)
class GilWatch:
    """A GIL and the fold of its samples."""

    gil: Gil
    probe: GilProbe
    fold: GilFold
    last: Sample | None = None
    same: int = 0
    """Samples equal to the last one that the fold has not been told of, and the moment of the newest."""
    same_ns: int = 0
    missing: int = 0
    """Scans in a row that did not find its interpreter."""
    quiet: int = 0
    """Samples in a row that found it free and unchanged, while its process used no CPU time."""

    def tell(self, at_ns: int, sample: Sample) -> None:
        """Tell the fold of a sample."""
        self.flush()
        if sample is self.last:
            self.fold.again(at_ns)
        else:
            self.last = sample
            self.quiet = 0
            self.fold.add(at_ns, *sample)

    def flush(self) -> None:
        """Tell the fold of the equal samples that were only counted."""
        if self.same:
            self.fold.again(self.same_ns, self.same)
            self.quiet = self.quiet + self.same if self.is_free else 0
            self.same = 0

    @property
    def is_free(self) -> bool:
        """Nobody held it, and nobody waited, at the last sample."""
        return self.last is not None and self.last.tid == 0 and self.last.waiters <= 0

    @property
    def is_cold(self) -> bool:
        """It has been free for so long that it may be sampled more rarely."""
        return self.quiet >= COLD_SAMPLES


@dataclass(slots=True)
class ProcessPart:
    """What one process adds to a tick."""

    gils: list[GilTick] = field(default_factory=list)
    lanes: list[LaneTick] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    holders: list[int] = field(default_factory=list)
    """Tids that held a GIL."""
    core_ns: CoreTimes = field(default_factory=dict)

"""An hour's worth of ticks in seconds: what the sampler keeps does not grow with time."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gilscope import clock
from gilscope.model import NS_PER_S
from gilscope.recording.reader import RecordingReader
from gilscope.sampler import loop, sampling
from gilscope.sampler.attaching import examine
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.loop import Ending
from gilscope.sampler.session import run_session
from gilscope.sources import pyspy
from tests.watched import open_descriptors, watched

MINUTES = int(os.environ.get("GILSCOPE_LONG_MINUTES", "3"))


class Hasty(ModuleType):
    """The time module, for which every sleep is over at once."""

    def __init__(self) -> None:
        super().__init__("time")
        self.skipped_ns = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        self.skipped_ns += round(seconds * NS_PER_S)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() + self.skipped_ns


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hasty]:
    made = Hasty()
    for module in (clock, sampling, loop):
        monkeypatch.setattr(module, "time", made)
    # py-spy lives in real time: all it did would come too late.
    monkeypatch.setattr(pyspy, "find_executable", lambda: None)
    yield made
    gc.unfreeze()


class Meter:
    """Asked once a tick; says what is held at some of them, and when it is enough."""

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks
        self.count = 0
        self.blocks: list[int] = []
        self.descriptors: list[int] = []

    def __call__(self) -> Ending | None:
        self.count += 1
        if self.count % (self.ticks // 3) == 0:
            gc.collect()
            self.blocks.append(sys.getallocatedblocks())
            self.descriptors.append(len(open_descriptors()))
        return Ending("enough", stop_target=True) if self.count == self.ticks else None


@pytest.mark.parametrize("keep_s", [None, 120])
def test_what_is_kept_does_not_grow(tmp_path: Path, hasty: Hasty, keep_s: int | None) -> None:
    """Threads and processes come and go all the while."""
    before = open_descriptors()
    meter, sizes = Meter(MINUTES * 60), []
    path = tmp_path / "r.gilscope"
    with watched("long_life.py", 1000, 0.01, 0.1) as target:
        config = SamplerConfig(
            spec=examine(target.pid), recording=path, rate_hz=20, tick_ns=NS_PER_S,
            keep_ns=None if keep_s is None else keep_s * NS_PER_S,
        )  # fmt: skip

        def control() -> Ending | None:
            ending = meter()
            if meter.count % (meter.ticks // 3) == 0:
                sizes.append(sum(file.stat().st_size for file in tmp_path.glob("r.gilscope*")))
            return ending

        run_session(config, control=control)
    assert hasty.skipped_ns > 0.9 * MINUTES * 60 * NS_PER_S
    assert meter.blocks[-1] < meter.blocks[0] * 1.02 + 2_000, meter.blocks
    assert max(meter.descriptors) - min(meter.descriptors) <= 12, meter.descriptors
    assert open_descriptors() == before
    reader = RecordingReader(path)
    assert reader.session().ended_ns is not None
    reader.close()

"""Memory does not grow with the recording: three times as long, the same peak."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from gilscope.exports.options import Options
from gilscope.exports.registry import FORMATS
from gilscope.recording.streams import RecordingStreams
from gilscope.sources.scripted import Script
from tests.benchmarks.hour import make

SHORT_S, LONG_S = 30.0, 90.0


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("long")
    paths = (folder / "short.gilscope", folder / "long.gilscope")
    for path, seconds in zip(paths, (SHORT_S, LONG_S), strict=True):
        make(path, Script(seconds=seconds, cpu=1, io=0, cores=1))
    return paths


def peak(path: Path, name: str) -> int:
    streams = RecordingStreams(path)
    tracemalloc.start()
    try:
        with Path("/dev/null").open("wb") as nowhere:
            FORMATS[name].write(streams, nowhere, Options())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        streams.close()


@pytest.mark.parametrize("name", ["perfetto", "firefox", "csv", "cast"])
def test_memory_does_not_grow(recordings: tuple[Path, Path], name: str) -> None:
    short, long = (peak(path, name) for path in recordings)
    # What grew by a row a hold, or by one a tick and lane, would take megabytes more.
    assert long < 1.25 * short + 500_000, (short, long)

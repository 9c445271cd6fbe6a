"""Recordings that all tests of exports read, made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gilscope.exports.options import Options
from gilscope.exports.registry import FORMATS
from gilscope.recording import schema
from gilscope.recording.streams import RecordingStreams
from tests.exports.samples import hostile

GOLDEN = Path(__file__).parents[1] / "recordings" / f"v{schema.VERSION}.gilscope"
"""Of a real run: threads, a child process, stacks, output."""


@pytest.fixture(scope="session")
def harmful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile(tmp_path_factory.mktemp("harmful") / "harmful.gilscope")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(GOLDEN, tmp_path_factory.mktemp("real") / "real.gilscope"))


@pytest.fixture(params=["harmful", "real"])
def recording(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def opened(recording: Path) -> Iterator[RecordingStreams]:
    streams = RecordingStreams(recording)
    yield streams
    streams.close()


@pytest.fixture
def exported(tmp_path: Path) -> Callable[..., bytes]:
    """The bytes of an export."""

    def export(path: Path, name: str, options: Options | None = None) -> bytes:
        target = tmp_path / f"out{FORMATS[name].ending}"
        streams = RecordingStreams(path)
        try:
            with target.open("wb") as file:
                FORMATS[name].write(streams, file, options or Options())
        finally:
            streams.close()
        return target.read_bytes()

    return export

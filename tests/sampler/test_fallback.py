"""Where the probe cannot read an interpreter, py-spy is asked, unless the probe was asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gilscope.errors import CannotObserveError
from gilscope.launch.spec import resolve_spec
from gilscope.sampler.config import SamplerConfig, Source
from gilscope.sampler.session import run_session, with_pyspy
from gilscope.sampler.watch import ProcessWatch


def config(folder: Path, source: Source) -> SamplerConfig:
    code = "import time; end = time.time() + 2\nwhile time.time() < end: pass"
    spec = resolve_spec(code=code, python=sys.executable)
    return SamplerConfig(spec=spec, recording=folder / "r.gilscope", source=source)


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an interpreter of an unknown version is to the probe."""

    def try_open(self: ProcessWatch, _now_ns: int, _version: object = None) -> bool:
        self.unreadable = "an unknown version"
        return False

    monkeypatch.setattr(ProcessWatch, "try_open", try_open)


@pytest.mark.usefixtures("unreadable")
def test_py_spy_is_asked_by_itself(tmp_path: Path) -> None:
    session = run_session(config(tmp_path, "auto")).session
    assert session.source == "py-spy"
    assert session.exit_code == 0
    assert session.rate_hz == 100
    assert session.samples_taken > 50
    assert session.threads_started == 0  # the shim was there


@pytest.mark.usefixtures("unreadable")
def test_not_if_the_probe_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CannotObserveError, match="an unknown version"):
        run_session(config(tmp_path, "probe"))
    assert not (tmp_path / "r.gilscope").exists()


def test_a_rate_that_was_asked_for_is_kept_as_far_as_py_spy_goes(tmp_path: Path) -> None:
    from dataclasses import replace

    asked = config(tmp_path, "auto")
    rates = [with_pyspy(replace(asked, rate_hz=rate_hz)).rate_hz for rate_hz in (1_000.0, 250.0, 20_000.0)]
    assert rates == [100, 250, 1_000]

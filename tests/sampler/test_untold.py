"""A GIL that does not tell how many wait for it, as with musl's condition variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilscope.exports import text
from gilscope.exports.read import summary_of
from gilscope.launch.spec import resolve_spec
from gilscope.model import UNTOLD
from gilscope.recording.reader import RecordingReader
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.session import run_session
from gilscope.sources import libc
from tests.watched import TARGETS


def test_how_many_wait_is_unknown_and_who_waits_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libc, "counts_waiters", lambda _paths: False)
    spec = resolve_spec(script=str(TARGETS / "cpu_threads.py"), args=["3", "1.5"])
    run_session(SamplerConfig(spec=spec, recording=tmp_path / "r.gilscope"))
    reader = RecordingReader(tmp_path / "r.gilscope")
    assert {gil.contended_ns for tick in reader.ticks() for gil in tick.gils} == {UNTOLD}
    summary = summary_of(reader)
    reader.close()
    (gil,) = summary["gils"]
    assert gil["contention"] is gil["waiters_mean"] is gil["waiters_max"] is None
    assert gil["utilisation"] > 0.5
    assert gil["handoffs"] > 20
    waiting = [lane["waiting_s"] for lane in summary["lanes"] if lane["name"] != "MainThread"]
    assert len(waiting) == 3
    assert min(waiting) > 0.1
    assert summary["totals"]["waiting_s"] > 1
    assert summary["verdict"]["kind"] == "gil-bound"
    assert "None" not in text.render(summary)

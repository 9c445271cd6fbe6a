"""kill -9 in the middle of a live session: of the sampler, of the app, of both. The recording opens."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from pathlib import Path

import pytest

from gilscope.exports.read import summary_of
from gilscope.recording.reader import RecordingReader
from tests.benchmarks.tools import Screen
from tests.commands import environment, gilscope, head_ns
from tests.watched import TARGETS, is_gone, on_free_cores, wait_for

LOST_S = 1.0
"""A tick that is not over, and one that is not written: 0.1 to 0.4 s, and more on a machine that is busy."""


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@pytest.mark.parametrize("who", ["sampler", "app", "both"])
def test_killed(who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = map(tmp_path.joinpath, "123")

    def little(lost_s: float) -> None:
        assert lost_s < LOST_S

    on_free_cores(lambda: killed(who, next(folders), monkeypatch), little)


def killed(who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """Kill in the middle of a session; how much of it is lost, in seconds."""
    tmp_path.mkdir()
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    path, place = tmp_path / "r.gilscope", tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    command = [sys.executable, "-m", "gilscope", "run", "-o", str(path), str(TARGETS / "cpu_threads.py")]
    screen = Screen.start([*command, "--", "2", "60"], 100, 30)
    sampler = target = 0
    try:
        assert screen.read_for(60, until=b"handoffs/s")
        wait_for(lambda: screen.read_for(0.1) or head_ns(path) > 1_000_000_000, "nothing is recorded")
        (sampler,) = children(screen.pid)
        target = next(pid for pid in children(sampler) if b"cpu_threads" in command_of(pid))
        for pid in {"sampler": [sampler], "app": [screen.pid], "both": [screen.pid, sampler]}[who]:
            os.kill(pid, signal.SIGKILL)
        now = dt.datetime.now(dt.UTC)
        if who == "app":
            # Nobody is left who could be asked what is to become of the target: it ends with its terminal.
            wait_for(lambda: is_gone(sampler), "the sampler does not end")
        reader = RecordingReader(path)
        try:
            started = dt.datetime.fromisoformat(reader.session().started)
            lost_s = (now - started).total_seconds() - reader.head_ns() / 1e9
            summary = summary_of(reader)
        finally:
            reader.close()
        assert summary["gils"][0]["samples"] > 100
        assert {lane["tid"] for lane in summary["lanes"]} >= {target}
        if who == "sampler":
            assert screen.read_for(30, until=b"ended unexpectedly") or b"unexpectedly" in screen.output
            wait_for(lambda: screen.read_for(0.1) or is_gone(screen.pid), "the app does not end")
            # What it had among the temporary files goes with the next session.
            assert gilscope(tmp_path, "run", "--headless", "-c", "pass").code == 0
            assert list(place.iterdir()) == []
        return lost_s
    finally:
        for pid in (target, sampler, screen.pid):
            if pid and not is_gone(pid):
                os.kill(pid, signal.SIGKILL)
        screen.close()


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""

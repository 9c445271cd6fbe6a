"""Recordings of scripted sessions, an app over them, and snapshots of what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from gilscope.clock import FakeClock
from gilscope.model import Verdict
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from gilscope.views.app import GilscopeApp
from gilscope.views.control import ControlStatus
from gilscope.views.viewing import Viewing
from gilscope.views.widgets.panel import Panel
from tests import idle

idle.install()
VERDICT = Verdict(
    "gil-bound",
    "GIL-bound: 3 threads want to run Python, one can.",
    ("The GIL was held 99 % of the time.",),
    ("Processes could use 2 cores: up to 1.9 × as fast.",),
)


class Control:
    """A live session that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.answer = ControlStatus(sampler_alive=True)

    def stop_target(self) -> None:
        self.told.append(("stop",))

    def leave_running(self) -> None:
        self.told.append(("leave",))

    def send_input(self, data: bytes) -> None:
        self.told.append(("input", data))

    def resize_output(self, columns: int, rows: int) -> None:
        self.told.append(("size", columns, rows))

    def put_mark(self, at_ns: int, text: str) -> None:
        self.told.append(("mark", at_ns, text))

    def status(self) -> ControlStatus:
        return self.answer


class SvgExtension(SingleFileSnapshotExtension):
    """One .svg file a snapshot."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def svg(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(SvgExtension)


def record(path: Path, script: Script, *, ticks: int | None = None) -> RecordingWriter:
    """Write a session; the whole and its end, or its first `ticks` ticks."""
    session = ScriptedSession(script)
    writer = RecordingWriter(path, session.session)
    write(session, writer, last=ticks)
    return writer


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Four seconds, over."""
    path = tmp_path / "finished.gilscope"
    record(path, Script(seconds=4)).close()
    return path


def replay(path: Path, clock: FakeClock | None = None) -> GilscopeApp:
    """The app on a finished recording, with a clock that stands still."""
    return GilscopeApp(
        path, control=None, title="fib.py", clock=clock or FakeClock(), verdict_of=lambda _r, _at: VERDICT
    )


async def wait(pilot: Pilot[None], condition: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Wait until a condition holds; fail if it never does."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "the condition never came true"
        await pilot.pause()
        if not condition():
            await pilot.pause(0.01)


async def ready(pilot: Pilot[None], app: GilscopeApp) -> None:
    """Wait until the recording is open and the verdict is there."""
    await wait(pilot, lambda: app.dashboard.viewing is not None)
    await wait(pilot, lambda: app.verdict_of is None or app.dashboard.verdict is not None)
    await settled(pilot, app)


async def settled(pilot: Pilot[None], app: GilscopeApp) -> None:
    """Wait until all that happened is drawn."""
    await pilot.pause()
    viewing = app.dashboard.viewing
    await wait(pilot, lambda: not app.dashboard._dirty and not (viewing and viewing.more))
    app.dashboard.frame(0)
    await pilot.pause()


def viewing(app: GilscopeApp) -> Viewing:
    """What the app shows."""
    assert app.dashboard.viewing is not None
    return app.dashboard.viewing


def text_of(app: GilscopeApp, panel: str) -> str:
    """The text of a panel."""
    widget = app.dashboard.query_one(f"#{panel}", Panel)
    return "\n".join(strip.text for strip in widget._strips)

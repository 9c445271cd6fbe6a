"""Watch a target: in this process without a screen, or in a process of its own beside the app."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import rich_click as click

from gilscope.cli.common import ScreenVerdict, figures_until, flames_of, quality_of, say, span_of
from gilscope.errors import RecordingError
from gilscope.model import ATTACHED, NS_PER_S, Session
from gilscope.sampler import config as limits
from gilscope.signals import ENDINGS

if TYPE_CHECKING:
    from gilscope.launch.handle import TargetHandle
    from gilscope.views.app import GilscopeApp
    from gilscope.views.scope_app import Look


def watch_headless(config: limits.SamplerConfig) -> int:
    """Watch in this process; the target has our terminal and our standard streams."""
    from gilscope.sampler.loop import Ending  # noqa: PLC0415
    from gilscope.sampler.session import run_session  # noqa: PLC0415

    targets: list[TargetHandle] = []
    ending: list[Ending] = []

    def pass_on(number: int, _frame: object) -> None:
        # Ctrl-C reaches the whole foreground group: the target has had it already.
        if targets and not (number == signal.SIGINT and _in_foreground()):
            targets[0].signal(number)
        elif not targets:
            ending.append(Ending("interrupted", stop_target=True))

    for number in ENDINGS:
        signal.signal(number, pass_on)
    result = run_session(config, on_start=targets.append, control=lambda: ending[0] if ending else None)
    if result.recording_stopped:
        click.echo(f"gilscope: {result.recording_stopped}", err=True)
    return _code(result.session)


def watch_from_beside(config: limits.SamplerConfig) -> None:
    """Watch in this process a target that is not ours; a signal to us ends the watch, not the target."""
    from gilscope.sampler.loop import Ending  # noqa: PLC0415
    from gilscope.sampler.session import run_session  # noqa: PLC0415

    ending: list[Ending] = []

    def end(_number: int, _frame: object) -> None:
        ending.append(Ending("interrupted", stop_target=True))

    for number in ENDINGS:
        signal.signal(number, end)
    until = "" if config.duration_ns is None else f", for {config.duration_ns / NS_PER_S:g} s"
    say(f"gilscope: watching {config.spec.display}{until}; ctrl-C ends the watch, and it runs on.")
    result = run_session(config, control=lambda: ending[0] if ending else None)
    if result.recording_stopped:
        click.echo(f"gilscope: {result.recording_stopped}", err=True)


def _in_foreground() -> bool:
    """Whether we are in the foreground process group of a terminal."""
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - no path of ours
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def watch_on_screen(
    config: limits.SamplerConfig,
    look: Look | None = None,
    *,
    dress: Callable[[GilscopeApp], None] = lambda _: None,
) -> int:
    """Watch in a process of its own, and show the recording while it grows.

    Args:
        config: what to watch, and how.
        look: of the screen; None: as it comes, and nothing is remembered.
        dress: may change the app.
    """
    import dataclasses  # noqa: PLC0415
    import shutil  # noqa: PLC0415

    from gilscope.launch.remote import SamplerLink  # noqa: PLC0415
    from gilscope.recording.writer import make_way  # noqa: PLC0415

    size = shutil.get_terminal_size()
    make_way(config.recording)
    from gilscope.views.app import GilscopeApp  # noqa: PLC0415
    from gilscope.views.control import ControlStatus  # noqa: PLC0415

    class AppLink(SamplerLink):
        """What the app needs to know of the sampler, in its words."""

        def status(self) -> ControlStatus:
            alive = self.alive()
            return ControlStatus(sampler_alive=alive, error=self.error)

    link = AppLink.start(dataclasses.replace(config, columns=max(20, size.columns - 4), rows=24).to_json())
    app = GilscopeApp(
        config.recording,
        control=link,
        title=" ".join([config.spec.display, *config.spec.args]),
        verdict_of=ScreenVerdict(),
        quality_of=quality_of,
        flames_of=flames_of,
        span_of=span_of,
        summary_of=figures_until,
        budget_share=config.budget_share,
        attached=config.spec.mode == ATTACHED,
    )
    if look is not None:
        app.put_look(look)
    dress(app)
    try:
        app.run()
    finally:
        if app.outcome == "ended":
            link.stop_target()  # it has ended, or the app failed and could ask nobody
        link.finish()
    if link.error is not None:
        say(f"gilscope: {link.error}")
        if link.error_code is not None:
            sys.exit(link.error_code)
    elif app.exit_error is not None:
        raise RecordingError(app.exit_error)
    if app.outcome == "left-running":
        click.echo(
            f"gilscope: {config.spec.display} runs on, and is recorded until it ends: {config.recording}",
            err=True,
        )
    return link.exit_code or 0


def _code(session: Session) -> int:
    return 0 if session.exit_code is None else session.exit_code

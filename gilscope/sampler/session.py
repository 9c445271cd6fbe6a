"""One session from its settings to its recorded end; the same for the sampler process and headless runs."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gilscope import __version__
from gilscope.errors import CannotObserveError
from gilscope.folders import remove_leftovers
from gilscope.launch import tree
from gilscope.launch.attached import AttachSpec
from gilscope.launch.handle import TargetHandle
from gilscope.launch.terminal import TerminalSize
from gilscope.model import Session
from gilscope.recording.writer import RecordingWriter
from gilscope.sampler import portable
from gilscope.sampler.attaching import attach
from gilscope.sampler.config import (
    DEFAULT_PYSPY_RATE_HZ,
    DEFAULT_RATE_HZ,
    MAX_PYSPY_RATE_HZ,
    SamplerConfig,
)
from gilscope.sampler.loop import Ending, ProbeCannotReadError, Sampler
from gilscope.sources import cores
from gilscope.sources.pyspy import find_executable

READY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How a session ended."""

    session: Session
    recording_stopped: str | None
    """Why the recording ended before the session, if it did."""


def run_session(
    config: SamplerConfig,
    *,
    on_start: Callable[[TargetHandle], None] = lambda _: None,
    control: Callable[[], Ending | None] = lambda: None,
    on_ready: Callable[[Sampler], None] = lambda _: None,
) -> SessionResult:
    """Open the recording, start the target or attach to it, watch it to its end.

    Args:
        config: what was asked.
        on_start: called with the target before it is let go, to send it signals, input, sizes.
        control: asked once a tick whether to end.
        on_ready: called with the sampler before the target is let go.

    Raises:
        UsageError: the target cannot be started.
        RecordingError: the recording cannot be written.
        CannotObserveError: the target cannot be read; one of ours has not run, or was ended where it has no
            shim.
    """
    remove_leftovers()
    if portable.is_elsewhere():
        config = portable.settings(config)
    if config.spec.needs_pyspy and config.source == "auto":
        config = with_pyspy(config)
    if config.source == "py-spy" and find_executable() is None:
        raise CannotObserveError(
            f"Cannot observe {config.spec.display}: who holds its GIL is to come from py-spy, "
            "which is not installed.\nInstall it beside gilscope: pip install py-spy."
        )
    writer = RecordingWriter(config.recording, _first_session(config), keep_ns=config.keep_ns)
    try:
        target = _target(config)
    except BaseException:
        writer.discard()
        raise
    with contextlib.closing(target):
        try:
            sampler = Sampler(config, target, writer, _session(config, target), control=control)
            on_start(target)
            try:
                sampler.prepare()
            except ProbeCannotReadError:
                if config.source != "auto":
                    raise
                config = with_pyspy(config)
                sampler = Sampler(config, target, writer, _session(config, target), control=control)
                sampler.prepare()
        except BaseException:
            target.stop(grace_s=0.2)
            writer.discard()
            raise
        on_ready(sampler)
        session = sampler.run()
        return SessionResult(session, sampler.recording_stopped)


def _target(config: SamplerConfig) -> TargetHandle:
    """The target, started and waiting for go if it is ours."""
    if portable.is_elsewhere():
        return portable.target(config.spec)
    if isinstance(config.spec, AttachSpec):
        return attach(config.spec)
    from gilscope.launch.target import Target  # noqa: PLC0415 - of Linux

    size = None
    if config.columns is not None and config.rows is not None:
        size = TerminalSize(columns=config.columns, rows=config.rows)
    tree.become_subreaper()
    target = Target.start(config.spec, terminal=size)
    try:
        if config.spec.shim:
            target.wait_ready(READY_TIMEOUT_S)
    except BaseException:
        target.stop(grace_s=0.2)
        target.close()
        raise
    return target


def with_pyspy(config: SamplerConfig) -> SamplerConfig:
    """The same settings for py-spy as the source, at the rate that suits it unless another was asked for."""
    rate_hz = DEFAULT_PYSPY_RATE_HZ if config.rate_hz == DEFAULT_RATE_HZ else config.rate_hz
    return replace(config, source="py-spy", rate_hz=min(rate_hz, MAX_PYSPY_RATE_HZ))


def _first_session(config: SamplerConfig) -> Session:
    spec = config.spec
    return Session(
        command=" ".join([spec.display, *spec.args]),
        mode=spec.mode,
        workers=spec.workers,
        python=spec.version,
        implementation=spec.implementation,
        executable=spec.python,
        pid=None,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        cores=cores.core_count(),
        cores_usable=cores.usable_cores(),
        rate_hz=config.rate_hz,
        tick_ns=config.tick_ns,
        stall_ns=config.stall_ns,
        gilscope_version=__version__,
        source="py-spy" if config.source == "py-spy" else "probe",
    )


def _session(config: SamplerConfig, target: TargetHandle) -> Session:
    """The session once the interpreter has said what it is."""
    first = _first_session(config)
    ready = target.ready
    fields = {name: getattr(first, name) for name in first.__dataclass_fields__} | {"pid": target.pid}
    if ready is not None:
        fields |= {
            "python": ".".join(map(str, ready.version)),
            "implementation": ready.implementation,
            "executable": ready.executable,
        }
    return Session(**fields)

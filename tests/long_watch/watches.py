"""A watch that runs, and what it uses: with the app in a terminal of its own, or headless."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.commands import environment

COLUMNS, ROWS = 120, 36


@dataclass(frozen=True)
class Use:
    """What a watch uses at a moment; what it has not is None."""

    at_s: float
    sampler_mb: float
    sampler_descriptors: int
    sampler_cpu_s: float
    """With py-spy's, which it starts."""
    app_mb: float | None
    app_descriptors: int | None
    app_cpu_s: float | None
    file_mb: float


class Watch:
    """One `gilscope attach` beside the others; `end` ends it, and not the target."""

    def __init__(self, name: str, pid: int, folder: Path, *options: str, app: bool) -> None:
        self.name = name
        self.recording = folder / f"{name}.gilscope"
        self._folder = folder
        self._has_app = app
        words = ["-m", "gilscope", "attach", str(pid), "-o", str(self.recording), *options]
        command = [sys.executable, *words, *([] if app else ["--headless", "--json", str(self.summary)])]
        self._terminal: int | None = None
        if app:
            self._process = self._in_terminal(command)
        else:
            self._process = subprocess.Popen(
                command,
                env=environment(folder),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stderr=(folder / f"{name}.err").open("wb"),
                stdout=subprocess.DEVNULL,
            )
        self._began = time.monotonic()

    @property
    def summary(self) -> Path:
        return self._folder / f"{self.name}.json"

    def _in_terminal(self, command: list[str]) -> subprocess.Popen[bytes]:
        """The app in a terminal whose other end reads all and shows nothing."""
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        process = subprocess.Popen(
            command,
            env={**environment(self._folder), "TERM": "xterm-256color"},
            cwd=self._folder,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        self._terminal = ours
        threading.Thread(target=self._drain, daemon=True).start()
        return process

    def _drain(self) -> None:
        assert self._terminal is not None
        with contextlib.suppress(OSError), (self._folder / f"{self.name}.screen").open("wb") as log:
            while data := os.read(self._terminal, 65_536):
                if log.tell() < 10_000_000:
                    log.write(data)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def press(self, key: str) -> None:
        """Type into the app."""
        assert self._terminal is not None
        os.write(self._terminal, key.encode())

    def use(self) -> Use:
        """What it uses now."""
        first = psutil.Process(self._process.pid)
        sampler, app = (self._sampler(first), first) if self._has_app else (first, None)
        files = [self.recording, *self.recording.parent.glob(f"{self.recording.name}-*")]
        return Use(
            at_s=time.monotonic() - self._began,
            sampler_mb=_mb(sampler),
            sampler_descriptors=sampler.num_fds(),
            sampler_cpu_s=sum(sampler.cpu_times()[:4]),
            app_mb=None if app is None else _mb(app),
            app_descriptors=None if app is None else app.num_fds(),
            app_cpu_s=None if app is None else sum(app.cpu_times()[:2]),
            file_mb=sum(file.stat().st_size for file in files if file.exists()) / 1e6,
        )

    def _sampler(self, app: psutil.Process) -> psutil.Process:
        return next(child for child in app.children() if "gilscope.sampler" in " ".join(child.cmdline()))

    def end(self, wait_s: float = 60) -> int:
        """Its exit code."""
        if not self.ended:
            self._process.terminate()
        try:
            return self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


def _mb(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6

"""A service that runs under load, and gilscope attached to it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gilscope.launch import tree
from tests.benchmarks.pausing import _signal
from tests.commands import command, environment
from tests.services.catalogue import Service
from tests.services.environment import python
from tests.watched import TARGETS, wait_for

PROGRAMS = TARGETS / "services"
START_S = 90.0


class Running:
    """A service under load."""

    def __init__(self, service: Service, folder: Path, rate: float = 0.0) -> None:
        self.service = service
        self._rate = rate
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log = (folder / "log").open("wb")
        self._socket = f"/tmp/gilscope-{os.getpid()}-{id(self):x}"  # a socket's path must be short
        server = self._start(service.server, subprocess.DEVNULL) if service.server else None
        load = self._start(service.load, subprocess.PIPE)
        assert load.stdout is not None
        words = self._ready(load.stdout)
        self.pid = int(words[0]) if words else server.pid if server is not None else load.pid

    def _start(self, words: tuple[str, ...], stdout: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [str(python()), *(word.replace("SOCKET", self._socket) for word in words)],
            cwd=PROGRAMS,
            env={
                **environment(self.folder),
                "PYTHONPATH": str(PROGRAMS),
                "PYTHONDONTWRITEBYTECODE": "1",
                "COUNTS": str(self.folder),
                "OMP_NUM_THREADS": "1",
                **self.service.settings,
                "RATE": str(self._rate),
            },
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=self._log,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def _ready(self, stdout: IO[bytes]) -> list[str]:
        deadline, said = time.monotonic() + START_S, b""
        while b"READY" not in said or not said.endswith(b"\n"):
            if not select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise RuntimeError(f"{self.service.name} does not start: {self.log()}")
            data = os.read(stdout.fileno(), 4096)
            if not data:
                raise RuntimeError(f"{self.service.name} ended: {self.log()}")
            said += data
        return said.decode().partition("READY")[2].split()

    def took_s(self, first: int = 0) -> list[float]:
        """How long each took from when it was due, those before `first` left out."""
        path = self.folder / "took"
        data = path.read_bytes() if path.exists() else b""
        return [took for (took,) in struct.iter_unpack("d", data[8 * first : len(data) // 8 * 8])]

    def log(self) -> str:
        """What it has complained of."""
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def served(self) -> int:
        """Requests, tasks, cells or products so far."""
        return _size(self.folder / "served")

    def failed(self) -> int:
        """Those that went wrong."""
        return _size(self.folder / "failed")

    def cpu_s(self) -> float:
        """CPU time of all processes of the service so far, those that have ended not among them."""
        total_ns = 0
        for entry in tree.walk([self.pid]):
            with contextlib.suppress(OSError):
                total_ns += time.clock_gettime_ns((~entry.pid << 3) | 2)  # the clock of that process
        return total_ns / 1e9

    def close(self) -> None:
        """End it, with all that it has started."""
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.stdout is not None:
                process.stdout.close()
        self._log.close()
        Path(self._socket).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def running(service: Service, rate: float = 0.0) -> Iterator[Running]:
    """A service under load until the end of the block.

    Args:
        service: it.
        rate: what is asked of it in a second, due at set times; 0: all that it can serve.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with contextlib.ExitStack() as stack:
            started = Running(service, folder, rate)
            stack.callback(started.close)
            wait_for(lambda: started.served() > 10, f"{service.name} serves nothing")
            yield started


class Attached:
    """`gilscope attach --headless --json`, watching since it was made."""

    def __init__(self, pid: int, folder: Path, name: str) -> None:
        self._json = folder / f"{name}.json"
        recording = folder / f"{name}.gilscope"
        words = command("attach", pid, "--headless", "--json", self._json, "-o", recording)
        self._process = subprocess.Popen(
            words, env=environment(folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        # A recording with ticks: it is past its preparation.
        wait_for(lambda: _size(recording) + _size(Path(f"{recording}-wal")) > 100_000, "it does not watch")

    def pause(self, *, on: bool) -> None:
        """Stop it, with the py-spy that it runs, or let it go on."""
        _signal(self._process, signal.SIGSTOP if on else signal.SIGCONT)

    def end(self) -> dict[str, Any]:
        """End the watch; its summary."""
        self._process.send_signal(signal.SIGTERM)
        _, stderr = self._process.communicate(timeout=60)
        if self._process.returncode:
            raise RuntimeError(stderr.decode())
        summary: dict[str, Any] = json.loads(self._json.read_text())
        return summary

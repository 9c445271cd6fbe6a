"""Starts what is measured, with and without a watcher, and reads what it cost."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilscope.sources.pyspy import find_executable

TARGETS = Path(__file__).with_name("targets")
GILSCOPE = [sys.executable, "-m", "gilscope"]
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def target(name: str, *arguments: object) -> list[str]:
    """The command line, without the interpreter, of a target of ours."""
    return [str(TARGETS / name), *(str(argument) for argument in arguments)]


def alone(script: Sequence[str]) -> str:
    """Output of a script that nobody watches."""
    return _output([sys.executable, *script])


def under_gilscope(script: Sequence[str], *options: str) -> tuple[str, dict[str, Any]]:
    """Output and summary of a script watched headless."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        recording = Path(folder) / "bench.gilscope"
        command = [*GILSCOPE, "run", "--headless", "--json", str(summary), "-o", str(recording), *options]
        output = _output([*command, script[0], "--", *script[1:]])
        result = json.loads(summary.read_text())
        result["recording_bytes"] = recording.stat().st_size
        return output, result


def under_pyspy(
    script: Sequence[str],
    *options: str,
    python: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[str, str]:
    """Output and raw stacks of a script under `py-spy record`."""
    executable = find_executable()
    if executable is None:
        raise RuntimeError("py-spy is not installed")
    with tempfile.NamedTemporaryFile(suffix=".raw") as raw:
        program = sys.executable if python is None else str(python)
        command = [executable, "record", "-f", "raw", "-o", raw.name, *options, "--", program, *script]
        return _output(command, environment), Path(raw.name).read_text()


def held_by_name(raw: str, rate: int) -> dict[str, float]:
    """Nanoseconds that each thread held the GIL for, by its name, from py-spy's raw stacks."""
    counts: dict[str, int] = {}
    for line in raw.splitlines():
        match = re.match(r"thread \([^)]*\): ([^;]+);.* (\d+)$", line)
        if match:
            counts[match[1]] = counts.get(match[1], 0) + int(match[2])
    return {name: count * 1e9 / rate for name, count in counts.items()}


def _output(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=None if environment is None else {**os.environ, **environment},
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2_000:]}")
    return done.stdout


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval (Student's t, for the few runs there are)."""
    t = {2: 12.7, 3: 4.3, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, float("inf")
    return mean, t.get(len(values), 2.0) * statistics.stdev(values) / len(values) ** 0.5


@dataclass(slots=True)
class Screen:
    """A program in a terminal of a given size, whose output is read and counted."""

    pid: int
    fd: int
    began: float
    """When the program was executed, by `time.monotonic`."""
    output: bytes = b""
    received: int = 0

    @classmethod
    def start(cls, command: Sequence[str], columns: int, rows: int) -> Screen:
        """Start `command` on a new terminal."""
        executed, until_then = (
            os.pipe()
        )  # the program does not inherit it: its end is the program's beginning
        sized, until_sized = os.pipe()
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.close(until_sized)
            os.read(sized, 1)
            os.execvp(command[0], list(command))
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        for end in (sized, until_sized, until_then):
            os.close(end)
        os.read(executed, 1)
        began = time.monotonic()
        os.close(executed)
        return cls(pid, fd, began)

    def read_for(self, seconds: float, until: bytes | None = None) -> bool:
        """Read for some seconds, or until `until` has come; True if it has."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.fd], [], [], left)
            if ready:
                try:
                    data = os.read(self.fd, 1 << 16)
                except OSError:
                    return False
                self.received += len(data)
                self.output = (self.output + data)[-200_000:]
                if until is not None and until in self.output:
                    return True
        return False

    def cpu_s(self) -> float:
        """CPU time of the program itself so far."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / CLOCK_TICKS_PER_S

    def rss_mb(self, pid: int | None = None) -> float:
        """Memory of the program, or of another one, in 10^6 bytes."""
        for line in Path(f"/proc/{pid or self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0

    def children(self) -> list[int]:
        """Its child processes."""
        return [int(p) for p in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def keys(self, text: str) -> None:
        """Type."""
        os.write(self.fd, text.encode())

    def close(self) -> None:
        """Hang up, and wait for the program to end."""
        os.close(self.fd)
        os.waitpid(self.pid, 0)

"""Programs to watch: started, talked to, and ended; and waits for what they do, never a blind sleep."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[1]
TARGETS = Path(__file__).with_name("targets")
DEADLINE_S = 60.0
Found = TypeVar("Found")


class Watched:
    """A program of tests/targets that has said READY."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.pid = process.pid
        self._unread = b""
        first = self.line()
        assert first[:1] == ["READY"], first
        self.words = first[1:]

    def line(self) -> list[str]:
        """The words of its next line."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + DEADLINE_S
        while b"\n" not in self._unread:
            assert time.monotonic() < deadline, "the program says nothing"
            if select.select([self.process.stdout], [], [], 1)[0]:
                data = os.read(self.process.stdout.fileno(), 65_536)
                assert data, "the program ended"
                self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode().split()

    @property
    def tids(self) -> list[int]:
        return [int(word) for word in self.words]

    @property
    def by_name(self) -> dict[str, int]:
        return {name: int(tid) for name, tid in (word.split("=") for word in self.words)}

    def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def tell(self, text: str) -> list[str]:
        """Say something to it, and wait for its answer."""
        self.write(text)
        return self.line()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def watched(script: str, *args: object, python: str | Path = sys.executable) -> Iterator[Watched]:
    """Run a program of tests/targets until it is ready; it ends with the block."""
    command = [str(python), str(TARGETS / script), *map(str, args)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


def wait_for(condition: Callable[[], object], what: str, deadline_s: float = DEADLINE_S) -> None:
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def on_free_cores(measure: Callable[[], Found], check: Callable[[Found], None], times: int = 3) -> Found:
    """Measure what is only so where threads get the cores that they ask for; the last measurement counts.

    How threads share a GIL, and how soon something is seen, is the kernel's doing as well: one that is woken
    and gets no core leaves the GIL free, one that holds it and loses its core lets others wait. Another
    program can make that so in one measurement; a mistake of ours is made in each. What holds on any machine
    is for `measure` to assert: it fails at once.
    """
    for _ in range(times - 1):
        found = measure()
        with suppress(AssertionError):
            check(found)
            return found
    found = measure()
    check(found)
    return found


def states(pid: int) -> dict[int, str]:
    """The kernel's letter for what each thread of a process does: S sleeps, R runs or could."""
    found = {}
    for path in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has just ended
            found[int(path.name)] = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    return found


def asleep(pid: int, *but: int) -> bool:
    """All threads of a process wait for something, without these."""
    return all(state == "S" for tid, state in states(pid).items() if tid not in but)


def open_descriptors() -> list[str]:
    """Those of this process, with what they are open on."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        try:
            found.append(f"{path.name} {path.readlink()}")
        except OSError:  # the descriptor of this very listing
            continue
    return sorted(found)


def is_gone(pid: int) -> bool:
    """There is no such process, or only what is left until its parent asks for it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"

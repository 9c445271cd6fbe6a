"""`gilscope … --serve` as its users start it, and what is left of it."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from tests.commands import command, default_signals, environment
from tests.watched import is_gone, wait_for

SCRIPT = """
import os, threading, time

def work():
    while True:
        sum(range(20_000))
        time.sleep(0.01)

threading.Thread(target=work, name="busy-one", daemon=True).start()
threading.Thread(target=work, name="busy-two", daemon=True).start()
print("its pid is", os.getpid(), flush=True)
while True:
    print("heard", input().upper(), flush=True)
"""
HARMFUL = "ta'lks;touch hurt $(touch hurt) `touch hurt` <b>.py"
"""The script's name: a shell would act on it, and a page that does not escape it would show it as tags."""
END_S = 60.0


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    address: str
    errors: IO[bytes]

    @property
    def root(self) -> str:
        """The address without the token: what a page's Origin is."""
        return "/".join(self.address.split("/")[:3])

    @property
    def token(self) -> str:
        return self.address.split("/")[3]

    @property
    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode()

    def all(self) -> list[int]:
        """Every process that belongs to it."""
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def apps(self) -> list[int]:
        """The processes behind open pages."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            try:
                if "gilscope.cli.viewer" in child.cmdline():
                    found.append(child.pid)
            except psutil.Error:
                continue
        return found

    def ends(self, number: int | None = None) -> int:
        """Its exit code, once it has ended by itself or by a signal; nothing of it is left."""
        processes = self.all()
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(END_S)
        wait_for(lambda: all(map(is_gone, processes)), f"left over: {processes}", END_S)
        return code


@contextmanager
def serve(folder: Path, *arguments: object) -> Iterator[Served]:
    """Start it without a terminal, and have its address; it is gone afterwards."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=folder,
            env=environment(folder), preexec_fn=default_signals,  # noqa: PLW1509 - as tests.commands does
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        served = Served(process, process.stdout.readline().decode().strip(), errors)
        assert served.address, served.said
        try:
            yield served
        finally:
            if process.poll() is None:
                processes = served.all()
                process.send_signal(signal.SIGTERM)
                process.wait(END_S)
                wait_for(lambda: all(map(is_gone, processes)), "left over", END_S)


@contextmanager
def serve_script(folder: Path, *arguments: object) -> Iterator[Served]:
    """A script that computes and listens, watched and served."""
    script = folder / HARMFUL
    script.write_text(SCRIPT)
    with serve(folder, "run", "--serve", script, "-o", folder / "r.gilscope", *arguments) as served:
        yield served

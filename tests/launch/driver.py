"""Drivers of tests/launch/drive.py, forked from one that has started and imported all that they need."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

DRIVER = Path(__file__).with_name("drive.py")
DEADLINE_S = 60.0
PIPE_BYTES = 65_536
"""What a pipe takes without a reader."""


class Ended(NamedTuple):
    """How a driver ended."""

    stdout: bytes
    stderr: bytes
    returncode: int


def fresh(arguments: list[str], cwd: str | os.PathLike[str], env: Mapping[str, str], stdin: bytes) -> Ended:
    """A driver that is a process started anew."""
    done = subprocess.run(
        [sys.executable, "-I", str(DRIVER), *arguments],
        cwd=cwd, env=env, input=stdin, capture_output=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    return Ended(done.stdout, done.stderr, done.returncode)


class Drivers:
    """Starts drivers, one after the other."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(DEADLINE_S)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(DRIVER), "--serve", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def close(self) -> None:
        """No more of them."""
        self._line.close()
        self._process.wait(DEADLINE_S)

    def run(
        self, arguments: list[str], cwd: str | os.PathLike[str], env: Mapping[str, str], stdin: bytes
    ) -> Ended:
        """Run a driver with these streams, folder and environment to its end."""
        assert len(stdin) <= PIPE_BYTES
        pipes = [os.pipe() for _ in range(3)]
        (given, giving), (out, of_out), (err, of_err) = pipes
        os.write(giving, stdin)
        os.close(giving)
        asked = json.dumps({"arguments": arguments, "cwd": str(cwd), "env": dict(env)}).encode()
        socket.send_fds(self._line, [asked], [given, of_out, of_err])
        for descriptor in (given, of_out, of_err):
            os.close(descriptor)
        pid = int(self._line.recv(64))
        try:
            stdout, stderr = _read((out, err))
            status = int(self._line.recv(64))
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._line.recv(64)
            raise
        return Ended(stdout, stderr, os.waitstatus_to_exitcode(status))


def _read(streams: tuple[int, int]) -> tuple[bytes, bytes]:
    """All that comes from both, until nobody has them any more."""
    found = dict.fromkeys(streams, b"")
    try:
        with selectors.DefaultSelector() as selector:
            for stream in streams:
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(DEADLINE_S)
                assert ready, "the driver does not end"
                for key, _ in ready:
                    data = os.read(key.fd, PIPE_BYTES)
                    found[key.fd] += data
                    if not data:
                        selector.unregister(key.fd)
    finally:
        for stream in streams:
            os.close(stream)
    return found[streams[0]], found[streams[1]]

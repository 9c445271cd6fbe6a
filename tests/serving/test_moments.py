"""What happens between two steps of the server: a signal, a change of the session."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gilscope.recording import schema
from gilscope.serving import server
from gilscope.serving.access import Guard
from gilscope.serving.place import Place, listen
from gilscope.serving.viewer import Size, Viewer
from tests.commands import environment
from tests.watched import wait_for

GOLDEN = Path(__file__).parents[1] / "recordings" / f"v{schema.VERSION}.gilscope"
ENDED_AT_ONCE = """
import os, signal, sys
import rich_click as click

echo = click.echo

def told(text, **more):
    echo(text, **more)
    if "http://" in text:
        os.kill(os.getpid(), signal.SIGTERM)

click.echo = told
from gilscope.cli import main
main(["replay", sys.argv[1], "--serve"])
"""
WRITES_DOWN = """
import socket, sys
line = socket.socket(fileno=int(sys.argv[2]))
with open(sys.argv[1], "ab", 0) as file:
    while data := line.recv(65_536):
        file.write(data + b"\\n")
"""
"""In the place of an app: all that it is told."""


def test_it_can_be_ended_from_the_moment_its_address_is_known(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDED_AT_ONCE, GOLDEN], capture_output=True, text=True, cwd=tmp_path,
        env=environment(tmp_path), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


class Session:
    """One that ends at a moment of the test's choice."""

    def __init__(self) -> None:
        self.alive = True
        self.looks = 0

    def status(self) -> Mapping[str, Any]:
        self.looks += 1
        return {"alive": self.alive, "error": None}

    def obey(self, command: Mapping[str, Any]) -> None:
        raise AssertionError(command)


async def test_a_session_that_ends_while_a_page_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its app was told that it goes on: then it is told that it has ended, or it would wait for more."""
    session, start = Session(), Viewer.start

    async def slowly(command: Sequence[str], settings: Mapping[str, Any], size: Size) -> Viewer:
        viewer = await start(command, settings, size)
        session.alive, seen = False, session.looks
        while session.looks < seen + 2:  # by then the change was told to all that could be told
            await asyncio.sleep(0.01)
        return viewer

    monkeypatch.setattr(Viewer, "start", slowly)
    monkeypatch.setattr(server, "LOOK_S", 0.01)
    told = tmp_path / "told"
    with listen(Place()) as listening:
        serving = server.Serving(
            shown=session,
            guard=Guard.of("t", ["127.0.0.1"], any_address=False),
            title="t",
            command=[sys.executable, "-S", "-c", WRITES_DOWN, os.fspath(told)],
            settings={},
            say=print,
        )
        root = f"http://127.0.0.1:{listening.getsockname()[1]}"
        running = asyncio.create_task(server.serve(serving, listening))
        async with aiohttp.ClientSession() as client:
            await client.ws_connect(f"{root}/t/ws", origin=root)

            def lines() -> list[Any]:
                return [json.loads(line) for line in told.read_bytes().splitlines()] if told.exists() else []

            await asyncio.to_thread(wait_for, lambda: len(lines()) == 2, "it is not told of the change")
            serving.ended.set()
            await running
    assert lines() == [{"status": {"alive": True, "error": None}}, {"alive": False, "error": None}]

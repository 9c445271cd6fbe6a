"""The sampler process: settings on standard input, commands and answers on the descriptor given to it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from gilscope.errors import GilscopeError
from gilscope.launch.handle import TargetHandle
from gilscope.launch.terminal import TerminalSize
from gilscope.model import Mark
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.loop import Ending, Sampler
from gilscope.sampler.session import run_session


class Control:
    """The sampler's end of the line to the app."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(0)
        self._line = line
        self._target: TargetHandle | None = None
        self._app_gone = False
        self._left_running = False
        self._put_mark: Callable[[Mark], None] | None = None
        self.terminated = False

    def started(self, target: TargetHandle) -> None:
        """From now on there is a target to type to."""
        self._target = target

    def ready(self, sampler: Sampler) -> None:
        """From now on there is a recording to put marks into."""
        self._put_mark = sampler.put_mark

    def tell(self, **message: Any) -> None:
        """Tell the app, if it is there."""
        with contextlib.suppress(OSError):
            self._line.send(json.dumps(message).encode())

    def __call__(self) -> Ending | None:
        """Take the app's commands; the reason to end, if one of them is one."""
        ending = self._commands()
        if self._target is not None and self._target.wants_write:
            self._target.write_input()
        if self.terminated:
            return Ending("the sampler was told to end", stop_target=True)
        return ending

    def _commands(self) -> Ending | None:
        while not self._app_gone:
            try:
                data = self._line.recv(65_536)
            except BlockingIOError:
                return None
            except OSError:
                data = b""
            if not data:
                self._app_gone = True
                return None if self._left_running else Ending("the app is gone", stop_target=True)
            ending = self._obey(json.loads(data))
            if ending is not None:
                return ending
        return None

    def _obey(self, command: dict[str, Any]) -> Ending | None:
        match command["do"]:
            case "stop":
                return Ending("the user stopped it", stop_target=True)
            case "leave":
                self._left_running = True
            case "input" if self._target is not None:
                self._target.write_input(base64.b64decode(command["data"]))
            case "resize" if self._target is not None:
                self._target.resize(TerminalSize(columns=command["columns"], rows=command["rows"]))
            case "mark" if self._put_mark is not None:
                self._put_mark(Mark(at_ns=command["at_ns"], text=command["text"]))
        return None


def main() -> None:
    """Run one session."""
    line = socket.socket(fileno=int(sys.argv[1]))
    line.set_inheritable(False)
    control = Control(line)

    def end(_number: int, _frame: object) -> None:
        control.terminated = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    # Nothing may keep the app's terminal, or its end, open.
    config = SamplerConfig.from_json(sys.stdin.read())
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    try:
        result = run_session(config, on_start=control.started, control=control, on_ready=control.ready)
    except GilscopeError as error:
        control.tell(error=str(error), code=error.exit_code)
    else:
        control.tell(exit_code=result.session.exit_code, error=result.recording_stopped)


if __name__ == "__main__":
    main()

"""A private tmux server with one window: a real terminal that can be typed to and read."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from tests.watched import ROOT, is_gone

DEADLINE_S = 60.0
PROMPT = "ready$"
Found = TypeVar("Found")
_numbers = itertools.count()


class Tmux:
    """One window with a shell in it, to be ended by `end` whatever happens."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        executable = shutil.which("tmux")
        assert executable is not None
        self._command = [executable, "-L", f"gilscope-test-{os.getpid()}-{next(_numbers)}", "-f", "/dev/null"]
        self.folder = folder
        self.columns, self.rows = columns, rows
        self._commands = 0
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            # A user such as nobody has none that runs commands.
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
        }
        # A shell that is not interactive, such as the one tmux starts this by, would drop PS1.
        startup = folder / "shellrc"
        startup.write_text(f"PS1='{PROMPT} '\n")
        subprocess.run(
            [
                *(*self._command, "new-session", "-d", "-s", "test", "-x", str(columns), "-y", str(rows)),
                *("-c", str(folder), f"exec bash --noprofile --rcfile {shlex.quote(str(startup))}"),
            ],
            env=environment,
            check=True,
        )
        self._tell("set-option", "-s", "escape-time", "0")
        self.shell_pid = int(self.value("pane_pid"))

    def _tell(self, *words: str) -> str:
        return subprocess.run([*self._command, *words], capture_output=True, text=True, check=True).stdout

    def value(self, name: str) -> str:
        """A variable of tmux, such as cursor_flag."""
        return self._tell("display-message", "-p", "-t", "test", f"#{{{name}}}").strip()

    def keys(self, *names: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tell("send-keys", "-t", "test", *names)

    def type(self, text: str) -> None:
        """Type text as it is, and enter."""
        self._tell("send-keys", "-t", "test", "-l", text)
        self.keys("Enter")

    def escape(self, closes: str) -> None:
        """Press escape, and wait until this is gone: a key too soon after it would be one with alt."""
        self.keys("Escape")
        self.wait(lambda: closes not in self.text(), f"a screen without {closes}")

    def resize(self, columns: int, rows: int) -> None:
        """Another size for the window."""
        self.columns, self.rows = columns, rows
        self._tell("resize-window", "-t", "test", "-x", str(columns), "-y", str(rows))

    def lines(self) -> list[str]:
        """The screen, a string a row."""
        return self._tell("capture-pane", "-p", "-t", "test").split("\n")[: self.rows]

    def text(self) -> str:
        """The screen."""
        return "\n".join(self.lines())

    def wait(self, condition: Callable[[], Found | None], what: str, deadline_s: float = DEADLINE_S) -> Found:
        """Wait until a condition holds; what it gave."""
        deadline = time.monotonic() + deadline_s
        while not (found := condition()):
            assert time.monotonic() < deadline, f"never came: {what}\n{self.text()}"
            time.sleep(0.03)
        return found

    def see(self, *words: str) -> str:
        """Wait until all of these stand on the screen."""

        def seen() -> str:
            text = self.text()
            return text if all(word in text for word in words) else ""

        return self.wait(seen, " and ".join(words))

    def watch(self, *words: object) -> None:
        """Start `gilscope run` with these words."""
        self.command(sys.executable, "-m", "gilscope", "run", *words)

    def command(self, *words: object) -> None:
        """Run a command on a cleared screen; the shell is to tell its exit code."""
        self._commands += 1
        self.keys("C-l")
        self.type(shlex.join(str(word) for word in words) + f"; echo code{self._commands}=$?=")

    def ended(self) -> tuple[int, str]:
        """Wait until the last command has ended: its exit code, and what stood on the screen by then."""
        mark = re.compile(rf"code{self._commands}=(\d+)=")
        code = self.wait(lambda: mark.search(self.text()), "the end of the command")
        self.see(f"={code[1]}=\n{PROMPT}")
        return int(code[1]), self.text()

    def processes(self) -> list[int]:
        """All processes that the shell has started."""
        try:
            return [process.pid for process in psutil.Process(self.shell_pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def close_terminal(self) -> None:
        """Kill the session, as when a terminal's window is closed."""
        self._tell("kill-session", "-t", "test")

    def end(self) -> None:
        """End the server and what still runs in it."""
        started = [] if is_gone(self.shell_pid) else self.processes()
        subprocess.run([*self._command, "kill-server"], capture_output=True, check=False)
        for pid in started:
            try:
                psutil.Process(pid).kill()
            except psutil.NoSuchProcess:
                continue


def not_whole(lines: list[str], columns: int) -> list[str]:
    """What is wrong with the dashboard's picture: nothing may cross or break a border."""
    found = []
    if not lines[0].startswith(" gilscope "):
        found.append(f"no header: {lines[0]!r}")
    if "quit" not in lines[-1]:
        found.append(f"no keys: {lines[-1]!r}")
    # The bar with the whole session, one or two rows above the keys, has no border.
    last = max((number for number, line in enumerate(lines) if line.startswith("╰")), default=0)
    if len(lines) - last > 4:
        found.append(f"no border after row {last}")
    ends = {"╭": "╮", "│": "│", "╰": "╯"}
    found += [
        f"row {number}: {line!r}"
        for number, line in enumerate(lines[1 : last + 1], 1)
        if len(line) != columns or ends.get(line[0]) != line[-1]
    ]
    return found

"""The app behind a page in a browser: a process that the web server starts, with the number of its line."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from gilscope.cli.common import ScreenVerdict, figures_until, flames_of, quality_of, span_of, verdict_of
from gilscope.cli.lesson_text import put_text
from gilscope.cli.looks import look_of
from gilscope.launch.remote import ControlLine
from gilscope.lessons import beside, find
from gilscope.views.control import ControlStatus
from gilscope.views.page_app import PageApp

END_PATIENCE_S: Final = 2.0
"""For so long the app may take to end when the server is gone."""
_MESSAGE_BYTES: Final = 1 << 20


class PageControl(ControlLine):
    """A live session, asked for through the web server."""

    def __init__(self, line: socket.socket, status: dict[str, Any]) -> None:
        super().__init__(line)
        self.told = status

    def status(self) -> ControlStatus:
        """What the server told last; it ends the page itself when nothing can be watched."""
        self._send()
        return ControlStatus(sampler_alive=bool(self.told["alive"]))


def main() -> None:
    """Show what the settings on the line say, until the user quits or the line ends."""
    line = socket.socket(fileno=int(sys.argv[1]))
    line.set_inheritable(False)
    settings = json.loads(line.recv(_MESSAGE_BYTES))
    control = PageControl(line, settings["status"])
    app = PageApp(
        Path(settings["recording"]),
        control=control if settings["live"] else None,
        title=settings["title"],
        verdict_of=ScreenVerdict() if settings["live"] else verdict_of,
        quality_of=quality_of,
        flames_of=flames_of,
        span_of=span_of,
        summary_of=figures_until,
        at_ns=settings.get("at_ns"),
        speed=settings.get("speed", 1.0),
        budget_share=settings.get("budget_share"),
        attached=settings.get("attached", False),
    )
    _put_lesson(app, settings.get("lesson"))
    app.put_look(look_of(settings.get("theme"), plain=False))
    # The control's own end of the line never waits; this one does.
    threading.Thread(target=_follow, args=(line.dup(), control, app), daemon=True).start()
    app.run()
    crashed = bool(app.return_code)
    control.pass_on(
        {"do": "closed", "quit": not crashed and app.outcome != "left-running", "error": app.exit_error}
    )
    sys.exit(1 if crashed else 0)


def _put_lesson(app: PageApp, name: str | None) -> None:
    """The lesson's text, if it is one; another one is started where this one was."""
    chosen = None if name is None else find(name)
    if chosen is None:
        return

    def step(by: int) -> None:
        if (following := beside(chosen, by)) is not None:
            app.notify(
                f"On the command line: gilscope lesson {following.name} --serve",
                title=following.title, timeout=15, markup=False,
            )  # fmt: skip

    put_text(app, chosen, step)


def _follow(line: socket.socket, control: PageControl, app: PageApp) -> None:
    """Take what the server tells; when it is gone, nobody sees the app any more."""
    with contextlib.suppress(OSError):
        while select.select([line], [], []) and (data := line.recv(_MESSAGE_BYTES)):
            control.told = json.loads(data)
    if not app.is_running:  # it has not begun
        os._exit(0)
    with contextlib.suppress(RuntimeError):
        app.page_gone()
    time.sleep(END_PATIENCE_S)  # the app ends, and this thread with it; one that hangs must not stay
    os._exit(1)


if __name__ == "__main__":
    main()

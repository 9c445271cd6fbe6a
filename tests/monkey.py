"""A monkey at the keyboard of a live session: random keys, clicks, wheels, drags and resizes.

    python -m tests.monkey 20000 --seed 7

The session is a real one: a target, its sampler, and the app as `gilscope run` starts it, on a terminal of
Textual's own. When the monkey quits, another session begins. It fails with the seed and the last events if
anything raises, in the app or in a thread of it, if the app hangs, or if a process is left at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import faulthandler
import gc
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from textual import events
from textual.pilot import Pilot
from textual.worker import Worker, WorkerState

from gilscope.cli.watching import watch_on_screen
from gilscope.launch.spec import resolve_spec
from gilscope.sampler.config import SamplerConfig
from gilscope.views.app import GilscopeApp
from gilscope.views.screens.dialogs import QuitScreen
from gilscope.views.screens.lesson import LessonDashboard, LessonText
from tests import idle
from tests.watched import TARGETS

idle.install()
HANG_S = 60.0
"""An app that answers nothing for so long hangs."""
STDERR = os.dup(2)
"""Textual takes the standard one."""
GONE_S = 20.0
"""So long the processes of a session may take to end."""
SIZES = ((60, 20), (80, 24), (100, 30), (120, 36), (200, 60), (400, 120), (40, 10), (59, 19), (1, 1))
PAUSE_EVERY = 4
"""After so many events the app may catch up: fewer than are sent together by a fast wheel."""

NAMED_KEYS = (
    *("left", "right", "up", "down", "home", "end", "pageup", "pagedown", "enter", "tab", "space"),
    *("escape", "backspace", "delete", "insert", "shift+tab", "question_mark", "slash", "comma"),
    *("full_stop", "plus", "minus", "equals_sign", "less_than_sign", "greater_than_sign"),
    *("left_square_bracket", "right_square_bracket", "left_curly_bracket", "right_curly_bracket"),
    *("left_parenthesis", "right_parenthesis", "apostrophe", "quotation_mark", "backslash", "tilde"),
    *(f"{held}+{key}" for held in ("shift", "ctrl") for key in ("left", "right", "up", "down")),
    *(f"ctrl+{letter}" for letter in "abdefghijklnoprstuvwxyz"),
    *(f"f{number}" for number in range(1, 13)),
)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CHARACTERS = {
    "space": " ", "question_mark": "?", "slash": "/", "comma": ",", "full_stop": ".", "plus": "+",
    "minus": "-", "equals_sign": "=", "less_than_sign": "<", "greater_than_sign": ">",
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}", "left_parenthesis": "(", "right_parenthesis": ")", "apostrophe": "'",
    "quotation_mark": '"', "backslash": "\\", "tilde": "~", "enter": "\r", "tab": "\t",
}  # fmt: skip


@dataclass
class Tally:
    """What the monkey did, and what went wrong."""

    sessions: int = 0
    sent: collections.Counter[str] = field(default_factory=collections.Counter)
    screens: collections.Counter[str] = field(default_factory=collections.Counter)
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    troubles: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    """The longest that the app took to be idle again."""

    @property
    def events(self) -> int:
        """All of them."""
        return sum(self.sent.values())


class Monkey:
    """Sends events to one app after another until it has sent enough."""

    def __init__(self, count: int, seed: int, tally: Tally, say: Callable[[str], None]) -> None:
        self.random = random.Random(seed)
        self.count, self.tally, self.say = count, tally, say
        self._told = 0
        self.last: collections.deque[str] = collections.deque(maxlen=30)
        self._at = (0, 0)

    @property
    def done(self) -> bool:
        """It has sent enough, or something broke."""
        return self.tally.events >= self.count or bool(self.tally.troubles)

    async def play(self, pilot: Pilot[None]) -> None:
        """Until enough is sent or the app ended."""
        app = pilot.app
        while not self.done and app._running and not app._exit and app._exception is None:
            faulthandler.dump_traceback_later(HANG_S, exit=True, file=STDERR)
            self.tally.screens[type(app.screen).__name__] += 1
            kind = self._choose(app)
            await kind(pilot)
            if self.random.random() < 1 / PAUSE_EVERY:
                started = time.monotonic()
                await pilot.pause()
                self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - started)
            if self.tally.events // 1_000 > self._told:
                self._told = self.tally.events // 1_000
                self.say(f"{self.tally.events} events, session {self.tally.sessions}")
            if self.random.random() < 0.02:
                await asyncio.sleep(self.random.random() / 5)
        faulthandler.cancel_dump_traceback_later()

    def _choose(self, app: Any) -> Callable[[Pilot[None]], Any]:
        # Without a liking for escape it would spend its life in the first dialog that it opens.
        liking = 0.9 if isinstance(app.screen, QuitScreen) else 0.12 if len(app.screen_stack) > 2 else 0.0
        if self.random.random() < liking:
            return self._stay
        kinds = (self._key, self._click, self._drag, self._wheel, self._hover, self._resize, self._paste)
        return self.random.choices(kinds, (55, 14, 6, 14, 6, 4, 1))[0]

    def _send(self, pilot: Pilot[None], kind: str, event: Any, words: str = "") -> None:
        self.tally.sent[kind] += 1
        self.last.append(f"{kind} {words}".strip())
        driver = pilot.app._driver
        if driver is not None:
            driver.process_message(event)

    async def _stay(self, pilot: Pilot[None]) -> None:
        self._send(pilot, "key", events.Key("escape", None), "escape")
        await pilot.pause()

    async def _key(self, pilot: Pilot[None]) -> None:
        key = self.random.choice(NAMED_KEYS if self.random.random() < 0.55 else LETTERS)
        name = f"upper_{key.lower()}" if len(key) == 1 and key.isupper() else key
        character = CHARACTERS.get(key, key if len(key) == 1 else None)
        self._send(pilot, "key", events.Key(key if len(key) == 1 else name, character), key)

    def _place(self, pilot: Pilot[None]) -> tuple[int, int]:
        width, height = pilot.app.size
        return self.random.randrange(max(1, width)), self.random.randrange(max(1, height))

    def _mouse(
        self,
        pilot: Pilot[None],
        cls: type[events.MouseEvent],
        at: tuple[int, int],
        kind: str,
        button: int = 0,
    ) -> None:
        held = {name: self.random.random() < 0.2 for name in ("shift", "meta", "ctrl")}
        moved = at[0] - self._at[0], at[1] - self._at[1]
        self._at = at
        event = cls(None, *at, *moved, button, **held, screen_x=at[0], screen_y=at[1])  # type: ignore[arg-type]
        self._send(pilot, kind, event, f"{cls.__name__} {at} {button} {held}")

    async def _click(self, pilot: Pilot[None]) -> None:
        at, button = self._place(pilot), self.random.choice((1, 1, 1, 1, 2, 3))
        for _ in range(self.random.choice((1, 1, 2))):
            self._mouse(pilot, events.MouseDown, at, "click", button)
            self._mouse(pilot, events.MouseUp, at, "click", button)

    async def _drag(self, pilot: Pilot[None]) -> None:
        self._mouse(pilot, events.MouseDown, self._place(pilot), "drag", 1)
        for _ in range(self.random.randrange(4)):
            self._mouse(pilot, events.MouseMove, self._place(pilot), "drag", 1)
        if self.random.random() < 0.95:
            self._mouse(pilot, events.MouseUp, self._place(pilot), "drag", 1)

    async def _wheel(self, pilot: Pilot[None]) -> None:
        at = self._place(pilot)
        cls = self.random.choice((events.MouseScrollDown, events.MouseScrollUp))
        for _ in range(self.random.randrange(1, 4)):
            self._mouse(pilot, cls, at, "wheel")

    async def _hover(self, pilot: Pilot[None]) -> None:
        self._mouse(pilot, events.MouseMove, self._place(pilot), "hover")
        if self.random.random() < 0.2:
            await asyncio.sleep(0.35)  # the tooltip

    async def _resize(self, pilot: Pilot[None]) -> None:
        size = self.random.choice(SIZES)
        if self.random.random() < 0.5:
            size = self.random.randrange(20, 200), self.random.randrange(5, 70)
        self.tally.sent["resize"] += 1
        self.last.append(f"resize {size}")
        await pilot.resize_terminal(*size)

    async def _paste(self, pilot: Pilot[None]) -> None:
        self._send(pilot, "paste", events.Paste("line\n[b]\x1b[31m\x07 \u65e5"))


# --- a session ---


@contextlib.contextmanager
def _nothing_hidden(tally: Tally) -> Iterator[None]:
    """What Python only prints is trouble too."""

    def unraisable(found: Any) -> None:
        tally.troubles.append(f"unraisable: {found.exc_value!r} in {found.object!r}")

    def in_thread(found: Any) -> None:
        words = "".join(traceback.format_exception(found.exc_type, found.exc_value, found.exc_traceback))
        tally.troubles.append(f"in a thread:\n{words}")

    def worker(app: GilscopeApp, event: Worker.StateChanged) -> None:
        # Nothing else says that a thread of the app failed. Who is interrupted by the end did nothing wrong.
        if event.state is WorkerState.ERROR and event.worker.error and not app._exit:
            words = "".join(traceback.format_exception(event.worker.error))
            tally.troubles.append(f"in a thread of the app:\n{words}")

    before = sys.unraisablehook, threading.excepthook
    GilscopeApp.on_worker_state_changed = worker  # type: ignore[attr-defined]
    sys.unraisablehook, threading.excepthook = unraisable, in_thread
    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook, threading.excepthook = before
        del GilscopeApp.on_worker_state_changed  # type: ignore[attr-defined]


def _descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


class _Family:
    """The processes of a session."""

    def __init__(self) -> None:
        self.before = {process.pid for process in _descendants()}
        self.seen: dict[int, psutil.Process] = {}

    def look(self) -> None:
        """Note those that are there now: the sampler and the target live as long as the session."""
        for process in _descendants():
            if process.pid not in self.before:
                self.seen[process.pid] = process

    def left(self) -> list[psutil.Process]:
        """Those that still run, some seconds later; none of them is left when this returns."""
        deadline = time.monotonic() + GONE_S
        while time.monotonic() < deadline and any(map(_runs, self.seen.values())):
            time.sleep(0.02)
        left = [process for process in self.seen.values() if _runs(process)]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def one_session(
    monkey: Monkey, folder: Path, *, dress: Callable[[GilscopeApp], None] = lambda _: None
) -> None:
    """Start a target, let the monkey at it until it quits or has sent enough, and see that all is gone."""
    tally, family = monkey.tally, _Family()
    tally.sessions += 1
    seconds = monkey.random.choice((3, 10_000, 10_000, 10_000, 10_000))
    spec = resolve_spec(script=str(TARGETS / "restless.py"), args=(str(seconds),))
    config = SamplerConfig(spec=spec, recording=folder / f"{tally.sessions}.gilscope")
    apps: list[GilscopeApp] = []

    def put_monkey(app: GilscopeApp) -> None:
        dress(app)
        apps.append(app)
        if monkey.random.random() < 0.25:
            text = LessonText(
                place="Lesson", title="A title", paragraphs=(("", "Text. " * 90),), script="x.py"
            )
            app.dashboard = LessonDashboard("x", live=True, text=text, step=lambda _by: None)
        app.run = lambda *_args, **_kw: asyncio.run(_drive(app, monkey, family))  # type: ignore[method-assign]

    with _nothing_hidden(tally):
        try:
            watch_on_screen(config, dress=put_monkey)
        except BaseException:
            tally.troubles.append(traceback.format_exc())
    (app,) = apps
    tally.outcomes[app.outcome] += 1
    if app.outcome == "left-running":
        _end_what_was_left(family)
    left = family.left()
    if left:
        tally.troubles.append(f"processes are left after {app.outcome!r}: {left}")
    (folder / f"{tally.sessions}.gilscope").unlink(missing_ok=True)


def _end_what_was_left(family: _Family) -> None:
    """The user let the target run on: it does, and is ended by hand here; its sampler ends with it."""
    targets = [process for process in family.seen.values() if _runs(process) and _is_target(process)]
    for process in targets:
        with contextlib.suppress(psutil.Error):
            os.kill(process.pid, signal.SIGKILL)


def _is_target(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("restless.py" in word for word in process.cmdline())
    return False


async def _drive(app: GilscopeApp, monkey: Monkey, family: _Family) -> None:
    tally = monkey.tally

    def untold(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        words = "".join(traceback.format_exception(error)) if error else context.get("message")
        tally.troubles.append(f"in the event loop:\n{words}")

    asyncio.get_running_loop().set_exception_handler(untold)
    async with app.run_test(size=monkey.random.choice(SIZES), tooltips=True, notifications=True) as pilot:
        deadline = time.monotonic() + HANG_S
        while app.dashboard.viewing is None and not app._exit and time.monotonic() < deadline:
            await pilot.pause(0.01)
        family.look()
        await monkey.play(pilot)
        family.look()
        if not app._exit and app._exception is None:
            # As the user does it, whatever is on the screen: ask to quit, and have the target stopped.
            if isinstance(app.screen, QuitScreen):
                await pilot.press("escape")
            await pilot.press("ctrl+c")
            deadline = time.monotonic() + HANG_S
            while not app._exit and time.monotonic() < deadline:
                if isinstance(app.screen, QuitScreen):
                    await pilot.press("s")
                await pilot.pause(0.01)
            if not app._exit:
                tally.troubles.append(f"it does not quit; on the screen: {app.screen_stack}")
                app.exit()
    if app.exit_error is not None:
        tally.troubles.append(f"it ended with: {app.exit_error}")


def run(
    count: int,
    seed: int,
    folder: Path,
    *,
    dress: Callable[[GilscopeApp], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Tally:
    """Send `count` events, over as many sessions as that takes; `dress` may break an app on purpose."""
    tally = Tally()
    monkey = Monkey(count, seed, tally, say)
    while not monkey.done:
        one_session(monkey, folder, dress=dress)
        say(f"session {tally.sessions}: {tally.events} events, {dict(tally.outcomes)}")
    if tally.troubles:
        tally.troubles.append(f"seed {seed}; the last events were:\n  " + "\n  ".join(monkey.last))
    return tally


def _say(words: str) -> None:
    os.write(STDERR, f"{words}\n".encode())  # print is Textual's while the app runs


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.monkey", description=__doc__.partition("\n")[0])
    parser.add_argument("events", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    options = parser.parse_args()
    print(f"{options.events} events, seed {options.seed}", flush=True)  # noqa: T201 - a command
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gilscope-monkey-") as folder:
        tally = run(options.events, options.seed, Path(folder), say=_say)
    print(  # noqa: T201
        f"\n{tally.events} events in {time.monotonic() - started:.0f} s, {tally.sessions} sessions, "
        f"{dict(tally.outcomes)}\nsent {dict(tally.sent)}\nscreens {dict(tally.screens.most_common())}\n"
        f"slowest answer {tally.slowest_s:.2f} s\n" + "\n".join(tally.troubles or ["no trouble"])
    )
    return 1 if tally.troubles else 0


if __name__ == "__main__":
    sys.exit(main())

"""--serve: the screen in a browser instead of the terminal."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from gilscope.cli.common import say
from gilscope.errors import GilscopeError, RecordingError, UsageError
from gilscope.model import ATTACHED
from gilscope.sampler import config as limits
from gilscope.serving.place import Listening, Place, is_place, listen, parse_place
from gilscope.signals import HANG_UPS
from gilscope.text import clean

if TYPE_CHECKING:
    from gilscope.launch.remote import SamplerLink
    from gilscope.serving.server import Serving

NEEDED = ("aiohttp", "textual_serve")
TOKEN_BYTES = 24
TITLE_MOST = 2_000
"""Characters of a title that a page's app is told."""
COLUMNS, ROWS = 116, 24
"""Of the target's terminal, until a page tells the size of its output panel."""


class ServingCommand(click.RichCommand):
    """A command whose --serve may stand without a place, also before the name of a script."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give a bare --serve its place."""
        return super().parse_args(ctx, with_places(args))


def with_places(args: list[str]) -> list[str]:
    """The words of a command with a place after each --serve; what follows `--` is the script's."""
    mine = args.index("--") if "--" in args else len(args)
    words: list[str] = []
    for number, word in enumerate(args):
        if number < mine and word == "--serve":
            named = number + 1 < mine and is_place(args[number + 1])
            words.append(word if named else f"--serve={Place()}")
        else:
            words.append(word)
    return words


def _place(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Place | None:
    try:
        return None if value is None else parse_place(value)
    except GilscopeError as error:
        click.echo(f"gilscope: {error}", err=True)
        sys.exit(error.exit_code)


serve_option = click.option(
    "--serve",
    metavar="[HOST:PORT]",
    callback=_place,
    help="Show the screen in a browser: print an address for it. Only this machine reaches it, unless a HOST "
    "is named; needs gilscope[serve].",
)


def need_screen(serve: Place | None, *, headless: bool) -> None:
    """A browser shows a screen.

    Raises:
        UsageError: none is wanted.
    """
    if serve is not None and headless:
        raise UsageError("--serve shows the screen in a browser, --headless none.\nName one of them.")


def watch_in_browser(
    config: limits.SamplerConfig,
    place: Place,
    *,
    theme: str | None = None,
    lesson: str | None = None,
    address_to_stdout: bool = True,
) -> int:
    """Watch in a process of its own, and show the recording in every browser that has the address.

    A target of ours is started once, and ends with the server unless it has ended before; another one is let
    go of.

    Args:
        config: what to watch, and how.
        place: where to serve.
        theme: of the screen; None: the user's own.
        lesson: the name of the one whose text stands beside it.
        address_to_stdout: whether the address is what this command prints; else it goes with what it says.
    """
    from gilscope.recording.writer import make_way  # noqa: PLC0415 - a command starts fast

    listening = _listen(place)
    with listening:
        from gilscope.launch.remote import SamplerLink  # noqa: PLC0415

        make_way(config.recording)
        link = SamplerLink.start(dataclasses.replace(config, columns=COLUMNS, rows=ROWS).to_json())
        attached = config.spec.mode == ATTACHED
        shown = LiveSession(link, f"the watch of {config.spec.display}" if attached else config.spec.display)
        title = " ".join([config.spec.display, *config.spec.args])
        settings = {
            "recording": os.fspath(config.recording),
            "title": title[:TITLE_MOST],
            "live": True,
            "attached": attached,
            "budget_share": config.budget_share,
            "lesson": lesson,
            "theme": theme,
        }
        words = OF_ANOTHERS if attached else OF_OURS
        try:
            _serve(listening, place, shown, settings, words, to_stdout=address_to_stdout)
        finally:
            link.stop_target()
            link.finish()
    if link.error is not None:
        say(f"gilscope: {link.error}")
        if link.error_code is not None:
            sys.exit(link.error_code)
    return link.exit_code or 0


def replay_in_browser(
    path: Path, place: Place, *, title: str, at_ns: int | None, speed: float, theme: str | None = None
) -> None:
    """Show a recording in every browser that has the address."""
    with _listen(place) as listening:
        settings = {
            "recording": os.fspath(path.absolute()),
            "title": title[:TITLE_MOST],
            "live": False,
            "at_ns": at_ns,
            "speed": speed,
            "theme": theme,
        }
        shown = FinishedRecording(path)
        _serve(listening, place, shown, settings, OF_RECORDING, to_stdout=True)
    if shown.error is not None:
        raise RecordingError(shown.error)


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """What whoever serves is to know of it."""

    others_can: str
    """What others can do who learn the address."""
    ctrl_c: str
    """What it does where the server was started."""


OF_OURS = Words("sees what the program prints, and can type to it and stop it", "ends all of it")
OF_ANOTHERS = Words(
    "sees what the program does, and can end the watch", "ends the watch, and the process runs on"
)
OF_RECORDING = Words("sees all that was recorded, and can end the server", "ends the server")


class LiveSession:
    """A session that was started here, as the pages see it; `what`: the name of what may end before it."""

    def __init__(self, link: SamplerLink, what: str) -> None:
        self._link = link
        self._what = what
        self._was_alive = True

    def status(self) -> Mapping[str, Any]:
        """How its sampler fares."""
        alive = self._link.alive()
        if self._was_alive and not alive and self._link.error is None:
            click.echo(
                f"gilscope: {clean(self._what)} has ended; its recording stays at the address until ctrl-c.",
                err=True,
            )
        self._was_alive = alive
        return {"alive": alive, "error": self._link.error}

    def obey(self, command: Mapping[str, Any]) -> None:
        """What a page asks for goes on to the sampler; that one page leaves it running is nothing to it."""
        if command["do"] != "leave":
            self._link.pass_on(command)


class FinishedRecording:
    """A file: nothing can be asked of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.error: str | None = None

    def status(self) -> Mapping[str, Any]:
        """Nothing happens to it, unless it is removed."""
        if not self._path.exists():
            self.error = f"There is no recording {clean(str(self._path))} any more."
        return {"alive": False, "error": self.error}

    def obey(self, command: Mapping[str, Any]) -> None:
        """Nothing."""


def _need_linux() -> None:
    """Pages and their server talk by means of Linux.

    Raises:
        UsageError: this is another system.
    """
    if sys.platform != "linux":
        raise UsageError(
            f"--serve needs Linux, and this is {sys.platform}.\n"
            "Leave it out, and see the recording in the terminal: gilscope replay last"
        )


def _listen(place: Place) -> socket.socket:
    """The socket, before anything is started."""
    _need_linux()
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--serve needs {' and '.join(missing).replace('_', '-')}, which is not installed.\n"
            "Install it with gilscope: pip install 'gilscope[serve]'"
        )
    return listen(place)


def _serve(
    listening: socket.socket,
    place: Place,
    shown: LiveSession | FinishedRecording,
    settings: Mapping[str, Any],
    words: Words,
    *,
    to_stdout: bool,
) -> None:
    import asyncio  # noqa: PLC0415 - it takes longer to load than most commands to run
    import secrets  # noqa: PLC0415

    from gilscope.serving.access import Guard  # noqa: PLC0415
    from gilscope.serving.server import Serving  # noqa: PLC0415

    at = Listening.of(listening)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    names = {"localhost", "127.0.0.1", "::1", place.host, at.address}
    if at.everywhere:
        names = {"localhost", socket.gethostname()}
    elif not at.on_loopback:
        names = {place.host, at.address}
    serving = Serving(
        shown=shown,
        guard=Guard.of(token, names, any_address=at.everywhere),
        title=str(settings["title"]),
        command=[sys.executable, "-m", "gilscope.cli.viewer"],
        settings=settings,
        say=lambda text: click.echo(f"gilscope: {text}", err=True),
    )

    def announce() -> None:
        _announce(at, token, words, to_stdout=to_stdout)

    asyncio.run(_until_told(serving, listening, announce))


def _announce(at: Listening, token: str, words: Words, *, to_stdout: bool) -> None:
    """Tell where the screen is, and what that means."""
    host = "127.0.0.1" if at.everywhere else at.address
    click.echo(f"http://{Place(host, at.port)}/{token}/", err=not to_stdout)
    sys.stdout.flush()
    if not at.on_loopback:
        instead = ", with its name instead of 127.0.0.1" if at.everywhere else ""
        click.echo(
            f"gilscope: warning: other machines can reach this address{instead}, and nothing is encrypted: "
            f"whoever learns it {words.others_can}.",
            err=True,
        )
    click.echo(f"gilscope: open this address in a browser; ctrl-c here {words.ctrl_c}.", err=True)


async def _until_told(serving: Serving, listening: socket.socket, announce: Callable[[], None]) -> None:
    """Serve; a signal to end is no error."""
    import asyncio  # noqa: PLC0415

    from gilscope.serving.server import serve  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, *HANG_UPS):
        # A job in the background, or under nohup, ignores some of them, and goes on doing so.
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, serving.ended.set)
    announce()  # not before: who has the address may end the server at once
    await serve(serving, listening)

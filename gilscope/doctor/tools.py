"""What gilscope works with: py-spy, the terminal, a place for recordings."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from gilscope.doctor.finding import Finding, State
from gilscope.recording import store
from gilscope.sources.pyspy import find_executable, version_of

LEAST_COLUMNS, LEAST_ROWS = 60, 16
GOOD_COLUMNS, GOOD_ROWS = 120, 36
LEAST_DISK = 200_000_000
"""More than an hour's recording takes."""
SYNCHRONIZED = ("kitty", "foot", "alacritty", "wezterm", "ghostty", "iterm", "contour", "konsole")
"""Terminals that are known to show a frame as a whole."""


def check_tools() -> Iterator[Finding]:
    """py-spy, the terminal, the places where files are written."""
    yield pyspy_finding(find_executable())
    yield from terminal_findings(os.environ)
    yield place_finding("recordings", store.directory())
    yield place_finding("temporary files", Path(tempfile.gettempdir()))


def pyspy_finding(path: str | None) -> Finding:
    """Is it there, and what does it say it is?"""
    if path is None:
        what = "not found: no names of threads, no stacks, no functions"
        return _found("py-spy", "limited", what, "Install it beside gilscope: pip install py-spy")
    version = version_of(path)
    if version is None:
        return _found("py-spy", "limited", f"{path} does not run", "Install it again: pip install py-spy")
    return _found("py-spy", "ok", f"{version} ({path})")


def terminal_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """What the screen can be drawn on."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        what = "standard output is none: gilscope is headless, and prints a summary"
        yield _found("terminal", "limited", what, "For the screen, start it in a terminal.")
        return
    size = shutil.get_terminal_size()
    yield size_finding(size.columns, size.lines)
    yield colour_finding(environment)
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding == "utf8":
        yield _found("characters", "ok", "UTF-8")
    else:
        what = f"{encoding or 'unknown'}: frames and bars may not show"
        yield _found("characters", "limited", what, "Set a UTF-8 locale: export LANG=C.UTF-8")
    yield synchronized_finding(environment)


def size_finding(columns: int, rows: int) -> Finding:
    """Whether all panels have their place."""
    what = f"{columns} × {rows}"
    if columns < LEAST_COLUMNS or rows < LEAST_ROWS:
        todo = f"Make it larger: at least {LEAST_COLUMNS} × {LEAST_ROWS}."
        return _found("terminal", "limited", f"{what} is too small to read", todo)
    if columns < GOOD_COLUMNS or rows < GOOD_ROWS:
        return _found(
            "terminal", "ok", f"{what}: panels fold; all have room from {GOOD_COLUMNS} × {GOOD_ROWS} on"
        )
    return _found("terminal", "ok", what)


def colour_finding(environment: Mapping[str, str]) -> Finding:
    """How many colours there are, by what the terminal says of itself."""
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR"):
        return _found("colours", "ok", "none, as NO_COLOR asks for: states differ by their signs as well")
    if term in ("", "dumb"):
        return _found(
            "colours", "limited", f"TERM is {term or 'not set'}", "Set it, as in: export TERM=xterm-256color"
        )
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return _found("colours", "ok", "16 million")
    if "256" in term:
        return _found("colours", "ok", "256")
    return _found("colours", "ok", f"those of {term}; states differ by their signs as well")


def synchronized_finding(environment: Mapping[str, str]) -> Finding:
    """Whether a frame appears as a whole."""
    told = " ".join(environment.get(name, "") for name in ("TERM", "TERM_PROGRAM", "LC_TERMINAL")).lower()
    if any(name in told for name in SYNCHRONIZED):
        return _found("frames", "ok", "this terminal shows each as a whole (synchronized output)")
    return _found("frames", "ok", "whether this terminal shows each as a whole is not known from here")


def place_finding(name: str, folder: Path) -> Finding:
    """Can files be written there, and how much room is left?"""
    todo = "Name a file with -o FILE, or another place with XDG_STATE_HOME." if name == "recordings" else (
        "Set TMPDIR to a folder that can be written."
    )  # fmt: skip
    try:
        place = next(path for path in (folder, *folder.parents) if path.exists())
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free
    except (OSError, StopIteration) as error:
        why = getattr(error, "strerror", None) or str(error)
        return Finding(
            group="place", name=name, state="limited", what=f"{folder} cannot be written: {why}", todo=todo
        )
    what = f"{folder}, {free / 1e6:,.0f} MB free"
    if free < LEAST_DISK:
        return Finding(group="place", name=name, state="limited", what=what, todo=f"Make space. {todo}")
    return Finding(group="place", name=name, state="ok", what=what)


def _found(name: str, state: State, what: str, todo: str | None = None) -> Finding:
    return Finding(group="tools", name=name, state=state, what=what, todo=todo)

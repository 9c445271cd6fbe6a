"""The errors that reach the user, each with its exit code, decided here and nowhere else.

A message has one to three lines: what went wrong, why, and what to do. `cli` prints it to standard
error without a traceback and exits with `exit_code`.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_USAGE = 2
EXIT_LIMIT_CROSSED = 3
EXIT_CANNOT_OBSERVE = 4


class GilscopeError(Exception):
    """Anything that stops gilscope for a reason that the user can act on."""

    exit_code: ClassVar[int] = EXIT_CANNOT_OBSERVE


class UsageError(GilscopeError):
    """The command, an argument or a file that it names is wrong."""

    exit_code = EXIT_USAGE


class CannotObserveError(GilscopeError):
    """The target runs, or could, but this system does not let gilscope read it."""


class RecordingError(GilscopeError):
    """A recording cannot be written, or is none of ours, or is damaged."""

    exit_code = EXIT_USAGE

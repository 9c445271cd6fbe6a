"""Tell the sampler, in a sentence, what the swap could not carry over."""

from __future__ import annotations

import os

_MAX_TEXT = 2_000
_MAX_NOTES = 200
"""A process does not say more than this: whatever goes wrong in each of a million tasks is known by then."""

_said: set[tuple[str, str, str, int]] = set()
_line: list[tuple[int, int, int]] = []


def configure(reports: tuple[int, int, int]) -> None:
    """Name the socket to the launcher: descriptor, st_dev, st_ino."""
    _line[:] = [reports]


def line_fd() -> int | None:
    """The descriptor of the line to the launcher; None where user code has closed or reused it."""
    if not _line:
        return None
    number, device, inode = _line[0]
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return number if (status.st_dev, status.st_ino) == (device, inode) else None


def note(kind: str, text: str, place: tuple[str, int] | None = None) -> None:
    """Say something once per process; never waits, never raises.

    Args:
        kind: a word such as "pickle" or "global".
        text: a sentence for people, without a place.
        place: file and line that it is about.
    """
    file, line = place or ("", 0)
    message = (kind, text[:_MAX_TEXT], file, line)
    if message in _said or len(_said) >= _MAX_NOTES:
        return
    _said.add(message)
    try:
        import json

        fd = line_fd()
        if fd is not None:
            fields = {"kind": "note", "pid": os.getpid(), "note": kind, "text": message[1]}
            os.write(fd, json.dumps({**fields, "file": file, "line": line}).encode())
    except Exception:  # noqa: S110 - the program that is watched must not suffer
        pass

"""Folders for a while among the temporary files, and the end of those that a kill left behind.

Each holds a file that its maker has locked. The kernel takes the lock back when the maker ends, however it
does: a folder whose file can be locked belongs to nobody any more. Its age says nothing, as a watch may take
days.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

if sys.platform != "win32":
    import fcntl

PREFIX: Final = "gilscope-"
IN_USE: Final = "in-use"
"""The file that is locked. A folder without it is not touched: it may be anybody's, or be just made."""
_FOLDER: Final = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class OwnFolder:
    """A private folder, there until it is removed; or until the next session, should we be killed."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            OSError: there is no place where it can be made.
        """
        self.path: Final = Path(tempfile.mkdtemp(prefix=PREFIX))  # 0700
        self._lock = _locked(self.path)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove it."""
        self.remove()

    def remove(self) -> None:
        """Remove it with all that is in it, as far as that can be. May be called more than once."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _locked(folder: Path) -> int:
    """A descriptor of its file, which has its name only once it is locked; −1: it cannot be."""
    if sys.platform == "win32":
        return -1
    number = -1
    try:
        number, name = tempfile.mkstemp(dir=folder)
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(name, folder / IN_USE)  # noqa: PTH104 - of two texts
    except OSError:  # a file system without locks, or one that is full
        if number >= 0:
            os.close(number)
        return -1
    return number


def remove_leftovers() -> int:
    """Remove our user's folders that nobody uses any more, and return how many there were. Raises nothing.

    No link is followed: all is done below descriptors of what was looked at.
    """
    if sys.platform == "win32":
        return 0
    removed = 0
    with contextlib.suppress(OSError):
        place = os.open(tempfile.gettempdir(), os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(place) as entries:
                names = [entry.name for entry in entries if entry.name.startswith(PREFIX)]
            removed = sum(_remove_leftover(place, name) for name in names)
        finally:
            os.close(place)
    return removed


def _remove_leftover(place: int, name: str) -> bool:
    """Remove one folder if it is left over, and say whether it was."""
    if sys.platform == "win32":
        return False
    with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
        folder = os.open(name, os.O_RDONLY | _FOLDER, dir_fd=place)
        opened.callback(os.close, folder)
        if os.fstat(folder).st_uid != os.geteuid():
            return False
        lock = os.open(IN_USE, os.O_RDONLY | _FILE, dir_fd=folder)
        opened.callback(os.close, lock)
        status = os.fstat(lock)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.scandir(folder) as entries:
            inside = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        # The lock's file goes last: what is left if this is killed too is found the next time.
        for inner, is_folder in sorted(inside, key=lambda each: each[0] == IN_USE):
            if is_folder:
                shutil.rmtree(inner, dir_fd=folder)
            else:
                os.unlink(inner, dir_fd=folder)
        os.rmdir(name, dir_fd=place)
        return True
    return False

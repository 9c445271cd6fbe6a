"""Where recordings lie, which one is `last`, and how many are kept."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_state_path

from gilscope.errors import RecordingError
from gilscope.recording import schema

SUFFIX = ".gilscope"
KEPT = 20
"""How many recordings of the user's state directory outlive a new one."""


def directory() -> Path:
    """The folder of the recordings that nobody named."""
    path = user_state_path("gilscope") / "recordings"
    # A user without a home, as in some containers, has none of those places either.
    return path if path.is_absolute() else spare_directory()


def spare_directory() -> Path:
    """The folder in their place where that one cannot be written.

    Anybody can make one of this name before us: nothing is written, found or removed in it but where
    `is_private` says that it is ours.
    """
    return Path(tempfile.gettempdir()) / f"gilscope-{_me()}" / "recordings"


def _me() -> int:
    """Our number, as files have it of their owner: nobody has one on Windows."""
    return os.getuid() if sys.platform != "win32" else 0


def _open_to_others(status: os.stat_result) -> bool:
    """By its mode, which says nothing on Windows: a user's temporary folder is private there."""
    return sys.platform != "win32" and bool(status.st_mode & 0o077)


def is_private(folder: Path) -> bool:
    """Whether it is a directory, no link to one, of this user, that nobody else may enter or write.

    Raises:
        OSError: it is not there.
    """
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == _me() and not _open_to_others(status)


def new_path(title: str) -> Path:
    """A path for a new recording, its folder made (0700), the oldest recordings beyond KEPT removed.

    In the spare folder where the user's own cannot be written.

    Raises:
        RecordingError: neither can be.
    """
    try:
        folder = _made_spare() if directory() == spare_directory() else _made(directory())
    except OSError as error:
        folder = _in_its_place(error)
    prune(keep=KEPT - 1)
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
    word = re.sub(r"[^A-Za-z0-9_.-]+", "_", title).strip("._-")[:40] or "target"
    return folder / f"{stamp}-{word}{SUFFIX}"


def _made(folder: Path) -> Path:
    """A folder in which files can be made; an OSError where not."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def _made_spare() -> Path:
    """The spare folder; an OSError where it cannot be made, or is not ours alone."""
    folder = spare_directory()
    for each in (folder.parent, folder):
        with contextlib.suppress(FileExistsError):
            each.mkdir(mode=0o700)
        if not is_private(each):
            raise PermissionError(errno.EPERM, f"{each} is not yours alone")
    return _made(folder)


def _in_its_place(why: OSError) -> Path:
    try:
        return _made_spare()
    except OSError as error:
        raise RecordingError(
            f"Cannot make the folder for recordings, {directory()}: {why.strerror}; "
            f"nor one in its place: {error.strerror}.\nName a file elsewhere with -o FILE."
        ) from error


def all_recordings() -> list[Path]:
    """The recordings that nobody named, newest first."""
    return sorted(
        {path for folder in _folders() for path in folder.glob(f"*{SUFFIX}")}, key=_changed_ns, reverse=True
    )


def _folders() -> list[Path]:
    """Where they lie: the spare folder only if it is ours."""
    found, spare = [], spare_directory()
    for folder in {directory(), spare}:
        with contextlib.suppress(OSError):
            if folder.stat().st_uid != _me():
                continue
            if folder != spare or (is_private(spare.parent) and is_private(spare)):
                found.append(folder)
    return found


def _changed_ns(path: Path) -> int:
    """When a recording last grew; one that is being written grows in its WAL file."""
    changed = 0
    for file in (path, path.with_name(path.name + "-wal")):
        with contextlib.suppress(OSError):
            changed = max(changed, file.stat().st_mtime_ns)
    return changed


def prune(*, keep: int) -> None:
    """Remove all but the newest `keep`. Those being written are the newest."""
    for path in all_recordings()[keep:]:
        # Another gilscope may have removed it at the same moment.
        with contextlib.suppress(RecordingError):
            remove(path)


def is_unnamed(path: Path) -> bool:
    """Whether it lies where the recordings do that nobody named."""
    return path.parent.resolve() in {folder.resolve() for folder in _folders()}


def refuse_others(path: Path) -> None:
    """Make sure that a file is a recording, or one of ours that was never finished, before it is removed.

    Raises:
        RecordingError: it is something else, or cannot be read.
    """
    if is_unnamed(path) and path.name.endswith(SUFFIX):
        return
    try:
        with path.open("rb") as file:
            header = file.read(72)
    except OSError as error:
        raise RecordingError(f"Cannot read {path}: {error.strerror}.") from error
    if header[:15] != b"SQLite format 3" or header[68:72] != schema.APPLICATION_ID.to_bytes(4, "big"):
        raise RecordingError(f"{path} is no recording of gilscope, so it is not removed.")


def remove(path: Path) -> None:
    """Remove a recording and what SQLite keeps beside it while it is written.

    Raises:
        RecordingError: it cannot be removed.
    """
    try:
        path.unlink()
        for ending in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(f"Cannot remove {path}: {error.strerror}.") from error


def find(name: str) -> Path:
    """The file that a user means: a path, or `last` for the newest recording.

    Raises:
        RecordingError: there is no such file.
    """
    if name == "last" and not Path(name).exists():
        recordings = all_recordings()
        if not recordings:
            raise RecordingError(
                "There is no recording yet.\nMake one: gilscope run script.py (each run is recorded)."
            )
        return recordings[0]
    path = Path(name)
    if path.is_dir():
        raise RecordingError(f"{path} is a directory, not a recording.\nName a {SUFFIX} file, or: last.")
    if not path.exists():
        raise RecordingError(f"There is no file {path}.\nName a {SUFFIX} file, or: last (the newest).")
    return path

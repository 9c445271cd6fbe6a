"""What a kill leaves among the temporary files is removed at the next start; nothing else ever is."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gilscope.folders import IN_USE, OwnFolder, remove_leftovers
from tests.commands import environment

KILLED = """
import os, signal
from gilscope.folders import OwnFolder
folder = OwnFolder()
(folder.path / "output").write_text("x")
(folder.path / "__pycache__").mkdir()
(folder.path / "__pycache__" / "y.pyc").write_text("y")
(folder.path / "away").symlink_to(os.environ["KEPT"])
print(folder.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def leftover(place: Path, name: str = "gilscope-abcdefgh") -> Path:
    """As a kill leaves it."""
    folder = place / name
    folder.mkdir(mode=0o700)
    (folder / IN_USE).touch(mode=0o600)
    (folder / "snapshot.out").write_text("x")
    return folder


def test_a_folder_of_a_killed_process(place: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    done = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, check=False,
        env={**environment(tmp_path), "TMPDIR": str(place), "KEPT": str(kept)},
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    assert [str(path) for path in place.iterdir()] == [done.stdout.strip()]
    assert remove_leftovers() == 1
    assert list(place.iterdir()) == []
    assert (kept / "file").exists()
    assert remove_leftovers() == 0


def test_one_that_is_in_use_stays(place: Path) -> None:
    with OwnFolder() as one, OwnFolder() as other:
        assert one.path.stat().st_mode & 0o777 == 0o700
        assert (one.path / IN_USE).stat().st_mode & 0o777 == 0o600
        (one.path / "output").write_text("x")
        assert remove_leftovers() == 0
        assert (one.path / "output").exists()
        other.remove()
        other.remove()
        assert list(place.iterdir()) == [one.path]
    assert list(place.iterdir()) == []


def test_what_is_not_ours_stays(place: Path, tmp_path: Path) -> None:
    """Links, files, folders without our file or with something else in its place, other names."""
    elsewhere = leftover(tmp_path, "gilscope-elsewhere")
    (place / "gilscope-linkaway").symlink_to(elsewhere)
    (place / "gilscope-file").touch()
    (place / f"gilscope-{os.getuid()}" / "recordings").mkdir(parents=True)
    leftover(place, "others-abcdefgh")
    (leftover(place, "gilscope-linkfile") / IN_USE).unlink()
    (place / "gilscope-linkfile" / IN_USE).symlink_to(elsewhere / IN_USE)
    (leftover(place, "gilscope-fifofile") / IN_USE).unlink()
    os.mkfifo(place / "gilscope-fifofile" / IN_USE)
    before = sorted(place.rglob("*"))
    assert remove_leftovers() == 0
    assert sorted(place.rglob("*")) == before
    assert (elsewhere / "snapshot.out").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_what_is_anothers_stays(place: Path) -> None:
    """Also for root, who could."""
    os.chown(leftover(place, "gilscope-anothers"), 65_534, -1)
    os.chown(leftover(place, "gilscope-itsfile1") / IN_USE, 65_534, -1)
    assert remove_leftovers() == 0
    assert len(list(place.iterdir())) == 2


def test_where_nothing_can_be_locked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a folder is made as ever, and none is removed."""

    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    left = leftover(place)
    with OwnFolder() as folder:
        assert not (folder.path / IN_USE).exists()
        assert remove_leftovers() == 0
    assert list(place.iterdir()) == [left]


def test_no_place_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert remove_leftovers() == 0

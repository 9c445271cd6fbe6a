"""Where recordings lie, and which of them stay."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from gilscope.errors import RecordingError
from gilscope.recording import store
from tests.recording.files import make


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "gilscope" / "recordings"


def test_where_recordings_lie(state: Path) -> None:
    assert store.directory() == state
    assert store.all_recordings() == []
    with pytest.raises(RecordingError, match="no recording yet"):
        store.find("last")
    first = make(store.new_path("fib.py"))
    assert first.parent == state
    assert state.stat().st_mode & 0o777 == 0o700
    assert first.name.endswith("-fib.py.gilscope")
    second = make(store.new_path("fib.py"))
    assert first != second
    os.utime(first, (1, 1))
    assert store.all_recordings() == [second, first]
    assert store.find("last") == second
    assert store.find(str(first)) == first
    store.remove(second)
    assert store.find("last") == first
    with pytest.raises(RecordingError, match="Cannot remove"):
        store.remove(second)


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("fib.py", "fib.py"), ("-c 'import os; x'", "c_import_os_x"), ("../../etc/passwd", "etc_passwd"),
        ("", "target"), ("…", "target"), ("ü\0\n\x1b[2J", "2J"), ("a" * 300, "a" * 40), (".hidden", "hidden"),
        ("-m http.server", "m_http.server"),
    ],
)  # fmt: skip
def test_names_of_recordings(title: str, word: str, state: Path) -> None:
    found = store.new_path(title)
    assert found.parent == state
    assert found.name.split("-", 5)[-1] == word + ".gilscope"


def test_the_oldest_go(state: Path) -> None:
    made = []
    for number in range(store.KEPT + 3):
        path = store.new_path(f"n{number}")
        path.write_bytes(b"x")
        path.with_name(path.name + "-wal").touch()
        for file in (path, path.with_name(path.name + "-wal")):
            os.utime(file, (number, number))
        made.append(path)
    assert store.all_recordings() == made[:2:-1]
    assert len(list(state.iterdir())) == 2 * store.KEPT
    # One that is written grows in its WAL file.
    os.utime(made[3].with_name(made[3].name + "-wal"))
    store.prune(keep=1)
    assert store.all_recordings() == [made[3]]


def test_find(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecordingError, match="There is no file"):
        store.find(str(tmp_path / "none"))
    with pytest.raises(RecordingError, match="is a directory"):
        store.find(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    make(store.new_path("x"))
    make(tmp_path / "last")
    assert store.find("last") == Path("last")
    assert state.exists()


@pytest.fixture
def spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No place in the user's state directory; a temporary one of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"gilscope-{os.getuid()}"


def test_a_state_directory_that_cannot_be_made(spare: Path) -> None:
    """Recordings go to a folder of their own under TMPDIR, private, and are found there."""
    path = make(store.new_path("x"))
    assert path.parent == store.spare_directory() == spare / "recordings"
    assert spare.stat().st_mode & 0o777 == 0o700
    assert store.find("last") == path
    assert store.is_unnamed(path)


def test_a_folder_in_its_place_that_others_made(spare: Path) -> None:
    spare.mkdir(mode=0o777)
    spare.chmod(0o777)
    with pytest.raises(RecordingError, match="is not yours alone") as raised:
        store.new_path("x")
    assert "-o FILE" in str(raised.value)


def test_a_link_in_its_place(spare: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    spare.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordingError, match="is not yours alone"):
        store.new_path("x")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_in_it(spare: Path, tmp_path: Path) -> None:
    """Somebody who made the folder before could have named another one of ours: nothing there is removed."""
    (tmp_path / "kept").mkdir(mode=0o700)
    others = [tmp_path / "kept" / f"{number}.gilscope" for number in range(store.KEPT + 5)]
    for other in others:
        other.write_bytes(b"x")
    spare.mkdir(mode=0o700)
    spare.chmod(0o755)
    (spare / "recordings").symlink_to(tmp_path / "kept")
    for mode in (0o755, 0o700):
        spare.chmod(mode)
        assert store.all_recordings() == []
        assert not store.is_unnamed(spare / "recordings" / others[0].name)
        store.prune(keep=0)
        with pytest.raises(RecordingError, match="is not yours alone"):
            store.new_path("x")
    assert sorted((tmp_path / "kept").glob("*.gilscope")) == sorted(others)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else(spare: Path) -> None:
    (spare / "recordings").mkdir(mode=0o700, parents=True)
    spare.chmod(0o700)
    make(spare / "recordings" / "theirs.gilscope")
    os.chown(spare, 65_534, 65_534)
    assert store.all_recordings() == []
    with pytest.raises(RecordingError, match="is not yours alone"):
        store.new_path("x")


def test_no_home_and_a_trap(spare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "user_state_path", lambda _name: Path("~/.local/state/gilscope"))
    spare.symlink_to(tmp_path)
    with pytest.raises(RecordingError, match="is not yours alone"):
        store.new_path("x")
    assert list(tmp_path.iterdir()) == [spare]


def test_no_home_at_all(spare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN a user without a home, as in some containers THEN no folder named "~" is made."""
    monkeypatch.setattr(store, "user_state_path", lambda _name: Path("~/.local/state/gilscope"))
    old = os.umask(0)
    try:
        assert store.new_path("x").parent == spare / "recordings"
    finally:
        os.umask(old)
    assert {folder.stat().st_mode & 0o777 for folder in (spare, spare / "recordings")} == {0o700}

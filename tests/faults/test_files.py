"""Files that gilscope writes: whose they are, and what happens where they cannot be written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from gilscope.cli import main
from gilscope.cli.common import write_file
from gilscope.errors import UsageError
from gilscope.recording import store
from tests.commands import complaint, environment, gilscope
from tests.fuzz import bases
from tests.watched import ROOT


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "r.gilscope"
    path.write_bytes(bases.bases()[0])
    return path


WRITES: dict[str, list[str]] = {
    "text": ["report"], "md": ["report", "--format", "md"], "html": ["report", "--format", "html"],
    "json": ["report", "--format", "json"], "perfetto": ["export", "--format", "perfetto"],
    "csv": ["export", "--format", "csv"], "cast": ["export", "--format", "cast"],
}  # fmt: skip


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("kind", WRITES)
def test_what_is_written_is_private(kind: str, recording: Path, tmp_path: Path) -> None:
    """A report or export holds what the recording holds: it is its owner's, whatever the umask."""
    target = tmp_path / ("o.zip" if kind == "csv" else "o")
    old = os.umask(0)
    try:
        code, said = run(*WRITES[kind], recording, "-o", target)
    finally:
        os.umask(old)
    assert code == 0, said
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([recording.name, target.name])


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("where", ["/dev/full", "/proc/x", "/dev/null/x", "/nowhere/x"])
def test_where_it_cannot_be_written(kind: str, where: str, recording: Path) -> None:
    code, said = run(
        *WRITES[kind], recording, "-o", where + (".zip" if kind == "csv" and where != "/dev/full" else "")
    )
    assert code == 2, said
    assert "Traceback" not in said
    assert 1 <= len(said.strip().splitlines()) <= 3


def test_a_device_stays_everybodys(tmp_path: Path) -> None:
    """What is written to /dev/null as root must not make it root's own."""
    before = stat.S_IMODE(Path("/dev/null").stat().st_mode)
    write_file(Path("/dev/null"), "x")
    assert stat.S_IMODE(Path("/dev/null").stat().st_mode) == before
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    with subprocess.Popen(["/bin/cat", pipe], stdout=subprocess.PIPE) as reader:
        write_file(pipe, "through a pipe")
        assert reader.communicate(timeout=30)[0] == b"through a pipe"
    assert stat.S_IMODE(pipe.stat().st_mode) == 0o644


def test_a_file_is_private_from_its_first_moment(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_file(tmp_path / "s.json", "lone surrogates too: \ud800")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "s.json").stat().st_mode) == 0o600
    (tmp_path / "open").write_text("was there")
    (tmp_path / "open").chmod(0o666)
    write_file(tmp_path / "open", "x")
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o600


@pytest.mark.parametrize("where", ["/dev/full", "/nowhere/x"])
def test_a_file_that_cannot_be_written_is_told(where: str) -> None:
    with pytest.raises(UsageError, match=f"Cannot write {where}"):
        write_file(Path(where), "x" * 100_000)


@pytest.mark.parametrize("arguments", [["report"], ["report", "--format", "json"], ["recordings", "list"]])
def test_standard_output_is_full(arguments: list[str], recording: Path, tmp_path: Path) -> None:
    files = [] if arguments[0] == "recordings" else [str(recording)]
    if not files:
        folder = tmp_path / "state" / "gilscope" / "recordings"
        folder.mkdir(parents=True)
        recording.rename(folder / recording.name)
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "gilscope", *arguments, *files],
            stdout=full, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path, timeout=60,
            check=False,
        )  # fmt: skip
    said = done.stderr.decode()
    assert done.returncode == 2, said
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) <= 2


def test_a_run_whose_reports_cannot_be_written(tmp_path: Path) -> None:
    """It is told before the script has run, where that can be known."""
    done = gilscope(tmp_path, "run", "--json", "/nowhere/s.json", "-c", "open('ran', 'w')")
    assert "Cannot write /nowhere/s.json" in complaint(done, 2)
    assert not (tmp_path / "ran").exists()


def test_the_folder_of_recordings_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    old = os.umask(0)
    try:
        folder = store.new_path("x").parent
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_trap_in_the_folder_for_temporary_files(recording: Path, tmp_path: Path) -> None:
    """Names that somebody could have guessed are links to what must not be touched: none is followed."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    traps = tmp_path / "o"
    traps.mkdir()
    for name in (".out.part", "out.part", ".out..part", "out.tmp", "gilscope-"):
        (traps / name).symlink_to(victim)
    assert run("report", recording, "-o", traps / "out")[0] == 0
    assert victim.read_text() == "precious"
    assert (traps / "out").read_text().startswith("gilscope")


SHARED = {"recording/store.py": 1, "doctor/tools.py": 1, "folders.py": 1}
"""Where the folder itself is named: for a folder in it that is checked to be ours alone (test_store.py); and
by doctor, which tells what room there is; and to remove what a kill left there (test_folders.py)."""


def test_temporary_folders_are_made_for_one_owner_only() -> None:
    """Each place that makes one uses tempfile, which makes a new one or fails, for its owner only."""
    for path in sorted((ROOT / "gilscope").rglob("*.py")):
        text = path.read_text()
        assert "mktemp(" not in text.replace("tempfile.mkdtemp(", "").replace("mkstemp(", ""), path
        assert '"/tmp' not in text, path
        place = path.relative_to(ROOT / "gilscope").as_posix()
        assert text.count("gettempdir()") == SHARED.get(place, 0), path
    folder = Path(tempfile.mkdtemp())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()

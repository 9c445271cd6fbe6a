"""The commands as users call them: what passes through, what is refused, how a session ends."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gilscope.recording.reader import RecordingReader
from tests.commands import command, complaint, default_signals, environment, gilscope, head_ns, watch
from tests.pythons import found_pythons
from tests.watched import ROOT, TARGETS, is_gone, wait_for


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("import sys; sys.exit(1)", 1),
        ("import sys; sys.exit(42)", 42),
        ("import sys; sys.exit(255)", 255),
        ("1/0", 1),
        ("import os; os._exit(7)", 7),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("import os; os.kill(os.getpid(), 15)", 143),
        ("import os; os.abort()", 134),
        ("raise KeyboardInterrupt", 130),
    ],
)
def test_the_exit_code_is_the_scripts(code: str, expected: int, tmp_path: Path) -> None:
    outcome = gilscope(tmp_path, "run", "-o", tmp_path / "r.gilscope", "-c", code)
    assert outcome.code == expected, outcome.stderr
    assert f"exit code {expected}" in outcome.stderr
    reader = RecordingReader(outcome.recording)
    assert reader.session().exit_code == expected
    assert reader.session().ended_ns == reader.head_ns()
    reader.close()


def test_streams_pass_through(tmp_path: Path) -> None:
    code = (
        "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data[::-1]);"
        "sys.stderr.write('said\\n'); sys.stdout.buffer.write(bytes(range(256)))"
    )
    given = os.urandom(300_000)
    outcome = gilscope(tmp_path, "run", "-c", code, stdin=given)
    assert outcome.code == 0
    assert outcome.stdout == given[::-1] + bytes(range(256))
    assert outcome.stderr.startswith("said\n\ngilscope  -c ")


def test_arguments_and_options_of_python(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("import sys, os; print(sys.argv[1:], os.environ['A'], os.getcwd())")
    for arguments in (["mod.py"], ["-m", "mod"]):
        outcome = gilscope(
            tmp_path,
            "run",
            "--env",
            "A=ü=1",
            *arguments,
            "--",
            "-x",
            "a b",
            "--rate",
            "--",
            env={"PYTHONUTF8": "1"},
        )
        assert outcome.stdout.decode() == f"['-x', 'a b', '--rate', '--'] ü=1 {tmp_path}\n", outcome.stderr
    (tmp_path / "sub").mkdir()
    outcome = gilscope(tmp_path, "run", "--env", "A=2", "--cwd", "sub", "mod.py")
    assert outcome.stdout.decode() == f"[] 2 {tmp_path / 'sub'}\n"


def test_json_to_standard_output(tmp_path: Path) -> None:
    import json

    outcome = gilscope(tmp_path, "run", "--json", "-", "-c", "pass")
    assert json.loads(outcome.stdout)["target"]["command"] == "-c 'pass'"
    outcome = gilscope(tmp_path, "run", "--json", tmp_path / "s.json", "-c", "print(1)")
    assert outcome.stdout == b"1\n"
    assert (tmp_path / "s.json").stat().st_mode & 0o777 == 0o600


def test_names_that_are_no_text(tmp_path: Path) -> None:
    name = b"\xff \x1b[2J.py"
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_text("print(1)")
    outcome = gilscope(tmp_path, "run", "--json", tmp_path / "s.json", os.fsdecode(name))
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout == b"1\n"
    assert "\x1b" not in outcome.stderr
    assert "2J.py" in outcome.summary["target"]["command"]


BAD: list[tuple[list[str], str]] = [
    (["none.py"], "No such script: none.py"),
    (["folder"], "is a directory"),
    (["--python", "/no/such/python", "ok.py"], "No such file"),
    (["--python", "no-such-python", "ok.py"], "no such command"),
    (["--python", "/bin/true", "ok.py"], "is no Python"),
    (["--python", "/bin/sh", "ok.py"], "is no Python"),
    (["--python", "/etc/passwd", "ok.py"], "Permission denied"),
    (["--rate", "0", "ok.py"], "--rate 0 is out of range"),
    (["--rate", "-5", "ok.py"], "--rate -5 is out of range"),
    (["--rate", "nan", "ok.py"], "--rate nan is out of range"),
    (["--rate", "inf", "ok.py"], "out of range"),
    (["--tick", "1", "ok.py"], "--tick 1 is out of range"),
    (["--budget", "0", "ok.py"], "--budget 0 is out of range"),
    (["--stall", "0", "ok.py"], "--stall 0 is out of range"),
    (["--duration", "0", "ok.py"], "--duration 0 is out of range"),
    (["--duration", "1e300", "ok.py"], "out of range"),
    (["--keep", "5s", "ok.py"], "--keep 5s is out of range"),
    (["--keep", "nan", "ok.py"], "--keep nan is out of range"),
    (["--keep", "", "ok.py"], "out of range"),
    (["-o", "/nowhere/r.gilscope", "ok.py"], "Cannot write the recording"),
    (["-o", "folder", "ok.py"], "Is a directory"),
    (["-o", "ok.py", "ok.py"], "not overwritten"),
    (["--json", "/nowhere/s.json", "ok.py"], "Cannot write /nowhere/s.json"),
    (["--json", "folder", "ok.py"], "Cannot write folder"),
    (["--cwd", "none", "ok.py"], "does not exist"),
    (["--env", "A", "ok.py"], "not of the form"),
    ([], "No program is named"),
    (["-c", "pass", "-m", "this"], "More than one"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_what_cannot_be_run(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "ok.py").write_text("open('ran', 'w')")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    outcome = gilscope(tmp_path, "run", *arguments)
    assert message in complaint(outcome, 2)
    assert outcome.stdout == b""
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "state"] == before
    assert not list((tmp_path / "state").rglob("*.gilscope"))
    assert (tmp_path / "ok.py").read_text() == "open('ran', 'w')"


@pytest.mark.parametrize("option", ["--no-such-option", "--rate=x", "--tick=1.5"])
def test_an_option_that_click_refuses(option: str, tmp_path: Path) -> None:
    outcome = gilscope(tmp_path, "run", option, "x.py")
    assert outcome.code == 2
    assert "Traceback" not in outcome.stderr
    assert option.split("=", maxsplit=1)[0] in outcome.stderr


def test_a_script_that_python_refuses(tmp_path: Path) -> None:
    """Python's own words, not ours."""
    (tmp_path / "bad.py").write_text("def (:\n")
    outcome = gilscope(tmp_path, "run", "bad.py")
    assert outcome.code == 1
    assert "SyntaxError" in outcome.stderr
    outcome = gilscope(tmp_path, "run", "-m", "no_such_module_here")
    assert outcome.code == 1
    assert "No module named no_such_module_here" in outcome.stderr


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter and write, with gilscope in it."""
    folder = Path("/var/tmp") / f"gilscope-test-{os.getpid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    packages = [ROOT / "gilscope"]
    for name in ("click", "rich_click", "rich", "markdown_it", "mdurl", "pygments", "psutil", "platformdirs"):
        spec = importlib.util.find_spec(name)
        packages += map(Path, (spec and spec.submodule_search_locations) or ())
    for package in packages:
        shutil.copytree(package, folder / "lib" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _for_everybody() -> Path | None:
    """An interpreter that other users can run, of a version that gilscope runs on."""
    for path in map(Path, (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")):
        real = path.resolve()
        if not real.exists() or not all(place.stat().st_mode & 0o001 for place in [real, *real.parents]):
            continue
        asked = [str(real), "-c", "import sys; print(sys.version_info >= (3, 11))"]
        answer = subprocess.run(asked, capture_output=True, check=False)
        if answer.stdout == b"True\n":
            return real
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user than root")
def test_an_ordinary_user_who_may_not_read_the_interpreter(open_folder: Path) -> None:
    """A program file that is only executable makes its process unreadable: the script does not run."""
    folder = open_folder
    real = _for_everybody()
    if real is None:
        pytest.skip("all interpreters that gilscope runs on are in folders that other users may not enter")
    (folder / "bin").mkdir()
    target = folder / "bin" / "python"
    shutil.copy(real, target)
    (folder / "script.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    home = subprocess.run(
        [real, "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True, check=True
    )
    env = environment(folder) | {"PYTHONPATH": str(folder / "lib"), "PYTHONHOME": home.stdout.strip()}

    def run() -> subprocess.CompletedProcess[str]:
        arguments = [str(real), "-m", "gilscope", "run", "--python", str(target), str(folder / "script.py")]
        return subprocess.run(
            arguments, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False,
            user=65534, group=65534, extra_groups=[],
        )  # fmt: skip

    target.chmod(0o711)
    done = run()
    assert done.returncode == 4, done.stderr
    lines = done.stderr.strip().splitlines()
    assert 1 <= len(lines) <= 3
    assert lines[0].startswith("gilscope: Cannot observe")
    assert not (folder / "ran").exists()
    target.chmod(0o755)
    done = run()
    assert done.returncode == 0, done.stderr
    assert (folder / "ran").exists()


class Running:
    """A command that goes on, in a session of its own."""

    def __init__(self, folder: Path, *arguments: object, kept: bool = True) -> None:
        self.recording = folder / "r.gilscope"
        options = ["-o", self.recording] if kept else []
        self.process = subprocess.Popen(
            command("run", *options, *arguments),
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=default_signals,  # noqa: PLW1509 - one system call
        )
        assert self.process.stdout is not None
        self.pids = [int(word) for word in self.process.stdout.readline().split()[1:]]

    def wait(self) -> int:
        _, self.stderr = self.process.communicate(timeout=60)
        return self.process.returncode

    def opened(self) -> RecordingReader:
        return RecordingReader(self.recording)


SLEEPER = "import os, time; print('READY', os.getpid(), flush=True); time.sleep(600)"
HANDLER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(6))
try:
    print('READY', os.getpid(), flush=True)
    time.sleep(600)
finally:
    time.sleep(0.3)
    print('cleaned', flush=True)
"""


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_signals_are_passed_on(number: signal.Signals, expected: int, tmp_path: Path) -> None:
    running = Running(tmp_path, "-c", SLEEPER)
    time.sleep(0.3)
    os.kill(running.process.pid, number)
    assert running.wait() == expected
    assert is_gone(running.pids[0])
    reader = running.opened()
    assert reader.session().exit_code == expected
    assert reader.head_ns() > 0
    reader.close()
    assert b"Traceback" not in running.stderr.replace(b"KeyboardInterrupt", b"") or number == signal.SIGINT


def test_a_target_may_clean_up(tmp_path: Path) -> None:
    running = Running(tmp_path, "-c", HANDLER)
    os.kill(running.process.pid, signal.SIGTERM)
    out, _ = running.process.communicate(timeout=60)
    assert running.process.returncode == 6
    assert b"cleaned" in out


def test_an_interrupt_from_a_terminal_comes_once(tmp_path: Path) -> None:
    """Ctrl-C reaches the whole group: the target hears of it from the terminal, not from us too."""
    code = """
import signal, sys, time
count = []
signal.signal(signal.SIGINT, lambda *_: count.append(1))
print('READY', flush=True)
end = time.monotonic() + 600
while not count and time.monotonic() < end: time.sleep(0.01)
time.sleep(0.5)
print('interrupts', len(count), flush=True)
sys.exit(3)
"""
    pid, fd = pty.fork()
    if pid == 0:
        default_signals()
        arguments = command("run", "--headless", "-o", tmp_path / "r.gilscope", "-c", code)
        os.chdir(tmp_path)
        os.execve(arguments[0], arguments, environment(tmp_path))
    seen = b""

    def until(text: bytes) -> None:
        nonlocal seen
        deadline = time.monotonic() + 60
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([fd], [], [], 0.2)[0]:
                seen += os.read(fd, 65_536)

    until(b"READY")
    os.write(fd, b"\x03")
    until(b"interrupts")
    until(b"recording ")
    with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more
        while os.read(fd, 65_536):
            pass
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert b"interrupts 1\r\n" in seen
    assert b"exit code 3" in seen


def test_the_time_is_over(tmp_path: Path) -> None:
    begin = time.monotonic()
    running = Running(tmp_path, "--duration", 1, TARGETS / "cpu_threads.py", 2)
    assert running.wait() == 143
    assert 0.9 < time.monotonic() - begin < 30
    assert all(is_gone(tid) for tid in running.pids)
    reader = running.opened()
    assert 0.9e9 < reader.head_ns() < 10e9
    assert reader.session().ended_ns is not None
    reader.close()


def test_a_killed_session_can_be_opened(tmp_path: Path) -> None:
    running = Running(tmp_path, TARGETS / "cpu_threads.py", 2, 20)
    reader: list[RecordingReader] = []
    try:
        wait_for(lambda: head_ns(running.recording) > 0.6e9, "nothing is recorded")
        running.process.kill()
        running.process.wait()
        reader.append(running.opened())
        assert reader[0].head_ns() > 0.5e9
        assert reader[0].session().ended_ns is None
        text = gilscope(tmp_path, "report", running.recording)
        assert "exit code ?" in text.stdout.decode()
    finally:
        # The target ends with its terminal, and may do so between a look and a kill.
        for pid in running.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_report_and_recordings(tmp_path: Path) -> None:
    nothing = gilscope(tmp_path, "recordings", "list")
    assert (nothing.code, nothing.stdout) == (0, b"")
    assert "No recordings" in nothing.stderr
    assert "no recording yet" in complaint(gilscope(tmp_path, "report", "last"), 2)
    gilscope(tmp_path, "run", "-c", "print('first')")
    gilscope(tmp_path, "run", "-c", "print('second')")
    listed = gilscope(tmp_path, "recordings", "list").stdout.decode().splitlines()
    assert len(listed) == 2
    assert "second" in listed[0]
    assert "print('second')" in gilscope(tmp_path, "report", "last").stdout.decode()
    assert "too-short" in listed[0]
    path = listed[0].split("MB  ")[1]
    assert gilscope(tmp_path, "recordings", "rm", "last").code == 0
    assert not Path(path).exists()
    assert "print('first')" in gilscope(tmp_path, "report", "last").stdout.decode()
    assert "There is no file" in complaint(gilscope(tmp_path, "report", path), 2)
    assert "There is no file" in complaint(gilscope(tmp_path, "recordings", "rm", path), 2)
    (tmp_path / "x").write_text("text")
    assert "not removed" in complaint(gilscope(tmp_path, "recordings", "rm", "x"), 2)
    assert (tmp_path / "x").exists()
    assert "--all" in complaint(gilscope(tmp_path, "recordings", "rm"), 2)
    assert "there is nothing at 99 s" in complaint(gilscope(tmp_path, "replay", "last", "--at", "99"), 2)
    for name in ("report", "replay"):
        assert "no recording of gilscope" in complaint(gilscope(tmp_path, name, "x"), 2)
    assert "terminal" in complaint(gilscope(tmp_path, "replay", "last"), 2)
    assert "Cannot write" in complaint(gilscope(tmp_path, "report", "last", "-o", "/nowhere/x"), 2)


def test_all_recordings_are_removed_only_if_that_is_meant(tmp_path: Path) -> None:
    gilscope(tmp_path, "run", "-c", "pass")
    folder = tmp_path / "state" / "gilscope" / "recordings"
    (folder / "broken.gilscope").write_bytes(b"")
    listed = gilscope(tmp_path, "recordings", "list").stdout.decode().splitlines()
    assert [("damaged" in line) for line in listed].count(True) == 1
    assert "--yes" in complaint(gilscope(tmp_path, "recordings", "rm", "--all"), 2)
    assert len(list(folder.iterdir())) == 2
    assert gilscope(tmp_path, "recordings", "rm", "--all", "--yes").code == 0
    assert list(folder.iterdir()) == []


def test_a_reader_that_has_had_enough(tmp_path: Path) -> None:
    gilscope(tmp_path, "run", "-c", "print('first')")
    process = subprocess.Popen(
        command("report", "last"), env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(timeout=60)
    assert process.returncode in (141, 0)
    assert said == b""


def test_help_and_version(tmp_path: Path) -> None:
    for arguments in (
        ["--help"],
        ["run", "-h"],
        ["report", "--help"],
        ["recordings", "--help"],
        ["replay", "-h"],
    ):
        outcome = gilscope(tmp_path, *arguments)
        assert outcome.code == 0
        assert b"Usage" in outcome.stdout
    assert gilscope(tmp_path, "--version").stdout.startswith(b"gilscope 0.")


def test_a_full_disk_stops_the_recording_and_not_the_script(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", small], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("a small disk cannot be mounted here")
    try:
        outcome = gilscope(
            tmp_path, "run", "--rate", 5000, "--tick", 10, "-o", small / "r.gilscope",
            TARGETS / "cpu_threads.py", "--", 4, 4,
        )  # fmt: skip
        assert outcome.code == 0, outcome.stderr
        assert outcome.stdout.startswith(b"READY")
        assert "gilscope: Cannot go on writing the recording" in outcome.stderr
        assert "full" in outcome.stderr
        assert "Traceback" not in outcome.stderr
        reader = RecordingReader(small / "r.gilscope")
        assert 0 < reader.head_ns() < 4e9
        reader.close()
    finally:
        subprocess.run(["umount", "-l", small], check=False)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    outcome = watch(
        tmp_path, "children.py", python=next(iter(found_pythons().values())), env={"TMPDIR": str(temporary)}
    )
    assert outcome.code == 0, outcome.stderr
    pids = [int(word) for word in outcome.stdout.split()[1:5]]
    wait_for(lambda: all(is_gone(pid) for pid in pids), "a child runs on")
    assert list(temporary.iterdir()) == []

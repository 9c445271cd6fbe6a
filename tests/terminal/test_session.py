"""gilscope as its user has it before him: in a real terminal, on real programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gilscope.recording.reader import RecordingReader
from tests.terminal.tmux import PROMPT, Tmux, not_whole
from tests.watched import TARGETS, is_gone, wait_for

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

NewTmux = Callable[..., Tmux]

TALKS = """
import os, threading, time

def work():
    while True:
        for _ in range(2000):
            pass

for i in range(3):
    threading.Thread(target=work, name=f"cpu-{i}", daemon=True).start()
print("its pid is", os.getpid(), flush=True)
while True:
    print("heard", input().upper(), flush=True)
"""


@pytest.fixture
def new_tmux(tmp_path: Path) -> Iterator[NewTmux]:
    started: list[Tmux] = []

    def start(columns: int = 120, rows: int = 36) -> Tmux:
        started.append(Tmux(tmp_path, columns, rows))
        started[-1].see(PROMPT)
        return started[-1]

    yield start
    for tmux in started:
        tmux.end()


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def position_s(tmux: Tmux) -> float:
    """The moment that the header names."""
    found = re.search(r"(\d+):(\d\d\.\d)", tmux.lines()[0])
    assert found, tmux.lines()[0]
    return 60 * int(found[1]) + float(found[2])


def panel(tmux: Tmux, title: str) -> list[str]:
    """The rows of the panel with a title."""
    lines = tmux.lines()
    first = next((n for n, line in enumerate(lines) if line.startswith(f"╭─ {title} ")), None)
    if first is None:
        return []
    count = next((n for n, line in enumerate(lines[first + 1 :]) if line.startswith("╰")), 0)
    return lines[first + 1 : first + 1 + count]


def holders(tmux: Tmux) -> set[str]:
    """The lanes that bear the mark."""
    return {line.split()[2] for line in panel(tmux, "Lanes") if line.startswith("│ ▶ ")}


def whole(tmux: Tmux) -> None:
    """Wait for a picture without a fault: a capture may fall into the middle of a frame."""
    tmux.wait(lambda: not not_whole(tmux.lines(), tmux.columns), "a dashboard that is whole")


def recording(folder: Path) -> RecordingReader:
    (path,) = (folder / "state" / "gilscope" / "recordings").glob("*.gilscope")
    return RecordingReader(path)


@pytest.mark.parametrize(("columns", "rows"), [(120, 36), (80, 24)])
def test_one_session(  # noqa: PLR0915 - a session is long, and each step needs the one before
    new_tmux: NewTmux, tmp_path: Path, columns: int, rows: int
) -> None:
    tmux = new_tmux(columns, rows)
    tmux.type("stty -a > before")
    tmux.watch(script(tmp_path, "talks.py", TALKS))

    tmux.see("● LIVE", "Verdict", "cpu-0", "cpu-2", "its pid is")
    whole(tmux)

    # It moves: the cells, and the mark of the holder from lane to lane.
    before = panel(tmux, "Lanes")
    tmux.wait(lambda: panel(tmux, "Lanes") != before, "other cells")
    seen: set[str] = set()

    def marked() -> bool:
        seen.update(holders(tmux) & {"cpu-0", "cpu-1", "cpu-2"})
        return len(seen) > 1

    tmux.wait(marked, "the mark on another lane")

    # It stands still, while the program goes on.
    tmux.keys("Space")
    tmux.see("‖ PAUSED")

    def stands() -> bool:
        before = panel(tmux, "Lanes") + panel(tmux, "GIL")
        time.sleep(0.3)
        return panel(tmux, "Lanes") + panel(tmux, "GIL") == before

    tmux.wait(stands, "a picture that stands still")  # a frame was being drawn
    frozen, paused_at = tmux.lines()[1:], position_s(tmux)
    time.sleep(0.7)
    # A verdict that was being made may still come; all that has a moment stays.
    assert [line for line in panel(tmux, "Lanes") if line not in frozen] == []
    assert [line for line in panel(tmux, "GIL") if line not in frozen] == []
    assert position_s(tmux) == paused_at

    # Back, and to the newest moment again.
    for _ in range(40):
        tmux.keys("Left")
    tmux.wait(lambda: position_s(tmux) <= paused_at - 0.1, "an earlier moment")
    assert "PAUSED" in tmux.lines()[0]
    tmux.keys("End")
    tmux.see("● LIVE")
    tmux.wait(lambda: position_s(tmux) > paused_at, "a later moment")

    # Nearer and farther.
    tmux.keys("+")
    tmux.see("2 ms a cell")
    tmux.keys("-", "-")
    tmux.see("10 ms a cell")

    # Slow motion, at cells that are short enough for it.
    tmux.keys("s")
    tmux.see("▶ 0.1 ×", "1 ms a cell")
    tmux.keys("f")
    tmux.see("● LIVE", "10 ms a cell")

    # Another size: drawn anew as a whole.
    for size in ((columns - 15, rows + 4), (columns, rows)):
        tmux.resize(*size)
        whole(tmux)

    tmux.keys("?")
    tmux.see("Pause, or play from here")
    tmux.escape("Pause, or play from here")
    tmux.see("● LIVE")

    tmux.keys("i")
    tmux.see("handoffs unseen")
    tmux.escape("handoffs unseen")
    tmux.see("Output")

    tmux.keys("t")
    tmux.see("A line for the target's input")
    tmux.type("hello")
    tmux.see("heard HELLO")

    # It asks before it ends; escape stays.
    for key in ("q", "C-c"):
        tmux.keys(key)
        tmux.see("The target still runs.")
        tmux.escape("The target still runs.")
        tmux.see("● LIVE")
    tmux.keys("q")
    tmux.see("The target still runs.")
    started = tmux.processes()
    tmux.keys("s")

    # The terminal is as it was, the summary stands on it, and nothing is left.
    code, text = tmux.ended()
    assert code == 143
    assert "recording " in text
    assert tmux.value("cursor_flag") == "1"
    assert tmux.value("alternate_on") == "0"
    assert tmux.value("mouse_any_flag") == "0"
    tmux.type("stty -a > after; echo written")
    tmux.see("\nwritten")
    assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text()
    for pid in started:
        wait_for(lambda pid=pid: is_gone(pid), f"process {pid} is still there")  # type: ignore[misc]


def test_a_closed_terminal_leaves_nothing_behind_but_the_recording(new_tmux: NewTmux, tmp_path: Path) -> None:
    tmux = new_tmux()
    tmux.watch(TARGETS / "cpu_threads.py", "2")
    tmux.see("● LIVE", "cpu-1", "READY")
    started = tmux.processes()
    assert len(started) >= 3, "the app, its sampler and the target"
    tmux.close_terminal()
    for pid in started:
        wait_for(lambda pid=pid: is_gone(pid), f"process {pid} is still there")  # type: ignore[misc]
    reader = recording(tmp_path)
    assert reader.session().ended_ns is not None
    assert len(list(reader.ticks())) > 5
    reader.close()


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("import time; time.sleep(1)\nraise ValueError('it went wrong')", 1, "ValueError: it went wrong"),
        ("import os, time; print('last words', flush=True); time.sleep(1)\nos.kill(0, 9)", 137, "last words"),
    ],
    ids=["raises", "killed"],
)
def test_a_target_that_ends_badly(new_tmux: NewTmux, tmp_path: Path, text: str, code: int, says: str) -> None:
    tmux = new_tmux()
    tmux.watch(script(tmp_path, "bad.py", text))
    tmux.see("■ ENDED", f"exit {code}", says)
    if code == 1:
        tmux.see("Traceback (most recent call last)", "bad.py")
    whole(tmux)
    tmux.keys("q")
    assert tmux.ended()[0] == code


def test_a_flood_of_hostile_output(new_tmux: NewTmux, tmp_path: Path) -> None:
    flood = r"""
import sys, time
nasty = b"\x1b[2J\x1b[10;10H\x1b]0;title\x07\x1b[?1049l\x9b31m \xff\xfe\xc3 \xe2\x80\xae \x1b(0 \x08\x07 "
for n in range(100_000):
    sys.stdout.buffer.write(b"%d " % n + nasty + b"x" * (n % 150) + b"\n")
sys.stdout.flush()
time.sleep(0.5)
"""
    tmux = new_tmux()
    tmux.watch(script(tmp_path, "flood.py", flood))
    tmux.see("■ ENDED", "exit 0")
    tmux.wait(lambda: any("99999 " in line for line in panel(tmux, "Output")), "the last line")
    whole(tmux)
    tmux.resize(100, 30)
    whole(tmux)
    tmux.keys("q")
    assert tmux.ended()[0] == 0
    reader = recording(tmp_path)
    data = b"".join(piece.data for piece in reader.output())
    reader.close()
    lines = data.split(b"\r\n")
    assert [int(line.split(b" ", 1)[0]) for line in lines[:-1]] == list(range(100_000))
    assert lines[-2].endswith(b"\x1b(0 \x08\x07 " + b"x" * (99_999 % 150))


def test_left_running(new_tmux: NewTmux, tmp_path: Path) -> None:
    text = (
        "import os, time\nprint('pid', os.getpid(), flush=True)\n"
        "while not os.path.exists('go'):\n    time.sleep(0.05)\nprint('the very end', flush=True)\n"
    )
    tmux = new_tmux()
    tmux.watch(script(tmp_path, "goes_on.py", text))
    shown = tmux.see("● LIVE", "  pid ")
    pid = int(re.findall(r"  pid (\d+)", shown)[0])
    tmux.keys("q")
    tmux.see("The target still runs.")
    tmux.keys("l")
    code, after = tmux.ended()
    assert code == 0
    assert "goes_on.py runs on, and is recorded until it ends" in after
    assert not is_gone(pid)
    reader = recording(tmp_path)
    assert reader.session().ended_ns is None
    (tmp_path / "go").touch()
    wait_for(lambda: reader.session().ended_ns is not None, "the recording's end")
    assert b"the very end" in b"".join(piece.data for piece in reader.output())
    assert reader.session().exit_code == 0
    reader.close()
    assert is_gone(pid)


def test_errors_at_the_start_are_told_on_a_terminal_that_is_restored(
    new_tmux: NewTmux, tmp_path: Path
) -> None:
    target = script(tmp_path, "fine.py", "print('it ran')")
    other = script(tmp_path, "other.txt", "no recording")
    tmux = new_tmux(100, 30)
    for options, says in (
        (["-o", tmp_path / "none" / "x.gilscope"], "Cannot write the recording"),
        (["-o", other], "other.txt"),
        (["--cwd", tmp_path / "none"], "does not exist"),
        (["--python", other], "other.txt"),
    ):
        tmux.watch(*options, target)
        code, text = tmux.ended()
        assert code == 2
        assert "gilscope: " in text
        assert says in text.replace("\n", "")
        assert "Traceback" not in text
        assert tmux.value("alternate_on") == "0"
        assert tmux.value("cursor_flag") == "1"
    assert other.read_text() == "no recording"


def test_a_target_that_cannot_be_read(new_tmux: NewTmux, tmp_path: Path) -> None:
    """The kernel hides the memory of a program whose file its user may not read."""
    python = tmp_path / "python"
    shutil.copy(os.path.realpath(sys.executable), python)
    home = {"PYTHONHOME": sys.base_prefix}
    if subprocess.run([python, "-c", "pass"], env=home, capture_output=True, check=False).returncode:
        pytest.skip("this interpreter does not run from another folder")
    python.chmod(0o111)
    without: list[object] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and setpriv, which would take that away, is not installed")
        without = ["setpriv", "--bounding-set=-sys_ptrace,-dac_override,-dac_read_search", "--inh-caps=-all"]
    target = script(tmp_path, "fine.py", "open('it-ran', 'w')")
    tmux = new_tmux()
    tmux.command(
        *(*without, sys.executable, "-m", "gilscope", "run", "--python", python),
        *("--env", f"PYTHONHOME={sys.base_prefix}", target),
    )
    code, text = tmux.ended()
    assert code == 4
    assert "gilscope: Cannot observe fine.py" in text
    assert tmux.value("alternate_on") == "0"
    assert not (tmp_path / "it-ran").exists()

"""macOS and Windows, as far as that can be tried here: nothing of Linux is used, and that is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from gilscope.launch.portable import PortableTarget
from gilscope.launch.spec import resolve_spec
from gilscope.sources import portable, processes
from gilscope.sources.portable_tasks import PortableTasks
from gilscope.sources.tasks import Seen
from tests.commands import DEADLINE_S, Outcome, complaint, environment
from tests.terminal.tmux import PROMPT, Tmux
from tests.watched import ROOT, TARGETS, is_gone, wait_for, watched

SYSTEMS = ("darwin", "win32")
GOLDEN = ROOT / "tests" / "recordings" / "v3.gilscope"


def foreign(folder: Path, system: str, *words: object) -> Outcome:
    """A command as it runs on that system."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "tests.portable.foreign", system, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        env=environment(folder, {"PATH": path}),
        timeout=DEADLINE_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr.decode(errors="replace"), folder)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_module_can_be_imported(tmp_path: Path, system: str) -> None:
    inside = ("gilscope/launch/swap", "gilscope/lessons/")  # these run in targets
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / "gilscope").rglob("*.py"))
        if not path.relative_to(ROOT).as_posix().startswith(inside)
        and path.name not in ("__main__.py", "shim.py", "threadcounts.py")
    ]
    outcome = foreign(tmp_path, system, "--import", *names)
    assert outcome.code == 0, outcome.stderr


def test_recordings_from_elsewhere_work_fully(tmp_path: Path) -> None:
    """What reads a recording needs nothing of the system."""
    system = "win32"
    report = foreign(tmp_path, system, "report", GOLDEN)
    here = subprocess.run(
        [sys.executable, "-m", "gilscope", "report", str(GOLDEN)],
        capture_output=True, env=environment(tmp_path), check=True, cwd=tmp_path,
    )  # fmt: skip
    assert (report.code, report.stdout) == (0, here.stdout), report.stderr
    exported = foreign(tmp_path, system, "export", GOLDEN, "--format", "perfetto", "-o", tmp_path / "out")
    assert exported.code == 0, exported.stderr
    compared = foreign(tmp_path, system, "compare", GOLDEN, GOLDEN)
    assert compared.code == 0, compared.stderr


def test_run(tmp_path: Path) -> None:
    """A real session by py-spy and psutil; what they do not tell is unknown, and said."""
    files = ("--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope")
    outcome = foreign(
        tmp_path, "win32", "run", "--headless", *files, TARGETS / "cpu_threads.py", "--", 2, 1.6
    )  # fmt: skip
    summary = labelled(outcome)
    assert {"cpu-0", "cpu-1"} <= {lane["name"] for lane in summary["lanes"]}
    assert all(lane["ready_s"] in (0, None) for lane in summary["lanes"])


def test_attach(tmp_path: Path) -> None:
    """Where threads cannot be told apart, a lane stands for all, and nothing is called single-threaded."""
    with watched("cpu_threads.py", 2, 100) as target:
        outcome = foreign(
            tmp_path, "darwin", "attach", target.pid, "--headless", "--duration", 1.2,
            "--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope",
        )  # fmt: skip
        assert target.process.poll() is None
    summary = labelled(outcome)
    assert [lane["kind"] for lane in summary["lanes"]] == ["process"]
    assert summary["verdict"]["kind"] != "single-threaded"
    assert "one lane is the whole process" in " ".join(outcome.stderr.split())


def labelled(outcome: Outcome) -> dict[str, Any]:
    """The summary of such a session, once it is sure that it says what it was made from."""
    assert outcome.code == 0, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert outcome.summary["gilscope"]["source"] == "py-spy"
    (gil,) = outcome.summary["gils"]
    assert gil["utilisation"] > 0.5
    assert gil["contention"] is None
    assert "not known: which threads wait" in outcome.stderr
    return outcome.summary


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "--source", "probe", TARGETS / "cpu_threads.py"), 2, "reads the GIL on Linux only"),
        (("run", "--mode", "processes", TARGETS / "cpu_threads.py"), 2, "need Linux"),
        (("attach", 999_999_999), 2, "no process number"),
    ],
)
def test_what_does_not_work_there_is_told(
    tmp_path: Path, words: tuple[object, ...], code: int, says: str
) -> None:
    assert says in complaint(foreign(tmp_path, "win32", *words), code)


def test_no_proc_there(tmp_path: Path) -> None:
    """The view of another system holds: what gilscope opens there below /proc does not exist."""
    code = (
        "import tests.portable.foreign as f; f.become('win32'); from gilscope.sources import access; "
        "from gilscope.sources.tasks import Tasks; print(access.ptrace_scope(), len(Tasks.__mro__))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(tmp_path), check=True
    )
    assert done.stdout.split()[0] == "None"


def test_doctor_says_so(tmp_path: Path) -> None:
    outcome = foreign(tmp_path, "win32", "doctor", "--json")
    assert "Traceback" not in outcome.stderr
    assert "py-spy only" in outcome.stdout.decode()


class TestPsutil:
    """The same questions, here, where /proc tells the truth."""

    def test_facts(self) -> None:
        mine, proc = portable.facts(os.getpid()), processes.facts(os.getpid())
        assert mine is not None
        assert proc is not None
        assert mine.ppid == proc.ppid
        assert abs(mine.identity.start_ticks - proc.identity.start_ticks) <= 200
        assert portable.facts(2**22 - 3) is None
        assert portable.command_line(os.getpid()) == processes.command_line(os.getpid())
        assert portable.executable(os.getpid()) == processes.executable(os.getpid())
        assert portable.command_line(2**22 - 3) == "?"
        assert 0 < portable.age_s(os.getpid()) < portable.boot_ns() / 1e9

    def test_threads(self) -> None:
        with watched("cpu_threads.py", 2, 100) as target:
            tasks = PortableTasks(target.pid)
            first = tasks.sweep([])
            there = {int(path.name) for path in Path(f"/proc/{target.pid}/task").iterdir()}
            assert {task.tid for task in first.started} == there
            before = sum(task.cpu_ns for task in tasks.tasks.values())

            def used() -> bool:
                tasks.sweep([])
                return sum(task.cpu_ns for task in tasks.tasks.values()) > before + 50_000_000

            wait_for(used, "no CPU time")
            assert tasks.sweep([], thorough=False).seen == []
            assert tasks.not_known
            target.kill()
            ended = tasks.sweep([]).ended
            assert len(ended) == 3
            assert tasks.cpu_ns() == -1

    def test_threads_are_not_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As macOS does to all but root: the process's CPU time is all there is."""

        def denied(_self: psutil.Process) -> Any:
            raise psutil.AccessDenied

        monkeypatch.setattr(psutil.Process, "threads", denied)
        tasks = PortableTasks(os.getpid())
        sweep = tasks.sweep([])
        assert [task.tid for task in sweep.started] == [os.getpid()]
        assert tasks.whole
        assert any("one lane is the whole process" in text for _, text in tasks.not_known)
        assert sweep.seen[0].seen in (Seen.ASLEEP, Seen.UNREADABLE)

    def test_a_target(self, tmp_path: Path) -> None:
        script = tmp_path / "s.py"
        script.write_text(
            "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(100)'])"
        )
        target = PortableTarget.start(resolve_spec(script=str(script)))
        try:
            wait_for(lambda: len(target.descendants()) == 2, "no child")
            child = target.descendants()[1]
            target.spare(child.pid)
            assert len(target.descendants()) == 1
            assert target.poll() is None
        finally:
            target._spared.clear()
            status = target.stop(grace_s=1.0)
        assert status is not None
        assert status.shell_code == 128 + 15
        wait_for(lambda: is_gone(child.pid), "it lives")

    def test_what_can_be_attached_to(self) -> None:
        from gilscope.errors import CannotObserveError, UsageError
        from gilscope.sampler.portable import examine

        with watched("sleepers.py", 1, 100) as target:
            spec = examine(target.pid)
            assert (spec.pid, spec.needs_pyspy) == (target.pid, True)
            assert "sleepers.py 1 100" in spec.command
            attached = PortableTarget.attach(spec)
            assert attached.poll() is None
            assert attached.stop() is None, "it is not ours to end"
            target.kill()
            assert attached.poll() is not None
        with subprocess.Popen(["sleep", "100"]) as other:
            with pytest.raises(CannotObserveError, match="sleep is no Python"):
                examine(other.pid)
            other.kill()
        for pid in (2**22 - 3, os.getpid()):
            with pytest.raises(UsageError):
                examine(pid)

    def test_it_cannot_start(self, tmp_path: Path) -> None:
        from gilscope.errors import UsageError
        from gilscope.launch.spec import TargetSpec

        with pytest.raises(UsageError, match="Cannot start"):
            PortableTarget.start(TargetSpec(kind="code", target="1", python=str(tmp_path / "no")))


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_the_screen_of_a_recording(tmp_path: Path) -> None:
    tmux = Tmux(tmp_path, 120, 36)
    try:
        tmux.see(PROMPT)
        tmux.command(sys.executable, "-m", "tests.portable.foreign", "win32", "replay", GOLDEN)
        tmux.see("REPLAY", "cpu-0")
        tmux.keys("q")
        assert tmux.ended()[0] == 0
    finally:
        tmux.end()

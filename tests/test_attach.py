"""gilscope attach on real processes: what it shows, what it cannot know; and it leaves nothing behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gilscope.cli import main
from gilscope.errors import RecordingError
from gilscope.recording.reader import RecordingReader
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.namespaces import our_tid
from tests.commands import Outcome, command, environment, gilscope
from tests.pythons import found_pythons
from tests.sampler.test_never_stops import CALLS, calls_in, can_trace, harmful
from tests.watched import TARGETS, Watched, is_gone, wait_for, watched


def attach(folder: Path, pid: object, *options: object, **more: Any) -> Outcome:
    """Attach, and keep the summary and the recording."""
    kept = ["--json", folder / "s.json", "-o", folder / "r.gilscope"]
    return gilscope(folder, "attach", pid, *kept, *options, **more)


@contextmanager
def attached(folder: Path, pid: int, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A watch that goes on while something happens to the process."""
    words = command("attach", pid, "--json", folder / "s.json", "-o", folder / "r.gilscope", *options)
    with subprocess.Popen(words, env=environment(folder), cwd=folder, stderr=subprocess.PIPE) as process:
        try:
            wait_for(lambda: head_ns(folder / "r.gilscope") > 2e8, "nothing is recorded")
            yield process
        finally:
            process.kill()


def attach_until_named(folder: Path, pid: int, names: set[str]) -> Outcome:
    """Watch until py-spy has told the names of these threads, and a little longer."""

    def named() -> bool:
        reader = RecordingReader(folder / "r.gilscope", live=True)
        try:
            return names <= {lane.name for lane in reader.lanes()} and reader.head_ns() > 1e9
        finally:
            reader.close()

    with attached(folder, pid) as watch:
        wait_for(named, f"never named: {names}")
        watch.send_signal(signal.SIGINT)
        _, stderr = watch.communicate(timeout=60)
    assert watch.returncode is not None
    return Outcome(watch.returncode, b"", stderr.decode(), folder)


def head_ns(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        reader = RecordingReader(path, live=True)
    except RecordingError:
        return 0  # it is being made
    try:
        return reader.head_ns()
    finally:
        reader.close()


def summary_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "s.json").read_text())
    return found


def traces(pid: int) -> dict[str, object]:
    """What a watcher could leave behind in a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    kept = ("State", "TracerPid", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "Threads", "FDSize")
    return {
        "files": sorted(str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()),
        "maps": re.findall(r"(/.*)", Path(f"/proc/{pid}/maps").read_text()),
        "folder": sorted(path.name for path in Path(f"/proc/{pid}/cwd").iterdir()),
        **{line.split(":")[0]: line for line in status.splitlines() if line.startswith(kept)},
    }  # fmt: skip


def test_a_process_that_runs_already(tmp_path: Path) -> None:
    """Verdict, lanes and names as of one that was started; nothing in it is changed, and it runs on."""
    with watched("cpu_threads.py", 3) as target:
        before = traces(target.pid)
        done = attach_until_named(tmp_path, target.pid, {"cpu-0", "cpu-1", "cpu-2"})
        after = traces(target.pid)
        assert not is_gone(target.pid)
    assert done.code == 0, done.stderr
    assert {**before, "State": ""} == {**after, "State": ""}
    summary = done.summary
    assert summary["verdict"]["kind"] in ("gil-bound", "gil-hog"), "whatever else the machine does"
    assert summary["gils"][0]["contention"] > 0.8
    names = {lane["name"]: lane for lane in summary["lanes"]}
    assert names.keys() == {"MainThread", "cpu-0", "cpu-1", "cpu-2"}
    assert sum(lane["held_share"] for lane in summary["lanes"]) > 0.9
    # What was before is not the session's.
    assert all(lane["cpu_s"] <= summary["target"]["wall_s"] for lane in summary["lanes"])
    assert all(lane["alive_s"] <= summary["target"]["wall_s"] for lane in summary["lanes"])
    ours = summary["target"]
    assert (ours["mode"], ours["pid"], ours["exit_code"]) == ("attach", target.pid, None)
    assert ours["python"] == ".".join(map(str, sys.version_info[:3]))
    totals = summary["totals"]
    assert (totals["threads_created"], totals["threads_started"], totals["processes_started"]) == (
        None,
        None,
        0,
    )
    assert "exit code ?" in done.stderr
    assert "not known: its output" in done.stderr


def test_the_kernel_sees_reads_only(tmp_path: Path) -> None:
    reason = can_trace()
    if reason is not None:
        pytest.skip(reason)
    log = tmp_path / "log"
    with watched("cpu_threads.py", 2) as target:
        words = command("attach", target.pid, "--duration", 0.6, "-o", tmp_path / "r.gilscope")
        strace = ["strace", "-f", "-qq", "-s", "200", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
        done = subprocess.run([*strace, *words], env=environment(tmp_path), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        written = log.read_text(errors="replace")
        assert any(f'/proc/{target.pid}/mem", O_RDONLY' in call.words for call in calls_in(written))
        assert harmful(written, {target.pid, *target.tids}) == []


def test_another_version_and_a_limit_that_it_crosses(tmp_path: Path) -> None:
    if "3.8" not in found_pythons():
        pytest.skip("there is no Python 3.8 here")
    with watched("cpu_threads.py", 2, python=found_pythons()["3.8"]) as target:
        done = attach(tmp_path, target.pid, "--duration", 0.7, "--fail-on", "gil.utilisation > 0.5")
    assert done.code == 3, done.stderr
    assert done.summary["target"]["python"].startswith("3.8")
    assert done.summary["gils"][0]["utilisation"] > 0.9
    assert len(done.summary["lanes"]) == 3


def test_children_that_were_there_and_later_ones(tmp_path: Path) -> None:
    with watched("family.py", "child") as target:
        there = int(target.words[0])
        with attached(tmp_path, target.pid) as watch:
            (later,) = map(int, target.tell("child"))
            (other,) = map(int, target.tell("other"))
            reader = RecordingReader(tmp_path / "r.gilscope", live=True)
            wait_for(lambda: {p.pid for p in reader.processes()} >= {there, later, other}, "not all are seen")
            reader.close()
            target.write("exit 5")
            target.process.wait()
            assert watch.wait(60) == 0
    summary = summary_in(tmp_path)
    seen = {process["pid"]: process for process in summary["processes"]}
    assert seen.keys() == {target.pid, there, later, other}
    assert seen[there]["start_s"] == 0
    assert seen[later]["start_s"] > 0
    assert seen[other]["python"] is None
    assert summary["totals"]["processes_started"] == 2
    # Nobody but its parent is told how it ended, unless the kernel is new.
    assert summary["target"]["exit_code"] in (5, None)
    assert summary["verdict"]["headline"]


def test_a_process_that_watches_itself_sees_no_gilscope(tmp_path: Path) -> None:
    """GIVEN a program that starts gilscope on itself THEN its lanes are its own, not those of gilscope."""
    code = f"""
import os, subprocess, sys
words = [str(os.getpid()), "--duration", "0.5", "--json", "s.json"]
subprocess.run({command("attach")!r} + words, check=True)
"""
    env = environment(tmp_path)
    subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, check=True, capture_output=True)
    assert len(summary_in(tmp_path)["processes"]) == 1


def test_a_signal_ends_the_watch_only(tmp_path: Path) -> None:
    with watched("cpu_threads.py", 1) as target:
        with attached(tmp_path, target.pid) as watch:
            watch.send_signal(signal.SIGHUP)
            assert watch.wait(60) == 0
            assert watch.stderr is not None
            assert b"held the GIL in" in watch.stderr.read()
        assert not is_gone(target.pid)
    assert summary_in(tmp_path)["target"]["exit_code"] is None


def test_one_that_is_stopped(tmp_path: Path) -> None:
    with watched("family.py") as target:
        target.write("stop")
        wait_for(lambda: ") T " in Path(f"/proc/{target.pid}/stat").read_text(), "it does not stop")
        done = attach(tmp_path, target.pid, "--duration", 0.3)
        assert ") T " in Path(f"/proc/{target.pid}/stat").read_text()
    assert done.code == 0, done.stderr
    assert f"process {target.pid} is stopped" in done.stderr
    assert f"kill -CONT {target.pid}" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "No process is named"),
        (["abc"], 2, "abc is no process number"),
        (["0"], 2, "0 is no process number"),
        (["-5"], 2, ""),
        (["٣"], 2, "no process number"),
        (["4194304"], 2, "There is no process 4194304"),
        (["99999999999"], 2, "no process number"),
        (["1", "--rate", "0"], 2, "--rate 0 is out of range"),
        (["1", "--fail-on", "nonsense"], 2, "nonsense"),
    ],
)
def test_wrong_words(words: list[str], code: int, said: str) -> None:
    done = CliRunner().invoke(main, ["attach", *words])
    assert done.exit_code == code
    assert said in done.output
    assert isinstance(done.exception, SystemExit)


def unshared() -> list[str]:
    """Start a program where it sees no other process and other files, as in a container."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not make namespaces")
    return words


@contextmanager
def in_a_container(version: str) -> Iterator[tuple[int, Watched]]:
    """A program whose threads have other numbers in there, and whose files lie where we see none; its pid."""
    if version not in found_pythons():
        pytest.skip(f"there is no Python {version} here")
    python = found_pythons()[version].resolve()
    inside = Path("/mnt") / "python"
    script = (
        f"mount -t tmpfs none /mnt && mkdir {inside} && mount --bind {python.parents[1]} {inside} && "
        f"exec {inside}/bin/{python.name} {TARGETS / 'cpu_threads.py'} 2 100"
    )
    with subprocess.Popen([*unshared(), "sh", "-c", script], stdout=subprocess.PIPE) as process:
        try:
            target = Watched(process)
            (pid,) = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
            assert not inside.exists()
            yield pid, target
        finally:
            process.kill()


def tids_of(pid: int) -> set[int]:
    return {int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()}


def test_in_another_pid_and_mount_namespace(tmp_path: Path) -> None:
    with in_a_container("3.12") as (pid, target):
        done = attach_until_named(tmp_path, pid, {"cpu-0", "cpu-1"})
        tids = tids_of(pid)
    assert done.code == 0, done.stderr
    assert tids.isdisjoint(target.tids), "it is in our own namespace"
    lanes = {lane["name"]: lane for lane in done.summary["lanes"]}
    assert {"MainThread", "cpu-0", "cpu-1"} == lanes.keys(), "py-spy's numbers are not ours"
    assert {lane["tid"] for lane in lanes.values()} == tids
    assert lanes["cpu-0"]["held_share"] + lanes["cpu-1"]["held_share"] > 0.9


def test_threads_known_by_their_c_library_only_in_another_namespace() -> None:
    """Up to 3.10 the thread's number is read from the C library's struct: that is the inner one as well."""
    with in_a_container("3.9") as (pid, target):
        reader = InterpreterReader.open(pid)
        try:
            found = {reader.read_tid(state) for _, state in reader.all_thread_states()}
        finally:
            reader.close()
        assert found == tids_of(pid)
        assert {our_tid(pid, tid) for tid in target.tids} == found - {pid}
        assert our_tid(pid, 999) == 0

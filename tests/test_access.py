"""Systems that allow less than this one, made for a moment: fewer rights, other mounts, small disks."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from gilscope.analysis.unknown import KINDS
from gilscope.errors import EXIT_CANNOT_OBSERVE, CannotObserveError
from gilscope.exports import text
from gilscope.exports.read import summary_of, watch_quality
from gilscope.launch.spec import resolve_spec
from gilscope.recording.reader import RecordingReader
from gilscope.sampler.config import SamplerConfig
from gilscope.sampler.session import run_session
from gilscope.sources import cores
from tests.commands import DEADLINE_S, Outcome, command, complaint, environment
from tests.users import User, ordinary_user, own_folder
from tests.watched import TARGETS, watched


@pytest.fixture
def config(tmp_path: Path) -> SamplerConfig:
    """Two threads that compute for a second."""
    spec = resolve_spec(script=str(TARGETS / "cpu_threads.py"), args=["2", "0.4"])
    return SamplerConfig(spec=spec, recording=tmp_path / "r.gilscope", columns=80, rows=24)


def in_a_system(folder: Path, prepare: str, words: list[str], *, user: User | None = None) -> Outcome:
    """Run a command as root where `prepare` has changed what is mounted; nobody else sees that."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can make such a system")
    drop = "" if user is None else f"setpriv --reuid={user.uid} --regid={user.uid} --clear-groups "
    script = f"{prepare} && cd {shlex.quote(str(folder))} && exec {drop}{shlex.join(words)}"
    env = environment(folder) if user is None else user.environment(folder)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env=env,
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    stderr = done.stderr.decode(errors="replace")
    if "mount:" in stderr or "unshare:" in stderr:
        pytest.skip(f"this root may not mount: {stderr.strip()[-100:]}")
    return Outcome(done.returncode, done.stdout, stderr, folder)


# --- real systems ---


def test_hidepid() -> None:
    user = ordinary_user()
    mount = "mount -t proc -o hidepid=2 proc /proc"
    with own_folder(user) as folder, watched("sleepers.py", 1, 600) as target:
        words = [user.python, "-m", "gilscope", "attach", str(target.pid)]
        assert "hidepid" in complaint(in_a_system(folder, mount, words, user=user), 4)


def test_root_without_the_right_to_trace(tmp_path: Path) -> None:
    """As in a container: root reads processes of root, and no others."""
    user = ordinary_user()
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can lose its rights")
    less = ["setpriv", "--bounding-set=-sys_ptrace", *command("attach")]
    script = [user.python, str(TARGETS / "sleepers.py"), "1", "600"]
    with subprocess.Popen(
        script, stdout=subprocess.PIPE, env=user.environment(tmp_path), **user.options
    ) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            done = in_a_system(tmp_path, "true", [*less, str(other.pid)])
        finally:
            other.kill()
    text = complaint(done, 4)
    assert "although you are root" in text or "belongs to" in text
    assert "root" in text


def test_a_tiny_shared_memory(tmp_path: Path) -> None:
    """GIVEN a /dev/shm of 4 KB, as containers have small ones THEN gilscope needs none of it."""
    words = command("run", "--json", "s.json", TARGETS / "cpu_threads.py", "2", "0.3")
    done = in_a_system(tmp_path, "mount -t tmpfs -o size=4k none /dev/shm", words)
    assert done.code == 0, done.stderr
    assert done.summary["gils"][0]["utilisation"] > 0.5


FILLS = """
import os, sys, time
for _ in range(1_000):
    time.sleep(0.03)
    if os.statvfs(sys.argv[1]).f_bavail < 3:
        break
time.sleep(0.4)
print("done")
sys.exit(7)
"""


def test_no_space_for_the_recording(tmp_path: Path) -> None:
    """The program runs to its end, with its own exit code; what could be recorded is kept."""
    place = tmp_path / "small"
    place.mkdir()
    words = command("run", "-o", place / "r.gilscope", "-c", FILLS, "--", place)
    done = in_a_system(tmp_path, f"mount -t tmpfs -o size=350k none {place}", words)
    assert done.code == 7, done.stderr
    assert done.stdout == b"done\n"
    assert "Traceback" not in done.stderr
    assert "full" in done.stderr, done.stderr
    assert "samples (probe)" in done.stderr, "what was recorded until then is lost"


# --- injected at the sources' edges ---


@pytest.mark.parametrize("error", ["Permission denied", "Operation not permitted"])
def test_a_kernel_that_lets_nobody_read(
    error: str, config: SamplerConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ptrace_scope 3, or 2 without root: the program is not run, and it is said why."""
    number = {"Permission denied": 13, "Operation not permitted": 1}[error]
    refuse(monkeypatch, "/mem", OSError(number, error))
    ran = tmp_path / "ran"
    spec = resolve_spec(code=f"open({str(ran)!r}, 'w')")
    with pytest.raises(CannotObserveError) as raised:
        run_session(dataclasses.replace(config, spec=spec, source="probe"))
    assert raised.value.exit_code == EXIT_CANNOT_OBSERVE
    text = str(raised.value)
    assert error in text
    assert "ptrace_scope" in text
    assert "root" in text
    assert not ran.exists()
    assert not config.recording.exists()


def refuse(monkeypatch: pytest.MonkeyPatch, ending: str, error: OSError) -> None:
    """Files under /proc of that name cannot be opened."""
    opened = os.open

    def refusing(path: object, *words: object, **more: object) -> int:
        if isinstance(path, str) and path.startswith("/proc/") and path.endswith(ending):
            raise type(error)(error.errno, error.strerror)
        return opened(path, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refusing)


@pytest.mark.parametrize(
    ("file", "error", "named"),
    [
        ("/syscall", PermissionError(1, "Operation not permitted"), "which threads wait for a GIL"),
        ("/schedstat", FileNotFoundError(2, "No such file or directory"), "time in the run queue"),
    ],
)
def test_files_that_a_kernel_does_not_have(
    file: str, error: OSError, named: str, config: SamplerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session goes on without them; what is not known is named once, and shown."""
    refuse(monkeypatch, file, error)
    run_session(config)
    reader = RecordingReader(config.recording)
    told = [event.text for event in reader.events() if event.kind in KINDS]
    assert [named in line for line in told] == [True]
    summary = summary_of(reader)
    assert summary["gilscope"]["not_known"] == told
    quality = watch_quality(reader, summary)
    assert quality.unknown == tuple(told)
    assert f"not known: {named}" in text.render(summary, quality)
    # All that does not need the file is there.
    threads = [lane for lane in summary["lanes"] if lane["tid"] != lane["pid"]]
    assert len(threads) == 2
    assert sum(lane["held_share"] for lane in threads) > 0.5
    assert all(lane["cpu_s"] > 0.01 for lane in threads)
    # Who waits is unknown, not nobody; how many wait, and for how long in all, each GIL counts itself.
    waiting = [lane["waiting_s"] for lane in summary["lanes"]]
    total_s = summary["totals"]["waiting_s"]
    part = summary_of(reader, start_ns=reader.head_ns() // 2)
    if file == "/syscall":
        assert waiting == [None] * 3
        assert {lane["waiting_ci95"] for lane in summary["lanes"]} == {None}
        assert [lane["waiting_s"] for lane in part["lanes"]] == [None] * 3
        assert re.search(
            r"^MainThread( +\S+){1}( +\S+ %){2} +\? ", text.render(summary, quality), re.MULTILINE
        )
        assert summary["gils"][0]["contention"] > 0.1
        assert total_s > 0.05
    else:
        assert sum(waiting) == pytest.approx(total_s, abs=0.001)
    reader.close()


@pytest.mark.parametrize("missing", ["pss", "uss"])
def test_a_figure_that_psutil_does_not_have(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on other systems: it is unknown, and the rest is told."""
    full: Callable[[psutil.Process], object] = psutil.Process.memory_full_info

    class Fewer:
        def __init__(self, whole: object) -> None:
            self._whole = whole

        def __getattr__(self, name: str) -> object:
            if name == missing:
                raise AttributeError(name)
            return getattr(self._whole, name)

    monkeypatch.setattr(psutil.Process, "memory_full_info", lambda self: Fewer(full(self)))
    size = cores.footprint(os.getpid(), shares=True)
    assert size is not None
    assert size.rss > 0
    assert getattr(size, missing) is None
    assert (size.pss is None) + (size.uss is None) == 1


def test_the_sampler_is_the_parent_of_what_it_starts(tmp_path: Path) -> None:
    """What lets an ordinary user read it where ptrace_scope is 1."""
    words = command("run", "-c", "import os; print(os.getppid(), flush=True)")
    with subprocess.Popen(
        words, env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid

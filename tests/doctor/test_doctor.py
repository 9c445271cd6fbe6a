"""gilscope doctor: what it says of systems that are not this one, and what it proves on this one."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gilscope import __version__
from gilscope.cli import main
from gilscope.doctor import interpreters, reading, report, system, tools
from gilscope.doctor.finding import Finding, as_json, can_observe
from gilscope.doctor.reading import Reads, child_finding, child_findings, stranger_finding
from gilscope.errors import CannotObserveError
from gilscope.launch import pythons, tree, trial
from gilscope.sources import access, limits
from gilscope.sources.pyspy import find_executable, version_of
from tests.pythons import found_old_pythons
from tests.watched import is_gone, wait_for

FINE = Reads(gil=None, pyspy=None, syscall=None, schedstat=None, vm_read=None)
EVERY = sorted(FINE.__dataclass_fields__)


def text_of(finding: Finding) -> str:
    return "\n".join(report.lines_of(finding))


# --- what is said of other systems ---


@pytest.mark.parametrize(
    ("finding", "state", "words"),
    [
        (system.platform_finding("linux", "x86_64"), "ok", ["Linux on x86_64"]),
        (system.platform_finding("linux", "riscv64"), "limited", ["riscv64"]),
        (system.platform_finding("darwin", "arm64"), "limited", ["py-spy only", "→ For all figures"]),
        (system.scope_finding(None, traces_all=False), "ok", ["not set"]),
        (system.scope_finding(0, traces_all=False), "ok", ["0:"]),
        (system.scope_finding(1, traces_all=False), "limited", ["run, not attach", "→ To attach: sudo"]),
        (system.scope_finding(1, traces_all=True), "ok", ["all the same"]),
        (system.scope_finding(2, traces_all=False), "not", ["only root", "→ Use root"]),
        (system.scope_finding(2, traces_all=True), "ok", ["all the same"]),
        (system.scope_finding(3, traces_all=True), "not", ["nobody may read", "→ Restart"]),
        (system.capability_finding(0, traces_all=True), "ok", ["all users"]),
        (system.capability_finding(0, traces_all=False), "limited", ["without", "--cap-add=SYS_PTRACE"]),
        (system.capability_finding(54_321, traces_all=False), "ok", ["uid 54321", "need root"]),
        (system.seccomp_finding(["0"]), "ok", ["off"]),
        (system.seccomp_finding(["2"]), "ok", ["a filter is active"]),
        (system.seccomp_finding([]), "limited", ["does not tell"]),
        (system.hidepid_finding(None, 1000), "ok", ["shows all"]),
        (system.hidepid_finding("2", 1000), "limited", ["2: /proc hides", "→"]),
        (system.hidepid_finding("invisible", 0), "ok", ["not from root"]),
        (system.cores_finding(8, 8), "ok", ["8, all usable"]),
        (system.cores_finding(8, 2), "ok", ["2 of 8"]),
        (system.cores_finding(1, 1), "limited", ["take turns", "→"]),
        (system.memory_finding(None, None), "limited", ["not known"]),
        (system.memory_finding(8_000_000_000, None), "ok", ["8,000 MB free"]),
        (system.memory_finding(8_000_000_000, 200_000_000), "limited", ["container", "--headless"]),
        (tools.pyspy_finding(None), "limited", ["not found", "pip install py-spy"]),
        (tools.pyspy_finding("/bin/false"), "limited", ["does not run"]),
        (tools.size_finding(200, 60), "ok", ["200 × 60"]),
        (tools.size_finding(80, 24), "ok", ["panels fold"]),
        (tools.size_finding(40, 10), "limited", ["too small", "→ Make it larger"]),
        (tools.colour_finding({"TERM": "xterm-256color"}), "ok", ["256"]),
        (tools.colour_finding({"TERM": "xterm", "COLORTERM": "truecolor"}), "ok", ["16 million"]),
        (tools.colour_finding({"TERM": "xterm", "NO_COLOR": "1"}), "ok", ["NO_COLOR"]),
        (tools.colour_finding({"TERM": "dumb"}), "limited", ["dumb", "→ Set it"]),
        (tools.colour_finding({}), "limited", ["not set"]),
        (tools.synchronized_finding({"TERM": "xterm-kitty"}), "ok", ["as a whole (synchronized"]),
        (tools.synchronized_finding({"TERM": "xterm"}), "ok", ["not known from here"]),
        (child_finding(FINE), "ok", ["gilscope run"]),
        (child_finding(Reads("no", None, None, None, None)), "limited", ["only py-spy"]),
        (child_finding(Reads("no", "no", None, None, None)), "not", ["cannot be read", "→"]),
        (stranger_finding(None), "ok", ["attach PID"]),
        (stranger_finding("Permission denied"), "limited", ["not possible", "sudo gilscope attach"]),
    ],
)  # fmt: skip
def test_what_is_said(finding: Finding, state: str, words: list[str]) -> None:
    assert finding.state == state
    text = text_of(finding)
    assert all(word in text for word in words), text
    assert (finding.todo is None) or finding.state != "ok"


@pytest.mark.parametrize(
    ("field", "name", "words"),
    [
        ("syscall", "who waits", "is not known"),
        ("schedstat", "CPU times", "steps of 10 ms"),
        ("vm_read", "process_vm_readv", "names of threads and stacks are missing"),
    ],
)
def test_each_file_that_cannot_be_read_is_named(field: str, name: str, words: str) -> None:
    reads = Reads(**{**dict.fromkeys(EVERY), field: "Operation not permitted"})
    found = {finding.name: finding for finding in child_findings(reads)}
    assert found[name].state == "limited"
    assert words in found[name].what
    assert "Operation not permitted" in found[name].what
    assert found[name].todo
    assert can_observe(list(found.values()))


@pytest.mark.parametrize(
    ("scope", "words"),
    [(1, "sysctl kernel.yama.ptrace_scope=0"), (3, "Restart"), (None, "sudo gilscope attach PID")],
)
def test_what_to_do_to_attach(scope: int | None, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ptrace_scope", lambda: scope)
    assert words in str(stranger_finding("Permission denied").todo)


@pytest.mark.parametrize(("scope", "words"), [(2, "ptrace_scope=1"), (None, "--cap-add=SYS_PTRACE")])
def test_what_to_do_to_run(scope: int | None, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ptrace_scope", lambda: scope)
    monkeypatch.setattr(access, "may_trace_all", lambda: False)
    finding = child_finding(Reads("no", "no", None, None, None))
    assert words in str(finding.todo)
    assert not can_observe([finding])


MOUNTED = {
    "proc /proc proc rw,nosuid,hidepid=invisible 0 0": "invisible",
    "proc /proc proc rw,hidepid=2,gid=27 0 0": "2",
    "proc /proc proc rw,relatime 0 0": None,
    "proc /elsewhere proc rw,hidepid=2 0 0": None,
    "": None,
}


@pytest.mark.parametrize("mounts", MOUNTED)
def test_hidepid(mounts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mounts").write_text(f"none / tmpfs rw 0 0\n{mounts}\n")
    monkeypatch.setattr(access, "MOUNTS", tmp_path / "mounts")
    assert access.hidepid() == MOUNTED[mounts]


def test_the_least_memory_limit_of_all_groups_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "own").write_text("0::/a/b\n")
    monkeypatch.setattr(limits, "CGROUPS", tmp_path)
    monkeypatch.setattr(limits, "OWN_GROUP", tmp_path / "own")
    assert limits.memory_limit_bytes() is None
    (tmp_path / "a" / "b" / "memory.max").write_text("max\n")
    (tmp_path / "a" / "memory.max").write_text("1000\n")
    (tmp_path / "memory.max").write_text("5000\n")
    assert limits.memory_limit_bytes() == 1000
    (tmp_path / "own").unlink()
    assert limits.memory_limit_bytes() == 5000


# --- what is proven here ---


def test_this_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of it, with one interpreter: it can be watched, or no test could run."""
    monkeypatch.setattr(interpreters, "installed", lambda: iter([sys.executable]))
    done = CliRunner().invoke(main, ["doctor", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["schema"], told["gilscope"], told["can_observe"]) == ("gilscope.doctor/1", __version__, True)
    found = {(check["group"], check["name"]): check for check in told["checks"]}
    assert len(found) == len(told["checks"])
    for check in told["checks"]:
        assert check.keys() == {"group", "name", "state", "what", "todo"}
        assert check["state"] in ("ok", "limited", "not")
    assert found["access", "own child"]["state"] == "ok"
    ours = found["interpreters", f"{sys.executable} (gilscope's own)"]
    assert ours["state"] == "ok"
    assert ".".join(map(str, sys.version_info[:3])) in ours["what"]


def test_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "installed", lambda: iter(()))
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in ("System", "Access", "Tools", "Place")]
    assert all(len(line) <= report.WIDTH for line in lines)
    assert lines[-1].startswith(("All works", "gilscope works here"))


def test_where_nothing_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "installed", lambda: iter(()))
    monkeypatch.setattr(reading, "try_all", lambda _pid: Reads("EPERM", "EPERM", "EPERM", "EPERM", "EPERM"))
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 4
    assert done.stdout.splitlines()[-1].startswith("gilscope cannot watch anything here")


def test_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "proc_is_there", lambda: False)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 4
    assert "mount -t proc" in done.stdout


def test_processes_that_are_started_are_ended() -> None:
    tree.become_subreaper(on=False)  # a session in this process may have made it one: orphans would be ours
    with trial.child(sys.executable) as pid:
        assert reading.read_gil(pid) is None
    assert is_gone(pid)
    with trial.stranger(sys.executable) as pid:
        assert not access.is_below(pid, os.getpid())
    wait_for(lambda: is_gone(pid), "it lives")


def test_a_stranger_is_nobodys_child_however_late_its_first_process_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree.become_subreaper(on=False)
    late = "import os, time\nif os.fork(): time.sleep(0.3); os._exit(0)\nos.setsid()\n"
    monkeypatch.setattr(trial, "_ORPHAN", late + trial._WAITS)
    with trial.stranger(sys.executable) as pid:
        assert not access.is_below(pid, os.getpid())
    monkeypatch.setattr(trial, "START_S", 0.2)
    with pytest.raises(CannotObserveError, match="did not end"), trial.stranger(sys.executable):
        pass


@pytest.mark.parametrize(
    ("program", "words"),
    [("/nowhere", "does not start"), ("/bin/true", "ended at once"), ("/bin/echo", "something else")],
)
def test_programs_that_are_no_python(program: str, words: str) -> None:
    with pytest.raises(CannotObserveError, match=words), trial.child(program):
        pass


def test_one_that_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(trial, "START_S", 0.05)
    (tmp_path / "silent").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "silent").chmod(0o755)
    with pytest.raises(CannotObserveError, match="said nothing"), trial.child(str(tmp_path / "silent")):
        pass


def test_interpreters(tmp_path: Path) -> None:
    assert interpreters.check_interpreter(sys.executable).state == "ok"
    assert interpreters.check_interpreter("/bin/true").state == "not"
    pypy = tmp_path / "pypy3"
    pypy.write_text("#!/bin/sh\necho 'Python 3.9.18 (x)'\necho '[PyPy 7.3.13 with GCC 10.2.1]'\n")
    pypy.chmod(0o755)
    finding = interpreters.check_interpreter(str(pypy))
    assert finding.state == "not"
    assert "CPython only" in finding.what


@pytest.mark.skipif("3.7" not in found_old_pythons(), reason="there is no Python 3.7 here")
def test_an_old_interpreter() -> None:
    finding = interpreters.check_interpreter(str(found_old_pythons()["3.7"]))
    assert finding.state == "limited"
    assert "py-spy reads it" in finding.what


def test_the_same_interpreter_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.setattr(interpreters, "installed", lambda: iter([sys.executable, str(tmp_path / "python")]))
    assert len(list(interpreters.check_interpreters())) == 1


def test_interpreters_behind_a_closed_folder_and_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert sys.executable in list(pythons.installed())


def test_pyspy_is_asked() -> None:
    path = find_executable()
    assert path is not None
    assert str(version_of(path)).count(".") == 2
    assert version_of("/nowhere/py-spy") is None


def test_without_pyspy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "find_executable", lambda: None)
    assert "not installed" in str(reading.ask_pyspy(os.getpid()))


@pytest.mark.parametrize("make", [lambda folder: folder / "a" / "b", lambda folder: folder])
def test_a_place_for_recordings(make: Callable[[Path], Path], tmp_path: Path) -> None:
    place = make(tmp_path)
    finding = tools.place_finding("recordings", place)
    assert finding.state in ("ok", "limited")
    assert str(place) in finding.what
    assert not (tmp_path / "a").exists()


def test_a_place_that_is_full_or_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    full = tools.place_finding("recordings", tmp_path)
    assert full.state == "limited"
    assert "1 MB free" in full.what
    closed = tools.place_finding("temporary files", Path("/proc/1/nothing"))
    assert closed.state == "limited"
    assert "TMPDIR" in str(closed.todo)


@given(st.text(), st.text(), st.none() | st.text())
def test_nothing_hostile_reaches_the_terminal(name: str, what: str, todo: str | None) -> None:
    finding = Finding(group="x", name=name, state="ok", what=what, todo=todo)
    assert not any(ord(character) < 32 for line in report.lines_of(finding) for character in line)
    assert json.loads(json.dumps(as_json([finding], version="1")))["checks"][0]["what"] == what

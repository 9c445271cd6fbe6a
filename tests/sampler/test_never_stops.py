"""Reading never stops the target: no ptrace, no signal, no write into its memory, by the kernel's own log."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import DEADLINE_S, Outcome, command, environment

SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")
CALLS = ("ptrace", "process_vm_readv", "process_vm_writev", "openat", "open", *SIGNALS)
NO_SIGNAL = re.compile(r"(-?\d+, ){1,2}0[,) ]")
"""Signal 0 only asks whether there is such a process."""
WRITES_MEMORY = re.compile(r'/mem", (?!.*O_RDONLY)')

TARGET = """
import os, signal, threading, time
os.kill(os.getpid(), signal.SIGCONT)  # shows in the log: whoever sends a signal does
end = time.monotonic() + 2
def work():
    while time.monotonic() < end:
        pass
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@dataclass(frozen=True)
class Call:
    """A system call: who made it, and what it said."""

    tid: int
    name: str
    words: str

    def numbers(self) -> set[int]:
        """The process ids among its arguments; a group is named by a negative one."""
        return {abs(int(word)) for word in re.findall(r"(?<![\w.])-?\d+(?![\w.])", self.words)}


def calls_in(log: str) -> list[Call]:
    """All calls in what `strace -f` wrote; of one that was interrupted, its beginning."""
    found = re.findall(r"^(\d+) +(\w+)\((.*)$", log, re.MULTILINE)
    return [Call(int(tid), name, words) for tid, name, words in found]


def harmful(log: str, target: set[int]) -> list[str]:
    """Lines that say that somebody else stopped, signalled or changed a thread of the target."""
    found = []
    for call in calls_in(log):
        signals = call.name in SIGNALS and call.numbers() & target and not NO_SIGNAL.match(call.words)
        writes = call.name in ("open", "openat") and WRITES_MEMORY.search(call.words)
        if call.name in ("ptrace", "process_vm_writev") or (call.tid not in target and (signals or writes)):
            found.append(f"{call.tid} {call.name}({call.words}")
    stops = re.findall(r"^(\d+) +(--- (?:stopped by|SIGSTOP|SIGTRAP).*)$", log, re.MULTILINE)
    return [*found, *(f"{tid} {what}" for tid, what in stops if int(tid) in target)]


def can_trace() -> str | None:
    """Why strace cannot be used here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-f", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[-100:]}"


def test_a_session_neither_stops_nor_signals_its_target(tmp_path: Path) -> None:
    """GIVEN a headless session with samples, sweeps and py-spy's stacks THEN the kernel logs reads only."""
    reason = can_trace()
    if reason is not None:
        pytest.skip(reason)
    script, log = tmp_path / "work.py", tmp_path / "log"
    script.write_text(TARGET)
    options = ["--headless", "--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope"]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-s", "200", "-o", log, "-e", f"trace={','.join(CALLS)}",
         *command("run", *options, script)],
        capture_output=True, env=environment(tmp_path), timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    outcome = Outcome(done.returncode, done.stdout, done.stderr.decode(errors="replace"), tmp_path)
    assert outcome.code == 0, outcome.stderr
    summary, written = outcome.summary, log.read_text(errors="replace")
    target = {lane["tid"] for lane in summary["lanes"]}
    assert len(target) == 4
    # It was read all the while, by us and by py-spy; and the log does show signals.
    assert summary["gils"][0]["samples"] > 200
    calls = calls_in(written)
    assert any(call.name == "process_vm_readv" for call in calls), "py-spy read nothing"
    pid = summary["target"]["pid"]
    assert any(call.tid == pid and call.name == "kill" and pid in call.numbers() for call in calls)
    assert any(re.search(rf'/proc/{pid}/mem", O_RDONLY', call.words) for call in calls)
    assert harmful(written, target) == []


@pytest.mark.parametrize(
    ("line", "is_harmful"),
    [
        ("10 ptrace(PTRACE_SEIZE, 77, NULL, PTRACE_O_TRACESYSGOOD) = 0", True),
        ("10 ptrace(PTRACE_ATTACH, 77 <unfinished ...>", True),
        ("10 kill(77, SIGSTOP) = 0", True),
        ("10 kill(-77, SIGTERM) = 0", True),
        ("10 tgkill(77, 78, SIGPROF) = 0", True),
        ("10 tkill(78, SIGCONT <unfinished ...>", True),
        ("10 process_vm_writev(77, [{...}], 1, [{...}], 1, 0) = 8", True),
        ('10 openat(AT_FDCWD, "/proc/77/mem", O_RDWR|O_CLOEXEC) = 3', True),
        ("78 --- stopped by SIGSTOP ---", True),
        ("77 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER, si_pid=10, si_uid=0} ---", True),
        ('10 openat(AT_FDCWD, "/proc/77/mem", O_RDONLY|O_CLOEXEC) = 3', False),
        ("10 kill(77, 0) = 0", False),
        ("10 tgkill(77, 78, 0 <unfinished ...>", False),
        ("10 kill(99, SIGINT) = 0", False),
        ("77 kill(77, SIGCONT) = 0", False),
        ("10 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=77, si_uid=0} ---", False),
        ("10 process_vm_readv(77, [{...}], 1, [{...}], 1, 0) = 8", False),
    ],
)
def test_what_counts_as_harm(line: str, *, is_harmful: bool) -> None:
    assert bool(harmful(line + "\n", {77, 78})) == is_harmful

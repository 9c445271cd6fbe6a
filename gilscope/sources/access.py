"""Why a process can or cannot be read by us: what the kernel tells of it to everyone."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import pwd

PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
_KERNEL_THREAD = 0x0020_0000
"""PF_KTHREAD, among the flags of /proc/PID/stat."""
_FLAGS_FIELD = 6
"""Position of the flags in /proc/PID/stat after the command's closing parenthesis."""
CAP_SYS_PTRACE = 19


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a process is."""

    uid: int
    thread_group: int
    """The pid of its process; another one than asked for where that was a thread's."""

    @property
    def name(self) -> str:
        """The user's name; its number where nobody gave it one."""
        return user_name(self.uid)


def user_name(uid: int) -> str:
    """The name of a user; "uid 1234" where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def owner(pid: int) -> Owner | None:
    """Whose process it is; None where that cannot be read."""
    words = status_words(pid)
    try:
        return Owner(int(words["Uid"][1]), int(words["Tgid"][0]))
    except (KeyError, IndexError, ValueError):
        return None


def status_words(pid: int | str) -> dict[str, list[str]]:
    """The lines of /proc/PID/status by their names; empty where they cannot be read."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.splitlines())
    return {name: value.split() for name, _, value in lines}


def exists(pid: int) -> bool:
    """Whether there is such a process, also one that /proc hides from us (hidepid)."""
    try:
        os.close(os.pidfd_open(pid))
    except OSError as error:
        return error.errno not in (errno.ESRCH, errno.EINVAL)
    return True


def is_kernel_thread(pid: int) -> bool:
    """It is a part of the kernel, with no program and no memory of its own."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return bool(int(words[_FLAGS_FIELD]) & _KERNEL_THREAD)
    return False


def ptrace_scope() -> int | None:
    """Who may read whose memory besides the owner's own rule; None where the kernel has no such setting."""
    try:
        return int(PTRACE_SCOPE.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def may_trace_all() -> bool:
    """Whether this process has CAP_SYS_PTRACE, as root has outside of most containers."""
    try:
        return bool(int(status_words("self")["CapEff"][0], 16) >> CAP_SYS_PTRACE & 1)
    except (KeyError, IndexError, ValueError):
        return os.geteuid() == 0


def is_below(pid: int, ancestor: int) -> bool:
    """Whether `ancestor` is a process that started `pid`, itself or through others."""
    seen: set[int] = set()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        try:
            pid = int(status_words(pid)["PPid"][0])
        except (KeyError, IndexError, ValueError):
            return False
        if pid == ancestor:
            return True
    return False


MOUNTS = Path("/proc/self/mounts")


def hidepid() -> str | None:
    """How /proc hides processes of other users ("1", "2", "invisible" …); None where it hides none."""
    with contextlib.suppress(OSError):
        for line in MOUNTS.read_text(errors="replace").splitlines():
            fields = line.split()
            if len(fields) > 3 and fields[1] == "/proc":
                for option in fields[3].split(","):
                    name, _, value = option.partition("=")
                    if name == "hidepid":
                        return value
    return None

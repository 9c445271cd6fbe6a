"""`python -m tests.portable.foreign darwin|win32 WORDS…`: the command as it runs on another system.

Only gilscope's own modules see that system: to them some modules are not there (fcntl, termios …), others
lack what that system lacks (os.pread, signal.SIGKILL …), `sys.platform` is its name, and there is no /proc.
Python's library, psutil and py-spy are those of this machine, so what they answer is real. It proves that
nothing of Linux is used where it must not be, and not that those systems answer as this one.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Sequence
from typing import Any

NO_MODULES = {
    "darwin": {"spwd"},
    "win32": {"fcntl", "termios", "pty", "tty", "resource", "pwd", "grp", "spwd"},
}
_NO_LINUX = {
    "os": "pidfd_open sched_getaffinity sched_setaffinity memfd_create eventfd splice getrandom O_PATH",
    "signal": "pidfd_send_signal",
    "time": "CLOCK_BOOTTIME pthread_getcpuclockid",
    "select": "epoll",
    "socket": "SOCK_SEQPACKET AF_NETLINK",
}
_NO_POSIX = {
    "os": "fork forkpty openpty getuid geteuid getgid getegid getgroups setsid getsid getpgrp getpgid "
    "setpgid tcgetpgrp uname sysconf pread preadv pwrite wait wait3 wait4 getpriority setpriority "
    "PRIO_PROCESS killpg O_CLOEXEC O_DIRECTORY O_NONBLOCK O_NOFOLLOW O_NOCTTY set_blocking mkfifo "
    "posix_spawn WNOHANG fchmod chown getloadavg statvfs fchdir initgroups",
    "signal": "SIGKILL SIGHUP SIGQUIT SIGCHLD SIGWINCH SIGUSR1 SIGUSR2 SIGSTOP SIGCONT SIGTSTP SIGPIPE "
    "pthread_sigmask pthread_kill setitimer",
    "time": "clock_gettime clock_gettime_ns CLOCK_MONOTONIC clock_getres pthread_getcpuclockid tzset",
    "select": "poll",
    "socket": "AF_UNIX",
}
LACKING = {
    "darwin": {name: set(words.split()) for name, words in _NO_LINUX.items()},
    "win32": {name: set(f"{words} {_NO_POSIX.get(name, '')}".split()) for name, words in _NO_LINUX.items()},
}
NEAR = 6
"""Frames above an access to /proc in which gilscope makes it ours, and psutil its own."""


class Lacking(types.ModuleType):
    """A module without some of its names."""

    def __init__(self, module: types.ModuleType, names: set[str], **others: object) -> None:
        super().__init__(module.__name__)
        self.__dict__.update({"_module": module, "_names": names, **others})

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_names"]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on this system")
        return getattr(self.__dict__["_module"], name)


class Foreign(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads gilscope's modules so that they see another system."""

    def __init__(self, platform: str) -> None:
        self._absent = NO_MODULES[platform]
        self._modules: dict[str, types.ModuleType] = {
            name: Lacking(importlib.import_module(name), names) for name, names in LACKING[platform].items()
        }
        self._modules["sys"] = Lacking(sys, set(), platform=platform)
        self._builtins = {**vars(builtins), "__import__": self._import}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".", maxsplit=1)[0] != "gilscope":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        self._loaders = {**getattr(self, "_loaders", {}), fullname: spec.loader}
        spec.loader = self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:  # noqa: ARG002 - as asked for
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        loader = self._loaders[module.__name__]
        assert isinstance(loader, importlib.machinery.SourceFileLoader)
        code = loader.get_code(module.__name__)
        assert code is not None
        vars(module)["__builtins__"] = self._builtins
        exec(code, vars(module))

    def get_code(self, fullname: str) -> Any:
        """For `python -m` of our package."""
        return self._loaders[fullname].get_code(fullname)

    def _import(
        self, name: str, globals_: Any = None, locals_: Any = None, wanted: Any = (), level: int = 0
    ) -> Any:
        if name.split(".", maxsplit=1)[0] in self._absent:
            raise ModuleNotFoundError(f"No module named {name!r} on this system", name=name)
        return self._modules.get(name) or builtins.__import__(name, globals_, locals_, wanted, level)


def refuse_proc(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: there is no /proc for gilscope; psutil has its own ways on each system."""
    if event not in ("open", "os.listdir", "os.scandir") or not arguments:
        return
    path = arguments[0]
    if not isinstance(path, str | bytes) or not os.fsdecode(path).startswith("/proc"):
        return
    frame = sys._getframe(1)
    for _ in range(NEAR):
        if frame is None or "psutil" in frame.f_code.co_filename:
            return
        if f"{os.sep}gilscope{os.sep}" in frame.f_code.co_filename:
            raise FileNotFoundError(2, "there is no /proc on this system", path)
        frame = frame.f_back  # type: ignore[assignment]


def become(platform: str) -> None:
    """From now on gilscope sees that system."""
    sys.meta_path.insert(0, Foreign(platform))
    sys.addaudithook(refuse_proc)


def main() -> None:
    platform, *words = sys.argv[1:]
    assert not [name for name in sys.modules if name.split(".")[0] == "gilscope"]
    become(platform)
    sys.argv = ["gilscope", *words]
    if words[:1] == ["--import"]:
        for name in words[1:]:
            importlib.import_module(name)
        return
    from gilscope.cli import main as run

    run(prog_name="gilscope")


if __name__ == "__main__":
    main()

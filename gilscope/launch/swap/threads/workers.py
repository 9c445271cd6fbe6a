"""Process and what belongs to it, made of threads."""

from __future__ import annotations

import atexit
import itertools
import os
import sys
import threading
import traceback

from gilscope.launch.swap.hook import users_place
from gilscope.launch.swap.notes import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_unfinished: set[Worker] = set()
_at_start: list[Callable[[Worker, list[Any]], object]] = []
_at_end: list[Callable[[Worker], object]] = []
"""Called with each worker: pipes know by that who holds which end."""


class Worker(threading.Thread):
    """A thread that behaves as multiprocessing.Process, without the means to end it.

    To `threading` all of them are daemons: those that are not are waited for by ourselves, so that one which
    the program has tried to terminate does not keep it from ending.
    """

    _prefix = "Process"
    if TYPE_CHECKING:
        _args: tuple[Any, ...]
        _kwargs: dict[str, Any]

    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: object = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        if group is not None:
            raise AssertionError("group argument must be None for now")
        self._parent = current_process()
        numbers = (*self._parent._identity, next(self._parent._children))
        super().__init__(None, target, "worker", tuple(args), dict(kwargs or {}), daemon=True)
        self._identity = numbers
        self._children = itertools.count(1)
        self._is_daemon = bool(self._parent.daemon if daemon is None else daemon)
        self._code: int | None = None
        self._given_up = False
        self._closed = False
        self._sentinel: tuple[int, int] | None = None
        self.name = str(name) if name else f"{self._prefix}-{':'.join(map(str, numbers))}"
        self._work = self.run
        self.run = self._run_as_process  # type: ignore[method-assign] # around whatever run() a subclass has

    def start(self) -> None:
        if self.ident is not None:
            raise AssertionError("cannot start a process twice")
        if current_process().daemon:
            raise AssertionError("daemonic processes are not allowed to have children")
        _wait_at_exit()
        _unfinished.add(self)
        for begins in _at_start:
            begins(self, [*self._args, *self._kwargs.values()])
        try:
            super().start()
        except BaseException:
            _unfinished.discard(self)
            raise

    def _run_as_process(self) -> None:
        code: object = 1
        try:
            self._work()
            code = 0
        except SystemExit as end:
            code = end.code
            if code is None:
                code = 0 if end.args or sys.version_info >= (3, 9) else 1  # as each version has it
            elif not isinstance(code, int):
                sys.stderr.write(f"{code}\n")
                code = 1
        except BaseException:
            sys.stderr.write(f"Process {self.name}:\n{traceback.format_exc()}")
            sys.stderr.flush()
        finally:
            self._code = code if isinstance(code, int) else 1
            _unfinished.discard(self)
            for end_of in _at_end:
                end_of(self)
            if self._sentinel is not None:
                os.close(self._sentinel[1])

    def join(self, timeout: float | None = None) -> None:
        if self.ident is None:
            raise AssertionError("can only join a started process")
        if self._given_up:
            return
        super().join(None if timeout is None else max(0.0, timeout))

    @property
    def exitcode(self) -> int | None:
        return None if self.ident is None or self.is_alive() else self._code

    def is_alive(self) -> bool:
        return self.ident is not None and self._code is None and super().is_alive()

    @property
    def pid(self) -> int | None:
        """The kernel's number of the thread, as unique as that of a process."""
        return self.native_id if self.ident is not None else None

    @property
    def daemon(self) -> bool:
        if sys._getframe(1).f_globals is threading.__dict__:
            return True
        return self._is_daemon

    @daemon.setter
    def daemon(self, daemonic: bool) -> None:
        if self.ident is not None:
            raise AssertionError("process has already started")
        self._is_daemon = bool(daemonic)

    @property
    def sentinel(self) -> int:
        """A descriptor that becomes readable as the worker ends."""
        if self.ident is None:
            raise ValueError("process not started")
        if self._sentinel is None:
            self._sentinel = os.pipe()
            if self._code is not None:
                os.close(self._sentinel[1])
        return self._sentinel[0]

    @property
    def authkey(self) -> bytes:
        """Nothing checks it among threads."""
        return b""

    def close(self) -> None:
        if self.is_alive() and not self._given_up:
            raise ValueError(
                "Cannot close a process while it is still running. "
                "You should first call join() or terminate()."
            )
        self._closed = True

    def __repr__(self) -> str:
        state = "initial" if self.ident is None else "started" if self.is_alive() else "stopped"
        code = "" if state != "stopped" else f" exitcode={self._code}"
        return f"<{type(self).__name__} name={self.name!r} parent={os.getpid()} {state}{code}>"


class Process(Worker):
    """multiprocessing.Process."""

    def terminate(self) -> None:
        self._cannot_end("terminate")

    def kill(self) -> None:
        self._cannot_end("kill")

    def _cannot_end(self, how: str) -> None:
        if self.is_alive():
            self._given_up = True
            note(
                "terminate",
                f"{how}() cannot end a thread: it runs on, and from now on neither join() nor the end of the "
                "program waits for it.",
                users_place(),
            )


class ForkProcess(Process):
    """What a context's Process is called, and so its name."""

    _prefix = "ForkProcess"


class PoolWorker(Worker):
    """A worker of a Pool, which leaves threads alone that have no terminate()."""

    _prefix = "ForkProcess"


class MainProcess:
    """The program itself, as current_process() has it."""

    name = "MainProcess"
    daemon = False
    exitcode = None
    authkey = b""
    _identity: tuple[int, ...] = ()

    def __init__(self) -> None:
        self._children = itertools.count(1)

    @property
    def pid(self) -> int:
        return os.getpid()

    ident = pid

    def is_alive(self) -> bool:
        return True

    def __repr__(self) -> str:
        return "<_MainProcess name='MainProcess' parent=None started>"


_main = MainProcess()


class _Foreign(MainProcess):
    """A thread that is no worker of ours: of an executor, or of a library."""

    def __init__(self, thread: threading.Thread) -> None:
        super().__init__()
        self.name = thread.name
        self._pid = thread.native_id or 0

    @property
    def pid(self) -> int:
        return self._pid

    ident = pid


_foreign = threading.local()


def current_process() -> Any:
    """The worker that this thread is, or the program itself."""
    thread = threading.current_thread()
    if isinstance(thread, Worker):
        return thread
    if thread is threading.main_thread():
        return _main
    if not hasattr(_foreign, "process"):
        _foreign.process = _Foreign(thread)
    return _foreign.process


def parent_process() -> Any:
    """None in the program itself."""
    process = current_process()
    return None if process is _main else getattr(process, "_parent", _main)


def active_children() -> list[Any]:
    """The workers that the current one has started and that run."""
    process = current_process()
    return [worker for worker in list(_unfinished) if worker._parent is process and worker.is_alive()]


def follow_workers(begins: Callable[[Worker, list[Any]], object], ends: Callable[[Worker], object]) -> None:
    """Have these called with each worker that starts, and its arguments, and with each that ends."""
    if ends not in _at_end:
        _at_start.append(begins)
        _at_end.append(ends)


_waits: list[bool] = []


def _wait_at_exit() -> None:
    """See to it, once, that the program waits for its workers."""
    if not _waits:
        _waits.append(True)
        # Before threads can no longer be started, where that is known, since workers may start some.
        register = getattr(threading, "_register_atexit", atexit.register)
        register(_wait_for_all)


def _wait_for_all() -> None:
    while True:
        left = [worker for worker in list(_unfinished) if not worker.daemon and not worker._given_up]
        if not left:
            return
        for worker in left:
            worker.join()

"""Thread and what belongs to it, made of processes."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading as real
import weakref
from multiprocessing import process as base

from gilscope.launch.swap.changes import Snapshot, place_of
from gilscope.launch.swap.hook import users_place
from gilscope.launch.swap.notes import note
from gilscope.launch.swap.processes.locks import Event, context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_numbers = itertools.count(1)
_NAMES_THE_FUNCTION = sys.version_info >= (3, 10)
"""Since then a thread is called "Thread-1 (work)"."""
_locals: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""Each threading.local, with what it was made with: an attribute would be one of the thread's."""


def prepare_output() -> None:
    """Write each line of output at once.

    A worker's output would otherwise come when it ends, and the parent's when the program does: in another
    order than threads have it, which share one buffer.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)


def _pass_over(_number: int, _frame: object) -> None:
    """Handle a signal that is not for a worker."""


def _default_name(target: Any) -> str:
    name = f"Thread-{next(_numbers)}"
    if _NAMES_THE_FUNCTION and target is not None:
        function = getattr(target, "__name__", None)
        name += f" ({function})" if function else ""
    return name


class Thread(base.BaseProcess):
    """threading.Thread, as a process."""

    _start_method: str | None = None

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
        super().__init__(group, target, None, args, kwargs or {}, daemon=daemon)
        self._name = str(name) if name else _default_name(target)

    @staticmethod
    def _Popen(worker: Any) -> Any:  # noqa: N802 - multiprocessing calls it so
        return context().Process._Popen(worker)  # type: ignore[attr-defined] # of every context

    def start(self) -> None:
        if self._popen is not None or getattr(self, "_closed", False):
            raise RuntimeError("threads can only be started once")
        if base.current_process().daemon:
            note(
                "daemon",
                "A daemon worker starts another worker: threads may, daemon processes may not.",
                users_place(),
            )
        prepare_output()
        try:
            super().start()
        except Exception as error:
            if is_pickle_error(error):
                note(
                    "pickle",
                    f"{self.name} cannot be sent to a process that is not a fork: {error}",
                    users_place(),
                )
            raise

    def _bootstrap(self, *args: Any, **kwargs: Any) -> int:
        """In the child: as multiprocessing does it, but run as a thread runs."""
        own = self.__dict__.get("run")
        self.__dict__["run"] = lambda: self._run_as_thread(own)
        return int(super()._bootstrap(*args, **kwargs))  # type: ignore[misc] # of BaseProcess

    def _run_as_thread(self, own: Any) -> None:
        if own is None:
            del self.__dict__["run"]
        else:
            self.__dict__["run"] = own
        for data, (args, kwargs) in list(_locals.items()):
            data.__dict__.clear()
            data.__init__(*args, **kwargs)  # as threading does for each thread
        # Ctrl-C reaches all processes of a terminal; of threads, only the main one hears of it. A function
        # and not SIG_IGN, which programs that a worker starts would inherit.
        signal.signal(signal.SIGINT, _pass_over)
        target = self.__dict__.get("_target")
        place = place_of(target or type(self).run) or users_place()
        seen = Snapshot(
            target=target,
            args=self.__dict__.get("_args", ()),
            kwargs=self.__dict__.get("_kwargs"),
            owner=None if type(self) is Thread else self,
        )
        failed = False
        try:
            self.run()
        except SystemExit:
            pass  # ends a thread without a word
        except BaseException:
            failed = True
            real.excepthook(real.ExceptHookArgs((*sys.exc_info(), self)))
        seen.report(place)
        if failed:
            sys.exit(1)

    def join(self, timeout: float | None = None) -> None:
        if self is base.current_process():
            raise RuntimeError("cannot join current thread")
        if self._popen is None and self._parent_pid == os.getpid():
            raise RuntimeError("cannot join thread before it is started")
        self._only_parent("wait for")
        super().join(None if timeout is None else max(0.0, timeout))

    def is_alive(self) -> bool:
        if self is not base.current_process():
            self._only_parent("ask about")
        return super().is_alive()

    def _only_parent(self, what: str) -> None:
        if self._parent_pid != os.getpid():
            note(
                "not-parent",
                f"A worker other than the one that started {self.name} tries to {what} it: threads may, "
                "of processes only the parent.",
                users_place(),
            )

    @property
    def name(self) -> str:
        return str(self._name)

    @name.setter
    def name(self, name: object) -> None:
        self._name = str(name)

    @property
    def daemon(self) -> bool:
        return bool(self._config.get("daemon", False))

    @daemon.setter
    def daemon(self, daemonic: bool) -> None:
        if self._popen is not None:
            raise RuntimeError("cannot set daemon status of active thread")
        self._config["daemon"] = daemonic

    @property
    def native_id(self) -> int | None:
        """Its pid, as `ident` is."""
        return self.ident

    def getName(self) -> str:  # noqa: N802 - its old name, likewise below
        return self.name

    def setName(self, name: object) -> None:  # noqa: N802
        self.name = str(name)

    def isDaemon(self) -> bool:  # noqa: N802
        return self.daemon

    def setDaemon(self, daemonic: bool) -> None:  # noqa: N802
        self.daemon = daemonic

    def __repr__(self) -> str:
        state = "initial"
        if self.ident is not None:
            inside = self is base.current_process() or self._parent_pid != os.getpid()
            state = "started" if inside or super().is_alive() else "stopped"
        daemon = " daemon" if self.daemon else ""
        ident = "" if self.ident is None else f" {self.ident}"
        return f"<{type(self).__name__}({self.name}, {state}{daemon}{ident})>"

    if TYPE_CHECKING:
        _popen: Any
        _parent_pid: int
        _config: dict[str, Any]


class Timer(Thread):
    """threading.Timer."""

    def __init__(
        self,
        interval: float,
        function: Callable[..., object],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.interval = interval
        self.function = function
        self.args = args if args is not None else []
        self.kwargs = kwargs if kwargs is not None else {}
        self.finished = Event()

    def cancel(self) -> None:
        """End it before its time, from any process."""
        self.finished.set()

    def run(self) -> None:
        if not self.finished.wait(self.interval):
            self.function(*self.args, **self.kwargs)
        self.finished.set()


class _MainThread(Thread):
    """What the first process is to its workers."""

    def __init__(self) -> None:
        self._name = "MainThread"
        self._config = {}
        self._popen = None
        parent = base.parent_process()
        self._pid = os.getpid() if parent is None else parent.pid
        self._parent_pid = -1

    @property
    def ident(self) -> int | None:
        return self._pid

    @property
    def pid(self) -> int | None:
        return self._pid

    def is_alive(self) -> bool:
        return True

    def join(self, timeout: float | None = None) -> None:  # noqa: ARG002 - the signature of a thread
        raise RuntimeError("cannot join current thread")

    def start(self) -> None:
        raise RuntimeError("threads can only be started once")

    def __repr__(self) -> str:
        return f"<_MainThread(MainThread, started {self._pid})>"


_main = _MainThread()


def main_thread() -> Any:
    """The first process, as its workers know it."""
    return _main


def current_thread() -> Any:
    """The worker that this process is; in a thread that some library made, that thread."""
    thread = real.current_thread()
    if thread is not real.main_thread():
        return thread
    process = base.current_process()
    return _main if process.name == "MainProcess" and not isinstance(process, Thread) else process


def get_ident() -> int:
    """What `ident` is of a worker: its pid."""
    return os.getpid()


def enumerate_threads() -> list[Any]:
    """This process, and those workers that it started itself."""
    return [current_thread(), *(child for child in base.active_children() if isinstance(child, Thread))]


def active_count() -> int:
    """How many of those there are."""
    return len(enumerate_threads())


class local(real.local):  # noqa: N801 - its name
    """threading.local: a forked worker begins with an empty one, as a thread does."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls, *args, **kwargs)
        _locals[self] = (args, kwargs)
        return self


def is_pickle_error(error: BaseException) -> bool:
    """Whether it says that something cannot be sent from process to process."""
    name = type(error).__name__
    if name in ("PicklingError", "UnpicklingError", "MaybeEncodingError"):
        return True
    text = str(error).lower()
    return name in ("TypeError", "AttributeError", "RuntimeError") and (
        "pickl" in text
        or "can't get local object" in text
        or "shared between processes through inheritance" in text
    )

"""Counts the threads of a target from inside: created, started, where, and the sizes of executors.

It runs inside the target, before shim.py and in the same scope, on any Python from 3.8 on; see there. It is
called once for each Thread object that is made and once for each that starts, and takes a few microseconds.
All it keeps is bounded: a program may make a million threads.
"""
# ruff: noqa: S110, SIM105, SLF001

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from types import CodeType, FrameType, ModuleType
    from typing import Any

    from gilscope.launch.shim import Descriptor

COUNTER_BYTES = 16
"""Size of a process's place in the counter file, at pid times this: created, started, little-endian."""
PLACES_AT = 1 << 27
"""Where the pages of places begin in that file, behind the counters of all pids."""
PLACES_BYTES = 4096
"""Size of a process's page of places, at pid times this behind PLACES_AT."""
PLACE_BYTES = 128
"""Size of a place in that page: created, started (8 bytes each), number (4), kind and length of the text (1
each), text in UTF-8."""
PLACES_MAX = PLACES_BYTES // PLACE_BYTES
PLACE_KINDS = {1: "line", 2: "executor", 3: "others"}
UNSTARTED_MAX = 4096
"""Of so many threads at once that are made and not started it is known where they were made."""


class Tally:
    """A number that counts up, also from several threads and signal handlers at once, without a lock."""

    def __init__(self) -> None:
        count: Any = getattr(sys.modules.get("itertools"), "count", None)
        # Without a GIL a counter of itertools may miss a step before 3.14; appending to a list never does.
        exact = sys.version_info >= (3, 14) or "t" not in getattr(sys, "abiflags", "")
        self._events: "list[None]" = []
        self._count = count() if count is not None and exact else None

    def add(self) -> None:
        """Count one."""
        if self._count is not None:
            next(self._count)
        else:
            self._events.append(None)

    def value(self) -> int:
        """Return how many were counted."""
        return len(self._events) if self._count is None else int(repr(self._count)[6:-1])


class Place:
    """A line that creates threads, or an executor, and how many."""

    def __init__(self, index: int, kind: int, text: str, number: int) -> None:
        self.at = index * PLACE_BYTES
        data = text.encode("utf-8", "replace")[-(PLACE_BYTES - 22) :]
        self._words = min(max(0, number), 0xFFFFFFFF).to_bytes(4, "little") + bytes((kind, len(data))) + data
        self.created = Tally()
        self.started = Tally()

    def figures(self) -> "tuple[int, int]":
        """Return how many threads were created there, and how many of those started."""
        return self.created.value(), self.started.value()

    def record(self, figures: "tuple[int, int]") -> bytes:
        """Return the place as it stands in the file."""
        return figures[0].to_bytes(8, "little") + figures[1].to_bytes(8, "little") + self._words


class Places:
    """Where this process creates threads. Knows no thread: only where those not started yet were made."""

    def __init__(self) -> None:
        self.by_key: "dict[tuple[int, str, int], Place]" = {}
        self.unstarted: "dict[int, Place]" = {}
        """By the id of a function of the thread's own."""

    def created(self, hook: object, frame: "FrameType") -> Place:
        """Note a new thread; `frame` is that of Thread.__init__."""
        place = self._place(*creator(frame))
        place.created.add()
        while len(self.unstarted) >= UNSTARTED_MAX:
            self.unstarted.pop(next(iter(self.unstarted)), None)
        self.unstarted[id(hook)] = place
        return place

    def started(self, hook: object) -> "Place | None":
        """Note that a thread has started; None: it is not known where it was made."""
        place = self.unstarted.pop(id(hook), None)
        if place is not None:
            place.started.add()
        return place

    def _place(self, kind: int, text: str, number: int) -> Place:
        key = (kind, text, number)
        place = self.by_key.get(key)
        if place is None:
            if len(self.by_key) >= PLACES_MAX - 1:
                kind, text, number = key = (3, "", 0)
                place = self.by_key.get(key)
            if place is None:
                place = self.by_key.setdefault(key, Place(len(self.by_key), kind, text, number))
        return place


def creator(frame: "FrameType") -> "tuple[int, str, int]":
    """Return kind, text and number of the place that creates a thread; `frame`: its Thread.__init__."""
    caller = frame.f_back
    if caller is None:
        return 3, "", 0
    name = caller.f_code.co_name
    if caller.f_globals.get("__name__") in POOLS:
        found = executor(caller)
        if found is not None:
            return found
    if name == "__init__":
        # A subclass's own: the line that matters is the one that made the object.
        own = [code_of(cls) for cls in type(frame.f_locals["self"]).__mro__]
        while caller.f_back is not None and caller.f_code in own:
            caller = caller.f_back
    return 1, caller.f_code.co_filename, caller.f_lineno


def code_of(cls: type) -> "CodeType | None":
    """Return the code of a class's own __init__."""
    return getattr(cls.__dict__.get("__init__"), "__code__", None)


POOLS = ("concurrent.futures.thread", "concurrent.futures.process", "multiprocessing.pool")


def executor(frame: "FrameType") -> "tuple[int, str, int] | None":
    """Return the executor that creates a thread for itself, if it is one that we know: they may change."""
    own = frame.f_locals
    pool: Any = own.get("executor", own.get("self"))
    kind = type(pool).__name__
    workers = getattr(pool, "_max_workers", getattr(pool, "_processes", None))
    if not isinstance(workers, int):
        return None
    prefix = getattr(pool, "_thread_name_prefix", "")
    return 2, prefix or kind, workers


class ThreadCounters:
    """How many Thread objects this process created and started, kept where the launcher can read them.

    They go to a file in memory and not into messages: a program that makes a thousand threads at once would
    overflow any queue, and the figures outlive a process that is killed.
    """

    def __init__(self, descriptor: "Descriptor") -> None:
        self._descriptor = descriptor
        self.forget()

    def forget(self) -> None:
        """Begin at zero, in a forked child."""
        self._created = Tally()
        self._started = Tally()
        self._places = Places()

    def created(self, hook: object, frame: "FrameType") -> None:
        """Count a new thread; never raises."""
        self._created.add()
        place = None
        try:
            place = self._places.created(hook, frame)
        except Exception:
            pass
        self._publish(place)

    def started(self, hook: object) -> None:
        """Count a thread that starts; never raises."""
        self._started.add()
        self._publish(self._places.started(hook))

    def _publish(self, place: "Place | None") -> None:
        try:
            if not self._descriptor.is_ours():
                return
            pid = os.getpid()
            self._write(pid * COUNTER_BYTES, self._figures, self._record)
            if place is not None:
                self._write(PLACES_AT + pid * PLACES_BYTES + place.at, place.figures, place.record)
        except Exception:
            pass

    def _figures(self) -> "tuple[int, int]":
        return self._created.value(), self._started.value()

    def _record(self, figures: "tuple[int, int]") -> bytes:
        return figures[0].to_bytes(8, "little") + figures[1].to_bytes(8, "little")

    def _write(self, at: int, figures_now: "Any", record: "Any") -> None:
        while True:
            figures = figures_now()
            os.pwrite(self._descriptor.number, record(figures), at)
            # Another thread may have published newer figures before ours landed: the last one out corrects.
            if figures == figures_now():
                return


def count_threads_once_imported(counters: ThreadCounters) -> None:
    """Count threads from the moment that `threading` is imported, which may be never.

    The last statement of `threading` registers its own fork hook. Until then `os.register_at_fork` is
    replaced by a function that passes every call on and, at that one, counts from there on and puts the
    original back.
    """
    if "threading" in sys.modules:
        count_threads(sys.modules["threading"], counters)  # A .pth file imported it.
        return
    original = os.register_at_fork

    def register_at_fork(*args: "Any", **hooks: "Any") -> None:
        if getattr(hooks.get("after_in_child"), "__module__", None) == "threading":
            if os.register_at_fork is register_at_fork:
                os.register_at_fork = original
            count_threads(sys.modules["threading"], counters)
        original(*args, **hooks)

    register_at_fork.__module__ = original.__module__
    register_at_fork.__qualname__ = original.__qualname__
    register_at_fork.__doc__ = original.__doc__
    os.register_at_fork = register_at_fork


def count_threads(threading: "ModuleType", counters: ThreadCounters) -> None:
    """Wrap the two functions that `threading` itself calls once for each thread; if it has them."""
    try:
        thread_class: Any = threading.Thread
        make_hook: Any = threading._make_invoke_excepthook
        set_ident: Any = thread_class._set_ident
        # The objects for the main thread and for threads of native code: nobody created or started these.
        foreign_classes: Any = (threading._MainThread, threading._DummyThread)
        foreign_code: Container[object] = [cls.__init__.__code__ for cls in foreign_classes]
    except AttributeError:
        return  # Another threading than we know: no figures, which is what the launcher then reports.

    def _make_invoke_excepthook() -> "Any":
        hook = make_hook()
        try:
            if sys._getframe(2).f_code not in foreign_code:  # who calls Thread.__init__
                counters.created(hook, sys._getframe(1))
        except ValueError:
            pass
        return hook

    def _set_ident(self: "Any") -> None:
        set_ident(self)
        if not isinstance(self, foreign_classes):
            counters.started(getattr(self, "_invoke_excepthook", None))

    for wrapper, wrapped in ((_make_invoke_excepthook, make_hook), (_set_ident, set_ident)):
        wrapper.__module__ = "threading"
        wrapper.__qualname__ = wrapped.__qualname__
    setattr(threading, "_make_invoke_excepthook", _make_invoke_excepthook)  # noqa: B010 - a module, to mypy
    thread_class._set_ident = _set_ident

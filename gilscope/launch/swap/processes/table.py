"""Which names of which modules are exchanged where processes are asked for.

Each is imported with the first use of its module: a program without a queue loads none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _locks() -> dict[str, object]:
    from gilscope.launch.swap.processes.locks import (
        Barrier,
        BoundedSemaphore,
        Condition,
        Event,
        Lock,
        RLock,
        Semaphore,
    )

    classes = (Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier)
    return {cls.__name__: cls for cls in classes}


def _threading() -> Mapping[str, object]:
    from gilscope.launch.swap.processes.workers import (
        Thread,
        Timer,
        active_count,
        current_thread,
        enumerate_threads,
        get_ident,
        local,
        main_thread,
    )

    return {
        **_locks(),
        "Thread": Thread,
        "Timer": Timer,
        "local": local,
        "current_thread": current_thread,
        "currentThread": current_thread,
        "main_thread": main_thread,
        "enumerate": enumerate_threads,
        "active_count": active_count,
        "activeCount": active_count,
        "get_ident": get_ident,
        "get_native_id": get_ident,
    }


def _queue() -> Mapping[str, object]:
    from gilscope.launch.swap.processes.queues import (
        LifoQueue,
        PriorityQueue,
        Queue,
        SimpleQueue,
    )

    return {cls.__name__: cls for cls in (Queue, LifoQueue, PriorityQueue, SimpleQueue)}


def _pool() -> Mapping[str, object]:
    from gilscope.launch.swap.processes.pools import ThreadPool

    return {"ThreadPool": ThreadPool}


def _executor() -> Mapping[str, object]:
    from gilscope.launch.swap.processes.pools import ThreadPoolExecutor

    return {"ThreadPoolExecutor": ThreadPoolExecutor}


def _dummy() -> Mapping[str, object]:
    import multiprocessing

    threading = _threading()
    shared: list[object] = []

    def manager() -> object:
        if not shared:
            shared.append(multiprocessing.Manager())
        return shared[0]

    def make_list(*args: object) -> object:
        return manager().list(*args)  # type: ignore[attr-defined] # a SyncManager

    def make_dict(*args: object, **kwargs: object) -> object:
        return manager().dict(*args, **kwargs)  # type: ignore[attr-defined]

    return {
        **_locks(),
        "Process": threading["Thread"],
        "DummyProcess": threading["Thread"],
        "current_process": threading["current_thread"],
        "active_children": multiprocessing.active_children,
        "Pool": _pool()["ThreadPool"],
        "Queue": _queue()["Queue"],
        "JoinableQueue": _queue()["Queue"],
        "Pipe": multiprocessing.Pipe,
        "Value": multiprocessing.Value,
        "Array": multiprocessing.Array,
        "Manager": multiprocessing.Manager,
        "list": make_list,
        "dict": make_dict,
    }


def _nothing() -> Mapping[str, object]:
    """For a module that only leads to others."""
    return {}


EXCHANGES: dict[str, Callable[[], Mapping[str, object]]] = {
    "threading": _threading,
    "queue": _queue,
    "multiprocessing": _nothing,
    "multiprocessing.pool": _pool,
    "multiprocessing.dummy": _dummy,
    "concurrent": _nothing,
    "concurrent.futures": _executor,
    "concurrent.futures.thread": _executor,
}

"""Which names of which modules are exchanged where threads are asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_method: list[str] = []
"""The start method that the program has set, which has no effect."""


def _sync() -> dict[str, Any]:
    import threading

    from gilscope.launch.swap.threads.sync import (
        BoundedSemaphore,
        Condition,
        Lock,
        RLock,
        Semaphore,
    )

    classes = (Lock, RLock, Semaphore, BoundedSemaphore, Condition, threading.Event, threading.Barrier)
    return {cls.__name__: cls for cls in classes}


def _queues() -> dict[str, Any]:
    from gilscope.launch.swap.threads.sync import JoinableQueue, SimpleQueue

    return {"Queue": JoinableQueue, "JoinableQueue": JoinableQueue, "SimpleQueue": SimpleQueue}


def _process() -> dict[str, Any]:
    from gilscope.launch.swap.threads.workers import (
        Process,
        active_children,
        current_process,
        parent_process,
    )

    return {
        "Process": Process,
        "BaseProcess": Process,
        "current_process": current_process,
        "parent_process": parent_process,
        "active_children": active_children,
    }


def _shared() -> dict[str, Any]:
    from multiprocessing.sharedctypes import RawArray, RawValue

    from gilscope.launch.swap.threads.managers import Array, Value

    return {"Value": Value, "Array": Array, "RawValue": RawValue, "RawArray": RawArray}


def _managers() -> dict[str, Any]:
    from gilscope.launch.swap.threads.managers import (
        BaseManager,
        Namespace,
        SyncManager,
    )

    return {"BaseManager": BaseManager, "SyncManager": SyncManager, "Namespace": Namespace}


def _pool() -> dict[str, Any]:
    from gilscope.launch.swap.threads.pools import Pool

    return {"Pool": Pool}


def _executor() -> dict[str, Any]:
    from gilscope.launch.swap.threads.pools import ProcessPoolExecutor

    return {"ProcessPoolExecutor": ProcessPoolExecutor}


def _connection() -> dict[str, Any]:
    from gilscope.launch.swap.threads.pipes import Connection, Pipe, wait

    return {"Connection": Connection, "Pipe": Pipe, "wait": wait}


def _everything() -> dict[str, Any]:
    """What multiprocessing itself and each of its contexts offer."""
    from gilscope.launch.swap.threads.managers import Manager
    from gilscope.launch.swap.threads.pipes import Pipe

    process = _process()
    del process["BaseProcess"]
    return {
        **_sync(),
        **_queues(),
        **process,
        **_shared(),
        **_pool(),
        "Manager": Manager,
        "Pipe": Pipe,
        "freeze_support": lambda: None,
        "set_executable": lambda executable: None,  # noqa: ARG005 - nothing is started with it
        "set_forkserver_preload": lambda module_names: None,  # noqa: ARG005
        "set_start_method": _set_start_method,
        "get_start_method": _get_start_method,
        "get_context": get_context,
    }


def _set_start_method(method: str | None, force: bool = False) -> None:
    if _method and not force:
        raise RuntimeError("context has already been set")
    _method.clear()
    if method is not None:
        get_context(method)
        _method.append(method)


def _get_start_method(allow_none: bool = False) -> str | None:
    import multiprocessing

    if _method or allow_none:
        return _method[0] if _method else None
    return multiprocessing.get_all_start_methods()[0]


class Context:
    """multiprocessing.context.BaseContext: the same for each start method, but for the processes' names."""

    def __init__(self, method: str | None) -> None:
        import multiprocessing

        from gilscope.launch.swap.threads.workers import ForkProcess

        if method is not None and method not in multiprocessing.get_all_start_methods():
            raise ValueError(f"cannot find context for {method!r}")
        self.__dict__.update(_everything())
        if method is not None:
            name = {"fork": "ForkProcess", "spawn": "SpawnProcess", "forkserver": "ForkServerProcess"}[method]
            self.Process = type(name, (ForkProcess,), {"_prefix": name})
            self.get_start_method = lambda allow_none=False: method  # noqa: ARG005 - as it is called

    def __getattr__(self, name: str) -> Any:
        """All else is the real one's: errors, cpu_count, the logger."""
        import multiprocessing

        return getattr(multiprocessing, name)


def get_context(method: str | None = None) -> Context:
    """multiprocessing.get_context."""
    return Context(method)


def _contexts() -> dict[str, Any]:
    return {"BaseContext": Context, "Process": _process()["Process"]}


def _nothing() -> dict[str, Any]:
    """For a module that only leads to others."""
    return {}


EXCHANGES: dict[str, Callable[[], Mapping[str, object]]] = {
    "multiprocessing": _everything,
    "multiprocessing.process": _process,
    "multiprocessing.context": _contexts,
    "multiprocessing.synchronize": _sync,
    "multiprocessing.queues": _queues,
    "multiprocessing.sharedctypes": _shared,
    "multiprocessing.managers": _managers,
    "multiprocessing.connection": _connection,
    "multiprocessing.pool": _pool,
    "concurrent": _nothing,
    "concurrent.futures": _executor,
    "concurrent.futures.process": _executor,
}

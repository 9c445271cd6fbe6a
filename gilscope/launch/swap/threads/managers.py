"""Managers, and shared values, as plain objects of this process: its threads share all anyway."""

from __future__ import annotations

import multiprocessing.sharedctypes as shared
import queue
import threading

from gilscope.launch.swap.threads.pools import Pool
from gilscope.launch.swap.threads.sync import (
    BoundedSemaphore,
    Condition,
    JoinableQueue,
    Lock,
    RLock,
    Semaphore,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def Value(typecode_or_type: Any, *args: Any, lock: Any = True) -> Any:  # noqa: N802 - its name, likewise below
    """A value of a C type, with all that such a type does, and a lock of threads."""
    lock = RLock() if lock is True or lock is None else lock
    return shared.Value(typecode_or_type, *args, lock=lock)


def Array(typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True) -> Any:  # noqa: N802
    """An array of a C type."""
    lock = RLock() if lock is True or lock is None else lock
    return shared.Array(typecode_or_type, size_or_initializer, lock=lock)


class Namespace:
    """multiprocessing.managers.Namespace."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        shown = sorted(f"{name}={value!r}" for name, value in vars(self).items() if name[0] != "_")
        return f"{type(self).__name__}({', '.join(shown)})"


class _Value:
    """What a manager calls a Value."""

    def __init__(self, typecode: Any, value: Any, lock: Any = True) -> None:  # noqa: ARG002
        self.value = value

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        self.value = value


def _array(typecode: Any, sequence: Any, lock: Any = True) -> Any:  # noqa: ARG001 - as it is called
    import array

    return array.array(typecode, sequence)


class BaseManager:
    """multiprocessing.managers.BaseManager: what is registered is called, and the result used as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """There is no server: an address and a key have no meaning."""

    @classmethod
    def register(cls, typeid: str, callable: Callable[..., Any] | None = None, **more: Any) -> None:  # noqa: ARG003
        def make(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG001 - a method
            if callable is None:
                raise NotImplementedError(
                    f"{typeid} is registered without a callable, for a server elsewhere"
                )
            return callable(*args, **kwargs)

        setattr(cls, typeid, make)

    def start(self, initializer: Any = None, initargs: Any = ()) -> None:
        if initializer is not None:
            initializer(*initargs)

    def shutdown(self) -> None:
        """Nothing runs."""

    def join(self, timeout: float | None = None) -> None:
        """Nothing runs."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()


class SyncManager(BaseManager):
    """multiprocessing.managers.SyncManager."""


_offered: dict[str, Any] = {
    "dict": dict, "list": list, "Namespace": Namespace, "Value": _Value, "Array": _array, "Pool": Pool,
    "Queue": JoinableQueue, "JoinableQueue": JoinableQueue, "Lock": Lock, "RLock": RLock,
    "Semaphore": Semaphore, "BoundedSemaphore": BoundedSemaphore, "Condition": Condition,
    "Event": threading.Event, "Barrier": threading.Barrier,
    "LifoQueue": queue.LifoQueue, "PriorityQueue": queue.PriorityQueue,
}  # fmt: skip
for _name, _made in _offered.items():
    SyncManager.register(_name, _made)


def Manager() -> SyncManager:  # noqa: N802 - its name
    """multiprocessing.Manager."""
    return SyncManager()

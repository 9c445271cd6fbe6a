"""Locks and queues of threads, with the signatures and errors of `multiprocessing`."""

from __future__ import annotations

import queue
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _wait(block: bool, timeout: float | None) -> float:
    """What `multiprocessing` means by a timeout, as `threading` has it."""
    if not block or timeout is None:
        return -1
    return max(0.0, timeout)


class _Held:
    """acquire() as processes call it."""

    _lock: Any

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        return bool(self._lock.acquire(block, _wait(block, timeout)))

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def release(self) -> None:
        self._lock.release()


class Lock(_Held):
    """multiprocessing.Lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def release(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            raise ValueError("semaphore or lock released too many times") from None

    def locked(self) -> bool:
        """As of CPython 3.14."""
        return bool(self._lock.locked())


class RLock(_Held):
    """multiprocessing.RLock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def release(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            raise AssertionError("attempt to release recursive lock not owned by thread") from None

    # What threading.Condition asks a recursive lock for.

    def _is_owned(self) -> bool:
        return bool(self._lock._is_owned())

    def _release_save(self) -> Any:
        return self._lock._release_save()

    def _acquire_restore(self, state: Any) -> None:
        self._lock._acquire_restore(state)


class Semaphore(_Held):
    """multiprocessing.Semaphore."""

    _kind: Any = threading.Semaphore

    def __init__(self, value: int = 1) -> None:
        self._lock = self._kind(value)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        return bool(self._lock.acquire(block, max(0.0, timeout) if block and timeout is not None else None))

    def get_value(self) -> int:
        return int(self._lock._value)


class BoundedSemaphore(Semaphore):
    """multiprocessing.BoundedSemaphore."""

    _kind = threading.BoundedSemaphore


class Condition(threading.Condition):
    """multiprocessing.Condition."""

    def __init__(self, lock: Any = None) -> None:
        own: Any = RLock()
        super().__init__(own if lock is None else lock)


class JoinableQueue(queue.Queue):  # type: ignore[type-arg] # generic only to checkers, in 3.8
    """multiprocessing.JoinableQueue, and Queue."""

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(obj, block, None if timeout is None else max(0.0, timeout))

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return super().get(block, None if timeout is None else max(0.0, timeout))

    def put_nowait(self, obj: Any) -> None:
        self.put(obj, block=False)

    def close(self) -> None:
        """Of processes, each closes its own end: of threads, whoever closes does so for none but itself."""

    def join_thread(self) -> None:
        """There is no thread to wait for."""

    def cancel_join_thread(self) -> None:
        """There is no thread to wait for."""


class SimpleQueue(JoinableQueue):
    """multiprocessing.SimpleQueue."""

    def __init__(self) -> None:
        super().__init__()

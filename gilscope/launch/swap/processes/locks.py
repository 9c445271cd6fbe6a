"""Locks and the like that work between processes, with the signatures and errors of `threading`."""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize as between

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.context import BaseContext
    from typing import Any


_COUNTING: Any = vars(between)["SEMAPHORE"]


def context() -> BaseContext:
    """The start method that the program chose, or the platform's own, which stays open to be chosen."""
    method = multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]
    return multiprocessing.get_context(method)


def _timeout(blocking: bool, timeout: float | None) -> float | None:
    """What `threading` means by a timeout, as `multiprocessing` has it."""
    if not blocking and timeout not in (-1, None):
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout is None or timeout == -1:
        return None
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    return timeout


class _Taken:
    """acquire() as threads call it, for the classes that have one semaphore."""

    _semlock: Any

    def acquire(self, blocking: bool = True, timeout: float | None = -1) -> bool:
        return bool(self._semlock.acquire(blocking, _timeout(blocking, timeout)))

    def _make_methods(self) -> None:
        """SemLock would put the semaphore's own methods here, in the place of ours."""

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def release(self) -> None:
        raise NotImplementedError

    def locked(self) -> bool:
        return bool(self._semlock._is_zero())


class Lock(_Taken, between.Lock):
    """threading.Lock."""

    def __init__(self) -> None:
        super().__init__(ctx=context())

    def release(self) -> None:
        try:
            self._semlock.release()
        except ValueError:
            raise RuntimeError("release unlocked lock") from None


class RLock(_Taken, between.RLock):
    """threading.RLock."""

    def __init__(self) -> None:
        super().__init__(ctx=context())

    def release(self) -> None:
        try:
            self._semlock.release()
        except AssertionError:
            raise RuntimeError("cannot release un-acquired lock") from None


class Semaphore(_Taken, between.Semaphore):
    """threading.Semaphore."""

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        super().__init__(value, ctx=context())

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        return super().acquire(blocking, timeout)

    def release(self, n: int = 1) -> None:
        if n < 1:
            raise ValueError("n must be one or more")
        for _ in range(n):
            self._semlock.release()


class BoundedSemaphore(Semaphore):
    """threading.BoundedSemaphore."""

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        # One of multiprocessing's own would have its own __init__; a bound of 0 cannot be made by the system.
        between.SemLock.__init__(self, _COUNTING, value, max(value, 1), ctx=context())
        self._empty_bound = value == 0

    def release(self, n: int = 1) -> None:
        if self.__dict__.get("_empty_bound"):
            raise ValueError("Semaphore released too many times")
        try:
            super().release(n)
        except ValueError:
            raise ValueError("Semaphore released too many times") from None


class Condition(between.Condition):
    """threading.Condition."""

    def __init__(self, lock: Any = None) -> None:
        super().__init__(RLock() if lock is None else lock, ctx=context())

    def wait(self, timeout: float | None = None) -> bool:
        self._need_lock("wait on")
        return super().wait(timeout)

    def notify(self, n: int = 1) -> None:
        self._need_lock("notify on")
        super().notify(n)

    def notify_all(self) -> None:
        self._need_lock("notify on")
        super().notify_all()

    notifyAll = notify_all  # noqa: N815 - its old name

    def _need_lock(self, what: str) -> None:
        if not self._lock._semlock._is_mine():  # type: ignore[attr-defined] # of SemLock
            raise RuntimeError(f"cannot {what} un-acquired lock")


class Event(between.Event):
    """threading.Event."""

    def __init__(self) -> None:
        super().__init__(ctx=context())

    isSet = between.Event.is_set  # noqa: N815 - its old name


class Barrier(between.Barrier):
    """threading.Barrier."""

    def __init__(self, parties: int, action: Any = None, timeout: float | None = None) -> None:
        super().__init__(parties, action, timeout, ctx=context())

"""ThreadPool and ThreadPoolExecutor, as pools of processes."""

from __future__ import annotations

import functools
import time
from concurrent.futures import process as executors
from multiprocessing import pool as pools
from multiprocessing import reduction

from gilscope.launch.swap.changes import Snapshot, place_of
from gilscope.launch.swap.hook import users_place
from gilscope.launch.swap.notes import note
from gilscope.launch.swap.processes.locks import context
from gilscope.launch.swap.processes.workers import is_pickle_error, prepare_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from typing import Any

_LOOK_EVERY_S = 0.05
"""Changed globals are looked for after the first tasks of a worker, then at most so often."""
_FIRST_TASKS = 3
_said: set[tuple[tuple[str, int] | None, str]] = set()
"""A function that cannot be pickled fails as such first, and then with each task."""


class Task:
    """A function on its way to a worker of a pool; looks afterwards at what it changed there."""

    tasks = 0
    looked_s = 0.0

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        now_s = time.monotonic()
        Task.tasks += 1
        if Task.tasks > _FIRST_TASKS and now_s - Task.looked_s < _LOOK_EVERY_S:
            return self.function(*args, **kwargs)
        seen = Snapshot(target=self.function, args=args, kwargs=kwargs)
        try:
            return self.function(*args, **kwargs)
        finally:
            Task.looked_s = time.monotonic()
            seen.report(place_of(self.function))


def _wrapped(function: Callable[..., Any]) -> Task:
    """Return the function as a task; says so if no process could get it."""
    try:
        reduction.ForkingPickler.dumps(function)
    except Exception as error:
        name = getattr(function, "__qualname__", type(function).__name__)
        _say(error, users_place(), f"the function {name}")
    return Task(function)


def _say(
    error: BaseException, place: tuple[str, int] | None, what: str = "an argument or the result"
) -> None:
    if is_pickle_error(error) and (place, str(error)) not in _said:
        _said.add((place, str(error)))
        note("pickle", f"A pool of processes cannot be sent {what}: {error}", place)


class ThreadPool(pools.Pool):
    """multiprocessing.pool.ThreadPool."""

    def __init__(
        self, processes: int | None = None, initializer: Any = None, initargs: Iterable[Any] = ()
    ) -> None:
        prepare_output()
        super().__init__(processes, initializer, initargs, context=context())

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Any = (),
        kwds: Any = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> Any:
        return super().apply_async(_wrapped(func), args, kwds or {}, callback, _saying(error_callback))

    def _map_async(
        self,
        func: Any,
        iterable: Any,
        mapper: Any,
        chunksize: int | None = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> Any:
        """Whatever maps goes through here, with results at once or later."""
        original = super()._map_async  # type: ignore[misc] # of Pool
        return original(_wrapped(func), iterable, mapper, chunksize, callback, _saying(error_callback))

    def imap(self, func: Any, iterable: Any, chunksize: int = 1) -> Any:  # type: ignore[override] # its own class
        return _Results(super().imap(_wrapped(func), iterable, chunksize))

    def imap_unordered(self, func: Any, iterable: Any, chunksize: int = 1) -> Any:  # type: ignore[override]
        return _Results(super().imap_unordered(_wrapped(func), iterable, chunksize))


class _Results:
    """What imap gives, with unpicklable results noticed."""

    def __init__(self, results: Any) -> None:
        self._results = results
        self._place = users_place()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        try:
            return next(self._results) if timeout is None else self._results.next(timeout)
        except StopIteration:
            raise
        except Exception as error:
            _say(error, self._place)
            raise


def _saying(callback: Callable[[BaseException], object] | None) -> Callable[[BaseException], object]:
    place = users_place()

    def failed(error: BaseException) -> None:
        _say(error, place)
        if callback is not None:
            callback(error)

    return failed


class ThreadPoolExecutor(executors.ProcessPoolExecutor):
    """concurrent.futures.ThreadPoolExecutor."""

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Any = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        if thread_name_prefix:
            note(
                "dropped",
                f"thread_name_prefix={thread_name_prefix!r} is dropped: a pool names its processes itself.",
                users_place(),
            )
        prepare_output()
        super().__init__(max_workers, context(), initializer, initargs)

    def submit(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:  # type: ignore[override]
        if getattr(fn, "func", None) is not executors._process_chunk:  # map() has done it
            fn = _wrapped(fn)
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(functools.partial(_look_at, users_place()))
        return future

    def map(
        self, fn: Callable[..., Any], *iterables: Any, timeout: float | None = None, chunksize: int = 1,
        **more: Any,
    ) -> Iterator[Any]:  # fmt: skip
        return super().map(_wrapped(fn), *iterables, timeout=timeout, chunksize=chunksize, **more)


def _look_at(place: tuple[str, int] | None, future: Future[Any]) -> None:
    if not future.cancelled():
        error = future.exception()
        if error is not None:
            _say(error, place)

"""Pool and ProcessPoolExecutor, as pools of threads."""

from __future__ import annotations

import os
from concurrent.futures import thread as executors
from multiprocessing import pool as pools

from gilscope.launch.swap.hook import users_place
from gilscope.launch.swap.notes import note
from gilscope.launch.swap.threads.workers import PoolWorker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Pool(pools.ThreadPool):
    """multiprocessing.Pool."""

    def __init__(
        self,
        processes: int | None = None,
        initializer: Any = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: object = None,  # noqa: ARG002 - threads have no start method
    ) -> None:
        if maxtasksperchild is not None:
            note(
                "dropped",
                f"maxtasksperchild={maxtasksperchild} is dropped: a pool of threads keeps its threads.",
                users_place(),
            )
        super().__init__(processes, initializer, tuple(initargs))

    @staticmethod
    def Process(ctx: object, *args: Any, **kwargs: Any) -> Any:  # noqa: N802, ARG004 - as Pool calls it
        return PoolWorker(*args, **kwargs)


class ProcessPoolExecutor(executors.ThreadPoolExecutor):
    """concurrent.futures.ProcessPoolExecutor."""

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: object = None,  # noqa: ARG002 - threads have no start method
        initializer: Any = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
    ) -> None:
        if max_tasks_per_child is not None:
            note(
                "dropped",
                f"max_tasks_per_child={max_tasks_per_child} is dropped: a pool of threads keeps its threads.",
                users_place(),
            )
        super().__init__(max_workers or os.cpu_count() or 1, "", initializer, initargs)

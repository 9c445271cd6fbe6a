"""Interpreters that `multiprocessing` spawns get the swap too, and a missing main guard is told.

A spawned child unpickles the preparation data before it imports the user's main module: an object in there
installs the swap as it is unpickled. The fork server may import the main module before any of that, so its
command line begins with the same code.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys

from gilscope.launch.swap.boot import boot_text
from gilscope.launch.swap.hook import users_place
from gilscope.launch.swap.notes import line_fd, note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gilscope.launch.swap.boot import SwapConfig

_SPAWN, _UTIL = "multiprocessing.spawn", "multiprocessing.util"


class _Boot:
    """Installs the swap where it is unpickled."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __reduce__(self) -> tuple[object, tuple[str, dict[str, object]]]:
        return exec, (self._text, {})


class _Watcher(importlib.abc.MetaPathFinder):
    """Wraps functions of two modules when, and only when, the program comes to import them."""

    def __init__(self, config: SwapConfig) -> None:
        self._wrap = {_SPAWN: _wrap_spawn, _UTIL: _wrap_util}
        self._config = config

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:  # noqa: ARG002
        wrap = self._wrap.pop(name, None)
        if wrap is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            loader, config = spec.loader, self._config
            execute = loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                wrap(module, config)

            loader.exec_module = exec_module  # type: ignore[method-assign] # of this one loader
        if not self._wrap:
            sys.meta_path.remove(self)
        return spec


def follow(config: SwapConfig) -> None:
    """See to it that children of this process are as it is."""
    watcher = _Watcher(config)
    for name in (_SPAWN, _UTIL):
        if name in sys.modules:
            watcher._wrap.pop(name)(sys.modules[name], config)
    if watcher._wrap:
        sys.meta_path.insert(0, watcher)


def _wrap_spawn(module: Any, config: SwapConfig) -> None:
    original = module.get_preparation_data
    check = module._check_not_importing_main

    def get_preparation_data(name: str) -> dict[str, object]:
        return {**original(name), "gilscope": _Boot(boot_text(config))}

    def _check_not_importing_main() -> None:
        try:
            check()
        except RuntimeError:
            note(
                "main-guard",
                'The script starts a worker while it is imported: without `if __name__ == "__main__":` '
                "around that, its code runs again in each process that spawn or forkserver makes.",
                users_place(),
            )
            raise

    module.get_preparation_data = get_preparation_data
    module._check_not_importing_main = _check_not_importing_main


def _wrap_util(module: Any, config: SwapConfig) -> None:
    original = module.spawnv_passfds

    def spawnv_passfds(path: Any, args: Sequence[Any], passfds: Sequence[int]) -> int:
        args = list(args)
        for at, arg in enumerate(args):
            if isinstance(arg, str) and arg.startswith("from multiprocessing.forkserver import"):
                args[at] = f"exec({boot_text(config)!r}, {{}}); {arg}"
        fd = line_fd()
        if fd is not None and not any("resource_tracker import" in str(arg) for arg in args):
            passfds = [*passfds, fd]  # so that the child can say what it cannot carry over
        return int(original(path, args, passfds))

    module.spawnv_passfds = spawnv_passfds

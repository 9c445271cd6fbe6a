"""Imports of the user's modules get stand-ins for `threading`, `multiprocessing` and what belongs to them.

`builtins.__import__` is told whose import it is by the importing module's globals. Only the user's own
modules get stand-ins: everything in the standard library and in site-packages goes on with the real modules,
which are never changed. A stand-in is a module of the same name: what is exchanged is in it, all else is the
real module's.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from types import ModuleType

from gilscope.launch.swap.notes import configure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType
    from typing import Any

    from gilscope.launch.swap.boot import SwapConfig

_MAIN = ("__main__", "__mp_main__")
_OWN = "gilscope.launch.swap."
_SITE = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
_LIBRARY = tuple(
    {path + os.sep for path in (os.path.dirname(os.__file__), os.path.realpath(os.path.dirname(os.__file__)))}
)
_TOPS = ("threading", "queue", "multiprocessing", "concurrent")

_package = ""
_exchanges: dict[str, Callable[[], Mapping[str, object]]] = {}
_facades: dict[str, Facade] = {}
_is_users_file: dict[str, bool] = {}


class Facade(ModuleType):
    """A module in the place of a real one."""

    def __init__(self, real: Any, exchanged: Mapping[str, object]) -> None:
        super().__init__(real.__name__, real.__doc__)
        # These three are there for every module, and would hide the real one's.
        for name in ("__spec__", "__loader__", "__package__"):
            self.__dict__[name] = getattr(real, name, None)
        self.__dict__.update(exchanged)
        self.__dict__["_gilscope_real"] = real
        self.__dict__["_gilscope_exchanged"] = frozenset(exchanged)

    def __getattr__(self, name: str) -> object:
        """All that is not exchanged is the real module's, submodules in their own stand-ins."""
        value = getattr(self.__dict__["_gilscope_real"], name)
        if isinstance(value, ModuleType):
            return stand_in(value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Set what is not exchanged in the real module, where it has its effect: `threading.excepthook`."""
        if name in self.__dict__["_gilscope_exchanged"]:
            self.__dict__[name] = value
        else:
            setattr(self.__dict__["_gilscope_real"], name, value)

    def __dir__(self) -> Sequence[str]:
        """The real module's names, and what is exchanged."""
        return sorted({*dir(self.__dict__["_gilscope_real"]), *self.__dict__["_gilscope_exchanged"]})

    def __reduce__(self) -> Any:
        """Pickled by name, like no real module, since closures of stand-ins may hold one."""
        return importlib.import_module, (self.__name__,)


def install(config: SwapConfig) -> None:
    """Exchange from now on; called once in an interpreter, before code of the user runs."""
    global _package  # noqa: PLW0603 - set once
    _package = config["package"]
    configure(config["reports"])
    if config["mode"] == "processes":
        from gilscope.launch.swap.processes.table import EXCHANGES
    else:
        from gilscope.launch.swap.threads.table import EXCHANGES
    _exchanges.update(EXCHANGES)
    original = builtins.__import__
    original_import_module = importlib.import_module

    def __import__(  # noqa: A001, N807 - as tracebacks have it
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        if not fromlist and name.startswith(_OWN):
            # pickle imports so, and the packages above ours need not exist.
            fromlist = ("__name__",)
        module = original(name, globals, locals, fromlist or (), level)
        if level or name.partition(".")[0] not in _TOPS:
            return module
        scope = sys._getframe(1).f_globals if globals is None else globals
        return stand_in(module) if is_users(scope) else module

    def import_module(name: str, package: str | None = None) -> Any:
        module = original_import_module(name, package)
        return stand_in(module) if is_users(sys._getframe(1).f_globals) else module

    import_module.__doc__ = original_import_module.__doc__
    import_module.__module__ = original_import_module.__module__
    builtins.__import__ = __import__
    importlib.import_module = import_module
    from gilscope.launch.swap.spawning import follow

    follow(config)


def stand_in(module: Any) -> Any:
    """Return what the user gets for a module: its stand-in if it has one, else itself."""
    name = module.__name__
    if isinstance(module, Facade) or name not in _exchanges or is_users(module.__dict__):
        return module  # the last: a file of the user that is called queue.py
    if name not in _facades:
        _facades[name] = Facade(module, _exchanges[name]())
    return _facades[name]


def is_users(scope: Mapping[str, object]) -> bool:
    """Say whether a module, given by its globals, is the user's own."""
    name, file = scope.get("__name__"), scope.get("__file__")
    if not isinstance(name, str) or name.startswith(_OWN):
        return False
    if not isinstance(file, str):
        return name in _MAIN  # -c; other modules without a file are built in, or made by exec
    if name in _MAIN or (_package and name.partition(".")[0] == _package):
        return not os.path.abspath(file).startswith(_LIBRARY) or any(part in file for part in _SITE)
    known = _is_users_file.get(file)
    if known is None:
        path = os.path.abspath(file)
        known = not path.startswith(_LIBRARY) and not any(part in path for part in _SITE)
        _is_users_file[file] = known
    return known


def users_place() -> tuple[str, int] | None:
    """Return file and line of the innermost call in the user's code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_users(frame.f_globals):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


def users_modules() -> list[Any]:
    """All modules of the user that are loaded, each once."""
    # Looked for by identity: under spawn the main module has two names.
    found = {
        id(module): module
        for module in list(sys.modules.values())
        if isinstance(module, ModuleType) and not isinstance(module, Facade) and is_users(module.__dict__)
    }
    return list(found.values())

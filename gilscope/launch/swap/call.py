"""Call a function of a script or module in several workers: what `gilscope run FILE:FUNCTION` starts.

    call.py script|module NAME FUNCTION WORKERS [ARGS …]

The workers are threads; under `--mode processes` this file's `threading` is exchanged, like a script's. Its
output is a line per worker, in their order, once all have ended:

    worker-0 returned 42                     on standard output
    worker-1 raised ValueError: no           on standard error, followed by the traceback
    worker-2 ended without a result          on standard error: its process was killed

Exit code 1 if any of them did not return, 2 if there is no such function.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import queue
import sys
import threading
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_loaded: dict[tuple[str, str], Any] = {}


def load(kind: str, name: str) -> Any:
    """Import the module, or the script under its file's name: what a main guard is for does not run."""
    if (kind, name) not in _loaded:
        if kind == "module":
            _loaded[kind, name] = importlib.import_module(name)
        else:
            _loaded[kind, name] = _load_script(name)
    return _loaded[kind, name]


def _load_script(path: str) -> Any:
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        _refuse(f"{path} cannot be loaded as Python: its name has to end in .py.")
    module = importlib.util.module_from_spec(spec)
    # So that what the function returns can be pickled, which names its module.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def find(kind: str, name: str, function: str) -> Callable[..., Any]:
    """Return the function; end with a message if it is none."""
    found = load(kind, name)
    for part in function.split("."):
        if not hasattr(found, part):
            _refuse(f"{name} has no {function}.")
        found = getattr(found, part)
    if not callable(found):
        _refuse(f"{function} of {name} is of type {type(found).__name__}: it cannot be called.")
    if inspect.iscoroutinefunction(found):
        _refuse(f"{function} of {name} is async: give a function that runs its event loop.")
    return found  # type: ignore[no-any-return] # what is callable


def takes_number(function: Callable[..., Any]) -> bool:
    """Say whether it takes an argument: the worker's number. One that needs more cannot be called."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False  # written in C, and tells nothing
    places = [
        p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)
    ]
    needed = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if len(needed) > 1 or any(p.kind is p.KEYWORD_ONLY for p in needed):
        name = getattr(function, "__name__", "the function")
        _refuse(f"{name} needs {len(needed)} arguments: a worker has only its number to give.")
    return bool(places)


def work(number: int, kind: str, name: str, function: str, results: Any) -> None:
    """What a worker does: call the function, and tell what came of it in words."""
    try:
        called = find(kind, name, function)
        value = called(number) if takes_number(called) else called()
        results.put((number, True, f"returned {value!r}"))
    except BaseException as error:
        said = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]
        results.put((number, False, f"raised {said}\n{traceback.format_exc().rstrip()}"))


def main(kind: str, name: str, function: str, count: int) -> int:
    """Call it in so many workers; return the exit code."""
    takes_number(find(kind, name, function))
    results: Any = queue.Queue()
    workers = [
        threading.Thread(target=work, args=(number, kind, name, function, results), name=f"worker-{number}")
        for number in range(count)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told = {}
    while not results.empty():
        number, returned, text = results.get()
        told[number] = (returned, text)
    code = 0
    for number in range(count):
        returned, text = told.get(number, (False, "ended without a result"))
        stream = sys.stdout if returned else sys.stderr
        stream.write(f"worker-{number} {text}\n")
        stream.flush()
        code = code if returned else 1
    return code


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"gilscope: {message}\n")
    sys.stderr.flush()
    sys.exit(2)


if __name__ == "__main__":
    kind, name, function, workers = sys.argv[1:5]
    # As the interpreter has it when it runs a script, or a module.
    sys.argv[:] = [name, *sys.argv[5:]]
    here = os.getcwd() if kind == "module" else os.path.dirname(os.path.abspath(name))
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = here
    sys.exit(main(kind, name, function, int(workers)))

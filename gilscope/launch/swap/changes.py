"""Find what a worker process changed that its parent would see if it were a thread.

Compared are the user's module globals, the attributes of the worker's own Thread object, its arguments and
the variables that its function encloses; of lists, dicts, sets and plain objects also what they directly
hold. It is by identity mostly, so it costs microseconds and never calls code of the user: a change deeper
down is missed, and nothing is reported that is not one.
"""

from __future__ import annotations

import collections
import sys
from types import FunctionType, MethodType, ModuleType

from gilscope.launch.swap.hook import is_users, users_modules
from gilscope.launch.swap.notes import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LARGEST = 10_000
"""Of a larger container only the length is compared."""
_SIMPLE = (int, float, complex, str, bytes, bool, type(None))
_ROWS = (list, set, collections.deque)
_MAPPINGS = (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)
"""These very types: a class of the user derived from one may do anything when it is read."""
_MISSING = object()


class Snapshot:
    """The state of what a worker could change, as it is when this is made."""

    def __init__(self, *, target: Any = None, args: Any = (), kwargs: Any = None, owner: Any = None) -> None:
        """Look at everything.

        Args:
            target: the worker's function.
            args: its arguments.
            kwargs: its keyword arguments.
            owner: the worker's Thread object, where it is of a class of the user.
        """
        self._target = target
        self._owner = owner
        self._values: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._inputs = (args, kwargs or {})
        self._works = True
        try:
            for key, value in self._look():
                self._values[key] = (value, _inside(value))
        except Exception:  # an object that cannot be looked at must not end the worker
            self._works = False

    def _look(self) -> Iterator[tuple[tuple[str, str], Any]]:
        for module in users_modules():
            where = str(getattr(module, "__file__", None) or "-c").rpartition("/")[2]
            for name, value in list(module.__dict__.items()):
                if not name.startswith("__"):
                    yield (f"the global {name}", f" of {where}"), value
        args, kwargs = self._inputs
        for name, value in [*((number + 1, value) for number, value in enumerate(args)), *kwargs.items()]:
            if type(value) not in _SIMPLE:
                yield (f"its argument {name}", f" ({type(value).__name__})"), value
        yield from _enclosed(self._target)
        if self._owner is not None:
            for name, value in list(self._owner.__dict__.items()):
                if not name.startswith("_") and name != "run":
                    yield (f"the attribute {name}", " of its own Thread object"), value

    def changes(self) -> list[str]:
        """What is not as it was, each in words: "the global total of sum.py"."""
        found = []
        now = dict(self._look())
        seen: set[int] = set()
        for key, value in now.items():
            before, inside = self._values.get(key, (_MISSING, None))
            same = _is_same(before, value)
            if before is _MISSING and not key[0].startswith("the attribute") and not _is_data(value):
                continue  # a module imported or a function defined meanwhile
            if same and (inside is None or _same_inside(inside, _inside(value))):
                continue
            if id(value) not in seen or type(value) in _SIMPLE:
                seen.add(id(value))
                found.append("".join(key))
        return found

    def report(self, place: tuple[str, int] | None) -> None:
        """Say it, in a note for each; workers that do the same say the same."""
        try:
            found = self.changes() if self._works else []
        except Exception:  # as above
            return
        for what in found:
            note(
                "not-shared",
                f"A worker changed {what}, and only its own process sees that. A Queue, or the result of a "
                "pool, would bring it back.",
                place,
            )


def _enclosed(function: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    if isinstance(function, MethodType):
        owner = function.__self__
        yield ("the object whose method it runs", f" ({type(owner).__name__})"), owner
        function = function.__func__
    if isinstance(function, FunctionType):
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                yield (f"the enclosed variable {name}", ""), cell.cell_contents
            except ValueError:
                continue  # not assigned yet


def place_of(function: Any) -> tuple[str, int] | None:
    """File and line where a function of the user begins."""
    function = getattr(function, "func", function)  # a functools.partial
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else None


def _is_data(value: Any) -> bool:
    return type(value) in (*_SIMPLE, *_ROWS, *_MAPPINGS, bytearray) or _is_plain_object(value)


def _is_plain_object(value: Any) -> bool:
    """An object of a class written in the user's own modules: not of one that shares between processes."""
    cls = type(value)
    module = sys.modules.get(cls.__module__)
    if module is None or not is_users(module.__dict__) or issubclass(cls, (type, ModuleType)):
        return False
    if any(base.__module__.startswith(("gilscope.", "multiprocessing")) for base in cls.__mro__):
        return False
    return type(_own_attributes(value)) is dict


def _own_attributes(value: Any) -> Any:
    """Its __dict__, without asking its class, which may make one up."""
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None


def _is_same(before: Any, value: Any) -> bool:
    if before is value:
        return True
    # A worker may assign an equal number or text anew: nobody could see that.
    return type(before) is type(value) and type(value) in _SIMPLE and bool(before == value)


def _inside(value: Any) -> tuple[Any, ...] | None:
    """What a container or object holds directly; None for what cannot change."""
    if type(value) is bytearray:
        return (len(value), bytes(value[:_LARGEST]))
    if type(value) in _ROWS:
        return (len(value), *(list(value) if len(value) <= _LARGEST else ()))
    if type(value) in _MAPPINGS:
        return (len(value), *(_pairs(value) if len(value) <= _LARGEST else ()))
    if issubclass(type(value), type):
        module = sys.modules.get(value.__module__)
        if module is None or not is_users(module.__dict__):
            return None
        # Counters kept in a class; what Python itself puts there is of no interest.
        return tuple(_pairs({k: v for k, v in vars(value).items() if _is_data(v) and not k.startswith("__")}))
    return tuple(_pairs(_own_attributes(value))) if _is_plain_object(value) else None


def _pairs(mapping: dict[Any, Any]) -> Iterator[Any]:
    for key, value in list(mapping.items()):
        yield key
        yield value


def _same_inside(before: tuple[Any, ...], now: tuple[Any, ...] | None) -> bool:
    return now is not None and len(before) == len(now) and all(map(_is_same, before, now))

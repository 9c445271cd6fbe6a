"""Many rows made into objects of the model at once: a column at a time, not an object at a time.

A frozen dataclass sets each field of each object through Python's `object.__setattr__`, by its name: of a
thousand lanes and 256 cores that took more time than SQLite's reading, and a window of the screen is full
of them. What comes of it is equal to what the class's own constructor makes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import repeat
from typing import Any, TypeVar

T = TypeVar("T")


def made(kind: type[T], columns: Sequence[Sequence[Any]]) -> list[T]:
    """An object of a dataclass with slots for each row; `columns`: the values of each field, in order."""
    if not columns or not columns[0]:
        return []
    objects = list(map(object.__new__, repeat(kind, len(columns[0]))))
    for setter, values in zip(_setters(kind), columns, strict=True):
        _run(map(setter, objects, values))
    return objects


def by_tick(ticks: Sequence[Any], objects: Sequence[T]) -> dict[Any, tuple[T, ...]]:
    """Those of each tick; `ticks`: the tick of each, in order."""
    found, at = {}, 0
    for tick, count in Counter(ticks).items():
        found[tick] = tuple(objects[at : at + count])
        at += count
    return found


_known: dict[Any, tuple[Any, ...]] = {}


def _setters(kind: Any) -> tuple[Any, ...]:
    found = _known.get(kind)
    if found is None:
        found = _known[kind] = tuple(kind.__dict__[field.name].__set__ for field in fields(kind))
    return found


def _run(calls: Iterable[None]) -> None:
    """Do them all, and keep nothing."""
    deque(calls, maxlen=0)

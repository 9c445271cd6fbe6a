"""Keys in tables: each screen has one, and footer, help and command palette are made from it.

A row is a Textual `Binding`: its `description` is the short word of the footer, its `tooltip` the name of
the action in help and palette, with more about it behind a colon.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from gilscope.views.render.footer import KeyHint

KeyLine = tuple[str, str]
"""A key and what it does, for people."""


def key(
    keys: str,
    action: str,
    words: str,
    *,
    name: str,
    tooltip: str = "",
    shown: str | None = None,
    priority: bool = False,
) -> Binding:
    """A row.

    Args:
        keys: Textual's names of the keys, apart by commas.
        action: what they do.
        words: for the footer, and the name where there is no `tooltip`.
        name: the row's id, by which a user's keymap knows it.
        tooltip: the action's name, and more about it behind a colon.
        shown: the keys for people.
        priority: before the focused panel's own keys.
    """
    return Binding(
        keys,
        action,
        words,
        id=name,
        tooltip=tooltip or words,
        key_display=shown,
        show=False,
        priority=priority,
    )


def rows(bindings: Iterable[BindingType]) -> Iterator[Binding]:
    """The rows of a table, as `Binding`s."""
    for binding in bindings:
        if isinstance(binding, Binding):
            yield binding


def keys_of(binding: Binding) -> str:
    """The keys of a row, for people."""
    return binding.key_display or binding.key


def name_of(binding: Binding) -> str:
    """What a row does, as a name."""
    return (binding.tooltip or binding.description).partition(":")[0]


def more_of(binding: Binding) -> str:
    """What else is to be said of it."""
    return (binding.tooltip or "").partition(":")[2].strip()


def declared(thing: object) -> list[Binding]:
    """All rows that the class of a screen or widget has, with those that it inherits; of ours only."""
    found: dict[str, Binding] = {}
    for cls in reversed(type(thing).__mro__):
        if cls.__module__.startswith("gilscope."):
            found |= {str(row.id or row.key): row for row in rows(cls.__dict__.get("BINDINGS", ()))}
    return list(found.values())


def key_lines(bindings: Iterable[BindingType], more: Iterable[KeyLine] = ()) -> list[KeyLine]:
    """Keys and what they do, for people; then what is no key of a table, such as the mouse."""
    return [*((keys_of(row), row.tooltip or row.description) for row in rows(bindings)), *more]


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in the footer."""

    rank: int
    """Which give way first when it is narrow: the highest."""
    keys: str = ""
    """Keys in place of its own: it stands for two."""
    word: str = ""
    """A word in place of its own."""


def hints(
    bindings: Iterable[BindingType],
    places: Mapping[str, Place],
    *,
    without: Collection[str] = (),
    panel: str = "",
) -> list[KeyHint]:
    """The keys of the footer.

    Args:
        bindings: the table.
        places: by id, which of its rows stand in the footer.
        without: ids of rows that have no sense just now.
        panel: id of the panel whose keys they are, "" for the screen's.
    """
    return [
        KeyHint(
            place.keys or keys_of(row),
            place.word or row.description,
            row.action,
            place.rank,
            panel=panel,
            help=row.tooltip or row.description,
        )
        for row in rows(bindings)
        if (place := places.get(row.id or "")) is not None and row.id not in without
    ]

"""What is kept of things that come and go without end."""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values by key, the latest `most` of them: memory does not grow with the hours."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Key, Value] = {}

    def put(self, key: Key, value: Value) -> None:
        """Keep it as the latest; the oldest goes if there are too many."""
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]

    def get(self, key: Key) -> Value | None:
        """What was put last under a key, if it is still kept."""
        return self._values.get(key)

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._values)

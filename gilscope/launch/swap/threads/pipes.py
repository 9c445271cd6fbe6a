"""multiprocessing.Pipe between threads, and multiprocessing.connection.wait for what it gives.

Of processes, each closes its own copy of an end, and an end is closed when nobody has it any more. So here an
end knows who has it: who made it, the workers that got it as an argument, and whoever else uses it.
"""

from __future__ import annotations

import collections
import pickle
import select
import threading
import time

from gilscope.launch.swap.threads.workers import current_process, follow_workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_changed = threading.Condition()
"""Guards all pipes: they are few, and one to wait for them all is needed anyway."""
_ends: set[Connection] = set()
_LOOK_S = 0.02
"""How often to look at descriptors while waiting for these and for connections at once."""


class Connection:
    """One end of a pipe."""

    def __init__(self, *, readable: bool, writable: bool) -> None:
        self.readable = readable
        self.writable = writable
        self._other: Connection | None = None
        self._received: collections.deque[bytes] = collections.deque()
        self._holders: set[Any] = {current_process()}
        self._gone: set[Any] = set()
        _ends.add(self)

    @property
    def closed(self) -> bool:
        return current_process() in self._gone

    def _use(self) -> None:
        process = current_process()
        if process in self._gone:
            raise OSError("handle is closed")
        self._holders.add(process)

    def hand_to(self, process: Any) -> None:
        """A worker has got this end."""
        with _changed:
            self._holders.add(process)

    def let_go(self, process: Any) -> None:
        """A worker has closed this end, or has ended."""
        with _changed:
            self._gone.add(process)
            self._holders.discard(process)
            if not self._holders:
                _ends.discard(self)
            _changed.notify_all()

    def close(self) -> None:
        self.let_go(current_process())

    def send(self, obj: Any) -> None:
        self.send_bytes(pickle.dumps(obj))

    def send_bytes(self, buf: Any, offset: int = 0, size: int | None = None) -> None:
        with _changed:
            self._use()
            if not self.writable:
                raise OSError("connection is read-only")
            if self._other is None or not self._other._holders:
                raise BrokenPipeError(32, "Broken pipe")
            data = bytes(memoryview(buf).cast("B"))
            self._other._received.append(data[offset : None if size is None else offset + size])
            _changed.notify_all()

    def recv(self) -> Any:
        return pickle.loads(self.recv_bytes())

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        with _changed:
            self._use()
            if not self.readable:
                raise OSError("connection is write-only")
            _changed.wait_for(self.is_ready)
            if not self._received:
                raise EOFError
            data = self._received.popleft()
        if maxlength is not None and len(data) > maxlength:
            raise OSError("got more bytes than maxlength")
        return data

    def poll(self, timeout: float | None = 0.0) -> bool:
        with _changed:
            self._use()
            return bool(_changed.wait_for(self.is_ready, timeout))

    def is_ready(self) -> bool:
        """There is something to receive: a message, or the end."""
        return bool(self._received) or self._other is None or not self._other._holders

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def Pipe(duplex: bool = True) -> tuple[Connection, Connection]:  # noqa: N802 - as it is called
    """Return two ends; of a simplex pipe the first one receives."""
    first = Connection(readable=True, writable=duplex)
    second = Connection(readable=duplex, writable=True)
    first._other, second._other = second, first
    follow_workers(hand_over, _ended)
    return first, second


def hand_over(process: Any, values: Iterable[Any]) -> None:
    """A worker starts with these arguments: it has the ends among them."""
    for value in values:
        if isinstance(value, Connection):
            value.hand_to(process)
        elif isinstance(value, (list, tuple)):
            hand_over(process, value)


def _ended(process: Any) -> None:
    for end in [end for end in list(_ends) if process in end._holders]:
        end.let_go(process)


def wait(object_list: Iterable[Any], timeout: float | None = None) -> list[Any]:
    """multiprocessing.connection.wait: of connections, sentinels and descriptors, those that are ready."""
    objects = list(object_list)
    connections = [thing for thing in objects if isinstance(thing, Connection)]
    others = [thing for thing in objects if not isinstance(thing, Connection)]
    end_s = None if timeout is None else time.monotonic() + timeout
    while True:
        ready_others = select.select(others, [], [], 0)[0] if others else []
        with _changed:
            ready = [thing for thing in connections if thing.is_ready()]
            left_s = None if end_s is None else end_s - time.monotonic()
            if ready or ready_others or (left_s is not None and left_s <= 0):
                return [thing for thing in objects if thing in ready or thing in ready_others]
            if others:
                left_s = _LOOK_S if left_s is None else min(_LOOK_S, left_s)
            _changed.wait(left_s)

"""queue.Queue and its kin between processes, on a file in memory.

multiprocessing.Queue would not do: an item that was put is there only once a helper thread has written it, so
`put` then `get_nowait` may fail; and a process that has put much cannot end before another one has read it,
so that joining the workers first, as one may with threads, waits for ever. Here an item is written when
`put` returns. Two semaphores count items and places, as waiting needs them; the rest is in the file.
"""

from __future__ import annotations

import heapq
import os
import pickle
import queue as real
import struct
import tempfile
from multiprocessing import reduction

from gilscope.launch.swap.hook import users_place
from gilscope.launch.swap.notes import note
from gilscope.launch.swap.processes.locks import Condition, Lock, Semaphore
from gilscope.launch.swap.processes.workers import is_pickle_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = struct.Struct("=qqqq?")
"""Begin and end of the items' bytes, their number, unfinished tasks, and whether it is shut down."""
_SIZE = struct.Struct("=q")
_COMPACT_BYTES = 1 << 22
_ShutDown = getattr(real, "ShutDown", real.Empty)


class Queue:
    """queue.Queue between processes."""

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self._fd = _memory_file()
        self._lock = Lock()
        self._items = Semaphore(0)
        self._places = Semaphore(maxsize) if maxsize > 0 else None
        self._all_done = Condition(Lock())
        self._write_head(_HEAD.size, _HEAD.size, 0, 0, down=False)

    def __del__(self) -> None:
        fd, self._fd = self.__dict__.get("_fd", -1), -1
        if fd >= 0:
            os.close(fd)

    def __getstate__(self) -> dict[str, Any]:
        # Locks refuse to be pickled unless a process is being spawned with them; and so does this.
        fields = dict(self.__dict__)
        fields["_lock"].__getstate__()
        return {**fields, "_fd": reduction.DupFd(self._fd)}

    def __setstate__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)
        self._fd = fields["_fd"].detach()

    # The file; all of it with the lock held.

    def _read_head(self) -> tuple[int, int, int, int, bool]:
        begin, end, count, unfinished, down = _HEAD.unpack(os.pread(self._fd, _HEAD.size, 0))
        return begin, end, count, unfinished, down

    def _write_head(self, begin: int, end: int, count: int, unfinished: int, *, down: bool) -> None:
        os.pwrite(self._fd, _HEAD.pack(begin, end, count, unfinished, down), 0)

    def _push(self, data: bytes, begin: int, end: int) -> tuple[int, int]:
        """Store an item; return the new begin and end. Its size stands before and after it."""
        size = _SIZE.pack(len(data))
        _write_all(self._fd, size + data + size, end)
        return begin, end + len(data) + 2 * _SIZE.size

    def _pop(self, begin: int, end: int) -> tuple[bytes, int, int]:
        """Take the next item out; return it, and the new begin and end."""
        (size,) = _SIZE.unpack(os.pread(self._fd, _SIZE.size, begin))
        data = _read_all(self._fd, size, begin + _SIZE.size)
        begin += size + 2 * _SIZE.size
        if begin > _COMPACT_BYTES and begin > end // 2:
            rest = _read_all(self._fd, end - begin, begin)
            _write_all(self._fd, rest, _HEAD.size)
            begin, end = _HEAD.size, _HEAD.size + len(rest)
            os.ftruncate(self._fd, end)
        return data, begin, end

    # What users call.

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        _check(block, timeout)
        data = self._pickled(item)
        if self._places is not None and not self._places.acquire(block, timeout if block else None):
            raise real.Full
        with self._lock:
            begin, end, count, unfinished, down = self._read_head()
            if not down:
                begin, end = self._push(data, begin, end)
                self._write_head(begin, end, count + 1, unfinished + 1, down=False)
        if down:
            if self._places is not None:
                self._places.release()  # and so wakes the next one that waits
            raise _ShutDown
        self._items.release()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        _check(block, timeout)
        if not self._items.acquire(block, timeout if block else None):
            if self._is_down():
                raise _ShutDown
            raise real.Empty
        with self._lock:
            begin, end, count, unfinished, down = self._read_head()
            if count:
                data, begin, end = self._pop(begin, end)
                self._write_head(begin, end, count - 1, unfinished, down=down)
        if not count:
            self._items.release()  # shut down: wakes the next one that waits
            raise _ShutDown
        if self._places is not None:
            self._places.release()
        return pickle.loads(data)

    def put_nowait(self, item: Any) -> None:
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        return self.get(block=False)

    def qsize(self) -> int:
        with self._lock:
            return self._read_head()[2]

    def empty(self) -> bool:
        return not self.qsize()

    def full(self) -> bool:
        return 0 < self.maxsize <= self.qsize()

    def task_done(self) -> None:
        with self._all_done:
            with self._lock:
                begin, end, count, unfinished, down = self._read_head()
                if unfinished <= 0:
                    raise ValueError("task_done() called too many times")
                self._write_head(begin, end, count, unfinished - 1, down=down)
            if unfinished == 1:
                self._all_done.notify_all()

    def join(self) -> None:
        with self._all_done:
            while self._unfinished():
                self._all_done.wait()

    def shutdown(self, immediate: bool = False) -> None:
        """As of CPython 3.13; there from the start, since nothing older calls it."""
        with self._all_done:
            with self._lock:
                begin, end, count, unfinished, _ = self._read_head()
                if immediate:
                    begin, end, unfinished, count = _HEAD.size, _HEAD.size, max(0, unfinished - count), 0
                self._write_head(begin, end, count, unfinished, down=True)
            self._all_done.notify_all()
        self._items.release()
        if self._places is not None:
            self._places.release()

    def _unfinished(self) -> int:
        with self._lock:
            return self._read_head()[3]

    def _is_down(self) -> bool:
        with self._lock:
            return self._read_head()[4]

    def _pickled(self, item: Any) -> bytes:
        try:
            return bytes(reduction.ForkingPickler.dumps(item))
        except Exception as error:
            if is_pickle_error(error):
                note(
                    "pickle",
                    f"A {type(item).__name__} cannot be put in a queue between processes: {error}",
                    users_place(),
                )
            raise

    @classmethod
    def __class_getitem__(cls, item: object) -> type[Queue]:
        return cls


class LifoQueue(Queue):
    """queue.LifoQueue between processes."""

    def _pop(self, begin: int, end: int) -> tuple[bytes, int, int]:
        (size,) = _SIZE.unpack(os.pread(self._fd, _SIZE.size, end - _SIZE.size))
        end -= size + 2 * _SIZE.size
        return _read_all(self._fd, size, end + _SIZE.size), begin, end


class PriorityQueue(Queue):
    """queue.PriorityQueue between processes: the heap is read and written whole, so it is for small ones."""

    def _push(self, data: bytes, begin: int, end: int) -> tuple[int, int]:
        heap = self._load(begin, end)
        heapq.heappush(heap, pickle.loads(data))
        return begin, self._store(heap, begin)

    def _pop(self, begin: int, end: int) -> tuple[bytes, int, int]:
        heap = self._load(begin, end)
        item = heapq.heappop(heap)
        return self._pickled(item), begin, self._store(heap, begin)

    def _load(self, begin: int, end: int) -> list[Any]:
        return list(pickle.loads(_read_all(self._fd, end - begin, begin))) if end > begin else []

    def _store(self, heap: list[Any], begin: int) -> int:
        data = bytes(reduction.ForkingPickler.dumps(heap))
        _write_all(self._fd, data, begin)
        return begin + len(data)


class SimpleQueue(Queue):
    """queue.SimpleQueue between processes."""

    def __init__(self) -> None:
        super().__init__()


def _memory_file() -> int:
    try:
        return os.memfd_create("gilscope-queue", os.MFD_CLOEXEC)
    except (AttributeError, OSError):  # a C library or kernel without it
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())


def _check(block: bool, timeout: float | None) -> None:
    if block and timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written


def _read_all(fd: int, size: int, at: int) -> bytes:
    parts = []
    while size:
        part = os.pread(fd, size, at)
        if not part:
            raise EOFError("the queue's file is cut short")
        parts.append(part)
        size, at = size - len(part), at + len(part)
    return b"".join(parts)

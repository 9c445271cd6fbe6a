"""The memory of a Python that is not there: built by its published offsets, read like a live one's.

It is a file in memory: addresses are its offsets, what lies behind its end is not mapped.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field

from gilscope.sources import layouts
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.layouts import COOKIE, DEBUG_OFFSETS_SIZE, Layout, Version
from gilscope.sources.memory import ProcessMemory

INT_MAX = 2**31 - 1
RUNTIME = 0x1000
FIRST_STRUCT = 0x4000
INTERPRETER_SIZE = 0x3000
THREAD_SIZE = 0x400
GIL_SIZE = 256
MONOTONIC = 2

# What builds of these versions publish (3.14 and 3.14t measured, 3.15 by its source).
OFFSETS: dict[Version, dict[str, int]] = {
    (3, 13): {
        "interpreters_head": 632, "interp_id": 7272, "interp_next": 7264, "threads_head": 7344,
        "ceval_gil": 16, "gil_runtime_state": 7752, "thread_next": 8, "thread_interp": 16,
        "thread_id": 152, "native_thread_id": 160, "before_attachment": 32,
    },
}  # fmt: skip
OFFSETS[3, 14] = OFFSETS[3, 13] | {
    "interpreters_head": 808, "interp_id": 7280, "interp_next": 7272, "gil_runtime_state": 7784,
}  # fmt: skip
OFFSETS[3, 15] = OFFSETS[3, 14] | {"before_attachment": 40}
ATTACHMENT = {(3, 13): 40, (3, 14): 44, (3, 15): 48}
"""Where a thread's `state` is: unpublished."""


class ImageMemory(ProcessMemory):
    """Memory of this process's pid, but of no process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.fd = os.memfd_create("image", os.MFD_CLOEXEC)

    def write(self, address: int, data: bytes) -> None:
        os.pwrite(self.fd, data, address)

    def put(self, address: int, value: int) -> None:
        self.write(address, struct.pack("<Q", value & 2**64 - 1))

    def put_int(self, address: int, value: int) -> None:
        self.write(address, struct.pack("<i", value))

    @property
    def end(self) -> int:
        return os.fstat(self.fd).st_size


@dataclass
class Image:
    """A process with one Python in it."""

    version: Version
    free_threaded: bool = False
    waiters_in_cond: int = 36
    memory: ImageMemory = field(default_factory=ImageMemory)
    interpreters: list[int] = field(default_factory=list)
    threads: dict[int, list[int]] = field(default_factory=dict)
    _free: int = FIRST_STRUCT

    def __post_init__(self) -> None:
        self.offsets = dict(OFFSETS[self.version])
        self.shift = 8 if self.free_threaded else 0
        state = self.offsets["gil_runtime_state"]
        self.offsets |= {"gil_locked": state + 16 + self.shift, "gil_holder": state + 8 + self.shift}
        head = bytearray(DEBUG_OFFSETS_SIZE)
        version_hex = self.version[0] << 24 | self.version[1] << 16 | 0xF0
        struct.pack_into("<8sQQ", head, 0, COOKIE, version_hex, self.free_threaded)
        for name, value in self.offsets.items():
            struct.pack_into("<Q", head, getattr(layouts._PUBLISHED[self.version], name), value)
        self.memory.write(RUNTIME, bytes(head))
        self.memory.write(RUNTIME + 0x1000, b"\0")

    @property
    def layout(self) -> Layout:
        found = layouts.from_debug_offsets(self.memory.read(RUNTIME, DEBUG_OFFSETS_SIZE))
        assert found is not None
        return found

    def reader(self) -> InterpreterReader:
        return InterpreterReader(self.memory, self.layout, RUNTIME, counts_waiters=True)

    def _take(self, size: int) -> int:
        address, self._free = self._free, self._free + size
        self.memory.write(self._free - 1, b"\0")
        return address

    def add_interpreter(self, *, gil: int | None = None, enabled: int = INT_MAX) -> int:
        """A new one at the head of the list; with the GIL of another (legacy), or its own."""
        address = self._take(INTERPRETER_SIZE)
        at = self.offsets
        own = address + at["gil_runtime_state"]
        self.memory.put(address + at["interp_id"], len(self.interpreters))
        self.memory.put(address + at["interp_next"], self.interpreters[-1] if self.interpreters else 0)
        self.memory.put(address + at["ceval_gil"], own if gil is None else gil)
        self.memory.put_int(address + at["ceval_gil"] + 8, gil is None)
        self.memory.put(RUNTIME + at["interpreters_head"], address)
        if not self.interpreters:
            self.memory.put(RUNTIME + at["interpreters_head"] + 8, address)
        self.interpreters.append(address)
        self.threads[address] = []
        if gil is None:
            self.set_gil(own, enabled=enabled)
        return address

    def gil_of(self, interpreter: int) -> int:
        return self.memory.pointer(interpreter + self.offsets["ceval_gil"])

    def set_gil(
        self, gil: int, *, holder: int = 0, locked: int = 0, switches: int = 0, waiters: int = 0,
        enabled: int = INT_MAX,
    ) -> None:  # fmt: skip
        if self.free_threaded:
            self.memory.put_int(gil, enabled)
        gil += self.shift
        self.memory.put(gil, 5000)
        self.memory.put(gil + 8, holder)
        self.memory.put_int(gil + 16, locked)
        self.memory.put(gil + 24, switches)
        self.memory.put_int(gil + 32 + self.waiters_in_cond, waiters << 3 | MONOTONIC)

    def add_thread(self, interpreter: int, tid: int, attachment: int = 0) -> int:
        address = self._take(THREAD_SIZE)
        at = self.offsets
        following = self.memory.pointer(interpreter + at["threads_head"])
        self.memory.put(address + at["thread_next"], following)
        self.memory.put(address + at["thread_interp"], interpreter)
        self.memory.put(address + at["native_thread_id"], tid)
        self.memory.put_int(address + ATTACHMENT[self.version], attachment)
        self.memory.put(interpreter + at["threads_head"], address)
        self.threads[interpreter].append(address)
        return address

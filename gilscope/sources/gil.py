"""One GIL's memory + layout → samples: who holds it, how many wait, how many handoffs.

One `os.pread` a sample. The process is never stopped, so what is read can be half-written: no lock, no
holder; a sample whose holder and handoff counter contradict each other is read again.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

from gilscope.sources.layouts import fields_at
from gilscope.sources.memory import NotReadableError, ReadFailedError

if TYPE_CHECKING:
    from gilscope.sources.interpreter import InterpreterReader

MAX_SWITCH_INTERVAL_US = 10**12
"""Programs set days, so as never to switch; an address is larger."""
MAX_TORN_RETRIES = 4
READ_ERRORS = (OSError, struct.error)
"""What reading a GIL's fields raises when the process, or its memory, is gone."""
Fields = tuple[int, ...]
"""A GIL's words as they stand in memory."""


class Sample(NamedTuple):
    """One reading of one GIL."""

    tid: int
    """Kernel thread id of the holder; 0 where it is free, −1 where the holder is in no list."""
    switch_number: int
    waiters: int
    """Threads in the timed wait for it; −1 where this C library does not tell."""


class GilProbe:
    """One GIL of one process, ready to be sampled."""

    def __init__(self, reader: InterpreterReader, address: int, interpreter: int, kind: str) -> None:
        self.reader = reader
        self.address = address
        self.interpreter = interpreter
        self._kind = kind
        self.torn = 0
        self.enabled: int | None = None
        """Free-threaded builds: at the last sample 0 for no GIL, INT_MAX for one for good, else for the
        moment. None on default builds."""
        fields = reader.layout.gil
        wanted = [
            (fields.last_holder, "Q"),
            (fields.locked, "i"),
            (fields.switch_number, "Q"),
            (fields.waiters, "I"),
        ]
        if reader.layout.tstate_current is not None and reader.layout.gil_in_runtime is not None:
            # One read brings both: the pointer to the running thread lies just behind the struct.
            wanted.append((reader.layout.tstate_current - reader.layout.gil_in_runtime, "Q"))
        self._first = 0
        """Where in `Fields` the holder stands; free-threaded builds tell before it whether there is a GIL."""
        if fields.enabled is not None:
            wanted.insert(0, (fields.enabled, "i"))
            self._first = 1
        self._running = len(wanted) - 1 if len(wanted) > self._first + 4 else self._first
        """Where the running thread stands, if that is read besides the last holder."""
        self._struct = fields_at(wanted)
        self.unpack = self._struct.unpack
        self.place = (reader.memory.fd, self._struct.size, address)
        """What os.pread needs to read the fields that `unpack` takes apart: the hot loop does both itself, as
        each call that it makes costs microseconds."""
        self.fields: Fields = ()
        """Those of the last sample. As long as a reading equals them, so does the sample."""
        self._sample = Sample(0, 0, 0)
        self._last: tuple[int, int] = (0, -1)
        self._tid = 0

    @property
    def kind(self) -> str:
        """`shared`, the main interpreter's; `own`, a sub-interpreter's; `disabled`, none just now."""
        return "disabled" if self.enabled == 0 else self._kind

    @property
    def cond_span(self) -> tuple[int, int]:
        """Addresses from the condition variable to the struct's end: a futex there waits for this GIL."""
        fields = self.reader.layout.gil
        return self.address + fields.cond, self.address + fields.size

    def switch_interval_us(self) -> int:
        """The interval after which a waiter asks the holder to let go, in microseconds.

        Raises:
            NotReadableError: what stands there is none.
            ReadFailedError: the process is gone, or its memory is.
        """
        interval_us = self.reader.memory.pointer(self.address + self.reader.layout.gil.interval)
        if interval_us > MAX_SWITCH_INTERVAL_US:
            raise NotReadableError("the switch interval is out of range")
        return interval_us

    def read_enabled(self) -> None:
        """Before the first sample: whether this GIL is used, where it may be not."""
        at = self.reader.layout.gil.enabled
        if at is not None:
            self.enabled = self.reader.memory.int32(self.address + at)

    def sample(self) -> Sample:
        """Read the GIL once. As long as nothing changes, the very same object comes back.

        Raises:
            ReadFailedError: the process is gone, or its memory is.
        """
        fields = self.read()
        return self._sample if fields == self.fields else self.take(fields)

    def take(self, fields: Fields) -> Sample:
        """The sample that `fields`, read just now, amount to; read again where they contradict themselves.

        Raises:
            ReadFailedError: the process is gone, or its memory is.
        """
        holder, locked, switch_number, references = self._meaning(fields)
        if locked == 1 and (holder, switch_number) != self._last:
            for _ in range(MAX_TORN_RETRIES):
                if self._consistent(holder, switch_number):
                    break
                fields = self.read()
                again = self._meaning(fields)
                if again[0] == holder and again[2] == switch_number:
                    break
                self.torn += 1
                holder, locked, switch_number, references = again
        return self._taken(fields, holder, locked, switch_number, references)

    def take_later(self, fields: Fields) -> Sample:
        """The same of fields that were `plain` when they were read, some time ago."""
        return self._taken(fields, *self._meaning(fields))

    def is_plain(self, fields: Fields) -> bool:
        """Whether fields need no other reading to be understood.

        They contradict neither themselves nor those before, and the holder's tid is known.
        """
        at, before = self._first, self.fields
        return (
            len(before) == len(fields)
            and (fields[at] != before[at]) == (fields[at + 2] != before[at + 2])
            and (fields[at + 1] == 0 or fields[self._running] in self.reader.tids)
        )

    def _taken(self, fields: Fields, holder: int, locked: int, switch_number: int, references: int) -> Sample:
        if locked == 1 and (holder, switch_number) != self._last:
            self._tid = self.reader.tid_of(holder)
            self._last = (holder, switch_number)
        waiters = references >> 3 if self.reader.counts_waiters else -1
        if self._first:
            self.enabled = fields[0]
            if self.enabled == 0:
                waiters = 0
        # A holder that no list has may be in the next one: such a sample is not to be trusted again.
        self.fields = () if locked == 1 and self._tid < 0 else fields
        self._sample = Sample(self._tid if locked == 1 else 0, switch_number, waiters)
        return self._sample

    def _meaning(self, fields: Fields) -> tuple[int, int, int, int]:
        """Holder's thread state (0: free), locked, switch_number, waiters × 8 + flags."""
        at = self._first
        holder, locked, switch_number, references = fields[at : at + 4]
        if at and not fields[0]:
            return 0, 0, switch_number, 0
        if locked != 1:
            return 0, locked, switch_number, references
        if len(fields) > at + 4 and fields[-1]:
            # With legacy sub-interpreters last_holder can lag behind (3.8 – 3.11).
            holder = fields[-1]
        return holder, locked, switch_number, references

    def read(self) -> Fields:
        """Its words as they stand now.

        Raises:
            ReadFailedError: the process is gone, or its memory is.
        """
        try:
            return self.unpack(os.pread(*self.place))
        except READ_ERRORS as error:
            raise self.failure(error) from error

    def failure(self, error: Exception) -> ReadFailedError:
        """What to say of one of READ_ERRORS."""
        reason = "its memory is gone" if isinstance(error, struct.error) else str(error)
        return ReadFailedError(f"process {self.reader.memory.pid}: the GIL cannot be read: {reason}")

    def _consistent(self, holder: int, switch_number: int) -> bool:
        """Holder and counter change together; if only one did, one of them may be half of another moment."""
        return self._last[1] < 0 or (holder != self._last[0]) == (switch_number != self._last[1])

    def forget_holder(self) -> None:
        """Look the holder's tid up again at the next sample: a thread ended, its state may be reused."""
        self._last = (0, self._last[1])
        self.fields = ()

    def check_holder(self) -> None:
        """Once a tick: a state that is freed can become another thread's, with its address and no handoff."""
        holder = self._last[0]
        if holder and self._tid > 0 and not self.reader.names(holder, self._tid):
            self.forget_holder()

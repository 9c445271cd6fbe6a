"""The Python in one process: its interpreters, their GILs, and whose thread state is whose.

The process is never stopped while its lists are walked: walks are bounded, and a holder is followed only if
the walked thread list has it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from enum import IntEnum

from gilscope.sources import finding, namespaces
from gilscope.sources.gil import GilProbe
from gilscope.sources.layouts import GLIBC_TID_OFFSET, Layout, Version, fields_at
from gilscope.sources.memory import NotReadableError, ProcessMemory, ReadFailedError

MAX_INTERPRETERS = 1_000
MAX_THREADS = 20_000
"""Bounds of the walks through lists that another process changes meanwhile."""
MAX_INTERPRETER_ID = 2**31
MAX_TID = 2**22
"""The kernel's own limit."""
MAX_CHECKED = 32
"""Thread states whose thread is kept in mind from tick to tick: each is read again in every one."""
NAMES_CREATOR_UNTIL = (3, 12)
"""Up to this version a sub-interpreter's thread state names its creator, whichever thread runs it."""


class Attachment(IntEnum):
    """What a thread is to its interpreter, from 3.13 on; on a free-threaded build, whether it runs Python."""

    DETACHED = 0
    ATTACHED = 1
    SUSPENDED = 2
    """Detached, and kept from attaching while something stops the world."""
    SHUTTING_DOWN = 3


class InterpreterReader:
    """The Python in one process: its memory, its proven layout, its interpreters and threads."""

    def __init__(self, memory: ProcessMemory, layout: Layout, runtime: int, *, counts_waiters: bool) -> None:
        self.memory = memory
        self.layout = layout
        self.runtime = runtime
        self.counts_waiters = counts_waiters
        self.tid_in_pthread = GLIBC_TID_OFFSET
        """Up to 3.10: where the tid is in the C library's thread struct."""
        self.thread_ids = namespaces.thread_ids(memory.pid)
        link = [(layout.thread_next, "Q"), (layout.thread_interp, "Q")]
        self._link = fields_at(sorted(link))
        self._next_first = layout.thread_next < layout.thread_interp
        self._thread_states: set[int] = set()
        self._doubtful: set[int] = set()
        self.tids: dict[int, int] = {}
        """Thread state → what `tid_of` says of it: those that need not be read again, see `steady`."""
        self._steady = False
        self.claims: dict[int, int] = {}
        """Doubtful holders (see `tid_of`) → the tid that their state names."""
        self.walks = 0

    @classmethod
    def open(cls, pid: int, version: Version | None = None) -> InterpreterReader:
        """Find and prove the interpreter of `pid`.

        Args:
            pid: the process.
            version: what the interpreter said it is, where it did.

        Raises:
            NotReadableError: no Python, or none that can be read; says why.
            ReadFailedError: the memory cannot be opened.
        """
        memory = ProcessMemory(pid)
        try:
            return finding.find(memory, version, cls)
        except BaseException:
            memory.close()
            raise

    @classmethod
    def of_fork(cls, pid: int, parent: InterpreterReader) -> InterpreterReader:
        """Open the interpreter of a process forked from one that is read: all stands at the same places.

        Raises:
            ReadFailedError: nothing stands there: it was not forked, or has become another program.
        """
        memory = ProcessMemory(pid)
        try:
            reader = cls(memory, parent.layout, parent.runtime, counts_waiters=parent.counts_waiters)
            reader.tid_in_pthread = parent.tid_in_pthread
            reader.prove()
        except BaseException:
            memory.close()
            raise
        return reader

    def close(self) -> None:
        """Give the descriptor back."""
        self.memory.close()

    def interpreters(self) -> Iterator[int]:
        """Addresses of the interpreters' states."""
        address = self.memory.pointer(self.runtime + self.layout.interpreters_head)
        seen: set[int] = set()
        while address and address not in seen and len(seen) < MAX_INTERPRETERS:
            seen.add(address)
            yield address
            address = self.memory.pointer(address + self.layout.interp_next)

    def thread_states(self, interpreter: int) -> Iterator[int]:
        """Addresses of an interpreter's thread states.

        Raises:
            NotReadableError: one belongs to another interpreter: the list was freed, or it is none.
            ReadFailedError: one cannot be read.
        """
        address = self.memory.pointer(interpreter + self.layout.threads_head)
        seen: set[int] = set()
        while address and address not in seen and len(seen) < MAX_THREADS:
            seen.add(address)
            following, owner = self._link.unpack(self.memory.read(address, self._link.size))
            if not self._next_first:
                following, owner = owner, following
            if owner != interpreter:
                raise NotReadableError("a thread state does not point back to its interpreter")
            yield address
            address = following

    def gil_address(self, interpreter: int) -> int:
        """The GIL that an interpreter uses now; 0 where it has none yet."""
        if self.layout.gil_in_runtime is not None:
            return self.runtime + self.layout.gil_in_runtime
        if self.layout.gil_pointer is None:
            return 0
        return self.memory.pointer(interpreter + self.layout.gil_pointer)

    def main_interpreter(self) -> int:
        """Address of the main interpreter's state."""
        return self.memory.pointer(self.runtime + self.layout.interpreters_head + 8)

    def newest_interpreter(self) -> int:
        """Address of the head of the list of interpreters: another one when one was made."""
        return self.memory.pointer(self.runtime + self.layout.interpreters_head)

    def probes(self) -> list[GilProbe]:
        """A probe for each GIL, told apart by address. The main interpreter's is the shared one."""
        main = self.main_interpreter()
        found: dict[int, GilProbe] = {}
        for interpreter in sorted(self.interpreters(), key=lambda address: address != main):
            address = self.gil_address(interpreter)
            if address and address not in found:
                number = self.memory.pointer(interpreter + self.layout.interp_id)
                if number > MAX_INTERPRETER_ID:
                    raise NotReadableError("an interpreter's number is out of range")
                probe = GilProbe(self, address, number, "shared" if interpreter == main else "own")
                probe.read_enabled()
                found[address] = probe
        return list(found.values())

    def all_thread_states(self, *, strict: bool = False) -> Iterator[tuple[int, int]]:
        """Each interpreter's address with each of its thread states', MAX_THREADS at most.

        Raises:
            NotReadableError: when `strict`, a list does not fit; else the rest of such a list is left out, as
                it changes meanwhile.
            ReadFailedError: something cannot be read.
        """
        number = 0
        for interpreter in self.interpreters():
            try:
                for state in self.thread_states(interpreter):
                    yield interpreter, state
                    number += 1
                    if number >= MAX_THREADS:
                        return
            except NotReadableError:
                if strict:
                    raise

    def walk(self) -> None:
        """Read the thread lists anew; a failed read leaves what was reached, as the process runs on."""
        self.walks += 1
        states: set[int] = set()
        doubtful: set[int] = set()
        with contextlib.suppress(ReadFailedError):
            main = self.main_interpreter()
            for interpreter, state in self.all_thread_states():
                states.add(state)
                if interpreter != main and self.layout.version <= NAMES_CREATOR_UNTIL:
                    doubtful.add(state)
        self._thread_states, self._doubtful = states, doubtful
        self.claims = {holder: tid for holder, tid in self.claims.items() if -holder in doubtful}

    def tid_of(self, thread_state: int) -> int:
        """Kernel id of the thread whose state this is; −1 where no walked list has it.

        A state that may name the wrong thread gives a doubtful holder instead: the state's own address,
        negative, with the tid that it names in `claims`.
        """
        known = self.tids.get(thread_state)
        if known is not None:
            return known
        if thread_state not in self._thread_states:
            self.walk()
            if thread_state not in self._thread_states:
                return -1
        try:
            tid = self.read_tid(thread_state)
        except ReadFailedError:
            return -1
        if not 0 < tid <= MAX_TID:
            return -1
        holder = tid
        if thread_state in self._doubtful:
            self.claims[-thread_state] = tid
            holder = -thread_state
        elif self._steady:
            self.tids[thread_state] = tid
        return holder

    def steady(self, tids: Collection[int] | None) -> None:
        """Once a tick: threads have not come and gone for a while; these, whose states mostly stay their own.

        While they do (None), a state's memory may become another thread's at any moment, and each holder's
        tid is read anew. Else it is read again only here: C code that calls Python now and then, and whoever
        runs an interpreter, has a new state each time.
        """
        self._steady = tids is not None
        known = list(self.tids.items())[:MAX_CHECKED]
        self.tids = (
            {state: tid for state, tid in known if tid in tids and self.names(state, tid)} if tids else {}
        )

    def names(self, thread_state: int, tid: int) -> bool:
        """Whether this still is the state of that thread."""
        try:
            return self.read_tid(thread_state) == tid
        except ReadFailedError:
            return False

    def read_tid(self, thread_state: int) -> int:
        """What a thread's state says its kernel id is."""
        if self.layout.native_thread_id is not None:
            tid = self.memory.pointer(thread_state + self.layout.native_thread_id)
        else:
            pthread = self.memory.pointer(thread_state + self.layout.thread_id)
            tid = self.memory.int32(pthread + self.tid_in_pthread)
        return tid if self.thread_ids is None else self.thread_ids.ours(tid)

    def attached_threads(self) -> dict[int, Attachment]:
        """Each thread's attachment by its tid; of several states of a thread the most active one.

        Without a GIL the attached threads are those that run Python. A thread whose state cannot be read is
        not in it; on versions before 3.13 none is.

        Raises:
            ReadFailedError: the process is gone, or the list of interpreters cannot be read.
        """
        layout = self.layout
        if layout.thread_attachment is None or layout.native_thread_id is None:
            return {}
        found: dict[int, Attachment] = {}
        for _, state in self.all_thread_states():
            tid = self.read_tid(state)
            attachment = _ATTACHMENTS.get(self.memory.int32(state + layout.thread_attachment))
            if attachment is None or not 0 < tid <= MAX_TID:
                continue
            before = found.get(tid)
            if before is None or _ACTIVITY.index(attachment) > _ACTIVITY.index(before):
                found[tid] = attachment
        return found

    def prove(self) -> None:
        """Hold the layout against the live process.

        Raises:
            NotReadableError: something does not fit.
            ReadFailedError: the process has ended.
        """
        finding.prove(self)


_ATTACHMENTS = {int(attachment): attachment for attachment in Attachment}
_ACTIVITY = (Attachment.SHUTTING_DOWN, Attachment.DETACHED, Attachment.SUSPENDED, Attachment.ATTACHED)

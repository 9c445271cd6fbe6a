"""Find the interpreter in a process, and prove its layout before anything is read by it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gilscope.sources import elf, layouts, libc
from gilscope.sources.layouts import Layout, Version
from gilscope.sources.memory import Mapping, NotReadableError, ProcessMemory, ReadFailedError, mapped_files

if TYPE_CHECKING:
    from gilscope.sources.gil import GilProbe
    from gilscope.sources.interpreter import InterpreterReader

_PTHREAD_SIZE = 1024
"""So far into a C library's thread struct its tid is looked for: 720 (glibc) on x86_64, 48 with musl."""

_VERSION_IN_NAME = re.compile(r"python([23])\.?(\d+)")

_Lookup = Callable[[ProcessMemory, Mapping, str], int | None]


def _exported(memory: ProcessMemory, mapping: Mapping, symbol: str) -> int | None:
    try:
        return elf.symbol_in_memory(memory, mapping.start, symbol)
    except ReadFailedError:
        return None


def _in_file(_memory: ProcessMemory, mapping: Mapping, symbol: str) -> int | None:
    return elf.symbol_address(mapping, symbol, beside="_PyRuntime")


def find(memory: ProcessMemory, version: Version | None, make: type[InterpreterReader]) -> InterpreterReader:
    """The reader of the interpreter in this process.

    Args:
        memory: the process's.
        version: what the interpreter said it is, where it did.
        make: makes a reader.

    Raises:
        NotReadableError: no Python, or none that can be read; says why.
    """
    mappings = mapped_files(memory.pid)
    mutex_size = libc.mutex_size((mapping.path for mapping in mappings), os.uname().machine)
    reasons: list[str] = []
    # A Python that exports nothing is rare, and its file takes long to read: that comes last.
    lookups: tuple[_Lookup, ...] = (_exported, _in_file)
    for lookup in lookups:
        for mapping in sorted(mappings, key=_unlikely):
            runtime = lookup(memory, mapping, "_PyRuntime")
            if runtime is None:
                continue
            # 3.9 and 3.10 have the same layout: a function that came with 3.10 tells them apart.
            is_3_10 = lookup(memory, mapping, "PyGC_Enable") is not None
            for claim in _claims(memory, runtime, version, is_3_10=is_3_10):
                layout = layouts.with_mutexes_of(claim, mutex_size)
                reader = make(memory, layout, runtime, counts_waiters=False)
                try:
                    reader.prove()
                    _find_waiters(reader, mappings)
                except ReadFailedError as error:
                    reasons.append(f"{layout.version[0]}.{layout.version[1]}: {error}")
                else:
                    return reader
            if not reasons:
                reasons.append("its version's layout is not known")
        if reasons:
            break
    if not reasons:
        raise NotReadableError("it holds no CPython 3.8 or newer", no_python=True)
    raise NotReadableError("; ".join(reasons))


def exact_version(memory: ProcessMemory) -> str | None:
    """Such as "3.11.7": from 3.11 on an interpreter exports it; None where it does not.

    Raises:
        ReadFailedError: the process has ended.
    """
    for mapping in sorted(mapped_files(memory.pid), key=_unlikely):
        address = _exported(memory, mapping, "Py_Version")
        if address is not None:
            number = memory.int32(address) & 0xFFFFFFFF
            return f"{number >> 24}.{number >> 16 & 0xFF}.{number >> 8 & 0xFF}"
    return None


def version_by_name(pid: int) -> tuple[int, ...] | None:
    """The version of a Python of any age, as its file's name has it; empty where that does not tell.

    None where the process holds no Python.

    Raises:
        ReadFailedError: the process has ended, or is not to be read.
    """
    memory = ProcessMemory(pid)
    try:
        for mapping in sorted(mapped_files(pid), key=_unlikely):
            if _exported(memory, mapping, "Py_Initialize") is not None:
                named = _VERSION_IN_NAME.search(Path(mapping.path).name)
                return tuple(map(int, named.groups())) if named else ()
    finally:
        memory.close()
    return None


def _find_waiters(reader: InterpreterReader, mappings: list[Mapping]) -> None:
    """Learn where this process's C library counts a GIL's waiters, if it does."""
    if not libc.counts_waiters(mapping.path for mapping in mappings):
        return

    def is_2_41() -> bool:
        return any(
            _exported(reader.memory, mapping, libc.NEW_IN_2_41) is not None
            for mapping in mappings
            if libc.is_glibc(mapping.path)
        )

    fields = reader.layout.gil
    cond = reader.gil_address(reader.main_interpreter()) + fields.cond
    offset = libc.waiters_offset(reader.memory, cond, is_2_41)
    if offset is not None:
        reader.counts_waiters = True
        reader.layout = replace(reader.layout, gil=replace(fields, waiters_in_cond=offset))


def _unlikely(mapping: Mapping) -> int:
    name = Path(mapping.path).name
    return 0 if name.startswith(("python", "libpython")) else 1


def _claims(memory: ProcessMemory, runtime: int, version: Version | None, *, is_3_10: bool) -> list[Layout]:
    """Layouts to try: the published one, else the said version's, else all of the table."""
    published = layouts.from_debug_offsets(memory.read(runtime, layouts.DEBUG_OFFSETS_SIZE))
    if published is not None:
        return [published]
    wanted: tuple[Version, ...] = (version,) if version is not None else layouts.TABLE_VERSIONS
    known = [layout for layout in map(layouts.from_table, wanted) if layout is not None]
    if version is None:
        known = [layout for layout in known if (layout.version >= (3, 10)) == is_3_10]
    return known


def prove(reader: InterpreterReader) -> None:
    """Hold the reader's layout against the live process.

    Raises:
        NotReadableError: something does not fit.
        ReadFailedError: the process has ended.
    """
    tids = _living_tids(reader.memory.pid)
    if not reader.newest_interpreter():
        raise NotReadableError("it has no interpreter yet")
    if reader.main_interpreter() not in reader.interpreters():
        raise NotReadableError("its main interpreter is in no list")
    states = [state for _, state in reader.all_thread_states(strict=True)]
    if not any(_names(reader, state, tids) for state in states):
        _search_tid(reader, states, tids)
    attachment = reader.layout.thread_attachment
    if reader.layout.free_threaded and attachment is not None:
        for state in states:
            if not 0 <= reader.memory.int32(state + attachment) <= layouts.MAX_ATTACHMENT:
                raise NotReadableError("a thread is neither attached nor detached")
    probes = reader.probes()
    if not probes:
        raise NotReadableError("no interpreter has a GIL")
    if probes[0].interpreter != 0:
        raise NotReadableError("its main interpreter is not the first")
    for probe in probes:
        _prove_gil(reader, probe)


def _prove_gil(reader: InterpreterReader, probe: GilProbe) -> None:
    fields = reader.layout.gil
    interval_us = probe.switch_interval_us()
    if reader.memory.int32(probe.address + fields.locked) not in (-1, 0, 1):
        raise NotReadableError("the lock word is out of range")
    holder = reader.memory.pointer(probe.address + fields.last_holder)
    # Programs do set an interval of 0; an unused GIL has 5000, but no holder.
    if holder % 8 or (interval_us == 0 and not holder):
        raise NotReadableError("the last holder is no thread state")
    if probe.enabled is not None and probe.enabled < 0:
        raise NotReadableError("whether there is a GIL is out of range")


def _names(reader: InterpreterReader, thread_state: int, tids: set[int]) -> bool:
    try:
        return reader.read_tid(thread_state) in tids
    except ReadFailedError:
        return False


def _search_tid(reader: InterpreterReader, states: list[int], tids: set[int]) -> None:
    """Another C library, or machine: find where its thread struct has the tid.

    Raises:
        NotReadableError: nowhere.
    """
    structs = []
    if reader.layout.native_thread_id is None:
        for state in states:
            with contextlib.suppress(ReadFailedError):
                pthread = reader.memory.pointer(state + reader.layout.thread_id)
                structs.append(reader.memory.read(pthread, _PTHREAD_SIZE))
    ours = None if reader.thread_ids is None else reader.thread_ids.read()
    for at in range(0, _PTHREAD_SIZE if structs else 0, 4):
        named = [int.from_bytes(struct[at : at + 4], "little") for struct in structs]
        if ours is not None:
            named = [ours.get(tid, 0) for tid in named]
        if len(set(named)) == len(named) and tids.issuperset(named) and reader.memory.pid in named:
            reader.tid_in_pthread = at
            return
    raise NotReadableError("no thread state names a living thread")


def _living_tids(pid: int) -> set[int]:
    try:
        return {int(name) for name in os.listdir(f"/proc/{pid}/task")}  # noqa: PTH208 - names only, no paths
    except OSError as error:
        raise ReadFailedError(f"process {pid} has ended: {error.strerror}") from error

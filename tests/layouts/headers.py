"""What an interpreter's own headers say of its structs.

A compiler turns `offsetof` into numbers in an object file, from which they are read: nothing is run, so a
cross compiler (CC=aarch64-linux-gnu-gcc) serves as well.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from gilscope.sources import layouts
from gilscope.sources.layouts import GilFields, Layout, Version

FIRST: Version = (3, 8)
PUBLISHES: Version = (3, 13)
NONE = 2**64 - 1

_RUNTIME, _INTERP, _THREAD = "_PyRuntimeState", "PyInterpreterState", "PyThreadState"
_GIL = "struct _gil_runtime_state"

LAST: Version = (99, 0)
FIELDS: dict[str, list[tuple[Version, Version, str]]] = {
    "interpreters_head": [(FIRST, LAST, f"offsetof({_RUNTIME}, interpreters.head)")],
    "interp_next": [(FIRST, LAST, f"offsetof({_INTERP}, next)")],
    "interp_id": [(FIRST, LAST, f"offsetof({_INTERP}, id)")],
    "threads_head": [
        (FIRST, (3, 10), f"offsetof({_INTERP}, tstate_head)"),
        ((3, 11), LAST, f"offsetof({_INTERP}, threads.head)"),
    ],
    "thread_id": [(FIRST, LAST, f"offsetof({_THREAD}, thread_id)")],
    "native_thread_id": [((3, 11), LAST, f"offsetof({_THREAD}, native_thread_id)")],
    "thread_next": [(FIRST, LAST, f"offsetof({_THREAD}, next)")],
    "thread_interp": [(FIRST, LAST, f"offsetof({_THREAD}, interp)")],
    "thread_attachment": [(PUBLISHES, LAST, f"offsetof({_THREAD}, state)")],
    "gil_in_runtime": [(FIRST, (3, 11), f"offsetof({_RUNTIME}, ceval.gil)")],
    "tstate_current": [(FIRST, (3, 11), f"offsetof({_RUNTIME}, gilstate.tstate_current)")],
    "gil_pointer": [((3, 12), LAST, f"offsetof({_INTERP}, ceval.gil)")],
    "gil.interval": [(FIRST, LAST, f"offsetof({_GIL}, interval)")],
    "gil.last_holder": [(FIRST, LAST, f"offsetof({_GIL}, last_holder)")],
    "gil.locked": [(FIRST, LAST, f"offsetof({_GIL}, locked)")],
    "gil.switch_number": [(FIRST, LAST, f"offsetof({_GIL}, switch_number)")],
    "gil.cond": [(FIRST, LAST, f"offsetof({_GIL}, cond)")],
    "gil.size": [(FIRST, LAST, f"sizeof({_GIL})")],
    "gil.waiters_in_cond": [(FIRST, LAST, "offsetof(pthread_cond_t, __data.__wrefs)")],
}
"""Each field of a Layout, and how C says it: from a version, to one."""

NEIGHBOURS: dict[str, list[tuple[Version, Version, str, int]]] = {
    "the main interpreter, 8 behind the head": [
        (FIRST, LAST, f"offsetof({_RUNTIME}, interpreters.main) - offsetof({_RUNTIME}, interpreters.head)", 8)
    ],
    "own_gil, 8 behind the GIL's pointer": [
        ((3, 12), LAST, f"offsetof({_INTERP}, ceval.own_gil) - offsetof({_INTERP}, ceval.gil)", 8)
    ],
    "prev, at a thread's start": [(FIRST, LAST, f"offsetof({_THREAD}, prev)", 0)],
}
"""What the reader takes for granted without a field for it."""

PUBLISHED: dict[str, tuple[str, str]] = {
    "interpreters_head": ("runtime_state.interpreters_head", f"offsetof({_RUNTIME}, interpreters.head)"),
    "interp_id": ("interpreter_state.id", f"offsetof({_INTERP}, id)"),
    "interp_next": ("interpreter_state.next", f"offsetof({_INTERP}, next)"),
    "threads_head": ("interpreter_state.threads_head", f"offsetof({_INTERP}, threads.head)"),
    "ceval_gil": ("interpreter_state.ceval_gil", f"offsetof({_INTERP}, ceval.gil)"),
    "gil_runtime_state": ("interpreter_state.gil_runtime_state", f"offsetof({_INTERP}, _gil)"),
    "gil_locked": ("interpreter_state.gil_runtime_state_locked", f"offsetof({_INTERP}, _gil.locked)"),
    "gil_holder": ("interpreter_state.gil_runtime_state_holder", f"offsetof({_INTERP}, _gil.last_holder)"),
    "thread_next": ("thread_state.next", f"offsetof({_THREAD}, next)"),
    "thread_interp": ("thread_state.interp", f"offsetof({_THREAD}, interp)"),
    "thread_id": ("thread_state.thread_id", f"offsetof({_THREAD}, thread_id)"),
    "native_thread_id": ("thread_state.native_thread_id", f"offsetof({_THREAD}, native_thread_id)"),
}
"""Each position in `_Py_DebugOffsets` that is used: its name there, and what stands there."""
_BEFORE_ATTACHMENT = {
    "thread_state.status": f"offsetof({_THREAD}, _status)",
    "thread_state.gil_requested": f"offsetof({_THREAD}, gil_requested)",
}

_PROGRAM = """\
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>
#include <pthread.h>
#if __has_include("internal/pycore_runtime.h")
#include "internal/pycore_runtime.h"
#include "internal/pycore_interp.h"
#endif
#include "internal/pycore_pystate.h"
const unsigned long long numbers[] __attribute__((section(".numbers"))) = {{
{numbers}
}};
"""


class CannotCompileError(Exception):
    """No compiler, no headers, or headers that it cannot read. Says why."""


@dataclass(frozen=True)
class Headers:
    """What a set of headers says."""

    version: Version
    free_threaded: bool
    fields: dict[str, int]
    """By the names of a Layout's fields; `gil.` before those of its GIL."""
    neighbours: dict[str, tuple[int, int]]
    """What is taken for granted: as it is, and as it should be."""
    mutex_size: int
    positions: dict[str, int]
    """In `_Py_DebugOffsets`, by the names of `layouts._Published`."""
    published: bytes
    """How `_PyRuntime` begins, from 3.13 on."""

    def layout(self) -> Layout:
        """The layout that these headers describe."""
        gil = {name[4:]: value for name, value in self.fields.items() if name.startswith("gil.")}
        others: dict[str, Any] = {
            name: value for name, value in self.fields.items() if not name.startswith("gil.")
        }
        return Layout(
            version=self.version,
            free_threaded=self.free_threaded,
            gil=GilFields(enabled=0 if self.free_threaded else None, **gil),
            **({"native_thread_id": None} | others),
        )

    def line(self) -> str:
        """It as source, ready to paste into layouts.py: the table's entry, or the published positions."""
        name = f"({self.version[0]}, {self.version[1]})"
        if self.positions:
            text = ", ".join(f"{name}={value}" for name, value in self.positions.items())
            return f"    {name}: _Published({text}),"
        defaults = {field.name: field.default for field in dataclasses.fields(Layout)}
        layout = self.layout()
        changed = {name: getattr(layout, name) for name in defaults if name not in {"gil", "version"}}
        text = ", ".join(f"{k}={v}" for k, v in changed.items() if v != defaults[k])
        gil = ", ".join(
            f"{field.name}={getattr(layout.gil, field.name)}"
            for field in dataclasses.fields(GilFields)
            if getattr(layout.gil, field.name) != field.default
        )
        return f"    {name}: Layout(version={name}, {text}{f', gil=GilFields({gil})' if gil else ''}),"


def _numbers(include: Path, expressions: list[str], *, free_threaded: bool) -> list[int]:
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    if shutil.which(compiler[0]) is None:
        raise CannotCompileError(f"{compiler[0]} is not there")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "numbers.c")
        source.write_text(_PROGRAM.format(numbers=",\n".join(expressions)))
        command = [*compiler, "-w", "-c", f"-I{include}", f"-I{include / 'internal'}", str(source)]
        command += ["-o", str(source.with_suffix(".o")), *(["-DPy_GIL_DISABLED=1"] if free_threaded else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            wrong = [line for line in done.stderr.splitlines() if "error" in line]
            raise CannotCompileError("\n".join(wrong[:3]) or done.stderr[-300:])
        with source.with_suffix(".o").open("rb") as file:
            section = ELFFile(file).get_section_by_name(".numbers")
            assert section is not None
            return list(struct.unpack(f"<{len(expressions)}Q", section.data()))


def read(include: Path, version: Version, *, free_threaded: bool = False) -> Headers:
    """Ask the headers in `include`.

    Raises:
        CannotCompileError: they cannot be asked.
    """
    if not (include / "internal" / "pycore_pystate.h").exists():
        raise CannotCompileError(f"no internal headers in {include}")
    fields = {name: text for name, ways in FIELDS.items() for since, until, text in ways
              if since <= version <= until}  # fmt: skip
    granted = {name: (text, expected) for name, ways in NEIGHBOURS.items()
               for since, until, text, expected in ways if since <= version <= until}  # fmt: skip
    before = "thread_state.status" if version < (3, 15) else "thread_state.gil_requested"
    published = PUBLISHED | {"before_attachment": (before, _BEFORE_ATTACHMENT[before])}
    if version < PUBLISHES:
        published = {}
    expressions = ["sizeof(pthread_mutex_t)", *fields.values(), *(text for text, _ in granted.values())]
    for where, what in published.values():
        expressions += [f"offsetof(_Py_DebugOffsets, {where})", what]
    numbers = iter(_numbers(include, expressions, free_threaded=free_threaded))
    mutex_size = next(numbers)
    found = {name: next(numbers) for name in fields}
    neighbours = {name: (next(numbers), expected) for name, (_, expected) in granted.items()}
    head = bytearray(layouts.DEBUG_OFFSETS_SIZE) if published else bytearray()
    positions: dict[str, int] = {}
    if published:
        version_hex = version[0] << 24 | version[1] << 16 | 0xF0
        struct.pack_into("<8sQQ", head, 0, layouts.COOKIE, version_hex, free_threaded)
    for name in published:
        positions[name] = next(numbers)
        struct.pack_into("<Q", head, positions[name], next(numbers))
    if published:
        behind = struct.unpack_from("<Q", head, positions["before_attachment"])[0]
        positions["attachment_after"] = found["thread_attachment"] - behind
    return Headers(version, free_threaded, found, neighbours, mutex_size, positions, bytes(head))

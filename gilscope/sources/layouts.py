"""Where each CPython keeps its GIL.

Up to 3.12 the offsets are a table (the same in all patch releases of a minor version, and on every 64-bit
Linux but for the size of the GIL's two mutexes); from 3.13 on the interpreter publishes most of them at the
start of `_PyRuntime` (`_Py_DebugOffsets`), and the few unpublished ones are derived from its neighbours.
`make layouts` compares all of it with CPython's headers.

A layout is a claim. `finding.py` proves it on the live process before it trusts it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

Version = tuple[int, int]

COOKIE = b"xdebugpy"
"""The first bytes of `_PyRuntime` from 3.13 on."""

DEBUG_OFFSETS_SIZE = 512
"""Enough of `_Py_DebugOffsets` for all that is used of it, in each version."""

MAX_OFFSET = 1 << 20
"""Far beyond the end of any struct of an interpreter: what is published past it is no offset."""

MAX_NEAR = 4096
"""The same for what is at the start of a thread's state, and in the GIL's struct."""


@dataclass(frozen=True, slots=True)
class GilFields:
    """Byte offsets in the GIL's struct (208 bytes on 3.8 – 3.14, on x86_64)."""

    interval: int = 0
    last_holder: int = 8
    locked: int = 16
    switch_number: int = 24
    cond: int = 32
    size: int = 208
    enabled: int | None = None
    """Free-threaded builds only: 0 means that there is no GIL now."""
    waiters_in_cond: int = 36
    """Where glibc counts the references to the condition variable, eight a waiter; see libc.py."""

    @property
    def waiters(self) -> int:
        """Where the waiters are counted."""
        return self.cond + self.waiters_in_cond


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Byte offsets of what the reader follows, for one version and build."""

    version: Version
    interpreters_head: int
    """In `_PyRuntime`; the main interpreter's pointer is 8 bytes on."""
    interp_next: int
    interp_id: int
    threads_head: int
    thread_id: int
    native_thread_id: int | None
    """Before 3.11 there is none: the tid is read out of glibc's thread struct."""
    thread_next: int = 8
    thread_interp: int = 16
    thread_attachment: int | None = None
    """3.13 on: whether the thread is attached to its interpreter, which is who runs Python without a GIL."""
    gil_in_runtime: int | None = None
    """Up to 3.11: the GIL's struct itself, in `_PyRuntime`."""
    tstate_current: int | None = None
    """Up to 3.11: the pointer to the running thread's state, in `_PyRuntime`."""
    gil_pointer: int | None = None
    """3.12 on: the pointer to the GIL in use, in the interpreter; `own_gil` is 8 bytes on."""
    gil: GilFields = GilFields()
    free_threaded: bool = False


_TABLE: dict[Version, Layout] = {
    (3, 8): Layout(
        version=(3, 8), interpreters_head=32, interp_next=0, interp_id=16, threads_head=8,
        thread_id=176, native_thread_id=None, gil_in_runtime=1152, tstate_current=1368,
    ),
    (3, 9): Layout(
        version=(3, 9), interpreters_head=32, interp_next=0, interp_id=24, threads_head=8,
        thread_id=176, native_thread_id=None, gil_in_runtime=352, tstate_current=568,
    ),
    (3, 10): Layout(
        version=(3, 10), interpreters_head=32, interp_next=0, interp_id=24, threads_head=8,
        thread_id=176, native_thread_id=None, gil_in_runtime=352, tstate_current=568,
    ),
    (3, 11): Layout(
        version=(3, 11), interpreters_head=40, interp_next=0, interp_id=48, threads_head=16,
        thread_id=152, native_thread_id=160, gil_in_runtime=360, tstate_current=576,
    ),
    (3, 12): Layout(
        version=(3, 12), interpreters_head=40, interp_next=0, interp_id=8, threads_head=72,
        thread_id=136, native_thread_id=144, gil_pointer=384,
    ),
}  # fmt: skip

MAX_ATTACHMENT = 3
"""The largest that `thread_attachment` can be; gil.Attachment names them."""

_MUTEX_SIZE = 40
"""In the table: glibc's on x86_64, and musl's."""

TABLE_VERSIONS: tuple[Version, ...] = tuple(_TABLE)

GLIBC_TID_OFFSET = 720
"""x86_64: the tid in glibc's `struct pthread`, to which thread_id points before 3.11."""


@dataclass(frozen=True, slots=True)
class _Published:
    """Byte positions, in `_Py_DebugOffsets`, of the 8-byte fields that are used."""

    interpreters_head: int = 40
    interp_id: int = 56
    interp_next: int = 64
    threads_head: int = 72
    ceval_gil: int = 112
    gil_runtime_state: int = 120
    gil_locked: int = 136
    gil_holder: int = 144
    thread_next: int = 168
    thread_interp: int = 176
    thread_id: int = 192
    native_thread_id: int = 200
    before_attachment: int = 216
    """A word of a thread's state that is published (`status`; `gil_requested` where that is), …"""
    attachment_after: int = 8
    """… and how far behind it the unpublished `state` is."""


_PUBLISHED_3_13 = _Published()
_PUBLISHED_3_14 = replace(
    _PUBLISHED_3_13, ceval_gil=120, gil_runtime_state=128, gil_locked=144, gil_holder=152,
    thread_next=192, thread_interp=200, thread_id=216, native_thread_id=224,
    before_attachment=240, attachment_after=12,
)  # fmt: skip
_PUBLISHED_3_15 = replace(
    _PUBLISHED_3_14, thread_id=240, native_thread_id=248, before_attachment=280, attachment_after=8
)
_NEAR = ("thread_next", "thread_interp", "thread_id", "native_thread_id", "before_attachment")
_PUBLISHED: dict[Version, _Published] = {
    (3, 13): _PUBLISHED_3_13,
    (3, 14): _PUBLISHED_3_14,
    (3, 15): _PUBLISHED_3_15,
}


def from_table(version: Version) -> Layout | None:
    """The layout of a version that publishes none itself; None where it is not known."""
    return _TABLE.get(version)


def with_mutexes_of(layout: Layout, size: int) -> Layout:
    """The layout where the C library's mutex has another size: 48 bytes in glibc on aarch64."""
    more = 2 * (size - _MUTEX_SIZE)
    current = None if layout.tstate_current is None else layout.tstate_current + more
    return replace(layout, tstate_current=current, gil=replace(layout.gil, size=layout.gil.size + more))


def from_debug_offsets(head: bytes) -> Layout | None:
    """The layout that an interpreter publishes.

    Args:
        head: the first DEBUG_OFFSETS_SIZE bytes of its `_PyRuntime`.

    Returns:
        None where there is no cookie, the version is one whose table nobody has read yet, or the figures
        cannot be offsets.
    """
    if len(head) < DEBUG_OFFSETS_SIZE or not head.startswith(COOKIE):
        return None
    version_hex, free_threaded = struct.unpack_from("<QQ", head, 8)
    version = (version_hex >> 24 & 0xFF, version_hex >> 16 & 0xFF)
    at = _PUBLISHED.get(version)
    if at is None:
        return None

    def field(position: int) -> int:
        return int.from_bytes(head[position : position + 8], "little")

    positions = [getattr(at, name) for name in at.__dataclass_fields__ if name != "attachment_after"]
    if any(field(position) > MAX_OFFSET for position in positions):
        return None
    if any(field(getattr(at, name)) > MAX_NEAR for name in _NEAR):
        return None
    if abs(field(at.thread_next) - field(at.thread_interp)) < 8:
        return None
    # locked and holder are published relative to the interpreter; the GIL in use may be another's.
    locked = field(at.gil_locked) - field(at.gil_runtime_state)
    last_holder = field(at.gil_holder) - field(at.gil_runtime_state)
    shortest = 24 if free_threaded else 16
    if last_holder != locked - 8 or not shortest <= locked <= MAX_NEAR:
        return None
    return Layout(
        version=version,
        interpreters_head=field(at.interpreters_head),
        interp_next=field(at.interp_next),
        interp_id=field(at.interp_id),
        threads_head=field(at.threads_head),
        thread_id=field(at.thread_id),
        native_thread_id=field(at.native_thread_id),
        thread_next=field(at.thread_next),
        thread_interp=field(at.thread_interp),
        thread_attachment=field(at.before_attachment) + at.attachment_after,
        gil_pointer=field(at.ceval_gil),
        gil=GilFields(
            interval=locked - 16,
            last_holder=last_holder,
            locked=locked,
            switch_number=locked + 8,
            cond=locked + 16,
            size=locked + 192,
            enabled=0 if free_threaded else None,
        ),
        free_threaded=bool(free_threaded),
    )


def fields_at(fields: list[tuple[int, str]]) -> struct.Struct:
    """A Struct that takes each (offset, format) in ascending order and skips what lies between."""
    parts, at = ["<"], 0
    for offset, code in fields:
        parts.append(f"{offset - at}x{code}")
        at = offset + struct.calcsize("<" + code)
    return struct.Struct("".join(parts))

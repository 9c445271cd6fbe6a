"""The tables of offsets, and what interpreters publish themselves."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.sources import layouts
from gilscope.sources.gil import GilProbe
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.layouts import COOKIE, DEBUG_OFFSETS_SIZE, GilFields, from_debug_offsets, from_table
from gilscope.sources.memory import ProcessMemory

# Byte positions in _Py_DebugOffsets, and offsets that real builds publish there (GIL-FACTS 1).
POSITIONS: dict[tuple[int, int], dict[str, int]] = {
    (3, 13): {
        "interpreters_head": 40, "interp_id": 56, "interp_next": 64, "threads_head": 72, "ceval_gil": 112,
        "gil_state": 120, "locked": 136, "holder": 144, "thread_next": 168, "thread_interp": 176,
        "thread_id": 192, "native_thread_id": 200,
    },
    (3, 14): {
        "interpreters_head": 40, "interp_id": 56, "interp_next": 64, "threads_head": 72, "ceval_gil": 120,
        "gil_state": 128, "locked": 144, "holder": 152, "thread_next": 192, "thread_interp": 200,
        "thread_id": 216, "native_thread_id": 224,
    },
}  # fmt: skip
POSITIONS[3, 15] = POSITIONS[3, 14] | {"thread_id": 240, "native_thread_id": 248}
OFFSETS: dict[tuple[int, int], dict[str, int]] = {
    (3, 13): {
        "interpreters_head": 632, "interp_id": 7272, "interp_next": 7264, "threads_head": 7344,
        "ceval_gil": 16, "gil_state": 7752, "thread_next": 8, "thread_interp": 16, "thread_id": 152,
        "native_thread_id": 160,
    },
}  # fmt: skip
OFFSETS[3, 14] = OFFSETS[3, 13] | {
    "interpreters_head": 808, "interp_id": 7280, "interp_next": 7272, "gil_state": 7784,
}  # fmt: skip
OFFSETS[3, 15] = OFFSETS[3, 14]


def published(version: tuple[int, int], *, free_threaded: bool = False) -> bytes:
    """The start of such an interpreter's _PyRuntime."""
    head = bytearray(DEBUG_OFFSETS_SIZE)
    struct.pack_into("<8sQQ", head, 0, COOKIE, version[0] << 24 | version[1] << 16 | 0x01F0, free_threaded)
    shift = 8 if free_threaded else 0
    values = OFFSETS[version] | {
        "locked": OFFSETS[version]["gil_state"] + 16 + shift,
        "holder": OFFSETS[version]["gil_state"] + 8 + shift,
    }
    for name, position in POSITIONS[version].items():
        struct.pack_into("<Q", head, position, values[name])
    return bytes(head)


@pytest.mark.parametrize("version", list(POSITIONS))
def test_published_layouts(version: tuple[int, int]) -> None:
    layout = from_debug_offsets(published(version))
    expected = OFFSETS[version]
    assert layout is not None
    assert layout.version == version
    assert not layout.free_threaded
    assert layout.gil == GilFields()
    assert layout.gil.waiters == 68
    assert (layout.interpreters_head, layout.interp_next, layout.interp_id, layout.threads_head) == (
        expected["interpreters_head"],
        expected["interp_next"],
        expected["interp_id"],
        expected["threads_head"],
    )
    assert (layout.thread_id, layout.native_thread_id, layout.thread_next, layout.thread_interp) == (
        152, 160, 8, 16,
    )  # fmt: skip
    assert layout.gil_pointer == 16
    assert layout.gil_in_runtime is None


@pytest.mark.parametrize("version", [(3, 13), (3, 14), (3, 15)])
def test_a_free_threaded_build_has_one_word_more(version: tuple[int, int]) -> None:
    layout = from_debug_offsets(published(version, free_threaded=True))
    assert layout is not None
    assert layout.free_threaded
    assert layout.gil == GilFields(
        interval=8, last_holder=16, locked=24, switch_number=32, cond=40, size=216, enabled=0
    )


@pytest.mark.parametrize(
    "head",
    [
        b"",
        COOKIE,
        bytes(DEBUG_OFFSETS_SIZE),
        published((3, 13))[:-1],
        published((3, 13)).replace(COOKIE, b"ydebugpx"),
        published((3, 13))[:8] + struct.pack("<Q", 0x031000F0) + published((3, 13))[16:],
    ],
)
def test_what_is_not_known_is_not_guessed(head: bytes) -> None:
    assert from_debug_offsets(head) is None


@pytest.mark.parametrize("version", [(3, 8), (3, 9), (3, 10), (3, 11), (3, 12)])
def test_the_table_knows(version: tuple[int, int]) -> None:
    layout = from_table(version)
    assert layout is not None
    assert layout.version == version
    assert (layout.native_thread_id is None) == (version < (3, 11))
    assert (layout.gil_in_runtime is None) == (version == (3, 12))
    assert (layout.tstate_current is None) == (version == (3, 12))


@pytest.mark.parametrize("version", [(2, 7), (3, 7), (3, 13), (4, 0)])
def test_the_table_does_not_guess(version: tuple[int, int]) -> None:
    assert from_table(version) is None


words = st.integers(0, 2**64 - 1) | st.integers(0, 10_000)


@given(
    version=st.sampled_from([*POSITIONS, (3, 16)]),
    values=st.lists(words, min_size=(DEBUG_OFFSETS_SIZE - 16) // 8, max_size=(DEBUG_OFFSETS_SIZE - 16) // 8),
)
def test_what_a_process_publishes_is_not_believed(version: tuple[int, int], values: list[int]) -> None:
    """Whatever stands there: no layout, or one that can be read with, and be refused by `prove`."""
    version_hex = version[0] << 24 | version[1] << 16
    layout = from_debug_offsets(COOKIE + struct.pack(f"<Q{len(values)}Q", version_hex, *values))
    if layout is not None:
        reader = InterpreterReader(_NoMemory(), layout, 0, counts_waiters=True)
        assert GilProbe(reader, 0, 0, "shared").place[1] <= 2 * layouts.MAX_OFFSET


@given(st.binary(max_size=2 * DEBUG_OFFSETS_SIZE))
def test_any_bytes(head: bytes) -> None:
    from_debug_offsets(head)
    from_debug_offsets(COOKIE + head)


class _NoMemory(ProcessMemory):
    """Of no process."""

    def __init__(self) -> None:
        self.pid, self.fd = 0, -1


def test_debug_offsets_size_covers_all_that_is_read() -> None:
    assert max(max(fields.values()) for fields in POSITIONS.values()) + 8 <= layouts.DEBUG_OFFSETS_SIZE

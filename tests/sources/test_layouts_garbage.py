"""Whatever stands in a process's memory: an answer or a ReadFailedError, soon."""

from __future__ import annotations

import os
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gilscope.sources import elf, finding, gil, layouts, libc
from gilscope.sources.interpreter import (
    MAX_INTERPRETER_ID,
    MAX_INTERPRETERS,
    MAX_THREADS,
    MAX_TID,
    InterpreterReader,
)
from gilscope.sources.layouts import DEBUG_OFFSETS_SIZE, Layout
from gilscope.sources.memory import Mapping, ReadFailedError, files_in, mapped_files
from tests.layouts.image import OFFSETS, RUNTIME, Image, ImageMemory

TID = threading.get_native_id()
LIMIT_S = 3.0
"""Of any single call, on a busy machine."""
LIMIT_BYTES = 32 * 2**20


@contextmanager
def soon() -> Iterator[None]:
    before = time.process_time()
    yield
    assert time.process_time() - before < LIMIT_S


def _read_everything(image: Image, layout: Layout | None) -> None:
    """All that a session does with a process, ReadFailedError the only way that it may fail."""
    if layout is None:
        return
    reader = InterpreterReader(image.memory, layout, RUNTIME, counts_waiters=True)
    probes: list[gil.GilProbe] = []
    for call in (reader.prove, lambda: probes.extend(reader.probes()), reader.attached_threads, reader.walk):
        with soon(), suppress(ReadFailedError):
            call()
    for probe in probes[:5]:
        with soon(), suppress(ReadFailedError):
            sample = probe.sample()
            assert -1 <= sample.tid <= MAX_TID or sample.tid in reader.claims
            assert 0 <= probe.interpreter <= MAX_INTERPRETER_ID
            assert 0 <= probe.switch_interval_us() <= gil.MAX_SWITCH_INTERVAL_US


def _small(version: tuple[int, int], free_threaded: bool) -> Image:
    image = Image(version, free_threaded)
    main = image.add_interpreter()
    own = image.add_interpreter()
    for number, interpreter in enumerate((main, main, own)):
        state = image.add_thread(interpreter, TID + number, 1)
        image.set_gil(image.gil_of(interpreter), holder=state, locked=1, switches=number + 1, waiters=number)
    return image


def _places(image: Image) -> list[int]:
    """Addresses of the words that are followed or trusted."""
    at = image.offsets
    found = [RUNTIME + position for position in range(0, DEBUG_OFFSETS_SIZE, 8)]
    found += [RUNTIME + at["interpreters_head"], RUNTIME + at["interpreters_head"] + 8]
    for interpreter in image.interpreters:
        found += [
            interpreter + at[name] for name in ("interp_id", "interp_next", "threads_head", "ceval_gil")
        ]
        found += range(image.gil_of(interpreter), image.gil_of(interpreter) + 96, 8)
        for thread in image.threads[interpreter]:
            found += [thread + at[name] for name in ("thread_next", "thread_interp", "native_thread_id")]
            found.append(thread + 40)
    return found


@settings(deadline=None, max_examples=150)
@given(data=st.data(), version=st.sampled_from(list(OFFSETS)), free_threaded=st.booleans())
def test_damaged_images(data: st.DataObject, version: tuple[int, int], free_threaded: bool) -> None:
    image = _small(version, free_threaded)
    try:
        trusted = image.layout
        places = _places(image)
        values = (
            st.sampled_from([0, 1, 2**31, 2**63, 2**64 - 1, 2**64 - 8, image.memory.end - 4, *places])
            | st.integers(0, 2**64 - 1)
            | st.integers(0, image.memory.end)
        )
        changes = data.draw(st.lists(st.tuples(st.sampled_from(places), values), min_size=1, max_size=6))
        for place, value in changes:
            image.memory.put(place, value)
        _read_everything(image, layouts.from_debug_offsets(image.memory.read(RUNTIME, DEBUG_OFFSETS_SIZE)))
        _read_everything(image, trusted)
        for claim in layouts.TABLE_VERSIONS:
            _read_everything(image, layouts.from_table(claim))
    finally:
        image.memory.close()


@settings(deadline=None, max_examples=60)
@given(words=st.lists(st.integers(0, 0x3000).map(lambda n: n * 8) | st.integers(0, 2**64 - 1), min_size=64))
def test_nothing_but_garbage(words: list[int]) -> None:
    """Many of them are addresses of others."""
    image = Image((3, 13))
    try:
        image.memory.write(RUNTIME + DEBUG_OFFSETS_SIZE, struct.pack(f"<{len(words)}Q", *words) * 64)
        _read_everything(image, image.layout)
        for claim in layouts.TABLE_VERSIONS:
            _read_everything(image, layouts.from_table(claim))
    finally:
        image.memory.close()


def _many_interpreters(image: Image) -> None:
    for _ in range(MAX_INTERPRETERS + 200):
        image.add_interpreter()


def _many_threads(image: Image) -> None:
    main = image.add_interpreter()
    for _ in range(MAX_THREADS + 500):
        image.add_thread(main, TID)


def _threads_in_a_ring(image: Image) -> None:
    main = image.add_interpreter()
    first, *_, last = [image.add_thread(main, TID) for _ in range(50)]
    image.memory.put(first + image.offsets["thread_next"], last)


def _interpreters_in_a_ring(image: Image) -> None:
    first, *_, last = [image.add_interpreter() for _ in range(50)]
    image.memory.put(first + image.offsets["interp_next"], last)


def _interpreters_that_share_a_list_of_threads(image: Image) -> None:
    _many_threads(image)
    main = image.interpreters[0]
    for _ in range(100):
        other = image.add_interpreter()
        threads = image.memory.pointer(main + image.offsets["threads_head"])
        image.memory.put(other + image.offsets["threads_head"], threads)


@pytest.mark.parametrize("free_threaded", [False, True], ids=["default", "free-threaded"])
@pytest.mark.parametrize(
    "build",
    [
        _many_interpreters, _many_threads, _threads_in_a_ring, _interpreters_in_a_ring,
        _interpreters_that_share_a_list_of_threads,
    ],
)  # fmt: skip
def test_lists_without_an_end(build: Callable[[Image], None], free_threaded: bool) -> None:
    image = Image((3, 14), free_threaded)
    build(image)
    tracemalloc.start()
    try:
        _read_everything(image, image.layout)
        assert tracemalloc.get_traced_memory()[1] < LIMIT_BYTES
    finally:
        tracemalloc.stop()
        image.memory.close()


# ELF files in memory.

NAMES = ["_PyRuntime", "exit", "Py_Main", "a", *(f"symbol_{number}" for number in range(40))]


def _elf(style: str, *, vaddr: int = 0, start: int = 0x10000, relocated: bool = True) -> dict[int, bytes]:
    """A shared object as a loader leaves it, by address: one segment, at `start`."""
    count = len(NAMES) + 1
    strings, offsets = b"\0", []
    for name in NAMES:
        offsets.append(len(strings))
        strings += name.encode() + b"\0"
    if style == "gnu":
        buckets = 7
        order = sorted(range(len(NAMES)), key=lambda number: elf.gnu_hash(NAMES[number].encode()) % buckets)
        hashes = [elf.gnu_hash(NAMES[number].encode()) for number in order]
        first = [0] * buckets
        chain = []
        for index, value in enumerate(hashes):
            first[value % buckets] = first[value % buckets] or index + 1
            is_last = index + 1 == len(hashes) or hashes[index + 1] % buckets != value % buckets
            chain.append(value & ~1 | is_last)
        table = struct.pack("<4IQ", buckets, 1, 1, 6, 2**64 - 1)
        table += struct.pack(f"<{buckets + len(chain)}I", *first, *chain)
    else:
        buckets = 5
        order = list(range(len(NAMES)))
        heads, links = [0] * buckets, [0] * count
        for index, number in enumerate(order, 1):
            bucket = elf.sysv_hash(NAMES[number].encode()) % buckets
            links[index], heads[bucket] = heads[bucket], index
        table = struct.pack(f"<2I{buckets + count}I", buckets, count, *heads, *links)
    symbols = bytes(24)
    for number in order:
        symbols += struct.pack("<IBBHQQ", offsets[number], 0x11, 0, 1, vaddr + 0x800 + 8 * number, 8)
    at_symbols = 0x200
    at_strings = at_symbols + len(symbols) + 0x800
    at_table = at_strings + len(strings) + 8
    at_dynamic = at_table + len(table) + 8
    base = start if relocated else vaddr
    tags = [(5, base + at_strings), (6, base + at_symbols), (10, len(strings)), (11, 24)]
    tags += [(0x6FFFFEF5 if style == "gnu" else 4, base + at_table), (0, 0)]
    dynamic = b"".join(struct.pack("<2Q", *tag) for tag in tags)
    size = at_dynamic + len(dynamic)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<2HI3QI6H", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    header += struct.pack("<2I6Q", 1, 5, 0, vaddr, vaddr, size, size, 0x1000)
    header += struct.pack("<2I6Q", 2, 6, at_dynamic, vaddr + at_dynamic, 0, len(dynamic), len(dynamic), 8)
    parts = {0: header, at_symbols: symbols, at_strings: strings, at_table: table, at_dynamic: dynamic}
    return {start + at: data for at, data in parts.items()}


def _loaded(parts: dict[int, bytes]) -> ImageMemory:
    memory = ImageMemory()
    for address, data in parts.items():
        memory.write(address, data)
    return memory


each_style = pytest.mark.parametrize("style", ["gnu", "sysv"])


@each_style
@pytest.mark.parametrize("relocated", [True, False], ids=["glibc", "musl"])
@pytest.mark.parametrize("vaddr", [0, 0x10000, 0x400000])
def test_every_exported_symbol_is_found(style: str, relocated: bool, vaddr: int) -> None:
    memory = _loaded(_elf(style, vaddr=vaddr, relocated=relocated))
    for number, name in enumerate(NAMES):
        assert elf.symbol_in_memory(memory, 0x10000, name) == 0x10000 + 0x800 + 8 * number
    for name in ("", "_PyRuntim", "_PyRuntime2", "symbol_", "ü", "x" * 10_000):
        assert elf.symbol_in_memory(memory, 0x10000, name) is None
    memory.close()


@settings(deadline=None, max_examples=300)
@given(data=st.data(), style=st.sampled_from(["gnu", "sysv"]), relocated=st.booleans())
def test_damaged_elf_images(data: st.DataObject, style: str, relocated: bool) -> None:
    parts = _elf(style, relocated=relocated)
    memory = _loaded(parts)
    places = [address + at for address, part in parts.items() for at in range(0, len(part), 4)]
    values = st.sampled_from([0, 1, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1) | st.integers(0, 2000)
    for place, value in data.draw(st.lists(st.tuples(st.sampled_from(places), values), max_size=5)):
        memory.write(place, struct.pack("<I", value))
    cut = data.draw(st.none() | st.integers(0, memory.end))
    if cut is not None:
        os.ftruncate(memory.fd, cut)
    for name in ("_PyRuntime", "none"):
        with soon(), suppress(ReadFailedError):
            found = elf.symbol_in_memory(memory, 0x10000, name)
            assert found is None or found >= 0x10000
    memory.close()


def test_a_chain_in_a_ring() -> None:
    parts = _elf("sysv")
    memory = _loaded(parts)
    table = sorted(parts)[3]
    memory.write(table + 8, struct.pack("<7I", *[1] * 7))  # each bucket leads to 1, and 1 to itself
    with soon(), pytest.raises(ReadFailedError, match="without an end"):
        elf.symbol_in_memory(memory, 0x10000, "none")
    memory.close()


def test_a_chain_without_an_end() -> None:
    parts = _elf("gnu")
    memory = _loaded(parts)
    table = sorted(parts)[3]
    wanted = elf.gnu_hash(b"none") & ~1
    # Behind all that the image has, each word is the hash that is wanted, and none the last.
    index = 4_000
    memory.write(table + 24, struct.pack("<7I", *[index] * 7))
    memory.write(table + 24 + 28 + 4 * (index - 1), struct.pack("<I", wanted) * 3_000)
    memory.write(0x10000 + 64 + 32, struct.pack("<2Q", 0x20000, 0x20000))  # so long is the segment now
    memory.write(0x30000, b"\0")
    with soon(), pytest.raises(ReadFailedError, match="without an end"):
        elf.symbol_in_memory(memory, 0x10000, "none")
    memory.close()


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damaged_files(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    parts = _elf("gnu", start=0)
    whole = bytearray(max(address + len(part) for address, part in parts.items()))
    for address, part in parts.items():
        whole[address : address + len(part)] = part
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=40)
    ):
        whole[place] = value
    path = tmp_path_factory.mktemp("elf") / "file"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with soon():
        elf.symbol_address(Mapping(0x1000, str(path), ("0:0", 1), path), "_PyRuntime")


@given(st.text(st.sampled_from("0123456789abcdef-rwxps /:\n\x0c\u2028()deltu"), max_size=300) | st.text())
def test_any_map(text: str) -> None:
    with suppress(ReadFailedError):
        files_in(text, os.getpid())


# C libraries.


def _maps(*paths: str) -> str:
    lines = ["55d0c0a00000-55d0c0a01000 r--p 00000000 08:01 11 /usr/bin/python3.12"]
    for number, path in enumerate(paths, 1):
        start = 0x7F0000000000 + number * 0x10000
        lines.append(f"{start:x}-{start + 0x1000:x} r--p 00000000 08:01 {100 + number} {path}")
    return "\n".join([*lines, "7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0 [stack]", ""])


@pytest.mark.parametrize(
    ("paths", "counts"),
    [
        (["/usr/lib/x86_64-linux-gnu/libc.so.6"], True),
        (["/usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)"], True),
        (["/usr/lib64/libc-2.28.so", "/usr/lib64/ld-2.28.so"], True),
        (["/nix/store/abc-glibc-2.25/lib/libc-2.25.so"], True),
        (["/lib/x86_64-linux-gnu/libc-2.31.so", "/lib/x86_64-linux-gnu/libpthread-2.31.so"], True),
        (["/usr/lib64/libc-2.17.so"], False),  # another condition variable
        (["/usr/lib64/libc-2.24.so"], False),
        (["/lib/ld-musl-x86_64.so.1"], False),
        (["/lib/ld-musl-aarch64.so.1 (deleted)"], False),
        (["/lib/libc.musl-x86_64.so.1"], False),
        (["/usr/lib/libgcompat.so.0", "/lib/ld-musl-x86_64.so.1", "/opt/libc.so.6"], False),
        ([], False),  # all in one executable: which library is not known
        (["/usr/lib/libc-client.so.2007", "/home/me/ld-musl-notes/libx.so"], False),
    ],
)
def test_which_c_library_counts_waiters(paths: list[str], counts: bool) -> None:
    found = [mapping.path for mapping in files_in(_maps(*paths), 1)]
    assert len(found) == len(paths) + 1
    assert libc.counts_waiters(found) is counts


@pytest.mark.parametrize(
    ("path", "machine", "size"),
    [
        ("/usr/lib/libc.so.6", "x86_64", 40),
        ("/usr/lib/libc.so.6", "aarch64", 48),
        ("/lib/ld-musl-aarch64.so.1", "aarch64", 40),
        ("/usr/lib/libc.so.6", "riscv64", 40),
    ],
)
def test_the_size_of_a_mutex(path: str, machine: str, size: int) -> None:
    assert libc.mutex_size([path], machine) == size


def test_a_layout_with_larger_mutexes() -> None:
    layout = layouts.from_table((3, 11))
    assert layout is not None
    assert layouts.with_mutexes_of(layout, 40) == layout
    larger = layouts.with_mutexes_of(layout, 48)
    assert (larger.tstate_current, larger.gil.size) == (592, 224)
    without = layouts.from_table((3, 12))
    assert without is not None
    assert layouts.with_mutexes_of(without, 48).tstate_current is None


@pytest.mark.parametrize("at", [48, 208, 720])
def test_the_tid_is_searched_where_the_c_library_keeps_it(at: int) -> None:
    """3.8 – 3.10 on musl, or another machine: the thread struct is another one."""
    layout = layouts.from_table((3, 10))
    assert layout is not None
    memory = ImageMemory()
    runtime, interpreter, thread, pthread = 0x1000, 0x3000, 0x5000, 0x6000
    memory.write(0x8000, b"\0")
    for place in (runtime + layout.interpreters_head, runtime + layout.interpreters_head + 8):
        memory.put(place, interpreter)
    memory.put(interpreter + layout.threads_head, thread)
    memory.put(thread + layout.thread_interp, interpreter)
    memory.put(thread + layout.thread_id, pthread)
    memory.put_int(pthread + at, os.getpid())
    memory.put(runtime + (layout.gil_in_runtime or 0), 5000)
    reader = InterpreterReader(memory, layout, runtime, counts_waiters=False)
    reader.prove()
    assert reader.tid_in_pthread == at
    assert reader.tid_of(thread) == os.getpid()
    memory.put_int(pthread + at, 0)
    with pytest.raises(ReadFailedError, match="no thread state names a living thread"):
        finding.prove(reader)
    memory.close()


def test_our_own_map_is_read() -> None:
    found = mapped_files(os.getpid())
    assert libc.counts_waiters(mapping.path for mapping in found) == any(
        "libc.so.6" in mapping.path or "libc-2." in mapping.path for mapping in found
    )
    assert Path(found[0].path).exists()

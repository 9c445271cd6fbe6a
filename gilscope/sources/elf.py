"""Where a symbol of a mapped ELF file lies in a process.

First what is mapped is asked: the loader's own tables, read from the process's memory. They need no file
(which may be deleted, replaced by an upgrade, or in another mount namespace), and take 30 µs instead of
milliseconds. A symbol that a program does not export is only in its file, if at all.

All that is read belongs to another program: every count is bounded and every pointer has to lead into the
image, so that garbage ends in a ReadFailedError, never in a loop.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gilscope.sources.memory import Mapping, ReadFailedError

if TYPE_CHECKING:
    from gilscope.sources.memory import ProcessMemory

_MAGIC = b"\x7fELF\x02\x01"
"""64 bits, little-endian."""
_EHDR = struct.Struct("<16x2H4x8x2Q6x2H")
_PHDR = struct.Struct("<2I6Q")
_DYN = struct.Struct("<2Q")
_SYM = struct.Struct("<I2xH2Q")
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_HASH, _DT_STRTAB, _DT_SYMTAB, _DT_STRSZ, _DT_GNU_HASH = 4, 5, 6, 10, 0x6FFFFEF5
_SHN_UNDEF, _SHN_LORESERVE = 0, 0xFF00
_MAX_SEGMENTS = 128
_MAX_DYNAMIC = 1 << 16
_MAX_IMAGE = 1 << 40
_MAX_CHAIN = 1_000
"""Symbols that share a hash: a handful in real files."""


class _Image:
    """A loaded ELF file: its segments' span, and the tables that its dynamic section names."""

    def __init__(self, memory: ProcessMemory, start: int) -> None:
        self.memory = memory
        self.start = start
        header = memory.read(start, 64)
        if not header.startswith(_MAGIC):
            raise self._error("is no 64-bit ELF file")
        _, _, segments_at, _, size, count = _EHDR.unpack_from(header)
        if size != _PHDR.size or not 0 < count <= _MAX_SEGMENTS or segments_at >= _MAX_IMAGE:
            raise self._error("has no list of segments")
        segments = list(_PHDR.iter_unpack(memory.read(start + segments_at, size * count)))
        loaded = [(vaddr, offset, in_memory) for kind, _, offset, vaddr, _, _, in_memory, _ in segments
                  if kind == _PT_LOAD]  # fmt: skip
        if not loaded:
            raise self._error("has no segments to load")
        self.bias = start - (loaded[0][0] - loaded[0][1])
        """What the loader added to the file's addresses."""
        self.end = self.bias + max(vaddr + in_memory for vaddr, _, in_memory in loaded)
        if not start < self.end <= start + _MAX_IMAGE:
            raise self._error("has segments that cannot be")
        dynamic = [(vaddr, in_memory) for kind, _, _, vaddr, _, _, in_memory, _ in segments
                   if kind == _PT_DYNAMIC]  # fmt: skip
        if not dynamic:
            raise self._error("has no dynamic section")
        self.tags = self._dynamic(*dynamic[0])

    def _error(self, what: str) -> ReadFailedError:
        return ReadFailedError(f"process {self.memory.pid}: what is mapped at {self.start:#x} {what}")

    def _dynamic(self, vaddr: int, size: int) -> dict[int, int]:
        size = min(size, _MAX_DYNAMIC) // _DYN.size * _DYN.size
        tags: dict[int, int] = {}
        for tag, value in _DYN.iter_unpack(self.read(vaddr + self.bias, size)):
            if tag == 0:
                break
            tags.setdefault(tag, value)
        return tags

    def read(self, address: int, size: int) -> bytes:
        """Bytes that have to lie in the image."""
        if not self.start <= address <= address + size <= self.end:
            raise self._error(f"points to {address:#x}, out of itself")
        return self.memory.read(address, size)

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """4-byte words."""
        return struct.unpack(f"<{count}I", self.read(address, 4 * count))

    def table(self, tag: int) -> int | None:
        """Where a table is: glibc writes its address into the dynamic section, others leave the file's."""
        value = self.tags.get(tag)
        if value is None:
            return None
        for address in (value, value + self.bias):
            if self.start <= address < self.end:
                return address
        raise self._error(f"has a table {tag:#x} out of itself")

    def find(self, symbol: str) -> int | None:
        """The address of an exported symbol; None where it exports none of that name."""
        symbols, names = self.table(_DT_SYMTAB), self.table(_DT_STRTAB)
        if symbols is None or names is None:
            raise self._error("has no table of symbols")
        wanted = symbol.encode() + b"\0"
        for index in self._candidates(wanted[:-1]):
            name, section, value, _ = _SYM.unpack(self.read(symbols + index * _SYM.size, _SYM.size))
            if name + len(wanted) > self.tags.get(_DT_STRSZ, _MAX_IMAGE):
                continue
            if _SHN_UNDEF < section < _SHN_LORESERVE and self.read(names + name, len(wanted)) == wanted:
                address: int = value + self.bias
                if not self.start <= address < self.end:
                    raise self._error(f"has {symbol} out of itself")
                return address
        return None

    def _candidates(self, name: bytes) -> Iterator[int]:
        """Numbers of the symbols whose hash is the name's."""
        gnu, sysv = self.table(_DT_GNU_HASH), self.table(_DT_HASH)
        if gnu is not None:
            return self._by_gnu_hash(gnu, name)
        if sysv is not None:
            return self._by_sysv_hash(sysv, name)
        raise self._error("has no hash table")

    def _by_gnu_hash(self, table: int, name: bytes) -> Iterator[int]:
        buckets, first, bloom_words, _ = self.words(table, 4)
        if not buckets:
            raise self._error("has a hash table without buckets")
        wanted = gnu_hash(name)
        at = table + 16 + 8 * bloom_words
        (index,) = self.words(at + 4 * (wanted % buckets), 1)
        if index == 0:
            return
        if index < first:
            raise self._error("has a hash table that cannot be")
        chain = at + 4 * buckets - 4 * first
        for number in range(index, index + _MAX_CHAIN):
            (found,) = self.words(chain + 4 * number, 1)
            if found | 1 == wanted | 1:
                yield number
            if found & 1:
                return
        raise self._error("has a hash table without an end")

    def _by_sysv_hash(self, table: int, name: bytes) -> Iterator[int]:
        buckets, count = self.words(table, 2)
        if not buckets:
            raise self._error("has a hash table without buckets")
        (number,) = self.words(table + 8 + 4 * (sysv_hash(name) % buckets), 1)
        for _ in range(_MAX_CHAIN):
            if not 0 < number < count:
                return
            yield number
            (number,) = self.words(table + 8 + 4 * (buckets + number), 1)
        raise self._error("has a hash table without an end")


def gnu_hash(name: bytes) -> int:
    """The hash of .gnu.hash."""
    result = 5381
    for byte in name:
        result = (result * 33 + byte) & 0xFFFFFFFF
    return result


def sysv_hash(name: bytes) -> int:
    """The hash of the older .hash."""
    result = 0
    for byte in name:
        result = (result << 4) + byte
        high = result & 0xF0000000
        result = (result ^ high >> 24) & ~high
    return result


def symbol_in_memory(memory: ProcessMemory, start: int, symbol: str) -> int | None:
    """The address of a symbol that the ELF file loaded at `start` exports; None where it exports none.

    Raises:
        ReadFailedError: that cannot be told: no loaded ELF file, a damaged one, or the process is gone.
    """
    return _Image(memory, start).find(symbol)


_OF_DAMAGED_FILES = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
    ValueError, struct.error,
)  # fmt: skip
"""What pyelftools lets out where a file contradicts itself, besides its own errors."""


def _entries(elf: Any, symbol: str, beside: str | None) -> Iterator[Any]:
    """What the symbol tables say of `symbol`: by hash where there is one, as a scan takes 100 ms and more."""
    hashed = elf.get_section_by_name(".gnu.hash")
    if hashed is not None:
        entry = hashed.get_symbol(symbol)
        if entry is not None:
            yield entry
            return
        if beside is not None and hashed.get_symbol(beside) is not None:
            return
    for table in (".dynsym", ".symtab"):
        if table == ".dynsym" and hashed is not None:
            continue
        section = elf.get_section_by_name(table)
        if section is not None:
            yield from section.get_symbol_by_name(symbol) or ()


def _offset_in_file(path: str, symbol: str, beside: str | None = None) -> int | None:
    """`symbol`'s distance from the start of the file's first load segment; None where it has none."""
    # Most programs never need it: what they run is asked first.
    from elftools.common.exceptions import ELFError  # noqa: PLC0415
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pyelftools wants an open file; Path adds nothing
            elf = ELFFile(file)
            loads = (segment["p_vaddr"] for segment in elf.iter_segments("PT_LOAD"))
            base = next(loads, None)
            if base is None:
                return None
            for entry in _entries(elf, symbol, beside):
                if entry["st_shndx"] != "SHN_UNDEF":
                    return int(entry["st_value"]) - int(base)
    except (OSError, ELFError, *_OF_DAMAGED_FILES):
        return None
    return None


_KEPT = 256
_offsets: dict[tuple[int, int, int, int, str], int | None] = {}
"""By the file's identity, not its path: each process has paths of its own to the same file."""


def symbol_address(mapping: Mapping, symbol: str, *, beside: str | None = None) -> int | None:
    """The address of `symbol` in the process whose mapping this is; None where the file lacks it.

    Where the file exports `beside` it would export this symbol too: then there is no need to search on.
    """
    try:
        status = mapping.readable_at.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):  # to open a device may do something
        return None
    # An inode's number is given to another file once this one is gone.
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, symbol)
    if key not in _offsets:
        if len(_offsets) >= _KEPT:
            _offsets.clear()
        _offsets[key] = _offset_in_file(str(mapping.readable_at), symbol, beside)
    offset = _offsets[key]
    return None if offset is None else mapping.start + offset

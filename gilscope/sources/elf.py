"""Where a symbol of a mapped ELF file lies in a process: address = map base − first PT_LOAD + value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from gilscope.sources.memory import Mapping


def _entries(elf: Any, symbol: str) -> Iterator[Any]:
    """What the symbol tables say of `symbol`: by hash where there is one, as a scan takes 100 ms and more."""
    hashed = elf.get_section_by_name(".gnu.hash")
    if hashed is not None:
        entry = hashed.get_symbol(symbol)
        if entry is not None:
            yield entry
            return
    for table in (".dynsym", ".symtab"):
        if table == ".dynsym" and hashed is not None:
            continue
        section = elf.get_section_by_name(table)
        if section is not None:
            yield from section.get_symbol_by_name(symbol) or ()


def _offset_in_file(path: str, symbol: str) -> int | None:
    """`symbol`'s distance from the start of the file's first load segment; None where it has none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pyelftools wants an open file; Path adds nothing
            elf = ELFFile(file)
            loads = (segment["p_vaddr"] for segment in elf.iter_segments("PT_LOAD"))
            base = next(loads, None)
            if base is None:
                return None
            for entry in _entries(elf, symbol):
                if entry["st_shndx"] != "SHN_UNDEF":
                    return int(entry["st_value"]) - int(base)
    except (OSError, ELFError, ValueError, KeyError):
        return None
    return None


_KEPT = 256
_offsets: dict[tuple[str, int, str], int | None] = {}
"""By the file's identity, not its path: each process has paths of its own to the same file."""


def symbol_address(mapping: Mapping, symbol: str) -> int | None:
    """The address of `symbol` in the process whose mapping this is; None where the file lacks it."""
    key = (*mapping.device_inode, symbol)
    if key not in _offsets:
        if len(_offsets) >= _KEPT:
            _offsets.clear()
        _offsets[key] = _offset_in_file(str(mapping.readable_at), symbol)
    offset = _offsets[key]
    return None if offset is None else mapping.start + offset

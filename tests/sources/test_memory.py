"""Reads of memory, maps of files, and where a symbol lies."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from pathlib import Path

import pytest

from gilscope.sources import elf
from gilscope.sources.memory import Mapping, ProcessMemory, ReadFailedError, mapped_files
from tests.watched import open_descriptors, watched


def test_reads_of_our_own() -> None:
    words = (ctypes.c_uint64 * 2)(0x1122334455667788, 2**64 - 2)
    address = ctypes.addressof(words)
    memory = ProcessMemory(os.getpid())
    assert memory.read(address, 4) == b"\x88\x77\x66\x55"
    assert memory.pointer(address) == 0x1122334455667788
    assert memory.pointer(address + 8) == 2**64 - 2
    assert memory.int32(address + 8) == -2
    memory.close()
    memory.close()
    with pytest.raises(ReadFailedError):
        memory.read(address, 4)


@pytest.mark.parametrize("address", [0, 8, 2**63 - 8, 2**63, 2**64 - 1, 2**70])
def test_what_is_not_mapped(address: int) -> None:
    memory = ProcessMemory(os.getpid())
    with pytest.raises(ReadFailedError, match=f"{os.getpid()}, address"):
        memory.pointer(address)
    memory.close()


def test_no_such_process() -> None:
    before = open_descriptors()
    with pytest.raises(ReadFailedError, match="No such"):
        ProcessMemory(2**22 + 1)
    with pytest.raises(ReadFailedError, match="No such"):
        mapped_files(2**22 + 1)
    assert open_descriptors() == before


def _own(name: str) -> Mapping:
    return next(mapping for mapping in mapped_files(os.getpid()) if name in Path(mapping.path).name)


def test_a_symbol_of_this_process() -> None:
    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    found = [elf.symbol_address(mapping, "_PyRuntime") for mapping in mapped_files(os.getpid())]
    assert runtime in found
    libc = _own("libc.so")
    exit_address = ctypes.cast(ctypes.CDLL(None).exit, ctypes.c_void_p).value
    assert elf.symbol_address(libc, "exit") == exit_address
    assert elf.symbol_address(libc, "_PyRuntime") is None
    assert elf.symbol_address(libc, "no_such_symbol_anywhere") is None


@pytest.mark.parametrize("content", [b"", b"no ELF file", b"\x7fELF", b"\x7fELF\x02\x01\x01" + bytes(57)])
def test_what_is_no_elf_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert elf.symbol_address(Mapping(0x1000, str(path), ("0:0", 1), path), "_PyRuntime") is None


def test_a_damaged_elf_file(tmp_path: Path) -> None:
    """Cut short at any place: an answer or none, never an error."""
    whole = Path(_own("libc.so").path).read_bytes()
    for number, part in enumerate((64, 200, len(whole) // 2, len(whole) - 100)):
        path = tmp_path / f"cut-{number}"
        path.write_bytes(whole[:part])
        elf.symbol_address(Mapping(0x1000, str(path), ("0:0", number), path), "exit")


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    mapping = Mapping(0x1000, "/nowhere", ("0:0", 2), tmp_path / "none")
    assert elf.symbol_address(mapping, "_PyRuntime") is None


def test_a_deleted_interpreter_can_still_be_read(tmp_path: Path) -> None:
    from gilscope.sources.interpreter import InterpreterReader

    copy = tmp_path / "python (deleted) ü"
    shutil.copy(Path(sys.executable).resolve(), copy)
    home = os.environ.get("PYTHONHOME")
    os.environ["PYTHONHOME"] = sys.base_prefix
    try:
        with watched("cpu_threads.py", 1, python=copy) as target:
            copy.unlink()
            InterpreterReader.open(target.pid).close()
    finally:
        os.environ.pop("PYTHONHOME")
        if home is not None:
            os.environ["PYTHONHOME"] = home


def test_a_missing_symbol_is_not_searched_for_beside_one_that_is_exported() -> None:
    """To search all symbols of a libpython takes so long that samples would be missed."""
    names = ("libpython", "python")
    runtime = next(
        mapping
        for mapping in mapped_files(os.getpid())
        if Path(mapping.path).name.startswith(names) and elf.symbol_address(mapping, "_PyRuntime") is not None
    )
    asked: list[str] = []

    class Section:
        def get_symbol(self, symbol: str) -> str | None:
            return symbol if symbol == "_PyRuntime" else None

    class File:
        def get_section_by_name(self, name: str) -> Section:
            asked.append(name)
            return Section()

    assert list(elf._entries(File(), "PyGC_Enable", "_PyRuntime")) == []
    assert asked == [".gnu.hash"]
    assert elf.symbol_address(runtime, "no_such_symbol", beside="_PyRuntime") is None

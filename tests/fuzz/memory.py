"""One damaged memory image through all that reads a process's memory: an answer, or a ReadFailedError."""

from __future__ import annotations

import contextlib
import os
import random
import struct
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from gilscope.sources import elf, gil, layouts, libc
from gilscope.sources.interpreter import MAX_TID, InterpreterReader
from gilscope.sources.layouts import DEBUG_OFFSETS_SIZE, Layout
from gilscope.sources.memory import ProcessMemory, ReadFailedError
from tests.fuzz.guard import TooLongError, limited
from tests.fuzz.recordings import ANSWERED, REFUSED
from tests.layouts.image import OFFSETS, RUNTIME, Image, ImageMemory

TID = threading.get_native_id()
SAMPLES = 3
READS_MOST = 150_000
"""Of a case: walks are bounded by themselves (MAX_THREADS × a few passes), or they would read on and on."""
_IMAGES: list[tuple[Image, bytes, list[int]]] = []


class Failing(ProcessMemory):
    """Memory held in a bytearray, some of whose reads fail, and which changes while it is read."""

    def __init__(self, data: bytearray, chance: random.Random) -> None:
        self.pid = os.getpid()
        self.fd = -1
        self.data = data
        self.chance = chance
        self.failing = chance.choice([0.0, 0.0, 0.0, 0.02, 0.3])
        self.changing = chance.choice([0.0, 0.0, 0.0, 0.05])
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        self.reads += 1
        if self.reads > READS_MOST:
            raise AssertionError(f"{READS_MOST} reads")
        if self.failing and self.chance.random() < self.failing:
            raise ReadFailedError("it failed")
        if self.changing and self.chance.random() < self.changing:
            _change(self.data, self.chance, self.chance.choice(_IMAGES)[2])
        found = bytes(self.data[address : address + size]) if 0 <= address < len(self.data) else b""
        if len(found) != size or size < 0:
            raise ReadFailedError("not mapped")
        return found

    def close(self) -> None:
        pass


def images() -> list[tuple[Image, bytes, list[int]]]:
    """Good ones: each with its bytes and the places of its words that are followed or trusted."""
    if not _IMAGES:
        for version in OFFSETS:
            for free_threaded in (False, True):
                image = _built(version, free_threaded)
                size = image.memory.end
                _IMAGES.append((image, os.pread(image.memory.fd, size, 0), _places(image)))
    return _IMAGES


def _built(version: tuple[int, int], free_threaded: bool) -> Image:
    image = Image(version, free_threaded)
    main, own = image.add_interpreter(), image.add_interpreter()
    for number, interpreter in enumerate((main, main, own)):
        state = image.add_thread(interpreter, TID + number, 1)
        image.set_gil(image.gil_of(interpreter), holder=state, locked=1, switches=number + 1, waiters=number)
    return image


def _places(image: Image) -> list[int]:
    at = image.offsets
    found = [RUNTIME + position for position in range(0, DEBUG_OFFSETS_SIZE, 8)]
    found += [RUNTIME + at["interpreters_head"], RUNTIME + at["interpreters_head"] + 8] * 4
    for interpreter in image.interpreters:
        found += [
            interpreter + at[name] for name in ("interp_id", "interp_next", "threads_head", "ceval_gil")
        ] * 4
        found += range(image.gil_of(interpreter), image.gil_of(interpreter) + 96, 8)
        for thread in image.threads[interpreter]:
            found += [thread + at[name] for name in ("thread_next", "thread_interp", "native_thread_id")] * 4
            found.append(thread + 40)
    return found


def _change(data: bytearray, chance: random.Random, places: list[int]) -> None:
    place = chance.choice(places)
    if place + 8 > len(data):
        return
    value = chance.choice(
        [
            0, 1, 7, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**64 - 8, len(data) - 4, chance.choice(places),
            chance.choice(places), chance.randrange(len(data)), chance.randrange(2**64),
            chance.randrange(65_536),
        ]
    )  # fmt: skip
    struct.pack_into("<Q", data, place, value)


def _garbage(data: bytearray, chance: random.Random) -> None:
    """Words many of which are addresses of others; or all the same; or memory that was freed."""
    begin = RUNTIME + chance.choice([0, DEBUG_OFFSETS_SIZE, 0x3000])
    count = min(chance.choice([64, 1024]), (len(data) - begin) // 8)
    words = chance.choice(
        [
            [chance.randrange(len(data) // 8) * 8 for _ in range(count)],
            [chance.choice([0xDDDDDDDDDDDDDDDD, 0, 0x5A5A5A5A5A5A5A5A, RUNTIME])] * count,
            [chance.randrange(2**64) for _ in range(count)],
        ]
    )
    struct.pack_into(f"<{count}Q", data, begin, *words)


def _everything(memory: Failing, layout: Layout | None) -> int:
    """All that a session does with a process; how many of its steps were answered."""
    if layout is None:
        return 0
    reader = InterpreterReader(memory, layout, RUNTIME, counts_waiters=True)
    answered = 0
    probes: list[gil.GilProbe] = []
    calls: tuple[Callable[[], object], ...] = (
        reader.prove, lambda: probes.extend(reader.probes()), reader.attached_threads, reader.walk,
        lambda: libc.waiters_offset(memory, RUNTIME, lambda: False),
    )  # fmt: skip
    for call in calls:
        with contextlib.suppress(ReadFailedError):
            call()
            answered += 1
    for probe in probes[:3]:
        for _ in range(SAMPLES):
            with contextlib.suppress(ReadFailedError):
                sample = _sampled(memory, probe)
                assert -1 <= sample.tid <= MAX_TID or sample.tid in reader.claims
                assert probe.switch_interval_us() <= gil.MAX_SWITCH_INTERVAL_US
                answered += 1
    return answered


def _sampled(memory: Failing, probe: gil.GilProbe) -> gil.Sample:
    """A sample as `read` makes it, from memory that is no file."""
    data = memory.read(probe.address, probe.place[1])
    fields = probe.unpack(data)
    probe.is_plain(fields)
    # What is read again where it contradicts itself comes from the same place.
    probe.read = lambda: probe.unpack(memory.read(probe.address, probe.place[1]))  # type: ignore[method-assign]
    return probe.take(fields)


def _elf_case(chance: random.Random) -> int:
    """A library's tables, as the loader left them, with wrong words."""
    from tests.sources.test_layouts_garbage import _elf

    parts = _elf(chance.choice(["gnu", "sysv"]), relocated=chance.random() < 0.5)
    data = bytearray(max(address + len(part) for address, part in parts.items()))
    for address, part in parts.items():
        data[address : address + len(part)] = part
    for _ in range(chance.choice([0, 1, 2, 5])):
        at = chance.choice(list(parts.items()))
        place = at[0] + chance.randrange(0, max(1, len(at[1]) - 4), 4)
        value = chance.choice([0, 1, 2**31, 2**32 - 1, chance.randrange(2_000), chance.randrange(2**32)])
        struct.pack_into("<I", data, place, value)
    memory = Failing(data, chance)
    memory.changing = 0.0
    answered = 0
    for name in ("_PyRuntime", "none"):
        with contextlib.suppress(ReadFailedError):
            found = elf.symbol_in_memory(memory, 0x10000, name)
            assert found is None or found >= 0x10000
            answered += 1
    return answered


def _image_case(chance: random.Random) -> int:
    _image, good, places = chance.choice(images())
    data = bytearray(good)
    if chance.random() < 0.85:
        for _ in range(chance.choice([1, 1, 2, 6, 20])):
            _change(data, chance, places)
    else:
        _garbage(data, chance)
    if chance.random() < 0.05:
        del data[chance.randrange(len(data)) :]
    memory = Failing(data, chance)
    answered = 0
    if chance.random() < 0.7:
        with contextlib.suppress(ReadFailedError):
            published = layouts.from_debug_offsets(memory.read(RUNTIME, DEBUG_OFFSETS_SIZE))
            answered += _everything(memory, published)
    else:
        # Whoever says what it is may be wrong.
        claim = chance.choice(
            [layouts.from_table(version) for version in layouts.TABLE_VERSIONS] + [_image.layout]
        )
        answered += _everything(memory, claim)
    return answered


def run(seed: int, number: int, _folder: Path) -> tuple[str, str]:
    """Run a case: what happened, and of which kind it was."""
    chance = random.Random(f"{seed}:{number}")
    kind = "elf" if chance.random() < 0.2 else "image"
    try:
        with limited():
            answered = (_elf_case if kind == "elf" else _image_case)(chance)
    except TooLongError:
        return "too long\n" + traceback.format_exc()[-3_000:], kind
    except Exception:
        return traceback.format_exc()[-3_000:], kind
    return (ANSWERED if answered else REFUSED), kind


__all__ = ["ImageMemory", "run"]

"""Exact times of every GIL taken and dropped, from uprobes: what gilscope's figures are held against.

CPython takes its GIL in the static function take_gil and lets go of it in drop_gil. The kernel stamps each
call and return of both (uprobes through tracefs, so root only). This is no source of gilscope: a probe costs
its target about a microsecond a call, and a sampler must cost it nothing.

    take_gil called     the thread wants the GIL
    take_gil returns    it has it
    drop_gil called     it lets go of it: the lock word becomes 0 some instructions later
    drop_gil returns    after a forced switch only once another thread has taken it: `yielding` till then
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from elftools.elf.elffile import ELFFile

from tests.benchmarks.spans import Event, NoTruthError, parse

TRACEFS = Path("/sys/kernel/tracing")
BUFFER_KB = 32_768
"""Of each CPU: room for about a million events."""
GROUP = "gilscope_truth_"
INSTANCE = "gilscope-"
SCHEDULER = ("sched_switch", "sched_wakeup", "sched_wakeup_new", "sched_process_exit")
"""Kernel events that are recorded too, of all programs: they tell when a thread had no CPU."""
FUNCTIONS = {"take": "take_gil", "drop": "drop_gil"}
GIL_OF_THREAD_STATE = {(3, 12): "+384(+16(%di))", (3, 13): "+16(+16(%di))"}
"""take_gil's argument → its interpreter → that one's GIL. Earlier there is one GIL a process."""


def function_offsets(path: Path, name: str) -> list[int]:
    """Where in a file the function lies, with each copy that the compiler made of it (take_gil.constprop.0).

    A `.cold` part is no function: the other one jumps into it.
    """
    pattern = re.compile(rf"{name}(\.(constprop|isra|part|lto_priv)\.\d+)*")
    with path.open("rb") as file:
        elf: Any = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        loads = list(elf.iter_segments("PT_LOAD"))
        found = set()
        for symbol in table.iter_symbols() if table is not None else ():
            if symbol["st_info"]["type"] != "STT_FUNC" or not pattern.fullmatch(symbol.name):
                continue
            address = int(symbol["st_value"])
            for load in loads:
                if load["p_vaddr"] <= address < load["p_vaddr"] + load["p_filesz"]:
                    found.add(address - int(load["p_vaddr"]) + int(load["p_offset"]))
    return sorted(found)


_FIND = """
import sys
names = {line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if len(line.split(None, 5)) == 6}
print(*sys.version_info[:2], *sorted(n for n in names if "/libpython%d.%d" % sys.version_info[:2] in n)[:1])
"""


@dataclass(frozen=True, slots=True)
class Traceable:
    """An interpreter whose GIL functions were found."""

    python: Path
    version: tuple[int, int]
    file: Path
    """The copy of its library that is probed, so that only our targets meet the probes; or its program."""
    offsets: dict[str, list[int]]
    environment: dict[str, str]
    """With this a target uses the copy."""


@contextlib.contextmanager
def traceable(python: Path) -> Iterator[Traceable]:
    """Find the functions of an interpreter.

    Raises:
        NoTruthError: it has no symbols for them.
    """
    answer = subprocess.run([python, "-c", _FIND], capture_output=True, text=True, check=True).stdout.split()
    version, shared = (int(answer[0]), int(answer[1])), answer[2:]
    original = Path(shared[0]) if shared else python.resolve()
    offsets = {what: function_offsets(original, name) for what, name in FUNCTIONS.items()}
    for what, name in FUNCTIONS.items():
        if not offsets[what]:
            raise NoTruthError(f"{original.name} has no symbol {name}: stripped, or inlined everywhere")
    with tempfile.TemporaryDirectory(prefix="gilscope-truth-") as folder:
        if shared:
            copy = Path(folder) / original.name
            shutil.copy(original, copy)
            yield Traceable(python, version, copy, offsets, {"LD_PRELOAD": str(copy)})
        else:
            yield Traceable(python, version, original, offsets, {})


def why_not() -> str | None:
    """Why this machine cannot tell the truth; None if it can."""
    if os.uname().machine != "x86_64":
        return "the probes' arguments are known for x86_64 only"
    if os.geteuid() != 0:
        return "uprobes need root"
    if not (TRACEFS / "uprobe_events").exists():
        return f"no uprobes at {TRACEFS} (mount -t tracefs none {TRACEFS})"
    return None


class Recorder:
    """Records, as a context manager, every take and drop of the GIL by processes that use one file."""

    def __init__(self, target: Traceable) -> None:
        self._target = target
        self._name = f"{INSTANCE}{os.getpid()}"
        self._group = f"{GROUP}{os.getpid()}"
        self._instance = TRACEFS / "instances" / self._name
        self._probes: list[str] = []

    def __enter__(self) -> Self:
        reason = why_not()
        if reason is not None:
            raise NoTruthError(reason)
        remove_leftovers()
        try:
            self._start()
        except BaseException as error:
            self._remove()
            if isinstance(error, OSError):
                raise NoTruthError(f"the kernel refuses the probes: {error}") from error
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._remove()

    def _start(self) -> None:
        self._instance.mkdir()
        (self._instance / "tracing_on").write_text("0")
        (self._instance / "trace_clock").write_text("mono")
        (self._instance / "buffer_size_kb").write_text(str(BUFFER_KB))
        gil = GIL_OF_THREAD_STATE.get(self._target.version)
        for what, offsets in self._target.offsets.items():
            for number, offset in enumerate(offsets):
                place = f"{self._target.file}:0x{offset:x}"
                argument = f" gil={gil}:x64" if gil and what == "take" else ""
                self._add(f"p:{self._group}/{what}_{number} {place}{argument}")
                self._add(f"r:{self._group}/{what}ret_{number} {place}")
        (self._instance / "events" / self._group / "enable").write_text("1")
        for event in SCHEDULER:
            (self._instance / "events/sched" / event / "enable").write_text("1")
        (self._instance / "tracing_on").write_text("1")

    def _add(self, definition: str) -> None:
        _change_probes(definition)
        self._probes.append(definition.split(maxsplit=1)[0][2:])

    def _remove(self) -> None:
        _remove(self._instance, self._group, self._probes)
        self._probes = []

    def events(self) -> list[Event]:
        """All that was recorded; recording ends.

        Raises:
            NoTruthError: some of it was lost.
        """
        (self._instance / "tracing_on").write_text("0")
        for stats in self._instance.glob("per_cpu/cpu*/stats"):
            for line in stats.read_text().splitlines():
                key, _, value = line.partition(":")
                if key in ("overrun", "commit overrun", "dropped events") and int(value):
                    raise NoTruthError(f"the trace is incomplete: {stats.parent.name}, {line}")
        with (self._instance / "trace").open(errors="replace") as file:  # programs have any names
            return list(parse(file))


def _change_probes(command: str) -> None:
    """Add or remove one probe. Opened without truncation, which would remove everybody's."""
    fd = os.open(TRACEFS / "uprobe_events", os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, command.encode() + b"\n")
    finally:
        os.close(fd)


def _remove(instance: Path, group: str, probes: Iterable[str]) -> None:
    """Take an instance and its probes away, each step even if another fails."""
    for system in (group, "sched"):
        with contextlib.suppress(OSError):
            (instance / "events" / system / "enable").write_text("0")
    _again(instance.rmdir)
    for probe in probes:
        _again(functools.partial(_change_probes, f"-:{probe}"))


def _again(step: Callable[[], None]) -> None:
    """Do it, again if it is busy for a moment; what is still there after a second stays."""
    for _ in range(20):
        try:
            step()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return


def remove_leftovers() -> None:
    """Take away what a recorder left that was killed."""
    probes = [line.split(maxsplit=1)[0][2:] for line in (TRACEFS / "uprobe_events").read_text().splitlines()]
    for instance in (TRACEFS / "instances").glob(f"{INSTANCE}*"):
        pid = instance.name.removeprefix(INSTANCE)
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            group = f"{GROUP}{pid}"
            _remove(instance, group, [probe for probe in probes if probe.startswith(group + "/")])

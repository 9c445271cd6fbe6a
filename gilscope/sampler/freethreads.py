"""A process of a free-threaded build: who executes Python, when the world stands, when the GIL comes back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from gilscope.model import NS_PER_MS, Event, Gap, Gil
from gilscope.sampler.freemerge import AttachedSweeps, Stop, StoppedWorld
from gilscope.sampler.gilwatch import GilWatch
from gilscope.sources.interpreter import Attachment, InterpreterReader
from gilscope.sources.memory import ReadFailedError
from gilscope.sources.processes import extension_modules
from gilscope.sources.tasks import Seen, Sweep
from gilscope.text import duration_text

INT_MAX = 2**31 - 1
"""What CPython counts a GIL that is on for good as; smaller numbers are imports that it is on for."""
LAST_MOMENT_NS = 200 * NS_PER_MS
"""A process that ends cannot be read for a moment, which is no gap."""
MOST_SUSPECTS = 5
OFF, FOR_THE_MOMENT, FOR_GOOD = range(3)


class FreeThreads:
    """What is to be known of one process besides its GILs' samples, while a GIL of it is off."""

    def __init__(self, process: int, pid: int) -> None:
        """Watch a process.

        Args:
            process: its key.
            pid: its pid.
        """
        self._process = process
        self._pid = pid
        self.sweeps: dict[int, AttachedSweeps] = {}
        """By tid; of the tick that goes on."""
        self._attached: dict[int, Attachment] = {}
        self._world = StoppedWorld()
        self._levels: dict[int, int] = {}
        """By GIL: whether it was off, on for the moment, or on for good."""
        self._loaded: set[str] = set()
        """Extension modules that were there when its GIL was first seen."""
        self._events: list[Event] = []
        self._gaps: list[Gap] = []
        self._failed_ns: int | None = None
        """Since when attachments cannot be read, and why."""
        self._reason = ""

    @staticmethod
    def is_off(gils: Iterable[GilWatch]) -> bool:
        """Whether there is a GIL that nobody needs: threads run Python side by side."""
        return any(watch.gil.kind == "disabled" for watch in gils)

    def sweep(self, now_ns: int, reader: InterpreterReader | None, sweep: Sweep) -> None:
        """A sweep has read the threads' kernel states: read who executes Python too.

        Args:
            now_ns: session time of the sweep.
            reader: of the process, if a GIL of it is off; else None.
            sweep: what the kernel said.
        """
        if reader is None:
            self._stopped(self._world.end(now_ns))
            return
        if not sweep.idle or not self._attached:
            # Where nothing ran since the last sweep, nothing was attached or let go either.
            try:
                self._attached = reader.attached_threads()
            except ReadFailedError as error:
                if self._failed_ns is None:
                    self._failed_ns, self._reason = now_ns, str(error)
                return
            self._read_again(now_ns)
        for task in sweep.seen:
            attachment = self._attached.get(task.tid, Attachment.DETACHED)
            self.sweeps.setdefault(task.tid, AttachedSweeps()).see(
                # Where the kernel hides what a thread does, one that executes Python is taken to be on a CPU.
                on_cpu=task.seen is Seen.ON_CPU
                or (task.seen is Seen.UNREADABLE and attachment is Attachment.ATTACHED),
                attached=attachment is Attachment.ATTACHED,
                suspended=attachment is Attachment.SUSPENDED,
            )
        suspended = sum(attachment is Attachment.SUSPENDED for attachment in self._attached.values())
        self._stopped(self._world.see(now_ns, suspended))

    def _read_again(self, now_ns: int) -> None:
        if self._failed_ns is not None:
            self._gaps.append(
                Gap(
                    source="attachments",
                    pid=self._pid,
                    reason=self._reason,
                    start_ns=self._failed_ns,
                    end_ns=now_ns,
                )
            )
            self._failed_ns = None

    def _stopped(self, stop: Stop | None) -> None:
        if stop is not None:
            threads = f"{stop.threads} thread{'' if stop.threads == 1 else 's'}"
            length = duration_text(stop.end_ns - stop.start_ns)
            text = f"the world stood for about {length}, {duration_text(stop.most_ns)} at most"
            self._note(stop.start_ns, "stop-the-world", f"{text}: {threads} suspended")

    def _note(self, at_ns: int, kind: str, text: str) -> None:
        self._events.append(Event(at_ns=at_ns, kind=kind, process=self._process, lane=None, text=text))

    def follow(self, gils: Sequence[GilWatch], end_ns: int) -> list[Gil]:
        """At a tick's end: the GILs that were turned on or off in it, as they are now."""
        changed = []
        for watch in gils:
            if watch.probe.enabled is None:
                continue  # no free-threaded build
            level = _level(watch.probe.enabled)
            before = self._levels.get(watch.gil.key, OFF if watch.gil.kind == "disabled" else level)
            if watch.gil.key not in self._levels:
                self._loaded = extension_modules(self._pid)
            self._levels[watch.gil.key] = level
            if watch.gil.kind != watch.probe.kind:
                watch.gil = replace(watch.gil, kind=watch.probe.kind)
                changed.append(watch.gil)
            if level != before:
                self._turned(watch.gil, before, level, end_ns)
        return changed

    def _turned(self, gil: Gil, before: int, level: int, at_ns: int) -> None:
        of = f"process {self._pid}" + (f", interpreter {gil.interpreter}" if gil.interpreter else "")
        if level == OFF:
            self._note(at_ns, "gil-disabled", f"the GIL of {of} is off again")
        elif level > before:
            how = f"for good{self._suspects()}" if level == FOR_GOOD else "for the moment of an import"
            self._note(at_ns, "gil-enabled", f"the GIL of {of} was turned on {how}")

    def _suspects(self) -> str:
        """Which import it may have been: of an extension module that is there only now."""
        loaded = sorted(extension_modules(self._pid) - self._loaded)
        if not loaded:
            return ""
        return f", by the import of {'one of ' if len(loaded) > 1 else ''}{', '.join(loaded[:MOST_SUSPECTS])}"

    def end_tick(self, living: Collection[int] = ()) -> list[Gap]:
        """Begin with the next tick, and with the threads that live; the gaps that are over."""
        self.sweeps = {tid: sweeps for tid, sweeps in self.sweeps.items() if tid in living}
        for sweeps in self.sweeps.values():
            sweeps.end_tick()
        gaps, self._gaps = self._gaps, []
        return gaps

    def take_events(self) -> list[Event]:
        """Events since the last call."""
        events, self._events = self._events, []
        return events

    def close(self, end_ns: int) -> list[Gap]:
        """The process has ended, or is no longer watched; the gaps that are left."""
        self._stopped(self._world.end(end_ns))
        if self._failed_ns is not None and end_ns - self._failed_ns > LAST_MOMENT_NS:
            self._read_again(end_ns)
        return self.end_tick()


def _level(enabled: int) -> int:
    return OFF if enabled == 0 else FOR_GOOD if enabled == INT_MAX else FOR_THE_MOMENT

"""`python -m tests.benchmarks screen`: what drawing costs, in a real terminal of 200 × 60.

The app runs on scripted recordings: 32 busy lanes, and 1,000 lanes with 256 cores; as a replay that scrolls
with every frame, and beside a recording that grows, tick by tick, in real time. The app's own process counts
its CPU time and how long each frame took; this one reads the terminal, counts the bytes, and types.
"""

from __future__ import annotations

import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from gilscope.clock import FakeClock
from gilscope.model import NS_PER_S
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write
from tests.benchmarks.tools import GILSCOPE, Screen

COLUMNS, ROWS = 200, 60
WARM_S = 2.5
KEYS = 9
SCRIPTS = {
    "32 active lanes": Script(seconds=40, processes=1, cpu=28, io=3, native=1, cores=8),
    "1,000 lanes, 256 cores": Script(seconds=40, processes=8, cpu=24, io=4, idle=96, cores=256),
}
STEPPED = "30 a second"
"""Each picture is a 30th of a second after the last one, however long a busy machine takes for it: so what a
picture takes is comparable, and thirty of them are the share of a core."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the app. Times in milliseconds."""

    cpu_share: float
    """Of a core."""
    frames_per_s: float
    """Pictures that reached the terminal."""
    moves_per_s: float
    """Those in which the timeline had moved on."""
    cpu_ms: float
    """CPU time of all the app does, by picture."""
    mean_ms: float
    worst_ms: float
    """CPU time of a frame: read, fold, draw, paint. What else the machine does adds none."""
    worst_wall_ms: float
    kb_per_s: float
    key_ms: float
    """From a key to what it does on the screen, the median."""
    key_worst_ms: float
    first_ms: float
    """From the command to the first figures."""
    rss_mb: float

    def row(self, name: str) -> str:
        """A line of the table."""
        cells = (
            name,
            f"{100 * self.cpu_share:.1f} %",
            f"{self.frames_per_s:.0f} ({self.moves_per_s:.0f})",
            f"{self.cpu_ms:.1f}",
            f"{self.mean_ms:.1f} / {self.worst_ms:.0f} ({self.worst_wall_ms:.0f})",
            f"{self.key_ms:.0f} / {self.key_worst_ms:.0f}" if self.key_ms else "",
            f"{self.first_ms:.0f}" if self.first_ms else "",
            f"{self.kb_per_s:.0f}",
            f"{self.rss_mb:.0f}",
        )
        return "| " + " | ".join(cells) + " |"


HEADINGS = (
    "what",
    "CPU of a core",
    "pictures/s (moved on)",
    "CPU ms a picture",
    "frame ms CPU mean / worst (wall)",
    "key ms median / worst",
    "first frame ms",
    "KB/s",
    "MB",
)


def print_table(seconds: float, names: set[str]) -> None:
    """Measure all, or those whose names hold one of these words."""
    print("| " + " | ".join(HEADINGS) + " |\n|" + "---|" * len(HEADINGS))
    with tempfile.TemporaryDirectory() as folder:
        for what, script in SCRIPTS.items():
            for kind in (STEPPED, "replay", "live", "slow terminal"):
                name = f"{what}, {kind}"
                if names and not any(word in name for word in names):
                    continue
                path, live = Path(folder) / f"{kind}.gilscope", kind == "live"
                length = seconds + WARM_S + 20 if live else script.seconds
                with recording(path, replace(script, seconds=length), live=live):
                    print(measure(path, seconds, kind).row(name), flush=True)
                path.unlink()


@contextmanager
def recording(path: Path, script: Script, *, live: bool) -> Iterator[None]:
    """A recording: whole, or one that a process goes on to write meanwhile."""
    if not live:
        session = ScriptedSession(script)
        writer = RecordingWriter(path, session.session)
        write(session, writer)
        writer.close()
        yield
        return
    command = [sys.executable, "-m", __name__, "grow", str(path), json.dumps(_sizes(script))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.terminate()


def _sizes(script: Script) -> dict[str, float]:
    return {
        name: getattr(script, name)
        for name in ("seconds", "processes", "cpu", "io", "native", "idle", "cores", "tick_ms")
    }


def grow(path: Path, script: Script) -> None:
    """Write a session in real time; the first second of it at once."""
    session = ScriptedSession(script)
    ahead = 1_000_000_000 // session.tick_ns
    steps = list(session.steps())
    writer = RecordingWriter(path, session.session)
    write(session, writer, last=ahead)
    print("grows", flush=True)
    began = time.monotonic()
    for index in range(ahead, session.n_ticks):
        time.sleep(max(0.0, began + (index + 1 - ahead) * session.tick_ns / 1e9 - time.monotonic()))
        step = steps[index]
        writer.put_tick(step.tick, step.holds)
        writer.put_process_ticks(step.process_ticks)
        writer.put_output(step.output)
        writer.put_stacks(step.stacks)
        if index % 5 == 0:
            writer.put_session(session.head(index))
        writer.commit()
    writer.close()


def measure(path: Path, seconds: float, kind: str) -> Measured:
    """Run the app on a recording and look at it from outside."""
    first, slow = 0.0, kind == "slow terminal"
    if kind in ("replay", "live"):
        screen = Screen.start([*GILSCOPE, "replay", str(path)], COLUMNS, ROWS)
        if screen.read_for(20, until=b"handoffs/s"):
            first = time.monotonic() - screen.began
        screen.keys("q")
        screen.read_for(0.3)
        screen.close()
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "measured.json"
        command = [sys.executable, "-m", __name__, "app", str(path), str(result), str(seconds), kind]
        screen = Screen.start(command, COLUMNS, ROWS)
        screen.output = b""
        screen.read_for(0.3)
        screen.keys("\x1b[?2026;1$y")  # synchronized output: known
        _read(screen, WARM_S, slow=slow)
        received, began = screen.received, time.monotonic()
        _read(screen, seconds, slow=slow)
        rate = (screen.received - received) / (time.monotonic() - began)
        deadline = time.monotonic() + 20
        while not result.exists() and time.monotonic() < deadline:
            _read(screen, 0.1, slow=slow)
        if not result.exists():
            raise RuntimeError(f"the app gave no figures: {screen.output[-2_000:].decode(errors='replace')}")
        delays = list(_key_delays(screen, slow=slow)) if kind != STEPPED else []
        rss = screen.rss_mb()
        _quit(screen)
        found = json.loads(result.read_text())
    return Measured(
        **found,
        kb_per_s=rate / 1e3,
        key_ms=1e3 * statistics.median(delays or [0]),
        key_worst_ms=1e3 * max(delays, default=0),
        first_ms=1e3 * first,
        rss_mb=rss,
    )


SLOW_BYTES_PER_S = 200_000
_STEP_S = 0.01


def _read(screen: Screen, seconds: float, *, slow: bool, until: bytes | None = None) -> bool:
    """Read what comes, or as much as a slow line lets through."""
    if not slow:
        screen.output = b""
        return screen.read_for(seconds, until)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):
            if not select.select([screen.fd], [], [], 0)[0]:
                time.sleep(_STEP_S)
                continue
            data = os.read(screen.fd, round(SLOW_BYTES_PER_S * _STEP_S))
            screen.received += len(data)
            screen.output = (screen.output + data)[-200_000:]
        if until is not None and until in screen.output:
            return True
        time.sleep(_STEP_S)
    return False


def _key_delays(screen: Screen, *, slow: bool) -> Iterator[float]:
    """Seconds from space to the word for it, at odd moments of a frame."""
    for number in range(KEYS):
        _read(screen, 0.4 + 0.037 * number, slow=slow)
        screen.output = b""
        word = b"REPLAY" if number % 2 else b"PAUSED"
        began = time.monotonic()
        screen.keys(" ")
        if _read(screen, 20, slow=slow, until=word):
            yield time.monotonic() - began


def _quit(screen: Screen) -> None:
    screen.keys("q")
    screen.read_for(1.0)
    screen.close()


@dataclass(slots=True)
class StopWatch:
    """What the app's frames take; all of a frame is its own work and Textual's painting after it."""

    paints: int = 0
    still: int = 0
    """Frames since the last picture."""
    moved: set[int] = field(default_factory=set)
    costs: list[tuple[float, float]] = field(default_factory=list)
    """CPU and wall seconds of each frame."""
    _now: list[float] = field(default_factory=lambda: [0.0, 0.0])
    _began: tuple[float, float] = (0.0, 0.0)

    def begin(self) -> None:
        """Forget what was."""
        self.costs.clear()
        self.moved.clear()
        self.paints = 0
        self._began = time.process_time(), time.perf_counter()

    def next_frame(self) -> None:
        """The last frame is over."""
        if self._now[0]:
            self.costs.append((self._now[0], self._now[1]))
        self._now = [0.0, 0.0]
        self.still += 1

    def timed(self, work: Callable[[], None]) -> None:
        """Do something for the frame."""
        cpu, wall = time.thread_time(), time.perf_counter()
        work()
        self._now[0] += time.thread_time() - cpu
        self._now[1] += time.perf_counter() - wall

    def figures(self, kind: str) -> dict[str, float]:
        """What is known of the run since it began."""
        cpu, wall = time.process_time() - self._began[0], time.perf_counter() - self._began[1]
        paints = max(1, self.paints)
        return {
            "cpu_share": 30 * cpu / paints if kind == STEPPED else cpu / wall,
            "frames_per_s": self.paints / wall,
            "moves_per_s": len(self.moved) / wall,
            "cpu_ms": 1e3 * cpu / paints,
            "mean_ms": 1e3 * statistics.fmean(cost for cost, _ in self.costs),
            "worst_ms": 1e3 * max(cost for cost, _ in self.costs),
            "worst_wall_ms": 1e3 * max(wall for _, wall in self.costs),
        }


def run_app(path: Path, result: Path, seconds: float, kind: str) -> None:
    """The app, on this terminal, with a stop watch on its frames."""
    from textual.screen import Screen as TextualScreen

    from gilscope.views import app as app_module
    from gilscope.views.app import GilscopeApp

    watch = StopWatch()
    clock = FakeClock() if kind == STEPPED else None

    class Timed(GilscopeApp):
        CSS_PATH = str(Path(app_module.__file__).with_name("gilscope.tcss"))

        def _frame(self) -> None:
            watch.next_frame()
            if clock and watch.still > 10:
                clock.advance(NS_PER_S // 30)  # nothing is drawn yet
            watch.timed(super()._frame)

        def on_mount(self) -> None:  # in addition to that of the app: Textual calls both
            self.set_timer(WARM_S, watch.begin)
            self.set_timer(WARM_S + seconds, self._end)

        def post_display_hook(self) -> None:
            watch.paints += 1
            watch.still = 0
            if clock:
                clock.advance(NS_PER_S // 30)
            if self.dashboard.viewing is not None:
                watch.moved.add(self.dashboard.viewing.edge)

        def _end(self) -> None:
            part = result.with_suffix(".part")
            part.write_text(json.dumps(watch.figures(kind)))
            part.rename(result)

    paint = TextualScreen._on_timer_update
    TextualScreen._on_timer_update = lambda self: watch.timed(lambda: paint(self))  # type: ignore[method-assign]
    Timed(path, control=None, title="bench", clock=clock).run()


if __name__ == "__main__":
    if sys.argv[1] == "grow":
        grow(Path(sys.argv[2]), Script(**json.loads(sys.argv[3])))
    else:
        run_app(Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]), sys.argv[5])

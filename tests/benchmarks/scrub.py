"""`python -m tests.benchmarks.scrub [FILE]`: how fast one moves through an hour, and what memory that takes.

Without a file, an hour of 8 busy threads is made. What is measured is what a frame or a key has to wait for:
reading, folding and jumping; drawing costs the same whatever the length of the recording.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from gilscope.cli.common import span_of, verdict_of
from gilscope.model import NS_PER_MS, NS_PER_S
from gilscope.recording.reader import RecordingReader
from gilscope.views.cells import ZOOMS_NS
from gilscope.views.transport import Unit
from gilscope.views.viewing import Viewing
from tests.benchmarks import hour

OPEN_S, STEP_MS, MOST_MB = 1.0, 50.0, 120.0
COLUMNS, SEED = 160, 1


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time that something took: a machine that does other things as well adds none."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1_000


def frame(viewing: Viewing) -> None:
    """What one frame reads."""
    viewing.advance(33 * NS_PER_MS)
    viewing.panels()
    viewing.timeline()
    viewing.whole.fill(viewing.head_ns)
    viewing.whole.columns(COLUMNS, viewing.first_ns, viewing.head_ns)


def filled(viewing: Viewing) -> list[float]:
    """Frames until the screen is full, each with its milliseconds."""
    times = [timed(lambda: frame(viewing))]
    while viewing.more:
        times.append(timed(lambda: frame(viewing)))
    return times


def steps(viewing: Viewing, count: int) -> dict[str, list[float]]:
    """Milliseconds of all kinds of moves, from random places."""
    chance = random.Random(SEED)
    found: dict[str, list[float]] = {}

    def note(name: str, move: Callable[[], object]) -> None:
        moved = timed(move)
        frames = filled(viewing)
        found.setdefault(name, []).extend([moved + frames[0], *frames[1:]])

    for _ in range(count):
        note("seek", lambda: viewing.seek(chance.randrange(viewing.head_ns)))
        note("cell", lambda: viewing.step_cells(chance.choice([-50, -1, 1, 50])))
        note("zoom", lambda: viewing.zoom(chance.choice([-3, -1, 1, 3])))
        for unit in Unit:
            viewing.unit = unit
            note(f"step by a {unit.value}", lambda: viewing.step(chance.choice([-1, 1])))
        for kind in ("handoff", "stall", "mark", "process"):
            note(f"jump to a {kind}", lambda kind=kind: viewing.jump(kind, chance.choice([-1, 1])))  # type: ignore[misc]
    for cell_ns in ZOOMS_NS:
        viewing.zoom(ZOOMS_NS.index(cell_ns) - ZOOMS_NS.index(viewing.cell_ns))
        note(f"seek at {cell_ns / NS_PER_MS:g} ms a cell", lambda: viewing.seek(viewing.head_ns // 3))
        note(f"seek at {cell_ns / NS_PER_MS:g} ms a cell", lambda: viewing.seek(viewing.head_ns))
    return found


def measure(path: Path, count: int) -> bool:
    """Print all figures; whether they keep the limits."""
    print(f"{path.stat().st_size / 1e6:.1f} MB")
    process = psutil.Process()
    readers: list[Viewing] = []
    began = time.perf_counter()
    reader = RecordingReader(path)
    checked = time.perf_counter()
    viewing = Viewing(reader)
    readers.append(viewing)
    viewing.columns = COLUMNS
    frame(viewing)
    opened = time.perf_counter() - began
    print(f"open {opened:.2f} s, of which the check of all pages {checked - began:.2f} s")
    bar = [timed(lambda: viewing.whole.fill(viewing.head_ns)) for _ in range(12)]
    print(f"bar: {sum(bar):.0f} ms in all, at most {max(bar):.1f} ms a frame")
    viewing.pause()
    found = steps(viewing, count)
    worst = 0.0
    for name, times in found.items():
        times.sort()
        worst = max(worst, times[-1])
        median, most = times[len(times) // 2], times[-1]
        print(f"{name:<28} {len(times):>6} frames  median {median:6.1f}  most {most:6.1f} ms")
    before_mb = process.memory_info().rss / 1e6
    steps(viewing, count)
    after_mb = process.memory_info().rss / 1e6
    print(f"memory {before_mb:.0f} MB, after as many steps again {after_mb:.0f} MB")
    head = viewing.head_ns
    print(f"verdict (in a thread) {timed(lambda: verdict_of(reader, head)):.0f} ms")
    span = viewing.whole_span(head // 3, head // 3 + 600 * NS_PER_S)
    print(f"figures of ten minutes (in a thread) {timed(lambda: span_of(reader, *span)):.0f} ms")
    reader.close()
    return opened <= OPEN_S and worst <= STEP_MS and after_mb <= MOST_MB


def main(names: list[str]) -> int:
    """0 if all limits are kept."""
    if names:
        return 0 if measure(Path(names[0]), 60) else 1
    with tempfile.TemporaryDirectory(dir=os.environ.get("GILSCOPE_BENCH_DIR", "/var/tmp")) as folder:
        path = Path(folder) / "hour.gilscope"
        hour.make(path)
        return 0 if measure(path, 60) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The real thing: `gilscope run` in a terminal of 200 × 60, from the command to the first picture, and a key.

Nothing of the app is replaced: what is timed is between bytes that a terminal sends and bytes that it gets.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.tools import GILSCOPE, Screen, target

COLUMNS, ROWS = 200, 60
BUSY = 32
PATIENCE_S = 20.0
LANES = b"MainThread"
"""A picture with this has lanes: until then it says that it starts."""
KEYS = 8
KEY_WORDS = ((" ", b"PAUSED"), ("f", b"LIVE"))
"""Keys, in turn, and what the screen says only once it has done what they ask for."""
Row = tuple[str, str, str, str]


@dataclass(slots=True)
class Live:
    """What was measured. Seconds, shares of a core, and bytes in millions."""

    first_s: list[float] = field(default_factory=list)
    """From exec to the first picture with lanes."""
    key_s: list[float] = field(default_factory=list)
    """From the byte to the picture that it changed."""
    cpu_share: float = 0.0
    app_mb: float = 0.0
    sampler_mb: float = 0.0

    def rows(self) -> list[Row]:
        """What, budget, measured, and how."""
        return [
            (
                f"app at {COLUMNS} × {ROWS}, {BUSY} busy lanes",
                "20 % of a core",
                f"{100 * self.cpu_share:.0f} %",
                "live",
            ),
            ("first picture with lanes", "0.8 s", _spread(self.first_s, 1, "s"), "after exec of the command"),
            ("a key, live", "0.1 s", _spread(self.key_s, 1_000, "ms"), "from its byte to what it changes"),
            ("memory", "120 MB each", f"app {self.app_mb:.0f} MB, sampler {self.sampler_mb:.0f} MB", ""),
        ]


def _spread(values: Sequence[float], factor: int, unit: str) -> str:
    if not values:
        return "none was seen"
    low, middle, high = (factor * value for value in (min(values), statistics.median(values), max(values)))
    digits = 2 if factor == 1 else 0
    return f"{middle:.{digits}f} {unit}, {low:.{digits}f} – {high:.{digits}f} in {len(values)}"


def measure(rounds: int, seconds: float) -> Live:
    """Start it so often; in the first run look at its CPU for some seconds, and type."""
    live = Live()
    with tempfile.TemporaryDirectory() as folder:
        script = target("spin.py", round(seconds) + 20, BUSY, 0, 0)
        for number in range(rounds):
            recording = Path(folder) / f"{number}.gilscope"
            command = [*GILSCOPE, "run", "-o", str(recording), script[0], "--", *script[1:]]
            screen = Screen.start(command, COLUMNS, ROWS)
            try:
                if screen.read_for(PATIENCE_S, until=LANES):
                    live.first_s.append(time.monotonic() - screen.began)
                if number == 0:
                    _watch(screen, seconds, live)
                _stop(screen)
            finally:
                screen.close()
    return live


def _watch(screen: Screen, seconds: float, live: Live) -> None:
    screen.read_for(2)
    before = screen.cpu_s()
    screen.read_for(seconds)
    live.cpu_share = (screen.cpu_s() - before) / seconds
    live.app_mb = screen.rss_mb()
    live.sampler_mb = max(map(screen.rss_mb, screen.children()), default=0.0)
    live.key_s = list(_key_delays(screen))


def _key_delays(screen: Screen) -> Iterator[float]:
    """Of some keys, at odd moments of a frame."""
    for number in range(KEYS):
        key, word = KEY_WORDS[number % len(KEY_WORDS)]
        screen.read_for(0.3 + 0.037 * number)
        screen.output = b""
        began = time.monotonic()
        screen.keys(key)
        if screen.read_for(PATIENCE_S, until=word):
            yield time.monotonic() - began


def _stop(screen: Screen) -> None:
    """Quit, and stop the target."""
    screen.keys("q")
    screen.read_for(0.5)
    screen.keys("\r")
    screen.read_for(1.0)


def print_table(rounds: int, seconds: float) -> None:
    """Measure, and say what came of it."""
    print("\n| `gilscope run` | budget | measured | how |\n|---|---|---|---|")
    for row in measure(rounds, seconds).rows():
        print("| " + " | ".join(row) + " |", flush=True)

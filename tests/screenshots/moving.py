"""The app in motion: a GIF of slow motion over a recording, and an asciicast of a live session.

The GIF is drawn frame by frame with a clock that is moved by hand, each frame a picture of the app (Textual's
SVG, resvg), put together by Pillow: all three are kept libraries, and no frame is late on a busy machine.
The asciicast is what the app writes to a real terminal while it watches a real run, byte for byte.
"""

from __future__ import annotations

import codecs
import fcntl
import io
import json
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from gilscope.model import NS_PER_S
from tests.screenshots.stage import Recorded, png_of, stage

GIF_SIZE = (100, 27)
GIF_WIDTH = 900
FRAMES_PER_S = 12
COLOURS = 64
LIVE_S, SLOW_S, CLOSE_S = 1.5, 2.5, 3.5
"""Of the GIF: at full speed, at a tenth of it, and at a fiftieth, where each handoff can be followed."""
CAST_SIZE = (100, 28)
CAST_KEYS = ((3.0, "s"), (5.0, "s"), (8.5, ""))
"""Seconds after the first picture, and what is typed then; the last ends it."""
PATIENCE_S = 30.0
OWN = re.compile(
    r"\x1b\[\?(?:1000|1002|1003|1004|1006|1015|1016|2004|2048)[hl]"  # mouse, focus, paste, resize
    r"|\x1b\[\?\d+\$p|\x1b\[c|\x1b\[>[0-9;]*[a-zA-Z]|\x1b\[[<=][0-9;]*u"  # questions, the keyboard's manner
    r"|\x1b\]22;[^\x07\x1b]*(?:\x07|\x1b\\)"  # the mouse pointer's shape
)
"""What is between the app and its terminal; whoever plays it would find a terminal that reports the mouse."""
LAST = "\x1b[0m\x1b[?25h\x1b[?1049l"
"""At the end the player's terminal is as it was."""


async def gif(recorded: Recorded) -> bytes:
    """Full speed, then slow, then slower: the GIL passes from thread to thread."""
    pictures: list[Image.Image] = []
    async with stage(recorded, GIF_SIZE) as on:
        on.viewing.seek(on.viewing.head_ns // 3)

        async def play(seconds: float) -> None:
            for _ in range(round(seconds * FRAMES_PER_S)):
                # As often as on a real screen, so that what moves by the frame moves as fast as there.
                for _ in range(2):
                    on.clock.advance(NS_PER_S // FRAMES_PER_S // 2)
                    on.app._frame()
                await on.press()
                pictures.append(Image.open(io.BytesIO(png_of(on.svg(), GIF_WIDTH))).convert("RGB"))

        await play(LIVE_S)
        await on.press("s")
        await play(SLOW_S)
        await on.press("s")
        await play(CLOSE_S)
    return together(pictures)


def together(pictures: list[Image.Image]) -> bytes:
    """A GIF with one palette for all frames: colours that changed from frame to frame would flicker."""
    few = [pictures[0], pictures[len(pictures) // 2], pictures[-1]]
    wide = Image.new("RGB", (few[0].width, sum(each.height for each in few)))
    for number, each in enumerate(few):
        wide.paste(each, (0, number * each.height))
    # Areas of one colour keep exactly theirs; the edges of letters share the rest.
    counted = _colours(wide)
    exact = sorted(counted, key=lambda colour: -counted[colour])[: COLOURS // 2]
    rest = wide.quantize(COLOURS // 2, method=Image.Quantize.MAXCOVERAGE).convert("RGB")
    palette = Image.new("P", (1, 1))
    palette.putpalette(bytes(part for colour in [*exact, *_colours(rest)] for part in colour))
    frames = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures]
    written = io.BytesIO()
    frames[0].save(
        written, format="GIF", save_all=True, append_images=frames[1:], duration=1000 // FRAMES_PER_S,
        loop=0, optimize=True, disposal=1,
    )  # fmt: skip
    return written.getvalue()


def _colours(picture: Image.Image) -> Counter[tuple[int, int, int]]:
    """The colours of an RGB picture, and how many of its points have each."""
    found: Counter[tuple[int, int, int]] = Counter()
    for count, colour in picture.getcolors(picture.width * picture.height) or []:
        assert isinstance(colour, tuple)
        red, green, blue = colour
        found[red, green, blue] = count
    return found


def cast(script: str, seconds: float, target: Path) -> None:
    """Run the app in a terminal of its own, type to it, and keep what it writes, with the times."""
    columns, rows = CAST_SIZE
    near, far = os.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "gilscope", "run", "--duration", f"{seconds:g}", script, "--", f"{seconds:g}"],
        stdin=far, stdout=far, stderr=far, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )  # fmt: skip
    os.close(far)
    try:
        events = _typed_and_seen(near)
    finally:
        process.terminate()
        _drain(near)
        process.wait(PATIENCE_S)
        os.close(near)
    header = {"version": 2, "width": columns, "height": rows, "title": f"gilscope run {Path(script).name}"}
    with target.open("w", encoding="utf-8") as file:
        file.write(json.dumps(header) + "\n")
        for at_s, text in [*shown_only(events), (CAST_KEYS[-1][0] + 1, LAST)]:
            file.write(json.dumps([round(at_s, 3), "o", text], ensure_ascii=False) + "\n")


def shown_only(events: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """Without what nobody sees."""
    for at_s, text in events:
        if shown := OWN.sub("", text):
            yield at_s, shown


def _typed_and_seen(terminal: int) -> list[tuple[float, str]]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    events: list[tuple[float, str]] = []
    keys = list(CAST_KEYS)
    began = time.monotonic()
    first: float | None = None
    while keys:
        now = time.monotonic()
        if first is None and now - began > PATIENCE_S:
            raise TimeoutError("the app draws nothing")
        if first is not None and now - first >= keys[0][0]:
            os.write(terminal, keys.pop(0)[1].encode())
            continue
        if select.select([terminal], [], [], 0.02)[0]:
            text = decoder.decode(os.read(terminal, 65_536))
            if first is None and "Lanes" in text:
                first = time.monotonic()
            if text:
                events.append((max(0.0, time.monotonic() - (first or time.monotonic())), text))
    return events


def _drain(terminal: int) -> None:
    """Take what it still writes, or it would wait for that and never end."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if select.select([terminal], [], [], 0.1)[0] and not os.read(terminal, 65_536):
                return
        except OSError:  # nobody has the other side open any more
            return

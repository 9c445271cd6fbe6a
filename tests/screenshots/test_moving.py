"""What moves: colours that do not change from frame to frame, and a cast that leaves a terminal as it was."""

from __future__ import annotations

import io

from PIL import Image

from tests.screenshots.moving import COLOURS, shown_only, together

GREEN, RED, BACK = (0x00, 0x9E, 0x73), (0xD5, 0x5E, 0x00), (0x12, 0x12, 0x12)


def frame(number: int) -> Image.Image:
    """Two areas of one colour each, and many colours of which each has a point only."""
    picture = Image.new("RGB", (64, 64), BACK)
    picture.paste(GREEN, (0, 0, 20, 40))
    picture.paste(RED, (20 + number, 0, 40 + number, 40))
    for x in range(64):
        picture.putpixel((x, 63), (4 * x, 255 - 4 * x, 3 * x))
    return picture


def test_areas_keep_their_colour() -> None:
    made = Image.open(io.BytesIO(together([frame(number) for number in range(5)])))
    assert getattr(made, "n_frames", 0) == 5
    for number in range(5):
        made.seek(number)
        shown = made.convert("RGB")
        assert shown.getpixel((5, 5)) == GREEN
        assert shown.getpixel((25 + number, 5)) == RED
        assert shown.getpixel((5, 50)) == BACK
        assert len(shown.getcolors(4096) or []) <= COLOURS


def test_nothing_that_changes_the_terminal_is_played() -> None:
    written = (
        "\x1b[?1000h\x1b[?1003h\x1b[?1006h\x1b[?2026$p\x1b[>25u\x1b]22;default\x07\x1b[1;1Ha\x1b[?2026hb"
    )
    assert list(shown_only([(0.0, "\x1b[?2004h"), (0.5, written)])) == [(0.5, "\x1b[1;1Ha\x1b[?2026hb")]

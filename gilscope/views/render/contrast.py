"""How well a colour stands out from what is behind it, as WCAG 2 measures it. Pure."""

from __future__ import annotations

STATE_LEAST = 3.0
"""For glyphs and bars."""
TEXT_LEAST = 4.5
_STEPS = 20


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """How bright "#rrggbb" is, 0 – 1."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, towards: str, part: float) -> str:
    """A colour with a part, 0 – 1, of another one."""
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(mine + (other - mine) * part):02x}" for mine, other in pairs)


def best_on(background: str) -> str:
    """Black or white, whichever stands out more."""
    return max(("#ffffff", "#000000"), key=lambda end: contrast(end, background))


def readable(colour: str, background: str, least: float) -> str:
    """The colour itself, or as little lighter or darker as it takes to stand out."""
    if contrast(colour, background) >= least:
        return colour
    towards = best_on(background)
    for step in range(1, _STEPS):
        nearer = mixed(colour, towards, step / _STEPS)
        if contrast(nearer, background) >= least:
            return nearer
    return towards

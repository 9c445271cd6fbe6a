"""Heat: what was active a moment ago still glows, and fades. A function of cells and position."""

from __future__ import annotations

from rich.color import Color, blend_rgb
from rich.style import Style

from gilscope.model import NS_PER_S, State
from gilscope.views.render.palette import Palette

LEVELS = 6
"""0: cold. Few enough that most rows stay the same from frame to frame."""
FADE_NS = NS_PER_S
"""Of the viewer's time: in slow motion as much less of the target's."""
_RUNNING, _HOLDING, _NATIVE = int(State.RUNNING), int(State.HOLDING), int(State.NATIVE)


def fade_slots(speed: float, slot_ns: int) -> int:
    """How many slots of time it takes until heat has faded, at a speed of the picture."""
    return max(1, round(min(1.0, speed) * FADE_NS / slot_ns))


def heat(cells: bytes, until: int, slots: int) -> int:
    """How hot a lane is, 0 – LEVELS - 1, by how long ago it last was on a CPU or had a GIL.

    Args:
        cells: its states.
        until: the slot behind the one at the position.
        slots: after so many it is cold.
    """
    until = max(0, min(until, len(cells)))
    first = max(0, until - slots)
    find = cells.rfind
    last = max(find(_RUNNING, first, until), find(_HOLDING, first, until), find(_NATIVE, first, until))
    if last < 0:
        return 0
    age = (until - 1 - last) / slots
    # It cools quickly at first, so that who was on a CPU just now stands out among those before.
    return max(1, LEVELS - 1 - int(age**0.5 * (LEVELS - 1)))


def heat_styles(palette: Palette) -> tuple[Style, ...]:
    """By level: the style of a name. Without colours: dim, plain, bold."""
    text, hot = palette.base.color, palette.good.color
    if not palette.colours or text is None or hot is None or text.is_default:
        plain = [palette.base] * (LEVELS - 2)
        return (palette.dim, *plain, palette.bold)
    styles = [palette.dim]
    for level in range(1, LEVELS):
        share = (level - 1) / (LEVELS - 2)
        mixed = blend_rgb(text.get_truecolor(), hot.get_truecolor(), share)
        styles.append(palette.base + Style(color=Color.from_triplet(mixed)))
    return tuple(styles)

"""Text from a recording, made safe for a terminal; and figures as people read them. Pure.

A recording is data from a stranger: no byte of it may move the cursor, change a colour or hide text.
"""

from __future__ import annotations

import re
import unicodedata

from gilscope.model import NS_PER_MS, NS_PER_S, NS_PER_US

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u061c\u115f\u1160\u180e"  # soft hyphen, marks and fillers without a width
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidi controls
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"  # fillers, variation selectors, interlinear marks
    "\ud800-\udfff\U000e0000-\U000e0fff]"  # lone surrogates, tags
)

REPLACED = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """`text` with each character that a terminal would obey, or not show, replaced by �."""
    return _UNSAFE.sub(REPLACED, text)


def width(text: str) -> int:
    """How many cells of a terminal `text` takes: two for most East Asian characters, none for marks."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, cells: int) -> str:
    """`text`, or as much of it as fits with an ellipsis."""
    if len(text) > 8 * cells + 64:
        # Of a text that has no end, only so much is looked at; marks without a width may follow others.
        text = text[: 8 * cells + 64]
        if width(text) <= cells:
            return text
    elif width(text) <= cells:
        return text
    kept, room = [], cells - 1
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…"


def pad(text: str, cells: int) -> str:
    """`text` with blanks behind it, up to that width."""
    return text + " " * max(0, cells - width(text))


def wrap(text: str, cells: int, *, first: str = "", then: str = "") -> list[str]:
    """The words of `text` in lines no wider than that; they begin with `first`, and `then`."""
    lines: list[str] = []
    indent, line = first, ""
    room = cells - max(width(first), width(then))
    for word in text.split():
        for piece in _pieces(word, room):
            longer = f"{line} {piece}" if line else piece
            if line and width(indent) + width(longer) > cells:
                lines.append(indent + line)
                indent, longer = then, piece
            line = longer
    return [*lines, indent + line]


def _pieces(word: str, cells: int) -> list[str]:
    """A word that is too wide for a line, in parts that are not."""
    pieces, room = [""], cells
    for character in word:
        room -= _cells(character)
        if room < 0:
            pieces.append("")
            room = cells - _cells(character)
        pieces[-1] += character
    return pieces


def clock_text(at_ns: int) -> str:
    """A moment since the session's start: 00:12.4, with hours as soon as there are some."""
    tenths = max(0, at_ns) // (NS_PER_S // 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{text}" if hours else text


def fine_clock_text(at_ns: int) -> str:
    """A moment to the millisecond: 00:12.418."""
    ms = max(0, at_ns) // NS_PER_MS % 100
    return f"{clock_text(at_ns)}{ms:02d}"


def duration_text(duration_ns: int) -> str:
    """A length of time with about two digits that matter: 820 µs, 5.4 ms, 1.2 s."""
    for unit_ns, unit in ((NS_PER_S, "s"), (NS_PER_MS, "ms"), (NS_PER_US, "µs")):
        if duration_ns >= unit_ns:
            value = duration_ns / unit_ns
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return f"{duration_ns} ns" if duration_ns else "0 ms"


def cell_text(cell_ns: int) -> str:
    """The length of a timeline cell: 5 ms, 2 s."""
    return f"{cell_ns // NS_PER_S} s" if cell_ns >= NS_PER_S else f"{cell_ns // NS_PER_MS} ms"


def share_text(share: float | None) -> str:
    """A share as per cent; ? where it is not known."""
    return "? %" if share is None else f"{share * 100:.0f} %"

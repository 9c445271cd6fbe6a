"""What the target wrote to its terminal, as lines of text with the moment they began. Pure.

A terminal's behaviour as far as plain programs need it: carriage return starts the line anew, backspace
steps back, tabs go to the next stop of eight, and sequences that move the cursor or set colours are dropped.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gilscope.model import Output
from gilscope.text import clean

_SEQUENCE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # OSC: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)"  # CSI: cursor, colours
    r"|\x1b[ -/]*(?:[0-Z\\^-~]|$)"  # others
)
MAX_LINE = 2_000
"""Characters of a line that are kept; no screen is wider."""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line as it stands on the terminal."""

    at_ns: int
    """When its first character came."""
    text: str
    end_ns: int = field(default=0, compare=False)
    """When its last character, or its end, came."""


def lines_of(pieces: Iterable[Output], *, last: int) -> tuple[OutputLine, ...]:
    """The last `last` lines, of which the very last may not be finished."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    # Sequences may be cut anywhere: find them in the whole text, and keep where each piece began.
    text: list[str] = []
    starts: list[tuple[int, int]] = []
    length = 0
    for piece in pieces:
        part = decoder.decode(piece.data)
        starts.append((length, piece.at_ns))
        text.append(part)
        length += len(part)
    whole = "".join(text)
    lines: list[OutputLine] = []
    at = len(whole)
    number = len(starts) - 1
    while at > 0 and len(lines) < last:
        while number > 0 and starts[number][0] >= at:
            number -= 1
        end_ns = starts[number][1]
        begin = whole.rfind("\n", 0, at - 1 if whole[at - 1] == "\n" else at) + 1
        while number > 0 and starts[number][0] > begin:
            number -= 1
        raw = whole[begin:at].rstrip("\n")
        lines.append(OutputLine(starts[number][1], _screen_line(raw), end_ns))
        at = begin
    return tuple(reversed(lines))


def _screen_line(raw: str) -> str:
    """What a terminal shows after `raw` was written on an empty line."""
    raw = _SEQUENCE.sub("", raw)
    while raw.endswith("\r"):
        raw = raw[:-1]
    raw = raw.rpartition("\r")[2][:MAX_LINE]
    if "\b" in raw:
        shown: list[str] = []
        for character in raw:
            if character != "\b":
                shown.append(character)
            elif shown:
                shown.pop()
        raw = "".join(shown)
    return clean(raw.replace("\x07", "").replace("\x00", "").expandtabs(8))

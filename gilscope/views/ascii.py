"""Screens for terminals that show ASCII only: each other character becomes one that they have. Pure.

All that is drawn passes here last, Textual's own borders and what the target wrote as well; a character takes
as many cells after it as before. Glyphs that mean different states stay different.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from gilscope.text import width

_STATES = {"█": "#", "░": "-", "▓": "%", "▒": "+", "·": "."}
_LEVELS = dict(zip("▁▂▃▄▅▆▇", "_.:-=+*", strict=True))
_PARTS = dict(zip("▏▎▍▌▋▊▉▐", "  ---=##", strict=True))
_SHARP = {
    **dict.fromkeys("─━═╌┄┈╴╶╸╺▔▀", "-"),
    **dict.fromkeys("│┃║╎┆┊╵╷╹╻▕", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋", "+"),
}
_SIGNS = {
    "▶": ">", "▸": ">", "◀": "<", "▾": "v", "▼": "v", "▲": "^", "●": "*", "◌": "o", "■": "#", "▪": "#",
    "◆": "*", "‖": "=", "→": ">", "←": "<", "↑": "^", "↓": "v", "×": "x", "−": "-", "–": "-", "—": "-",
    "…": "~", "“": '"', "”": '"', "‘": "'", "’": "'", "µ": "u", "⭘": "o", "✓": "v", "•": "*",
    "\N{RIGHT-POINTING MAGNIFYING GLASS}": "/ ",
    "\N{NO-BREAK SPACE}": " ",
    **dict.fromkeys("▖▗▘▙▚▛▜▝▞▟", "#"),
}  # fmt: skip


class _Table(dict[int, str]):
    """What becomes of each character; those that are not known become question marks."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        braille = 0x2800 < code < 0x2900  # dots of a curve
        made = character if code < 0x80 else ":" if braille else "?" * width(character)
        self[code] = made
        return made


_TABLE = _Table(
    {ord(glyph): sign for glyph, sign in {**_SHARP, **_SIGNS, **_LEVELS, **_PARTS, **_STATES}.items()}
)


def to_ascii(text: str) -> str:
    """The text in ASCII, as wide as it was."""
    return text if text.isascii() else text.translate(_TABLE)


def only_ascii(environment: Mapping[str, str] = os.environ, encoding: str = "utf-8") -> bool:
    """Whether a terminal shows ASCII only, by what its environment and the encoding of its stream say.

    Python itself turns a C locale into UTF-8 and says so in LC_CTYPE, so what the user asked for is in LC_ALL
    and LANG. Where nothing is said, as in most containers, terminals show all.
    """
    if environment.get("TEXTUAL_DRIVER"):  # no terminal: a browser
        return False
    if environment.get("TERM") in ("linux", "vt100", "vt102", "vt220", "dumb"):
        return True
    if encoding.lower().replace("-", "") not in ("utf8", "utf16", "utf32"):
        return True
    locale = environment.get("LC_ALL") or environment.get("LANG") or ""
    return locale in ("C", "POSIX") or ("." in locale and "utf" not in locale.lower())

"""A screen of coloured characters that knows what changed: for animations. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gilscope.text import clean, width

Cell = tuple[str, str]
"""A character and its colour, as #rrggbb or "" for the terminal's own."""
BLANK: Cell = (" ", "")
NEAR = 4
"""Unchanged cells between two changed ones that are cheaper to write than to jump over."""


def sgr(colour: str) -> str:
    """The escape sequence that sets a colour."""
    if not colour:
        return "\x1b[0m"
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"\x1b[38;2;{red};{green};{blue}m"


class ScreenCells:
    """What is on the screen, and what shall be."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self._now = [[BLANK] * columns for _ in range(rows)]
        self._shown = [[BLANK] * columns for _ in range(rows)]

    def put(self, row: int, column: int, text: str, colour: str = "") -> None:
        """Write text, cleaned and cut off at the edge; a character that is not one cell wide becomes ?."""
        line = self._now[row]
        for character in clean(text):
            if column >= self.columns:
                return
            line[column] = (character if width(character) == 1 else "?", colour)
            column += 1

    def changes(self) -> str:
        """What a terminal must be told to show what was put since the last call."""
        written: list[str] = []
        colour = ""
        for row, (now, shown) in enumerate(zip(self._now, self._shown, strict=True)):
            if now == shown:
                continue
            for begin, end in _runs(now, shown):
                written.append(f"\x1b[{row + 1};{begin + 1}H")
                for character, wanted in now[begin:end]:
                    if wanted != colour:
                        written.append(sgr(wanted))
                        colour = wanted
                    written.append(character)
            self._shown[row] = now[:]
        if colour:
            written.append(sgr(""))
        return "".join(written)


def _runs(now: list[Cell], shown: list[Cell]) -> Iterator[tuple[int, int]]:
    """Stretches of a line that differ; those that lie close together as one."""
    begin = end = -1
    for column, (new, old) in enumerate(zip(now, shown, strict=True)):
        if new != old:
            if begin >= 0 and column - end > NEAR:
                yield begin, end
                begin = -1
            if begin < 0:
                begin = column
            end = column + 1
    if begin >= 0:
        yield begin, end

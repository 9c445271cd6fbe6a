"""A whole row of a panel: a strip that Textual does not cut, and that goes as soon as nobody shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.strip import Strip


class Row(Strip):
    """Textual's strips keep their own pieces, and one that is not cut is its own piece.

    Such a ring is found by Python's collector only: with sixty rows a picture it was called all the time, and
    took tens of milliseconds of one frame.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """As a strip is divided."""
        cuts = list(cuts)
        return [self] if cuts == [self.cell_length] else super().divide(cuts)

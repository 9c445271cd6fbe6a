"""One axis of time for several runs: zoom and scroll. Pure.

Every run begins at cell 0. The widest view is the whole of the longest run on all columns, so its cells have
whatever length that takes; closer ones have the round lengths of the dashboard.
"""

from __future__ import annotations

from dataclasses import dataclass

from gilscope.views.cells import ZOOMS_NS

STEP_MOST = 0.8
"""The first step into the whole view makes cells at least this much shorter: less would hardly be seen."""


@dataclass(slots=True)
class Axis:
    """Which cells the columns show."""

    longest_ns: int
    """How long the longest run took."""
    columns: int = 1
    cell_ns: int = 1
    first: int = 0
    """The cell in the left column."""
    whole: bool = True
    """The longest run fills the columns, whatever their number."""

    @property
    def fit_ns(self) -> int:
        """The length of a cell with which the longest run just fits."""
        return max(1, -(-self.longest_ns // max(1, self.columns)))

    @property
    def cells(self) -> int:
        """How many cells the longest run has."""
        return -(-self.longest_ns // self.cell_ns)

    @property
    def start_ns(self) -> int:
        """The moment of the left border."""
        return self.first * self.cell_ns

    @property
    def end_ns(self) -> int:
        """The moment of the right border."""
        return min(self.longest_ns, (self.first + self.columns) * self.cell_ns)

    def resize(self, columns: int) -> None:
        """As many columns; a whole view stays whole."""
        self.columns = max(1, columns)
        if self.whole or self.cell_ns >= self.fit_ns:
            self.fit()
        self.scroll(0)

    def fit(self) -> None:
        """Show all of the longest run."""
        self.whole, self.first, self.cell_ns = True, 0, self.fit_ns

    def zoom(self, steps: int, column: int | None = None) -> None:
        """To longer (positive) or shorter cells; the moment in `column` (default: the middle) stays there."""
        column = self.columns // 2 if column is None else max(0, min(column, self.columns - 1))
        closer = (length for length in ZOOMS_NS if length <= STEP_MOST * self.fit_ns)
        lengths = sorted({*closer, self.fit_ns, self.cell_ns})
        number = max(0, min(lengths.index(self.cell_ns) + steps, len(lengths) - 1))
        # The middle of the cell, so that to and fro leads back.
        at_ns = (2 * (self.first + column) + 1) * self.cell_ns // 2
        self.cell_ns = lengths[number]
        self.whole = self.cell_ns == self.fit_ns
        self.first = at_ns // self.cell_ns - column
        self.scroll(0)

    def show(self, first: int, last: int) -> None:
        """Only what stands between two columns, or as little more as cells of a known length allow."""
        first, last = sorted(max(0, min(column, self.columns - 1)) for column in (first, last))
        begin_ns = (self.first + first) * self.cell_ns
        end_ns = (self.first + last + 1) * self.cell_ns
        lengths = sorted({*(length for length in ZOOMS_NS if length <= STEP_MOST * self.fit_ns), self.fit_ns})
        self.cell_ns = next(
            (length for length in lengths if length * self.columns >= end_ns - begin_ns), lengths[-1]
        )
        self.whole = self.cell_ns == self.fit_ns
        spare = max(0, self.columns - -(-(end_ns - begin_ns) // self.cell_ns))
        self.first = begin_ns // self.cell_ns - spare // 2
        self.scroll(0)

    def scroll(self, cells: int) -> None:
        """Later, or earlier if negative, as far as there is anything to see."""
        self.first = max(0, min(self.first + cells, self.cells - self.columns))

"""What stands on a terminal that is too small to show anything else."""

from __future__ import annotations

from textual.widgets import Static

COLUMNS_LEAST, ROWS_LEAST = 60, 20
"""On a smaller terminal nothing could be read."""


class Small(Static):
    """Covers the screen while the terminal is too small."""

    DEFAULT_CSS = """
    Small {
        layer: above;
        display: none;
        width: 100%;
        height: 100%;
        background: $background;
        content-align: center middle;
        text-align: center;
    }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def fit(self, width: int, height: int) -> None:
        """Show or hide it for a size of the terminal."""
        self.display = width < COLUMNS_LEAST or height < ROWS_LEAST
        if self.display:
            self.update(
                f"This terminal has {width} × {height} places.\n"
                f"gilscope needs {COLUMNS_LEAST} × {ROWS_LEAST}: make it larger,\n"
                "or the letters smaller. q quits."
            )

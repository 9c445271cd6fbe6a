"""Copying to the clipboard: the terminal does it (OSC 52), so that it works over ssh as well."""

from __future__ import annotations

from typing import Any

from textual.app import App

from gilscope.text import clean

SHOWN_MOST = 60
"""So much of what was copied stands in the message."""


def copy(app: App[Any], what: str, text: str) -> None:
    """Copy `text`, which is `what` in words such as "the row", and say so."""
    lines = [_row(line) for line in text.rstrip().split("\n")]
    if not any(line.strip() for line in lines):
        app.notify(f"There is nothing to copy: {what} is empty", timeout=2, markup=False)
        return
    app.copy_to_clipboard("\n".join(lines))
    first = " ".join(lines[0].split())
    shown = first if len(first) <= SHOWN_MOST else first[: SHOWN_MOST - 1] + "…"
    more = f" and {len(lines) - 1} more lines" if len(lines) > 1 else ""
    app.clear_notifications()
    app.notify(f"Copied {what}: {shown}{more}", timeout=3, markup=False)


def _row(line: str) -> str:
    """A line, clean; tabs between the cells of a row are ours and stay."""
    cells = line.split("\t")
    return "\t".join(clean(cell).strip() for cell in cells) if len(cells) > 1 else clean(line).rstrip()

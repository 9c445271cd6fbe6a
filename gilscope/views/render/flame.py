"""The flame view: who called whom while a GIL was held, each function as wide as its share. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.model import Flame, Frame
from gilscope.text import clean
from gilscope.views.render.lines import FILE_LEAST, blank, fill, fit, fit_name, strip, text_strip
from gilscope.views.render.palette import ORANGE, VERMILLION, YELLOW, Palette

Path = tuple[int, ...]
"""From the root: which child, and so on."""
_COLOURS = (ORANGE, YELLOW, VERMILLION)
EDGE = "▏"
"""Every block begins with it, so that two of them are told apart without colours."""


@dataclass(frozen=True, slots=True)
class Block:
    """A function in a row: where it is drawn, and which it is."""

    start: int
    end: int
    path: Path
    node: Flame


def node_at(root: Flame, path: Path) -> Flame | None:
    """The node that a path leads to."""
    node = root
    for index in path:
        if index >= len(node.children):
            return None
        node = node.children[index]
    return node


def blocks(root: Flame, width: int, height: int, top: Path = ()) -> list[list[Block]]:
    """Rows of blocks, outermost first: `top` and below. Those narrower than a column are left out."""
    node = node_at(root, top)
    if node is None or width <= 0 or height <= 0:
        return []
    rows = [[Block(0, width, top, node)]]
    while len(rows) < height:
        row = [block for parent in rows[-1] for block in _children(parent)]
        if not row:
            break
        rows.append(row)
    return rows


def _children(parent: Block) -> list[Block]:
    found: list[Block] = []
    whole = parent.node.time_ns
    passed = 0
    for index, child in enumerate(parent.node.children):
        start = parent.start + (parent.end - parent.start) * passed // whole if whole else parent.end
        passed += child.time_ns
        end = parent.start + (parent.end - parent.start) * passed // whole if whole else parent.end
        if min(end, parent.end) > start:
            found.append(Block(start, min(end, parent.end), (*parent.path, index), child))
    return found


def render_flame(
    rows: list[list[Block]], selected: Path, width: int, height: int, palette: Palette, *, whole_ns: int
) -> list[Strip]:
    """The rows from top to bottom; blocks that are wide enough have their name and share."""
    strips = [_row(row, selected, width, palette, whole_ns) for row in rows[:height]]
    return fill(strips, width, height, palette)


def _row(row: list[Block], selected: Path, width: int, palette: Palette, whole_ns: int) -> Strip:
    segments: list[Segment] = []
    at = 0
    for block in row:
        if block.start > at:
            segments.append(Segment(" " * (block.start - at), palette.base))
        label = EDGE + _label(block, whole_ns)
        segments.append(Segment(fit(label, block.end - block.start), _style(block, selected, palette)))
        at = block.end
    return strip(segments, width, palette)


def _label(block: Block, whole_ns: int) -> str:
    if not block.path:
        return "all"
    share = 100 * block.node.time_ns / whole_ns if whole_ns else 0
    return f"{clean(block.node.frame.function)} {share:.0f} %"


def _style(block: Block, selected: Path, palette: Palette) -> Style:
    if block.path == selected:
        return palette.selected + Style(bold=True)
    if palette.good.color is None or palette.good.color == palette.base.color:
        return palette.base
    # The same function has the same colour everywhere, on any day.
    key = sum(map(ord, block.node.frame.function + block.node.frame.file))
    return Style(color="#000000", bgcolor=_COLOURS[key % len(_COLOURS)])


def render_details(
    root: Flame, selected: Path, width: int, palette: Palette, *, waiting: bool = False
) -> list[Strip]:
    """Two lines on the selected function, in the flame of held time or of `waiting` time."""
    node = node_at(root, selected)
    if node is None or not root.time_ns:
        return [blank(width, palette)] * 2
    where = _place(node.frame, width) if selected else "all functions"
    whole, own = 100 * node.time_ns / root.time_ns, 100 * node.own_ns / root.time_ns
    shares = f"{whole:.1f} % of the {'waiting' if waiting else 'held'} time, itself {own:.1f} %"
    return [
        text_strip(where, width, palette.bold, palette),
        text_strip(f"{shares}; in {node.samples} of {root.samples} stacks", width, palette.base, palette),
    ]


def _place(frame: Frame, width: int) -> str:
    """The function and where it stands; of a long path the middle is left out, never the line."""
    function, file = clean(frame.function), clean(frame.file)
    line = f":{frame.line}" if frame.line else "  C code"
    room = width - cell_len(function) - cell_len(line) - 2
    return f"{function}  {fit_name(file, max(FILE_LEAST, min(room, cell_len(file))))}{line}"


def block_at(rows: list[list[Block]], x: int, y: int) -> Path | None:
    """The function under a click."""
    if not 0 <= y < len(rows):
        return None
    return next((block.path for block in rows[y] if block.start <= x < block.end), None)


def moved(rows: list[list[Block]], selected: Path, step: str) -> Path:
    """Where an arrow leads: "up" to the caller, "down" to its widest callee, else along the row."""
    places = {block.path: (y, x) for y, row in enumerate(rows) for x, block in enumerate(row)}
    if selected not in places:
        return rows[0][0].path if rows else ()
    y, x = places[selected]
    if step == "up":
        return selected[:-1] if y else selected
    if step == "down":
        below = rows[y + 1] if y + 1 < len(rows) else []
        inside = [block for block in below if block.path[:-1] == selected]
        return max(inside, key=lambda block: block.node.time_ns).path if inside else selected
    row = rows[y]
    return row[max(0, min(len(row) - 1, x + (1 if step == "right" else -1)))].path

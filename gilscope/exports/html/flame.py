"""The flame of a report: functions as boxes under what called them, each as wide as its share of the time.

A still picture, with a tip on each box: it needs no JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from markupsafe import Markup

from gilscope.model import NS_PER_S, Flame, Flames
from gilscope.text import clean, cut

WIDTH, ROW = 1120, 19
CHARACTER = 6.7
"""Width of a character of the labels, in the picture's units."""
LEAST_WIDTH = 1.5
"""Narrower boxes are left out: nobody could see them."""
MOST_ROWS = 60
MOST_THREADS = 16
COLOURS = 3


class Drawn(NamedTuple):
    """The flame of all threads, or of one."""

    title: str
    stacks: int
    picture: Markup


class Box(NamedTuple):
    """A function in a row."""

    row: int
    x: float
    width: float
    node: Flame


def drawn(flames: Flames) -> list[Drawn]:
    """The flames of held time and of waiting time: of all threads, then of each that has much of it."""
    kinds = [(flames, "holds the GIL", "held")]
    if flames.waiting is not None:
        kinds.append((flames.waiting, "waits for the GIL", "waiting"))
    made = [
        Drawn(f"All threads: who {what}", kind.whole.samples, picture(kind.whole, word))
        for kind, what, word in kinds
        if kind.whole.time_ns
    ]
    shown = [name for name, _ in flames.threads[:MOST_THREADS]]
    if flames.waiting is not None:
        shown += [name for name, _ in flames.waiting.threads[:MOST_THREADS] if name not in shown]
    for name in shown[:MOST_THREADS]:
        for kind, what, word in kinds:
            tree = dict(kind.threads).get(name)
            if tree is not None and tree.time_ns:
                made.append(Drawn(f"{name} {what}", tree.samples, picture(tree, word)))
    return made


def picture(tree: Flame, word: str) -> Markup:
    """An SVG element; its colours are those of the page.

    Args:
        tree: of all threads, or of one.
        word: "held" or "waiting", the time that it shows.
    """
    found = list(boxes(tree))
    height = ROW * (1 + max(box.row for box in found))
    parts = "".join(_box(box, tree.time_ns, word) for box in found)
    return Markup(  # noqa: S704 - made of numbers, and escaped words
        f'<svg class="flame" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Functions by their share'
        f' of the {word} time, each under what called it" font-size="11.5">{parts}</svg>'
    )


def boxes(tree: Flame) -> Iterator[Box]:
    """All boxes that are wide enough to be seen, the root first."""
    coming = [Box(0, 0.0, float(WIDTH), tree)]
    while coming:
        box = coming.pop()
        yield box
        x = box.x
        for child in box.node.children:
            width = box.width * child.time_ns / box.node.time_ns if box.node.time_ns else 0.0
            if width >= LEAST_WIDTH and box.row + 1 < MOST_ROWS:
                coming.append(Box(box.row + 1, x, width, child))
            x += width


def _box(box: Box, whole_ns: int, word: str) -> str:
    node, y = box.node, box.row * ROW
    name, place = clean(node.frame.function), clean(f"{node.frame.file}:{node.frame.line}")
    share, own = (f"{100 * ns / whole_ns:.1f} %" for ns in (node.time_ns, node.own_ns))
    stacks = f"{node.samples} stack{'' if node.samples == 1 else 's'}"
    if box.row:
        label = f"{name} {share}"
        tip = f"{name}\n{place}\n{share} of the {word} time, itself {own}; in {stacks}"
        colour = f"flame-{sum(map(ord, node.frame.function + node.frame.file)) % COLOURS}"
    else:
        label = f"{word} for {whole_ns / NS_PER_S:.3g} s"
        tip, colour = f"{label}, by {stacks}", "flame-all"
    room = int((box.width - 6) / CHARACTER)
    text = (
        f'<text class="flame-name" x="{box.x + 4:.1f}" y="{y + 13}">{escape(cut(label, room))}</text>'
        if room >= 3
        else ""
    )
    size = f'width="{max(0.5, box.width - 1):.1f}" height="{ROW - 1}"'
    rect = f'<rect class="{colour}" x="{box.x:.1f}" y="{y}" {size}/>'
    return f"<g><title>{escape(tip)}</title>{rect}{text}</g>"

"""The line on top: what is watched, where in time we are, what watching costs."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from gilscope.views.present import Header
from gilscope.views.render.lines import fit, strip
from gilscope.views.render.palette import Palette


def render_header(header: Header, width: int, palette: Palette) -> Strip:
    """One line. When it is narrow the costs go first, then the facts; the state stays."""
    style = {
        "live": palette.live,
        "paused": palette.paused,
        "slow": palette.paused,
        "replay": palette.replay,
        "lost": palette.error,
    }.get(header.kind, palette.bold)
    name = " gilscope  "
    costs, facts = list(header.costs), list(header.facts)

    def right() -> str:
        return "".join(f"   {cost}" for cost in costs) + " "

    def left() -> str:
        return "".join(f" · {fact}" for fact in facts)

    def room() -> int:
        return width - cell_len(name) - cell_len(left()) - cell_len(header.state) - cell_len(right()) - 2

    want = min(cell_len(header.title), 24)
    while room() < want and (costs or facts):
        (costs if costs and len(costs) >= len(facts) else facts).pop()
    title = fit(header.title, max(0, min(room(), cell_len(header.title))))
    segments = [
        Segment(name, palette.group),
        Segment(title, palette.bold),
        Segment(left(), palette.dim),
    ]
    used = sum(cell_len(segment.text) for segment in segments)
    gap = max(1, width - used - cell_len(header.state) - cell_len(right()))
    segments += [
        Segment(" " * gap, palette.base),
        Segment(header.state, style),
        Segment(right(), palette.dim),
    ]
    return strip(segments, width, palette)

"""The verdict with all that is known of it, for a panel that has room; it scrolls where it has not."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.model import Verdict
from gilscope.text import clean
from gilscope.views.render.lines import blank, fit, strip, text_strip, wrap
from gilscope.views.render.palette import Palette

FIGURES_FROM = 60
"""On a narrower panel a figure stands behind its word instead of in a column."""


def render_whole_verdict(verdict: Verdict, width: int, palette: Palette) -> list[Strip]:
    """All lines, as many as it takes."""
    strips = [text_strip(line, width, palette.bold, palette) for line in wrap(clean(verdict.headline), width)]

    def part(title: str, texts: Iterable[str], style: Style, mark: str = "· ") -> None:
        lines = [line for text in texts for line in _listed(clean(text), mark, width, style, palette)]
        if lines:
            strips.extend([blank(width, palette), text_strip(title, width, palette.group, palette), *lines])

    part("What to do", verdict.advice, palette.good, "→ ")
    part("What it rests on", verdict.evidence, palette.base)
    if verdict.limits:
        strips += [
            blank(width, palette),
            text_strip("Figures and their limits", width, palette.group, palette),
        ]
        strips += _figures(verdict, width, palette)
    part("What else is to be seen", verdict.also, palette.base, "+ ")
    part("How sure it is", [f"{verdict.confidence}: {verdict.confidence_reason}"], palette.base, "")
    part("What would change it", verdict.would_change, palette.base)
    return strips


def _listed(text: str, mark: str, width: int, style: Style, palette: Palette) -> list[Strip]:
    indent = cell_len(mark)
    return [
        strip(
            [
                Segment(mark if number == 0 else " " * indent, palette.dim),
                Segment(fit(line, width - indent), style),
            ],
            width,
            palette,
        )
        for number, line in enumerate(wrap(text, max(1, width - indent)))
    ]


def _figures(verdict: Verdict, width: int, palette: Palette) -> list[Strip]:
    if width < FIGURES_FROM:
        texts = (f"{what}: {value} ({limit})" for what, value, limit in verdict.limits)
        return [line for text in texts for line in _listed(clean(text), "· ", width, palette.base, palette)]
    values = max(cell_len(clean(value)) for _, value, _ in verdict.limits)
    limits = max(cell_len(clean(limit)) for _, _, limit in verdict.limits)
    room = max(10, width - values - limits - 6)
    return [
        strip(
            [
                Segment("· ", palette.dim),
                Segment(fit(clean(what), room), palette.base),
                Segment(f"{clean(value):>{values}}  ", palette.bold),
                Segment(clean(limit), palette.dim),
            ],
            width,
            palette,
        )
        for what, value, limit in verdict.limits
    ]

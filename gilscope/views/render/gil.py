"""The GIL panel: who holds it, in which function, and how contended it is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from gilscope.text import share_text
from gilscope.views.present import GilLine
from gilscope.views.render.lines import fill, fit, strip, text_strip
from gilscope.views.render.palette import Palette


def render_gils(lines: Sequence[GilLine], width: int, height: int, palette: Palette) -> list[Strip]:
    """One GIL: its line and a bar. Several: one line each, with a short bar."""
    if not lines:
        return fill(
            [text_strip("No GIL has been found yet.", width, palette.dim, palette)], width, height, palette
        )
    if len(lines) == 1:
        strips = [_line(lines[0], width, palette)]
        if height >= 2 and not lines[0].words:
            strips.append(_wide_bar(lines[0], width, palette))
        return fill(strips, width, height, palette)
    shown = list(lines[: height if len(lines) <= height else height - 1])
    strips = [_line(line, width, palette, short_bar=True) for line in shown]
    if len(shown) < len(lines):
        strips.append(
            text_strip(f"  {len(lines) - len(shown)} more: enter shows them", width, palette.dim, palette)
        )
    return fill(strips, width, height, palette)


def _line(line: GilLine, width: int, palette: Palette, *, short_bar: bool = False) -> Strip:
    facts = [] if line.words else list(line.facts)
    bar = width // 8 if short_bar and width >= 70 and not line.words else 0
    if not short_bar:
        facts = [fact for fact in facts if fact[0] != "contended"] if width >= 70 else facts

    def right() -> int:
        return sum(cell_len(word) + cell_len(figure) + 4 - (not word) for word, figure in facts) + bar

    left_least = 24 + cell_len(line.process)
    while len(facts) > 1 and width - right() < left_least:
        facts.pop()
    segments: list[Segment] = []
    room = max(0, width - right())
    if line.words:
        segments.append(Segment(fit("  " + _with_process(line, line.words), room), palette.dim))
    elif line.holder is None:
        segments.append(Segment(fit("  " + _with_process(line, "nobody holds it"), room), palette.dim))
    else:
        name = fit(line.holder, min(cell_len(line.holder), max(6, room - 4)))
        segments += [Segment("▶ ", palette.mark), Segment(name, palette.bold)]
        rest = room - cell_len(name) - 2
        segments.append(Segment(fit("  " + _with_process(line, line.function), rest), palette.dim))
    if bar:
        segments += _bar(line.held_share, bar, palette)
    for word, figure in facts:
        segments.append(Segment("   " if not word else f"   {word} ", palette.dim))
        segments.append(Segment(figure, palette.bold))
    return strip(segments, width, palette)


def _with_process(line: GilLine, text: str) -> str:
    return f"{line.process}  {text}" if line.process else text


def _bar(share: float | None, width: int, palette: Palette) -> list[Segment]:
    if share is None:
        return [Segment("?" * width, palette.faint)]
    eighths = round(share * width * 8)
    whole, rest = divmod(eighths, 8)
    text = "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
    return [Segment(text, palette.good), Segment("─" * (width - len(text)), palette.faint)]


def _wide_bar(line: GilLine, width: int, palette: Palette) -> Strip:
    label = f"  {share_text(line.held_share)} utilisation"
    contended = dict(line.facts).get("contended")
    if contended and width >= 70:
        label += f", {contended} contended"
    return strip(
        [*_bar(line.held_share, max(0, width - len(label)), palette), Segment(label, palette.dim)],
        width,
        palette,
    )

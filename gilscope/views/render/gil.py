"""The GIL panel: who holds it, in which function, and how contended it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from gilscope.text import share_text
from gilscope.views.present import GilLine
from gilscope.views.render.lines import fill, fit, fit_name, fit_place, strip, text_strip
from gilscope.views.render.palette import Palette

NAME_COLUMNS = 24
"""What the holder and its function get at least."""
BAR_FROM_WIDTH = 70
IDLE_BELOW = 0.1
"""Of a GIL that is held for a smaller share of the time."""
UNITS_FROM_WIDTH = 96
"""Below, the function has the room that "threads" would take behind "waiting 2.7"."""


def render_gils(
    lines: Sequence[GilLine], width: int, height: int, palette: Palette, *, full: bool = False
) -> list[Strip]:
    """One GIL: its line and a bar. Several: one line each, with a short bar.

    Where not all fit, those that are held come first; `full`: there is no larger place to show the others.
    """
    if not lines:
        return fill(
            [text_strip("No GIL has been found yet.", width, palette.dim, palette)], width, height, palette
        )
    if len(lines) == 1:
        strips = [_line(lines[0], width, palette)]
        if height >= 2 and not lines[0].words:
            strips.append(_wide_bar(lines[0], width, palette))
        return fill(strips, width, height, palette)
    shown = list(lines)
    if len(lines) > height:
        # By what stays the same from second to second: the lines would jump if the share itself counted.
        shown = sorted(lines, key=lambda line: (line.held_share or 0.0) < IDLE_BELOW)[: height - 1]
    shown = _aligned(shown, width)
    strips = [_line(line, width, palette, short_bar=True) for line in shown]
    if len(shown) < len(lines):
        more = f"  {len(lines) - len(shown)} more" + ("" if full else ": 1 shows them")
        strips.append(text_strip(more, width, palette.dim, palette))
    return fill(strips, width, height, palette)


def _aligned(lines: Sequence[GilLine], width: int) -> list[GilLine]:
    """The lines with as many figures as fit all of them, each as wide as the widest of its column."""
    columns: list[str] = []
    for line in lines:
        columns += [word for word, _ in line.facts if word not in columns]
    figures = {word: max(cell_len(dict(line.facts).get(word, "")) for line in lines) for word in columns}
    bar = width // 8 if width >= BAR_FROM_WIDTH else 0
    least = NAME_COLUMNS + max((cell_len(line.process) for line in lines), default=0) + bar
    while len(columns) > 1 and least + sum(_columns(word, figures[word]) for word in columns) > width:
        columns.pop()
    aligned = []
    for line in lines:
        known = dict(line.facts)
        facts = [(word, known.get(word, "").rjust(figures[word])) for word in columns if known]
        aligned.append(replace(line, facts=tuple(facts)))
    return aligned


def _columns(word: str, figure: int) -> int:
    """What a figure takes, with its word and the space before it."""
    return cell_len(word) + figure + 4 - (not word)


def _line(line: GilLine, width: int, palette: Palette, *, short_bar: bool = False) -> Strip:
    facts = [] if line.words else list(line.facts)
    bar = width // 8 if short_bar and width >= BAR_FROM_WIDTH and not line.words else 0
    if not short_bar:
        facts = [fact for fact in facts if fact[0] != "contended"] if width >= BAR_FROM_WIDTH else facts
    if width < UNITS_FROM_WIDTH:
        facts = [(word, figure.removesuffix(" threads")) for word, figure in facts]

    def right() -> int:
        return sum(_columns(word, cell_len(figure)) for word, figure in facts) + bar

    left_least = NAME_COLUMNS + cell_len(line.process)
    while len(facts) > 1 and width - right() < left_least:
        facts.pop()
    segments: list[Segment] = []
    room = max(0, width - right())
    if line.words:
        segments.append(Segment(fit("  " + _with_process(line, line.words), room), palette.dim))
    elif line.holder is None:
        segments.append(Segment(fit("  " + _with_process(line, "nobody holds it"), room), palette.dim))
    else:
        # A long name leaves room for the function.
        wanted = min(cell_len(line.function), room // 2)
        name = fit_name(line.holder, min(cell_len(line.holder), max(6, room - 4 - wanted)))
        segments += [Segment("▶ ", palette.mark), Segment(name, palette.bold)]
        rest = room - cell_len(name) - 2
        before = "  " + _with_process(line, "")
        segments.append(Segment(fit(before, min(rest, cell_len(before))), palette.dim))
        segments.append(Segment(fit_place(line.function, rest - cell_len(before)), palette.dim))
    if bar:
        if segments[-1].text[-1:] not in ("", " "):
            segments[-1] = Segment(fit(segments[-1].text, cell_len(segments[-1].text) - 1) + " ", palette.dim)
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
    if contended and width >= BAR_FROM_WIDTH:
        label += f", {contended} contended"
    return strip(
        [*_bar(line.held_share, max(0, width - len(label)), palette), Segment(label, palette.dim)],
        width,
        palette,
    )

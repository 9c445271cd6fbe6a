"""The panels that are words: verdict and output."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from gilscope.model import SpanReport, Verdict
from gilscope.text import clean, clock_text
from gilscope.views.render.lines import fill, fit, strip, text_strip, wrap
from gilscope.views.render.palette import Palette
from gilscope.views.terminal import OutputLine

NOT_SEEN = "Not seen: the process was there before gilscope."
STAMP_COLUMNS = 9
"""The moment of a line of output and the space behind it."""


def render_verdict(verdict: Verdict | None, width: int, height: int, palette: Palette) -> list[Strip]:
    """Headline, advice, evidence, remarks: what does not fit is left out from the end."""
    if verdict is None:
        text = "Watching: the verdict comes with the first second."
        return fill(
            [text_strip(line, width, palette.dim, palette) for line in wrap(text, width)],
            width,
            height,
            palette,
        )
    strips = [text_strip(line, width, palette.bold, palette) for line in wrap(clean(verdict.headline), width)]
    for mark, parts, style in (
        ("→ ", verdict.advice, palette.good),
        ("· ", verdict.evidence, palette.base),
        ("+ ", verdict.also, palette.dim),
    ):
        for part in parts:
            for number, line in enumerate(wrap(clean(part), max(1, width - 2))):
                lead = Segment(mark if number == 0 else "  ", palette.dim)
                strips.append(strip([lead, Segment(fit(line, width - 2), style)], width, palette))
    if len(strips) > height > 0:
        # There is more to say than fits; the panel on the whole screen has it all.
        last = strips[height - 1]
        text = last.text.rstrip()
        while cell_len(text) > width - 2:
            text = text.rpartition(" ")[0] or text[:-1]
        strips[height - 1] = strip(
            [*last.crop(0, cell_len(text)), Segment(" …", palette.dim)], width, palette
        )
    return fill(strips, width, height, palette)


def render_span(report: SpanReport | None, width: int, height: int, palette: Palette) -> list[Strip]:
    """The figures of a span, and its verdict as far as there is room."""
    if report is None:
        return fill([text_strip("Summing it up …", width, palette.dim, palette)], width, height, palette)
    lines = _in_lines([clean(f"{word} {figure}".strip()) for word, figure in report.facts], width)
    # The verdict's headline is to be seen whatever the figures take.
    lines = lines[: max(1, height - 2)]
    strips = [text_strip(line, width, palette.group, palette) for line in lines]
    return strips + render_verdict(report.verdict, width, max(0, height - len(strips)), palette)


def _in_lines(facts: Sequence[str], width: int) -> list[str]:
    """Figures side by side, none of them torn between two lines."""
    lines: list[str] = []
    for fact in facts:
        if lines and cell_len(lines[-1]) + 3 + cell_len(fact) <= width:
            lines[-1] += f" · {fact}"
        else:
            lines.append(fact)
    return lines


def render_output(
    lines: Sequence[OutputLine], width: int, height: int, palette: Palette, *, back: int = 0,
    sought: str = "", foreign: bool = False,
) -> list[Strip]:  # fmt: skip
    """The last lines that fit, `back` lines before the newest; those with `sought` in them stand out.

    `foreign`: none is ever to be seen, as the target was there before us.
    """
    end = max(0, len(lines) - back)
    shown = lines[max(0, end - height) : end]
    if not shown:
        text = NOT_SEEN if foreign else "Nothing has been written yet."
        return fill([text_strip(text, width, palette.dim, palette)], width, height, palette)
    stamp = STAMP_COLUMNS if width >= 40 else 0
    strips = []
    for line in shown:
        segments = [Segment(fit(clock_text(line.at_ns), stamp), palette.dim)] if stamp else []
        hit = sought and sought in (line.text if sought != sought.lower() else line.text.lower())
        style = palette.mark if hit else palette.base
        segments.append(Segment(fit(line.text, width - stamp), style))
        strips.append(strip(segments, width, palette))
    return fill(strips, width, height, palette)

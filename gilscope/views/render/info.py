"""The info panel: how well the session is watched, and what that costs. Always all of it."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip

from gilscope.model import NS_PER_MS, Quality
from gilscope.text import clean, duration_text
from gilscope.views.render.lines import fill, fit, strip, text_strip, wrap
from gilscope.views.render.palette import Palette

WORD_COLUMNS = 16
FIGURE_COLUMNS = 26
MEANINGS_FROM = 72
"""On a narrower panel the figures stand alone: they are what must not be missing."""

Row = tuple[str, str, str]
"""Word, figure, meaning."""


def info_rows(quality: Quality) -> list[Row]:
    """What is shown, in order: a zero is a figure, so that no row is ever left out."""
    achieved = "?" if quality.rate_achieved_hz is None else f"{quality.rate_achieved_hz:.0f} Hz"
    share = "?" if quality.cost_share is None else f"{100 * quality.cost_share:.1f} % of a core"
    return [
        ("source", clean(", ".join(quality.sources)), "where it is read who holds the GIL"),
        ("rate", f"{achieved} of {quality.rate_asked_hz:.0f} asked", "samples a second"),
        ("samples", str(quality.samples_taken), "readings of the GILs"),
        ("tick", f"{quality.tick_ns / NS_PER_MS:g} ms or more", "the step in which all is counted"),
        ("greatest delay", duration_text(quality.late_ns_max), "of a sample, after its deadline"),
        ("torn reads", str(quality.torn_reads), "contradictory, and read again"),
        ("failed reads", str(quality.failed_reads), "process or interpreter was gone"),
        ("handoffs unseen", quality.handoffs_text, "between samples, yet counted"),
        (
            "disagreements",
            f"{quality.disagreements} of {quality.stacks} stacks",
            "py-spy saw another holder",
        ),
        ("cost", f"{share}, {duration_text(quality.cost_cpu_ns)}", "CPU time of watching"),
    ]


def render_info(
    quality: Quality | None, width: int, height: int, palette: Palette, *, pictures: str = ""
) -> list[Strip]:
    """Rows of figures, then the gaps, each source and reason once; what does not fit is counted."""
    if quality is None:
        text = "Adding up: the figures come with the next second."
        return fill([text_strip(text, width, palette.dim, palette)], width, height, palette)
    rows = info_rows(quality)
    if pictures:
        rows.append(("pictures", pictures, "drawn; fewer on a slow terminal"))
    if height < len(rows) + 1:
        return _compact(quality, width, height, palette)
    strips = [_row(*row, width, palette) for row in rows]
    for text in quality.unknown:
        strips += _unknown(clean(text), width, palette)
    if not quality.gaps:
        strips.append(_row("gaps", "none", "what could not be read", width, palette))
    for number, gap in enumerate(quality.gaps):
        left = len(quality.gaps) - number
        reason = f"{clean(gap.source)}: {clean(gap.reason)}" + (f" ({gap.count} ×)" if gap.count > 1 else "")
        lines = wrap(reason, max(1, width - WORD_COLUMNS - 9)) or [""]
        if len(strips) + len(lines) + (left > 1) > height:
            strips.append(_row("", f"… and {left} more gaps", "", width, palette))
            break
        for index, line in enumerate(lines):
            word = "gaps" if number == index == 0 else ""
            length = duration_text(gap.ns) if index == 0 else ""
            segments = [
                Segment(fit(word, WORD_COLUMNS), palette.dim),
                Segment(fit(length, 9), palette.bold),
                Segment(line, palette.base),
            ]
            strips.append(strip(segments, width, palette))
    return fill(strips, width, height, palette)


def _unknown(text: str, width: int, palette: Palette) -> list[Strip]:
    lines = wrap(text, max(1, width - WORD_COLUMNS))
    return [
        strip(
            [
                Segment(fit("not known" if number == 0 else "", WORD_COLUMNS), palette.dim),
                Segment(line, palette.base),
            ],
            width,
            palette,
        )
        for number, line in enumerate(lines)
    ]


def _row(word: str, figure: str, meaning: str, width: int, palette: Palette) -> Strip:
    room = max(0, width - WORD_COLUMNS)
    told = width >= MEANINGS_FROM
    segments = [
        Segment(fit(word, min(WORD_COLUMNS, width)), palette.dim),
        Segment(fit(figure, FIGURE_COLUMNS if told else room), palette.bold),
    ]
    if told:
        segments.append(Segment(fit(meaning, room - FIGURE_COLUMNS), palette.dim))
    return strip(segments, width, palette)


def _compact(quality: Quality, width: int, height: int, palette: Palette) -> list[Strip]:
    """On a very low panel: the same figures one behind the other."""
    facts = [f"{word}: {figure}" for word, figure, _ in info_rows(quality)]
    gaps = [f"{duration_text(gap.ns)} {clean(gap.source)}: {clean(gap.reason)}" for gap in quality.gaps]
    facts += [f"not known: {clean(text)}" for text in quality.unknown]
    facts.append("gaps: " + (", ".join(gaps) or "none"))
    strips = [text_strip(line, width, palette.base, palette) for line in wrap(" · ".join(facts), width)]
    return fill(strips, width, height, palette)

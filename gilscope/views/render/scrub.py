"""The scrub bar: the whole session on a line, and where in it one is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gilscope.text import clock_text, duration_text
from gilscope.views.render.palette import Palette

BLOCKS = "▁▂▃▄▅▆▇█"
NOTHING, MARK, STALL, POSITION, BEGIN = "·", "◆", "!", "┃", "["
LABEL_COLUMNS = 9
"""A moment and the space around it, on either side."""
NO_LABELS_BELOW = 50


@dataclass(frozen=True, slots=True)
class ScrubState:
    """What the bar shows."""

    shares: Sequence[float | None]
    """Of the busiest GIL, in each column."""
    first_ns: int
    head_ns: int
    position_ns: int
    selection: tuple[int, int] | None = None
    begin_ns: int | None = None
    """Where a selection begins that has no end yet."""
    marks: Sequence[int] = ()
    stalls: Sequence[tuple[int, int]] = ()


def bar_span(width: int) -> tuple[int, int]:
    """The column in which the bar begins, and how many it has."""
    if width < NO_LABELS_BELOW:
        return 0, max(1, width)
    return LABEL_COLUMNS, width - 2 * LABEL_COLUMNS


def column_of(at_ns: int, first_ns: int, head_ns: int, columns: int) -> int:
    """The column of a moment: the session's ends are the first and the last."""
    length = max(1, head_ns - first_ns)
    return max(0, min(columns - 1, (at_ns - first_ns) * columns // length))


def moment_at(column: int, first_ns: int, head_ns: int, columns: int) -> int:
    """The moment of a column; the last one is the newest."""
    column = max(0, min(columns - 1, column))
    return first_ns + (head_ns - first_ns) * column // max(1, columns - 1)


def place_at(state: ScrubState, column: int, columns: int) -> tuple[int, str] | None:
    """The mark or stall in a column, a mark first: where to go to see it, and what it is."""

    def here(at_ns: int) -> bool:
        kept = state.first_ns <= at_ns <= state.head_ns
        return kept and column_of(at_ns, state.first_ns, state.head_ns, columns) == column

    for at_ns in state.marks:
        if here(at_ns):
            return at_ns, f"{MARK} a mark at {clock_text(at_ns)}"
    for start_ns, end_ns in state.stalls:
        if here(start_ns):
            # A position shows what was until then: a stall is seen from just after its start.
            return (
                start_ns + 1,
                f"{STALL} a stall at {clock_text(start_ns)}, {duration_text(end_ns - start_ns)}",
            )
    return None


def render_scrub(state: ScrubState, width: int, height: int, palette: Palette) -> list[Strip]:
    """One line, or two: then marks, stalls and the position have the lower one to themselves."""
    begin, columns = bar_span(width)
    chosen = _chosen(state, columns)
    glyphs, styles = _bar(state, columns, chosen, palette)
    signs = _signs(state, columns, palette)
    if height < 2:
        for column, (glyph, style) in signs.items():
            glyphs[column], styles[column] = glyph, style
    elif (at := column_of(state.position_ns, state.first_ns, state.head_ns, columns)) in signs:
        glyphs[at], styles[at] = POSITION, palette.mark
    lines = [(glyphs, styles)]
    if height >= 2:
        under = ["─" if column in chosen else " " for column in range(columns)]
        under_styles = [palette.mark] * columns
        for column, (glyph, style) in signs.items():
            under[column], under_styles[column] = ("▲" if glyph == POSITION else glyph), style
        lines.append((under, under_styles))
    strips = []
    for number, (line, line_styles) in enumerate(lines):
        before, after = "", ""
        if begin:
            before = f" {_label(state.first_ns):<{begin - 1}}" if number == 0 else " " * begin
            after = f"{_label(state.head_ns):>{begin - 1}} " if number == 0 else " " * begin
        segments = [Segment(before, palette.dim)] if before else []
        segments += _runs(line, line_styles, chosen if number == 0 else frozenset(), palette)
        if after:
            segments.append(Segment(after, palette.dim))
        strips.append(Strip(segments, begin * 2 + columns))
    return strips


def _label(at_ns: int) -> str:
    """A moment in at most LABEL_COLUMNS - 1 columns: without tenths once there are hours."""
    text = clock_text(at_ns)
    return (text if text.count(":") == 1 else text.partition(".")[0])[: LABEL_COLUMNS - 1]


def _chosen(state: ScrubState, columns: int) -> frozenset[int]:
    if state.selection is None:
        return frozenset()
    first, last = (column_of(at, state.first_ns, state.head_ns, columns) for at in state.selection)
    return frozenset(range(first, last + 1))


def _bar(
    state: ScrubState, columns: int, chosen: frozenset[int], palette: Palette
) -> tuple[list[str], list[Style]]:
    glyphs, styles = [], []
    for column in range(columns):
        share = state.shares[column] if column < len(state.shares) else None
        if share is None:
            glyphs.append(NOTHING)
            styles.append(palette.faint)
        else:
            glyphs.append(BLOCKS[max(0, min(len(BLOCKS) - 1, round(share * len(BLOCKS)) - 1))])
            # A full block covers what is behind it: what is selected is of another colour.
            full = palette.group if column in chosen else palette.good
            styles.append(full if share >= 1 / 16 else palette.faint)
    return glyphs, styles


def _signs(state: ScrubState, columns: int, palette: Palette) -> dict[int, tuple[str, Style]]:
    """By column: what stands there; the more important come later and cover the others."""
    signs: dict[int, tuple[str, Style]] = {}

    def put(moments: Iterable[int], glyph: str, style: Style) -> None:
        for at_ns in moments:
            if state.first_ns <= at_ns <= state.head_ns:
                signs[column_of(at_ns, state.first_ns, state.head_ns, columns)] = glyph, style

    put((start for start, _ in state.stalls), STALL, palette.error)
    put(state.marks, MARK, palette.replay)
    put([] if state.begin_ns is None else [state.begin_ns], BEGIN, palette.mark)
    put([state.position_ns], POSITION, palette.mark)
    return signs


def _runs(
    glyphs: Sequence[str], styles: Sequence[Style], chosen: frozenset[int], palette: Palette
) -> list[Segment]:
    """Neighbours of one style as one segment."""
    segments: list[Segment] = []
    text, now, inside = "", palette.base, False
    for column, glyph in enumerate(glyphs):
        style, selected = styles[column], column in chosen
        if text and (style is not now or selected != inside):
            segments.append(Segment(text, palette.chosen(now) if inside else now))
            text = ""
        text += glyph
        now, inside = style, selected
    if text:
        segments.append(Segment(text, palette.chosen(now) if inside else now))
    return segments

"""The words: one table, which README, help and tooltips agree with; and where each is told."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from textual.pilot import Pilot

from gilscope.views.app import GilscopeApp
from gilscope.views.helping import ABOUT
from gilscope.views.screens.compare_keys import COMPARE_WORDS
from gilscope.views.screens.help import Hanging, HelpScreen
from gilscope.views.widgets.panel import Panel
from gilscope.views.words import RUN_WORDS, STATE_GLYPHS, STATES, WORDS, word_at
from tests.views.conftest import ready, replay, settled, text_of, viewing
from tests.views.test_render import HOSTILE
from tests.views.test_transport import MARKS, STALLS, path  # noqa: F401 - a fixture
from tests.watched import ROOT

HEADER = " gilscope  x.py · threads · CPython 3.11.7 · pid 5098  ● LIVE 00:12.4   998 Hz   cost 2.1 %"
GIL = "▶ cpu-1 f  held 99 %   waiting 2.0 threads   207 handoffs/s   longest hold 5.4 ms"
DESIGN = "target lane GIL holder waiter handoff hold sample tick gap stall contended utilisation cost"


def readme_table(head: str) -> list[list[str]]:
    """The rows of the README's table that begins with this line."""
    text = (ROOT / "README.md").read_text()
    lines = text[text.index(head) :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def test_every_word_of_the_design_is_told() -> None:
    known = " ".join(WORDS).lower()
    assert not [word for word in DESIGN.split() if word.lower() not in known]
    assert all(meaning and not meaning.endswith(".") for meaning in {**WORDS, **RUN_WORDS, **STATES}.values())


def test_the_readme_says_the_same() -> None:
    rows = readme_table("| word | what it means |")
    assert len(rows) >= 8
    for word, meaning in rows:
        assert WORDS[word.replace("`", "")] == meaning
    states = readme_table("| glyph | state | what it means |")
    assert [(word, glyph.strip("`")) for glyph, word, _ in states] == list(STATE_GLYPHS.items())


def test_help_says_the_same() -> None:
    shown = HelpScreen([])._text().plain
    for word, meaning in {**WORDS, **STATES}.items():
        assert re.search(rf"{re.escape(word)} +{re.escape(meaning)}\n", shown), word
    shown = HelpScreen([], words=COMPARE_WORDS)._text().plain
    for word, meaning in RUN_WORDS.items():
        assert f"{meaning}\n" in shown, word
    for about in ABOUT.values():
        assert set(about.words) <= {*WORDS, *RUN_WORDS}


@pytest.mark.parametrize(
    ("line", "at", "word"),
    [
        (HEADER, "998", "sample"),
        (HEADER, "2.1", "cost"),
        (HEADER, "● ", "LIVE"),
        (" gilscope  x.py · threads · CPython 3.11.7 · pid 5098  ‖ PAUSED 00:12.4", "‖", "PAUSED"),
        (GIL, "▶", "▶ holder"),
        (GIL, "99", "utilisation"),
        (GIL, "2.0", "waiter"),
        (GIL, "207", "handoff"),
        (GIL, "5.4", "hold"),
        ("█████──  98 % utilisation, 97 % contended", "98", "utilisation"),
        ("█████──  98 % utilisation, 97 % contended", "97", "contended"),
        ("█ running  ░ waiting ── 4 lanes", "░", "waiting"),
        ("█ running  ░ waiting ── 4 lanes", "lanes", "lane"),
        ("tick            50 ms", "tick", "tick"),
        ("gaps            none", "gaps", "gap"),
    ],
)  # fmt: skip
def test_words_on_the_screen(line: str, at: str, word: str) -> None:
    told = word_at(line, line.index(at))
    assert told is not None
    assert told.word == word
    if word in WORDS and word not in ("hold", "waiter", "sample"):
        assert told.meaning in (WORDS[word], STATES.get(word))


def test_no_word_where_there_is_none() -> None:
    assert word_at("fib.py:5 upholds", 10) is None
    assert word_at("", 0) is None
    assert word_at(HOSTILE, 0) is None


async def hovered(pilot: Pilot[None], app: GilscopeApp, panel: str, x: int, y: int) -> str:
    """The tooltip at a place of a panel, borders counted."""
    await pilot.hover(f"#{panel}", offset=(x, y))
    widget = app.dashboard.query_one(f"#{panel}", Panel)
    return "" if widget.tooltip is None else widget.tooltip.plain


async def test_tooltips(path: Path) -> None:  # noqa: F811
    app = replay(path)
    async with app.run_test(size=(120, 36), tooltips=True) as pilot:
        await ready(pilot, app)
        app.dashboard.jump_to(2_000_000_000)
        await settled(pilot, app)

        def column(panel: str, words: str, row: int = 0) -> int:
            return text_of(app, panel).splitlines()[row].index(words)

        assert (await hovered(pilot, app, "header", column("header", "PAUSED"), 0)).startswith(
            "PAUSED: the picture"
        )
        assert (await hovered(pilot, app, "gil", column("gil", "handoffs/s") + 2, 1)).startswith(
            "handoff: the GIL"
        )
        for panel in ("gil", "lanes", "cores", "verdict", "output"):
            title = await hovered(pilot, app, panel, 4, 0)
            assert title == f"{ABOUT[panel].title}: {ABOUT[panel].what}"
        # A cell: which thread, which state, when, for how long.
        row = next(n for n, line in enumerate(text_of(app, "lanes").splitlines()) if "cpu-0" in line)
        columns = app.dashboard.lanes.columns(viewing(app).panels().rows)
        told = await hovered(pilot, app, "lanes", 2 + columns.before_cells + 10, row + 1)
        assert re.match(r"cpu-0: (\w+) from 00:0[12]\.\d+ for \d+.* ms.*\. \1: ", told)
        assert (await hovered(pilot, app, "lanes", 5, row + 1)).startswith("cpu-0. % beside a lane: ")
        # The legend on the border.
        lanes = app.dashboard.lanes
        line = "".join(
            segment.text for segment in app.screen._compositor.render_strips()[lanes.region.bottom - 1]
        )
        told = await hovered(
            pilot, app, "lanes", line.index("waiting") - lanes.region.x, lanes.outer_size.height - 1
        )
        assert told == f"waiting: {STATES['waiting']}"
        # The bar: marks and stalls.
        bar = app.dashboard.scrub
        signs = "".join(strip.text for strip in bar._strips[-1:])
        assert (await hovered(pilot, app, "scrub", signs.index("!"), 0)).startswith(
            "! a stall at 00:00.5, 150 ms"
        )
        assert (await hovered(pilot, app, "scrub", signs.index("◆"), 0)).startswith("◆ a mark at 00:01.0")
        assert "the GIL was held" in await hovered(pilot, app, "scrub", 20, 0)
        # The keys, the cores.
        assert "Pause, or play from here" in await hovered(pilot, app, "keys", 2, 0)
        assert (await hovered(pilot, app, "cores", 4, 1)).startswith("core 0: ")
        assert MARKS
        assert STALLS


def test_a_long_line_of_help_goes_on_below_its_meaning() -> None:
    console = Console(width=40, file=io.StringIO())
    console.print(Hanging(HelpScreen([])._text()))
    assert isinstance(console.file, io.StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    at = next(number for number, line in enumerate(lines) if line.startswith("  lane "))
    indent = lines[at].index("a row")
    assert lines[at + 1].startswith(" " * indent)
    assert lines[at + 1][indent] != " "
    assert all(len(line) <= 40 for line in lines)

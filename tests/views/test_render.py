"""The renderers: exact lines at small sizes, and no text of a stranger that reaches the terminal raw."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from gilscope.model import NS_PER_MS, NS_PER_S, Lane, Output, Verdict
from gilscope.text import cell_text, clean, clock_text, duration_text, share_text
from gilscope.views.layout import plan
from gilscope.views.present import CoreRow, GilLine, Header, LaneRow
from gilscope.views.render.cores import render_cores
from gilscope.views.render.footer import KeyHint, hint_at, render_footer
from gilscope.views.render.gil import render_gils
from gilscope.views.render.header import render_header
from gilscope.views.render.lines import fit_name, fit_place
from gilscope.views.render.palette import Palette, legend_markup
from gilscope.views.render.timeline import Columns, columns_for, render_heading, render_lane, render_ruler
from gilscope.views.render.words import render_output, render_verdict
from gilscope.views.terminal import OutputLine, lines_of

PALETTE = Palette()
LANE = Lane(key=1, process=1, tid=10, kind="thread", name="cpu-0", start_ns=0)
HOSTILE = "\x1b[2J\x1b]52;c;AAAA\x07\x9b31m\u202eevil\u2066[bold red]x[/]\r\n\x00\u200b"
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def lane_line(
    cells: bytes, *, share: float | None = 0.33, holds: bool = False, cursor: int | None = None
) -> str:
    row = LaneRow("cpu-0", LANE, 1, 7)
    strip = render_lane(
        row, cells, Columns(6, len(cells)), PALETTE, share=share, holds=holds, selected=False, cursor=cursor
    )
    return strip.text


def test_a_lane_shows_a_glyph_for_every_state() -> None:
    assert lane_line(bytes(range(8))) == "  cpu-0   33 %  █!░▓▒·? "


def test_a_lane_is_one_segment_per_run_and_runs_are_made_once() -> None:
    first = PALETTE.cells(b"\0\0\0\2\2\5")
    assert [segment.text for segment in first] == ["███", "░░", "·"]
    assert all(a is b for a, b in zip(first, PALETTE.cells(b"\0\0\0\2\2\5"), strict=True))


def test_the_holder_is_marked_and_the_position_too() -> None:
    assert lane_line(b"\0\0\2\2", holds=True, cursor=1) == "▶ cpu-0   33 %  █│░░"
    assert lane_line(b"\0\0", share=None) == "  cpu-0         ██"


def test_the_ruler_stands_at_round_times() -> None:
    strip = render_ruler(398, 5 * NS_PER_MS, Columns(6, 40), PALETTE, cursor=None)
    assert strip.text == " " * 16 + "  ╵00:02.0            ╵00:02.1          "
    assert "▲" in render_ruler(398, 5 * NS_PER_MS, Columns(6, 40), PALETTE, cursor=3).text
    assert "-" not in render_ruler(-30, 5 * NS_PER_MS, Columns(6, 40), PALETTE, cursor=None).text


def test_a_heading_tells_the_process_and_what_is_folded() -> None:
    row = LaneRow("pid 7 python x", None, 1, 7, note="3 lanes", folded=True)
    assert render_heading(row, 30, PALETTE, selected=False).text == "▸ pid 7 python x  3 lanes     "


HEADER = Header(
    "fib.py", ("threads", "CPython 3.11.7", "pid 5"), "live", "● LIVE 00:12.4", ("1000 Hz", "cost 2.1 %")
)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (90, " gilscope  fib.py · threads · CPython 3.11.7 · pid 5   ● LIVE 00:12.4   1000 Hz   cost 2.1 % "),
        (60, " gilscope  fib.py · threads         ● LIVE 00:12.4   1000 Hz "),
        (40, " gilscope  fib.py · threads  ● LIVE 00:12"),
    ],
)
def test_header(width: int, expected: str) -> None:
    line = render_header(HEADER, width, PALETTE).text
    assert cell_len(line) == width
    assert "● LIVE 00:12.4" in line
    assert line.startswith(expected[:18])
    assert ("cost" in line) == ("cost" in expected)


GIL = GilLine(
    "cpu-1",
    "fib (fib.py:5)",
    "",
    0.5,
    (
        ("held", "50 %"),
        ("waiting", "2.0 threads"),
        ("", "207 handoffs/s"),
        ("longest hold", "5.4 ms"),
        ("contended", "90 %"),
    ),
)


def test_one_gil_has_a_bar() -> None:
    first, second = (strip.text for strip in render_gils([GIL], 100, 2, PALETTE))
    assert first.startswith("▶ cpu-1  fib (fib.py:5) ")
    assert first.endswith("held 50 %   waiting 2.0 threads   207 handoffs/s   longest hold 5.4 ms")
    assert second.rstrip() == second
    assert second.count("█") == second.count("─")
    assert second.endswith("─  50 % utilisation, 90 % contended")


def test_several_gils_have_a_line_each_and_what_does_not_fit_is_counted() -> None:
    lines = [strip.text for strip in render_gils([GIL] * 5, 80, 3, PALETTE)]
    assert len(lines) == 3
    assert lines[0].startswith("▶ cpu-1  ")
    assert "█████─────" in lines[0]
    assert lines[2].startswith("  3 more: 1 shows them")
    idle, busy = replace(GIL, held_share=0.02, process="pid 1"), replace(GIL, process="pid 2")
    shown = [strip.text for strip in render_gils([idle, busy, busy], 80, 2, PALETTE, full=True)]
    assert "pid 2" in shown[0], "what is held comes before what idles"
    assert shown[1].rstrip() == "  2 more"


def test_a_free_gil_and_an_unwatched_one_are_no_zero() -> None:
    assert render_gils([GilLine(None, "", "", None, (("held", "?"),))], 30, 1, PALETTE)[0].text == (
        "  nobody holds it       held ?"
    )
    assert "?" * 5 in render_gils([GilLine(None, "", "", None, (("held", "?"),))], 60, 2, PALETTE)[1].text


def core(number: int, busy: float | None = 0.98, label: str = "cpu-1", cells: int = 3) -> CoreRow:
    return CoreRow(number, busy, label, ((1.0, 1.0), (0.5, 0.0), None)[:cells])


def test_cores() -> None:
    lines = [strip.text for strip in render_cores([core(0), core(1, None, "")], 30, 3, PALETTE)]
    assert lines == ["0  98 %  cpu-1            █▅  ", "1   ? %                   █▅  ", " " * 30]


def test_many_cores_share_lines_and_very_many_are_a_glyph_each() -> None:
    two = [strip.text for strip in render_cores([core(n, cells=1) for n in range(4)], 40, 2, PALETTE)]
    assert [line.count("98 %") for line in two] == [2, 2]
    grid = [strip.text for strip in render_cores([core(n) for n in range(256)], 56, 8, PALETTE)]
    # All of it is 0.4 s ago: three fifths of a full load are left.
    assert grid[1] == " 32  " + "▅" * 32 + " " * 19
    assert len(grid) == 8


def test_verdict_wraps_and_keeps_the_headline() -> None:
    verdict = Verdict("x", "GIL-bound: three want, one can.", ("Held 99 %.",), ("Use processes.",))
    lines = [strip.text.rstrip() for strip in render_verdict(verdict, 20, 4, PALETTE)]
    assert lines == ["GIL-bound: three", "want, one can.", "→ Use processes.", "· Held 99 %."]
    assert "Watching" in render_verdict(None, 40, 1, PALETTE)[0].text


def test_output_is_stamped_and_scrolls_back() -> None:
    lines = [OutputLine(n * NS_PER_S, f"line {n}") for n in range(5)]
    assert [s.text.rstrip() for s in render_output(lines, 40, 2, PALETTE)] == [
        "00:03.0  line 3",
        "00:04.0  line 4",
    ]
    assert render_output(lines, 40, 2, PALETTE, back=2)[1].text.rstrip() == "00:02.0  line 2"
    assert render_output(lines, 20, 1, PALETTE)[0].text == "line 4" + " " * 14


HINTS = [
    KeyHint("space", "pause", "pause", 0),
    KeyHint("s", "slow", "slow", 2),
    KeyHint("q", "quit", "leave", 0),
]


def test_footer_drops_the_least_and_can_be_clicked() -> None:
    assert render_footer(HINTS, 40, PALETTE).text == " space pause  s slow  q quit".ljust(40)
    assert render_footer(HINTS, 24, PALETTE).text == " space pause  q quit".ljust(24)
    assert [hint_at(HINTS, 40, x) for x in (0, 3, 14, 22, 39)] == [None, HINTS[0], HINTS[1], HINTS[2], None]


# --- text ---


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb", ["a", "b"]),
        (b"10 %\r20 %\r30 %", ["30 %"]),
        (b"10 %\r20 %\r\n", ["20 %"]),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07x", ["red x"]),
        (b"\x1b[2K\x1b[1Gx\x1b(B", ["x"]),
        (b"cut \x1b[3", ["cut "]),
        (b"ab\bc", ["ac"]),
        (b"a\tb", ["a       b"]),
        (b"\xff\xfe", ["��"]),
        ("ü→字".encode(), ["ü→字"]),
        (b"\n\n", ["", ""]),
        (b"", []),
    ],
)
def test_output_as_a_terminal_shows_it(written: bytes, shown: list[str]) -> None:
    whole = lines_of([Output(at_ns=1, data=written)], last=10)
    assert [line.text for line in whole] == shown
    # However the pieces were cut, it is the same.
    pieces = [Output(at_ns=n, data=bytes([byte])) for n, byte in enumerate(written)]
    assert [line.text for line in lines_of(pieces, last=10)] == shown


def test_lines_are_stamped_with_their_beginning_and_only_the_last_are_made() -> None:
    pieces = [Output(at_ns=n, data=f"line {n}\n".encode()) for n in range(1000)]
    assert lines_of(pieces, last=2) == (OutputLine(998, "line 998"), OutputLine(999, "line 999"))


@given(st.text())
def test_clean_text_moves_no_cursor(text: str) -> None:
    assert not FORBIDDEN.search(clean(text))


@given(st.binary())
def test_no_output_reaches_the_terminal_raw(data: bytes) -> None:
    lines = lines_of([Output(at_ns=0, data=data)], last=50)
    strips = render_output(lines, 30, 5, PALETTE)
    assert_plain(strips, 30)


def assert_plain(strips: list[Strip], width: int) -> None:
    for strip in strips:
        assert cell_len(strip.text) == width == strip.cell_length
        for segment in strip:
            assert isinstance(segment, Segment)
            assert segment.control is None
            assert not FORBIDDEN.search(segment.text)


@given(st.text(max_size=80), st.integers(20, 130), st.integers(1, 8))
def test_every_renderer_fills_its_width_whatever_the_text(text: str, width: int, height: int) -> None:
    text = clean(text + HOSTILE)
    strips = [
        render_header(Header(text, (text,), "live", "● LIVE", ("1 Hz",)), width, PALETTE),
        render_heading(LaneRow(text, None, 1, 7, note="2 lanes"), width, PALETTE, selected=True),
        *render_gils([GilLine(text, text, "pid 1", 0.3, GIL.facts)] * 2, width, height, PALETTE),
        *render_cores([CoreRow(0, 0.4, text, ((0.4, 0.1),) * 200)], width, height, PALETTE),
        *render_verdict(Verdict("x", text, (text,), (text,)), width, height, PALETTE),
        *render_output([OutputLine(0, text)], width, height, PALETTE),
    ]
    assert_plain(strips, width)


@given(st.integers(30, 300), st.integers(0, 60))
def test_columns_fill_the_width(width: int, label: int) -> None:
    columns = columns_for(width, label)
    assert columns.before_cells + columns.cells == width


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (999, "999 ns"),
        (820_000, "820 µs"),
        (5_400_000, "5.4 ms"),
        (123_000_000, "123 ms"),
        (2 * 10**9, "2.0 s"),
    ],
)
def test_durations(value: int, text: str) -> None:
    assert duration_text(value) == text


def test_figures_as_people_read_them() -> None:
    assert clock_text(12_449_000_000) == "00:12.4"
    assert clock_text(3_723_000_000_000) == "1:02:03.0"
    assert (cell_text(5 * NS_PER_MS), cell_text(60 * NS_PER_S)) == ("5 ms", "60 s")
    assert (share_text(None), share_text(0.334)) == ("? %", "33 %")


@given(
    st.integers(20, 300), st.integers(6, 120), st.integers(0, 70), st.integers(1, 5000), st.integers(1, 256)
)
def test_the_panels_share_the_whole_height(
    width: int, height: int, gils: int, lanes: int, cores: int
) -> None:
    shared = plan(width, height, gils=gils, lanes=lanes, cores=cores)
    taken = sum(row.height for row in shared.rows) + shared.scrub
    assert taken == height - 2
    if height >= 20:
        assert shared.scrub >= 1
        assert min(map(shared.height_of, ("gil", "lanes", "verdict", "output"))) >= 3
        assert shared.height_of("lanes") >= min(lanes, 3) + 2


def test_a_verdict_that_goes_on_says_so() -> None:
    verdict = Verdict("x", "Headline that is shown.", ("evidence of some words",), ("advice of some words",))
    whole = [strip.text.rstrip() for strip in render_verdict(verdict, 23, 6, PALETTE)]
    assert not any(line.endswith("…") for line in whole)
    cut = [strip.text.rstrip() for strip in render_verdict(verdict, 23, 2, PALETTE)]
    assert cut == ["Headline that is shown.", "→ advice of some …"]


def test_several_gils_have_their_figures_in_columns() -> None:
    lines = [
        GilLine("a", "", "pid 1", share, (("held", f"{share * 100:.0f} %"), ("waiting", "0.0 threads")))
        for share in (0.0, 0.5, 1.0)
    ]
    texts = [strip.text for strip in render_gils(lines, 90, 3, PALETTE)]
    assert {text.index("held") for text in texts} == {texts[0].index("held")}
    assert {text.index("waiting") for text in texts} == {texts[0].index("waiting")}


@given(st.text(), st.integers(0, 40))
def test_a_name_fits_its_width(text: str, width: int) -> None:
    assert cell_len(fit_name(clean(text), width)) == width


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (28, "count (four_threads.py:16)  "),
        (26, "count (four_threads.py:16)"),
        (22, "count (four_th….py:16)"),
        (16, "count (four…:16)"),
        (12, "count:16    "),
        (7, "cou…:16"),
        (5, "coun…"),
        (0, ""),
    ],
)
def test_a_place_keeps_its_line(width: int, expected: str) -> None:
    assert fit_place("count (four_threads.py:16)", width) == expected


def test_a_long_name_keeps_its_end() -> None:
    assert fit_name("worker-with-a-long-name-12", 16) == "worker-wit…me-12"
    assert fit_name("worker", 16).rstrip() == "worker"


@pytest.mark.parametrize("width", [0, 20, 40, 60, 200])
def test_a_legend_fits_or_is_left_out(width: int) -> None:
    legend = Content.from_markup(legend_markup(width)).plain
    assert len(legend) <= width
    assert legend == "" or legend.replace("  ", " ").startswith("█ running ░ waiting ▓ native")

"""Themes: every state is seen in every one of them, and by its glyph alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from gilscope.errors import UsageError
from gilscope.model import N_STATES
from gilscope.views.ascii import only_ascii, to_ascii
from gilscope.views.render.contrast import STATE_LEAST, TEXT_LEAST, contrast, readable
from gilscope.views.render.cores import LEVELS
from gilscope.views.render.palette import GLYPHS, Palette
from gilscope.views.themes import MONOCHROME, NAMES, THEMES, check_theme, palette_of

TEXTS = ("base", "bold", "dim", "faint", "good", "live", "paused", "replay", "error", "mark", "group")
ALL = {**{theme.name: theme for theme in THEMES}, **BUILTIN_THEMES}


def drawn(theme: Theme) -> tuple[Palette, str] | None:
    """The palette on the theme's background; None: that is the terminal's own."""
    colours = theme.to_color_system().generate()
    if not colours["background"].startswith("#"):
        return None
    style = Style(color=colours["foreground"][:7], bgcolor=colours["background"][:7])
    return palette_of(theme, style, no_color=False, plain=False), colours["background"][:7]


def colour(style: Style) -> str:
    assert style.color is not None
    assert style.color.triplet is not None
    return style.color.triplet.hex


@pytest.mark.parametrize("name", [name for name in NAMES if drawn(ALL[name])])
def test_everything_stands_out_from_the_background(name: str) -> None:
    """WCAG 2: 3 for what is drawn, 4.5 for what is read; of Textual's themes their own text as it comes."""
    made = drawn(ALL[name])
    assert made is not None
    palette, background = made
    for state, style in enumerate(palette.states):
        assert contrast(colour(style), background) >= STATE_LEAST, GLYPHS[state]
    for role in TEXTS:
        if role in ("base", "bold") and name in BUILTIN_THEMES:
            continue
        assert contrast(colour(getattr(palette, role)), background) >= TEXT_LEAST, role


@pytest.mark.parametrize("name", [theme.name for theme in THEMES])
def test_states_differ_by_glyph_and_but_for_monochrome_by_colour(name: str) -> None:
    made = drawn(ALL[name])
    assert made is not None
    assert len(set(GLYPHS[:N_STATES])) == N_STATES
    assert len({to_ascii(glyph) for glyph in GLYPHS[:N_STATES]}) == N_STATES
    colours = {colour(style) for style in made[0].states[:5]}
    assert len(colours) == (1 if name == MONOCHROME else 5)


@pytest.mark.parametrize("name", [theme.name for theme in THEMES])
def test_what_is_selected_stays_readable(name: str) -> None:
    made = drawn(ALL[name])
    assert made is not None
    palette = made[0]
    if not palette.colours:
        assert palette.chosen(palette.states[0]).underline
        return
    for style in palette.states:
        chosen = palette.chosen(style)
        assert chosen.bgcolor is not None
        assert chosen.bgcolor.triplet is not None
        assert contrast(colour(chosen), chosen.bgcolor.triplet.hex) >= 2


def test_on_the_terminals_own_colours_nothing_is_guessed() -> None:
    palette = palette_of(ALL["ansi-dark"], Style(bgcolor="default"), no_color=False, plain=False)
    assert colour(palette.states[0]) == "#009e73"


@given(
    *(st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}") for _ in range(2)),
    st.sampled_from([STATE_LEAST, TEXT_LEAST]),
)
def test_any_colour_can_be_made_readable(mine: str, background: str, least: float) -> None:
    assert contrast(readable(mine, background, least), background) >= least
    assert 1 <= contrast(mine, background) <= 21


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#ffffff", "#000000") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("name", "told"), [("lihgt", "Did you mean light?"), ("zzz", "There are: dark, light"), ("", "There are")]
)
def test_an_unknown_theme_is_told_the_nearest(name: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_theme(name)
    assert told in str(caught.value)
    assert "high-contrast" in str(caught.value)


# --- ASCII ---


@given(st.text())
def test_ascii_takes_as_many_cells(text: str) -> None:
    made = to_ascii(text)
    assert made.isascii()
    if all(ord(character) < 0x300 for character in text):
        assert len(made) == len(text)


def test_all_that_is_drawn_has_a_sign() -> None:
    drawn = "".join(GLYPHS) + LEVELS + "▶▸▾▲●◌■▪◆‖→←↑↓×−–…╵│┃─━╭╮╰╯├┤▏▎▍▌▋▊▉"
    assert "?" not in to_ascii(drawn.replace("?", ""))
    assert len(set(to_ascii(LEVELS))) == len(LEVELS)
    assert all(cell_len(glyph) == len(to_ascii(glyph)) for glyph in drawn)


@pytest.mark.parametrize(
    ("environment", "encoding", "expected"),
    [
        ({"LANG": "C.UTF-8", "TERM": "xterm-256color"}, "utf-8", False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8", "TERM": "xterm"}, "utf-8", True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "POSIX"}, "utf-8", True),
        ({"LANG": "de_DE.ISO-8859-1"}, "utf-8", True),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, "utf-8", True),
        ({"LANG": "en_US.utf8"}, "iso8859-1", True),
        ({"LANG": "en_US.utf8"}, "utf8", False),
        ({}, "utf-8", False),
        ({"LANG": "C", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}, "utf-8", False),
    ],
)
def test_which_terminals_show_ascii_only(environment: dict[str, str], encoding: str, expected: bool) -> None:
    assert only_ascii(environment, encoding) is expected


def test_no_color_is_monochrome() -> None:
    code = (
        "from gilscope.views.scope_app import Look, ScopeApp\n"
        "app = ScopeApp(); app.put_look(Look(theme='light')); print(app.theme)"
    )
    for value, expected in (("1", MONOCHROME), (None, "light")):
        environment = {key: text for key, text in os.environ.items() if key != "NO_COLOR"}
        if value:
            environment["NO_COLOR"] = value
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected

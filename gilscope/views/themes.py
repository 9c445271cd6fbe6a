"""The themes of the screen: four of our own, beside those that come with Textual."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.style import Style
from textual.filter import monochrome_style
from textual.theme import BUILTIN_THEMES, Theme

from gilscope.errors import UsageError
from gilscope.settings import meant
from gilscope.text import clean
from gilscope.views.render.palette import Palette
from gilscope.views.render.tones import DARK, SETS, tones_on

MONOCHROME = "monochrome"
THEMES: tuple[Theme, ...] = (
    Theme(
        name="dark",
        primary="#0178D4", secondary="#56B4E9", accent="#E69F00",
        success="#009E73", warning="#F0E442", error="#D55E00",
        foreground="#E0E0E0", background="#121212", surface="#1E1E1E", panel="#242F38",
        dark=True,
    ),
    Theme(
        name="light",
        primary="#0B66A3", secondary="#0B66A3", accent="#9A5B00",
        success="#006E50", warning="#8C7400", error="#A94400",
        foreground="#1A1A1A", background="#FAFAFA", surface="#F0F0F0", panel="#E4E8EC",
        dark=False,
    ),
    Theme(
        name="high-contrast",
        primary="#7FCBFF", secondary="#7FCBFF", accent="#FFC04D",
        success="#2EE6A8", warning="#FFF04D", error="#FF8A3D",
        foreground="#FFFFFF", background="#000000", surface="#000000", panel="#303030", boost="#202020",
        variables={"edge": "#C0C0C0"},
        dark=True,
    ),
    Theme(
        name=MONOCHROME,
        primary="#B0B0B0", secondary="#B0B0B0", accent="#FFFFFF",
        success="#E0E0E0", warning="#E0E0E0", error="#FFFFFF",
        foreground="#E0E0E0", background="#121212", surface="#1E1E1E", panel="#2C2C2C",
        dark=True,
    ),
)  # fmt: skip
NAMES: tuple[str, ...] = (*(theme.name for theme in THEMES), *BUILTIN_THEMES)
"""All that can be chosen, our own first."""
EDGE_VARIABLE = "edge"
"""In the style sheet: the colour of borders."""


def check_theme(name: str) -> str:
    """The name itself.

    Raises:
        UsageError: there is no such theme.
    """
    if name in NAMES:
        return name
    hint = meant(name, NAMES).strip() if name else ""
    listed = "" if hint.startswith("There are") else f"\nThere are: {', '.join(NAMES)}."
    raise UsageError(f"There is no theme {clean(name)}. {hint}{listed}")


def wants_no_colour() -> bool:
    """Whether the environment asks for no colours."""
    return bool(os.environ.get("NO_COLOR"))


def edge_of(theme: Theme, variables: Mapping[str, str]) -> str:
    """The colour of borders: a shade off the background."""
    return variables["panel-lighten-2" if theme.dark else "panel-darken-2"]


def palette_of(theme: Theme, style: Style, *, no_color: bool, plain: bool) -> Palette:
    """What panels are drawn with.

    Args:
        theme: of the app.
        style: of text on the panel.
        no_color: the terminal or its user wants none.
        plain: the terminal shows ASCII only.
    """
    grey = no_color or theme.name == MONOCHROME
    base = monochrome_style(style) if grey else style
    tones = SETS.get(theme.name)
    if tones is None:
        colour = style.bgcolor
        known = colour is not None and not colour.is_default and colour.triplet is not None
        background = colour.triplet.hex if colour is not None and colour.triplet and known else None
        tones = tones_on(background, dark=theme.dark)
    return Palette(base, colours=not grey, tones=DARK if grey else tones, plain=plain)

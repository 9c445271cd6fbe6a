"""The colours of the themes: one set on dark, one on light, one with high contrast. Pure.

The states keep their hues in all of them (Okabe – Ito, safe for colour-blind eyes); on a background for which
no set was made they are made lighter or darker as far as it takes to be told apart from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from gilscope.views.render.contrast import STATE_LEAST, TEXT_LEAST, readable

GREEN, PURPLE, VERMILLION, BLUE, YELLOW, ORANGE = (
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#F0E442",
    "#E69F00",
)
GREY, DIM = "#9a9a9a", "#858585"


@dataclass(frozen=True, slots=True)
class Tones:
    """All colours on one background, as "#rrggbb"."""

    states: tuple[str, ...]
    """By state, as in model.State; the last is of cells without data."""
    grey: str
    """Of text that explains."""
    dim: str
    """Of what is past or not known."""
    good: str
    """Of text and bars that say that it runs."""
    mark: str
    info: str
    error: str
    chosen: str
    """Behind what is selected."""
    cursor: str = "#ffffff"
    """Of the line that marks the position."""


DARK = Tones(
    states=(GREEN, PURPLE, VERMILLION, BLUE, YELLOW, GREY, DIM, DIM),
    grey=GREY, dim=DIM, good=GREEN, mark=ORANGE, info=BLUE, error="#E0701A", chosen="#2f3f5f",
)  # fmt: skip
LIGHT = Tones(
    states=("#00815E", "#A8477F", "#C04F00", "#1F78B4", "#8C7400", "#6b6b6b", "#757575", "#757575"),
    grey="#5c5c5c", dim="#6b6b6b", good="#006E50", mark="#9A5B00", info="#0B66A3", error="#A94400",
    chosen="#c9daf5", cursor="#000000",
)  # fmt: skip
HIGH_CONTRAST = Tones(
    states=("#2EE6A8", "#FF9AD5", "#FF8A3D", "#7FCBFF", "#FFF04D", "#D8D8D8", "#C0C0C0", "#C0C0C0"),
    grey="#E6E6E6", dim="#CCCCCC", good="#2EE6A8", mark="#FFC04D", info="#7FCBFF", error="#FF8A3D",
    chosen="#1f3a7a",
)  # fmt: skip
SETS: dict[str, Tones] = {"dark": DARK, "light": LIGHT, "high-contrast": HIGH_CONTRAST}
"""By theme."""


@lru_cache(maxsize=64)
def tones_on(background: str | None, *, dark: bool) -> Tones:
    """Colours on the background of another theme; None: the terminal's own, which nobody knows."""
    tones = DARK if dark else LIGHT
    if background is None:
        return tones
    text = {
        role: readable(getattr(tones, role), background, TEXT_LEAST)
        for role in ("grey", "dim", "good", "mark", "info", "error")
    }
    states = tuple(readable(colour, background, STATE_LEAST) for colour in tones.states)
    return replace(tones, states=states, **text)

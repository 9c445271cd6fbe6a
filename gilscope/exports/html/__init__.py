"""The report as one page of HTML that asks nobody for anything, with or without JavaScript."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from gilscope.exports.html import flame, picture, words
from gilscope.exports.html.timeline import Timeline, fold
from gilscope.exports.read import flames_of
from gilscope.model import Flames, Quality
from gilscope.recording.streams import RecordingStreams
from gilscope.roles import roles_in
from gilscope.text import clean

_HERE = Path(__file__).parent


def render(summary: Mapping[str, Any], quality: Quality, streams: RecordingStreams) -> str:
    """The page.

    Args:
        summary: of the whole recording, with its verdict.
        quality: how well it was watched.
        streams: the recording, for the timeline and the flames.
    """
    return page(summary, quality, fold(streams), flames_of(streams))


def page(summary: Mapping[str, Any], quality: Quality, timeline: Timeline, flames: Flames) -> str:
    """The page of a summary, a timeline that is already folded, and trees of functions."""
    made: str = _template().render(
        summary=summary,
        quality=quality,
        tiles=words.tiles(summary, quality),
        lanes=words.lanes(summary),
        gils=words.gils(summary),
        roles=roles_in(summary["processes"]),
        functions=words.functions(summary),
        rest_on=summary["functions_rest_on"],
        flames=flame.drawn(flames),
        stalls=summary.get("stalls"),
        stalls_total=summary.get("stalls_total") or len(summary.get("stalls") or ()),
        watch=words.watch(quality),
        legend=picture.LEGEND,
        data=timeline.to_data(),
        patterns=Markup(picture.PATTERNS),  # noqa: S704 - ours
        picture=Markup(picture.draw(timeline)),  # noqa: S704 - made of numbers, and escaped words
        css=Markup((_HERE / "page.css").read_text()),  # noqa: S704 - ours
        js=Markup((_HERE / "page.js").read_text()),  # noqa: S704 - ours
    )
    return made


@functools.cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(words.FILTERS)
    return environment.get_template("page.html.j2")


def _shown(value: object) -> object:
    """Text of the recording without characters that hide or reorder what is read."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

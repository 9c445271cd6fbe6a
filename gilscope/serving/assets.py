"""What a page is made of: our own few files, and the terminal in JavaScript that textual-serve brings.

Of textual-serve only that is used. Its server starts apps through a shell, asks nobody for a token, answers
under every name and lets the page load a font from elsewhere; so the server, and the page, are ours.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from gilscope.text import clean, cut

TITLE_MOST = 200
"""Characters of a page's title."""
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".ttf": "font/ttf",
}
_OURS = ("page.js", "page.css")
_THEIRS = {
    "textual.js": "js/textual.js",
    "xterm.css": "css/xterm.css",
    "RobotoMono.ttf": "fonts/RobotoMono-VariableFont_wght.ttf",
    "RobotoMono-Italic.ttf": "fonts/RobotoMono-Italic-VariableFont_wght.ttf",
}

HEADERS = {
    # Everything comes from here and nothing goes anywhere else; styles are put in by the terminal itself.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # The address holds the token: no other page may learn it, and no cache keep it.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as the browser gets it."""

    data: bytes
    content_type: str


def load_assets() -> dict[str, Asset]:
    """All files that the page may ask for, by name; nothing else can be had."""
    ours, theirs = files("gilscope.serving") / "page", files("textual_serve") / "static"
    found = {name: ours / name for name in _OURS}
    found |= {name: theirs.joinpath(*path.split("/")) for name, path in _THEIRS.items()}
    return {name: Asset(file.read_bytes(), _TYPES[Path(name).suffix]) for name, file in found.items()}


def page(title: str) -> str:
    """The page itself; the title comes from a command or a recording, and is not trusted."""
    written = (files("gilscope.serving") / "page" / "index.html").read_text(encoding="utf-8")
    return written.replace("{{title}}", html.escape(cut(clean(title), TITLE_MOST)))

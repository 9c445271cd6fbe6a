"""Texts that mean harm, in every place of a recording where a text can be."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tests.fuzz import bases

TEXTS = {
    "escape sequences": "\x1b[2J\x1b]0;owned\x07\x1b[31m",
    "8-bit controls": "\x9b2J\x90q\x9c",
    "bell, backspace, carriage return": "a\x07\x08\x08b\rc\x00d",
    "right to left": "\u202egnp.exe\u2066x\u2069\u200f",
    "no width": "a\u200bb\u2060c\ufeffd\u00ade",
    "rich's and textual's markup": "[bold red]x[/] [link=http://x.test]y[/link] [@click=app.quit]z[/]",
    "html": "<img src=x onerror=alert(1)></td></script><script>alert(2)</script>",
    "svg": "</text><script>alert(3)</script><a href='http://x.test'>",
    "markdown": "[x](javascript:alert(1)) ![y](http://x.test/y.png) | @everyone `` ` <b>",
    "a formula": "=cmd|' /C calc'!A0",
    "a formula behind a plus": "+1+1",
    "a formula behind an at": "@SUM(A1)",
    "a formula behind a minus and a tab": "\t-2+3",
    "no XML character": "\x0b\x0c\ufffe\uffff]]>&lt;",
    "format fields": "{0} %s %(x)s ${HOME} {{ 7*7 }} {% raw %}",
    "many lines": "one\r\ntwo\n\n# three\u2028four\u2029",
}
COLUMNS = (
    ("thread", "name"), ("process", "command"), ("process", "python"), ("process", "name"),
    ("frame", "function"), ("frame", "file"), ("event", "text"),
    ("gap", "reason"), ("mark", "text"), ("interpreter", "source"),
)  # fmt: skip


def recording(path: Path, text: str) -> Path:
    """A recording with this text wherever a stranger's can stand."""
    path.write_bytes(bases.bases()[0])
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO gap VALUES (NULL, 'probe', 1, 'x', 0, 100000000)")
        for table, column in COLUMNS:
            ending = " || id" if table == "frame" else ""
            db.execute(f"UPDATE {table} SET {column} = ?{ending}", (text,))
        for key in ("command", "python", "implementation", "platform", "mode", "executable"):
            db.execute("UPDATE meta SET value = ? WHERE key = ?", (text, key))
        db.execute("UPDATE output SET data = ?", (text.encode(),))
    return path

"""CSV: one file a table, as it is in the recording, safe to open in a spreadsheet.

NULL is an empty cell and an empty text is "", texts are always quoted. A text that a spreadsheet would
take for a formula gets an apostrophe before it (as does one that begins with apostrophes and goes on like
that, so that taking one apostrophe away restores each text). Bytes are written with Python's escapes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gilscope.exports.options import Options
from gilscope.recording.streams import RecordingStreams

OUTPUT = "output"
"""The table that is left out unless it is asked for."""
ROWS_A_PIECE = 2_000

_FORMULA = re.compile("'*[=+\\-@\t\r]")
_GUARDED = re.compile("'+[=+\\-@\t\r]")


def cell(value: object) -> str:
    """A value of the recording as a cell of a CSV file."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape").encode("unicode_escape").decode("ascii")
    if not isinstance(value, str):
        return repr(value)
    if _FORMULA.match(value):
        value = "'" + value
    return '"' + value.replace('"', '""') + '"'


def text_of(read: str) -> str:
    """The text that was written as a cell which a CSV reader has read as `read`."""
    return read[1:] if _GUARDED.match(read) else read


def bytes_of(read: str) -> bytes:
    """The same for bytes."""
    return text_of(read).encode("ascii").decode("unicode_escape").encode("utf-8", "surrogateescape")


def names(streams: RecordingStreams, options: Options) -> tuple[str, ...]:
    """The tables that are written."""
    return tuple(name for name in streams.tables() if options.with_output or name != OUTPUT)


def pieces(streams: RecordingStreams, table: str) -> Iterator[bytes]:
    """The file of one table."""
    yield (",".join(map(cell, streams.columns(table))) + "\n").encode()
    lines: list[str] = []
    for row in streams.rows(table):
        lines.append(",".join(map(cell, row)))
        if len(lines) >= ROWS_A_PIECE:
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def write_zip(streams: RecordingStreams, file: IO[bytes], options: Options) -> None:
    """All tables in one zip file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in names(streams, options):
            # Same recording, same file: no time of day in it.
            entry = zipfile.ZipInfo(f"{name}.csv")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            with archive.open(entry, "w", force_zip64=True) as member:
                for piece in pieces(streams, name):
                    member.write(piece)


def write_folder(streams: RecordingStreams, folder: Path, options: Options) -> None:
    """Each table into a file of an empty folder."""
    for name in names(streams, options):
        path = folder / f"{name}.csv"
        path.touch(mode=0o600)
        with path.open("wb") as file:
            for piece in pieces(streams, name):
                file.write(piece)

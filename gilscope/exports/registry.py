"""The formats a recording can be exported to: one file and one line each."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO

from gilscope.exports import cast, firefox, perfetto, speedscope, tables
from gilscope.exports.options import Options
from gilscope.recording.streams import RecordingStreams

Write = Callable[[RecordingStreams, IO[bytes], Options], None]
Pieces = Callable[[RecordingStreams, Options], Iterable[str]]
BUFFER_CHARACTERS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: its name, how its files end, and what writes it, piece by piece, whatever the length."""

    name: str
    ending: str
    write: Write


def _text(pieces: Pieces) -> Write:
    def write(streams: RecordingStreams, file: IO[bytes], options: Options) -> None:
        gathered = io.StringIO()
        for piece in pieces(streams, options):
            gathered.write(piece)
            if gathered.tell() >= BUFFER_CHARACTERS:
                file.write(gathered.getvalue().encode())
                gathered = io.StringIO()
        file.write(gathered.getvalue().encode())

    return write


FORMATS: dict[str, Format] = {
    made.name: made
    for made in (
        Format(name="perfetto", ending=".perfetto.json", write=_text(perfetto.pieces)),
        Format(name="firefox", ending=".firefox.json", write=_text(firefox.pieces)),
        Format(name="speedscope", ending=".speedscope.json", write=_text(speedscope.pieces)),
        Format(name="csv", ending=".csv.zip", write=tables.write_zip),
        Format(name="cast", ending=".cast", write=_text(cast.pieces)),
    )
}
"""By name. The picture of the screen is none of them: the views draw it."""

"""Marks set by who looks at a recording that nobody writes any more.

While a session is recorded its sampler writes them, as it does all else: a second writer would wait for the
sampler's transaction, and, worse, the sampler for the second one's, which would delay samples.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gilscope.errors import RecordingError
from gilscope.model import Mark
from gilscope.recording import schema

PATIENCE_S = 1.0
"""How long another viewer's mark is waited for."""


def add_mark(path: Path, mark: Mark) -> None:
    """Write a mark into a finished recording.

    Raises:
        RecordingError: the file may only be read, is of an older schema, or cannot be written.
    """
    try:
        with path.open("r+b"):
            pass
    except OSError as error:
        raise RecordingError(
            f"The mark is not kept: {path} may not be written ({error.strerror})."
        ) from error
    quoted = path.absolute().as_posix().replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    text = mark.text.encode("utf-8", "backslashreplace").decode()
    try:
        db = sqlite3.connect(f"file:{quoted}?mode=rw", uri=True, isolation_level=None, timeout=PATIENCE_S)
        try:
            db.execute("PRAGMA trusted_schema = OFF")
            version = schema.version_of(db)
            if version != schema.VERSION:
                raise RecordingError(
                    f"The mark is not kept: {path} is of schema {version}, which has no place for it "
                    f"(today's is {schema.VERSION})."
                )
            db.execute("INSERT INTO mark (at_ns, text) VALUES (?, ?)", (mark.at_ns, text))
        finally:
            db.close()
    except sqlite3.Error as error:
        raise RecordingError(f"The mark is not kept: {path} cannot be written ({error}).") from error

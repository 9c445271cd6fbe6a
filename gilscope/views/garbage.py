"""When Python looks for garbage while the app draws: seldom, and all of it at a moment of our choice."""

from __future__ import annotations

import gc

EVERY = 100_000
"""So many more objects, some 10 MB, make Python look at the newest. Rows go without that, but come and go in
ten thousands with a thousand lanes: at the usual 700 all are visited again and again, 30 ms in one frame."""
LOOK_S = 60.0
"""What was looked at while it was still in use is never looked at again by itself: in an hour, 12 MB."""


def settle() -> None:
    """Keep what start-up made out of all later looks: they would be seen as hitches."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(EVERY, *gc.get_threshold()[1:])


def look() -> None:
    """Look at all that has come since: some milliseconds."""
    gc.collect()

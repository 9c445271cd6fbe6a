"""The signals by which a program is told that it should end; Windows has but some of them."""

from __future__ import annotations

import signal
from typing import Final


def _there(*names: str) -> tuple[signal.Signals, ...]:
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


ENDINGS: Final = _there("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""All by which people and systems ask."""
HANG_UPS: Final = _there("SIGHUP", "SIGTERM")
"""Those by which a program hears that nobody is there any more."""

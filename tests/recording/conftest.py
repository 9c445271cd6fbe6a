"""Where the tests of recordings put theirs."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a recording that is still to be made."""
    return tmp_path / "x.gilscope"

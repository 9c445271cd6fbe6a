"""The table of faults names tests that there are."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.watched import ROOT

TABLE = (ROOT / "docs" / "faults.md").read_text()
ROW = re.compile(
    r"^\| (?P<fault>[^|]+) \| (?P<happens>[^|]+) \| `(?P<file>[\w/]+\.py)::(?P<test>test_\w+)` \|$"
)
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| fault ")]


@functools.cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_it_is_long() -> None:
    assert len(ROWS) >= 60
    faults = [line.split("|")[1] for line in ROWS]
    assert len(set(faults)) == len(faults)


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_a_row_names_a_test(number: int) -> None:
    found = ROW.match(ROWS[number])
    assert found, ROWS[number]
    assert (ROOT / "tests" / Path(found["file"])).is_file()
    assert found["test"] in names_in(found["file"])

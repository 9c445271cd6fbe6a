"""docs/faults-access.md: each row names a test that there is."""

from __future__ import annotations

import ast
import re

from tests.watched import ROOT

ROW = re.compile(r"^\| (?P<fault>[^|]+) \| (?P<what>[^|]+) \| `(?P<file>[\w/.]+)::(?P<test>\w+)` \|$")


def test_each_row_names_a_test_that_there_is() -> None:
    lines = (ROOT / "docs" / "faults-access.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert len(rows) >= 45
    for line in rows:
        row = ROW.match(line)
        assert row is not None, line
        tree = ast.parse((ROOT / row["file"]).read_text())
        names = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert row["test"] in names, line

"""docs/recording-format.md: it describes every table and column that there is, and its queries work."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gilscope.recording import schema
from tests.exports.samples import hostile
from tests.watched import ROOT

TEXT = (ROOT / "docs" / "recording-format.md").read_text()
TABLES, QUERIES = TEXT.split("## Ten queries")
GOLDEN = ROOT / "tests" / "recordings" / f"v{schema.VERSION}.gilscope"


def documented() -> dict[str, list[str]]:
    """Table → columns, as the document has them."""
    found: dict[str, list[str]] = {}
    for section in TABLES.split("\n### ")[1:]:
        heading, _, rest = section.partition("\n")
        columns = re.findall(r"^\| `(\w+)` \| [^|]+ \|[^|\n]*\|$", rest, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", heading):
            assert name not in found
            found[name] = columns
    return found


def queries() -> Iterator[tuple[str, str, list[str]]]:
    for section in QUERIES.split("\n### ")[1:]:
        heading, _, rest = section.partition("\n")
        sql = re.search(r"```sql\n(.*?)```", rest, re.DOTALL)
        columns = re.search(r"^Columns: (.*?)\.", rest, re.MULTILINE)
        assert sql is not None
        assert columns is not None
        yield heading, sql[1], re.findall(r"`(\w+)`", columns[1])


@pytest.fixture(scope="module")
def harmful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile(tmp_path_factory.mktemp("format") / "harmful.gilscope")


def test_every_table_and_column_is_described() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(db)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    actual = {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in tables}
    db.close()
    assert documented() == actual


def test_the_numbers_in_it() -> None:
    assert f"now {schema.VERSION}." in " ".join(TABLES.split())
    assert f"0x{schema.APPLICATION_ID:X}" in TABLES
    assert len(list(queries())) == 10


@pytest.mark.parametrize(("heading", "sql", "columns"), list(queries()), ids=lambda value: str(value)[:24])
def test_each_query_gives_what_it_says(heading: str, sql: str, columns: list[str], harmful: Path) -> None:
    rows = 0
    for path in (GOLDEN, harmful):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        cursor = db.execute(sql)
        assert [column[0] for column in cursor.description] == columns, heading
        rows += len(cursor.fetchall())
        db.close()
    assert rows, heading

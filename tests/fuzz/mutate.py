"""Ways to damage a recording: its bytes, its pages, its rows, its schema."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import struct
from collections.abc import Callable

from tests.fuzz.bases import PAGE_BYTES, bases, loose, strict

INTEGERS = (
    0, 1, -1, 2, 7, 255, 65_536, 2**31 - 1, 2**31, -(2**31), 2**32, 50_000_000, 10**9, 10**12, 10**15,
    2**53, 2**62, 2**63 - 1, -(2**63), -(2**63) + 1,
)  # fmt: skip
REALS = (0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, -1e300, 9e999, -9e999, 0.5, 1e18)
TEXTS = (
    "", "x", "-1", "1e999", "NaN", "\x00", "\x1b[2J", "\u202e", "=1+1", "</script>", "[b]x[/b]", "你" * 50,
    "x" * 20_000, "disabled", "own", "shared", "process", "py-spy", "gil-enabled", "target-ended",
    "9999-12-31",
    "0001-01-01T00:00:00+00:00", "\ud7ff\U0010ffff", "swap-note", "process-zombie",
)  # fmt: skip
BYTES = (
    b"",
    b"\xff\x80",
    b"\x1b[31m" * 3,
    b"\r\n" * 200,
    b"\x00" * 5_000,
    b"\x1b[999999999C\x1b[9999999;9999999H",
)
TICKS = ("tick", "gil_tick", "lane_tick", "core_tick")
Chance = random.Random


def mutated(chance: Chance) -> tuple[str, bytes]:
    """A damaged recording, and in what way it is."""
    kind = chance.choices(list(WAYS), weights=[weight for weight, _ in WAYS.values()])[0]
    return kind, WAYS[kind][1](chance)


def _bits(chance: Chance) -> bytes:
    data = bytearray(chance.choice(bases()))
    for _ in range(chance.choice([1, 1, 2, 4, 30])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _bytes(chance: Chance) -> bytes:
    data = bytearray(chance.choice(bases()))
    for _ in range(chance.choice([1, 2, 8, 100])):
        at = chance.randrange(len(data))
        piece = chance.choice([b"\x00", b"\xff", b"\x7f", b"\x80", chance.randbytes(4), b"\xff" * 9])
        data[at : at + len(piece)] = piece
    return bytes(data)


def _header(chance: Chance) -> bytes:
    data = bytearray(chance.choice(bases()))
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.choice([16, 18, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 92, 96, 100, 103])
        struct.pack_into(">I", data, at, chance.choice([*INTEGERS, chance.randrange(2**32)]) & 2**32 - 1)
    return bytes(data)


def _length(chance: Chance) -> bytes:
    data = chance.choice(bases())
    cut = data[: chance.choice([chance.randrange(len(data)), chance.randrange(600)])]
    return chance.choice(
        [cut, data + chance.randbytes(chance.randrange(2_000)), cut + bytes(len(data) - len(cut))]
    )


def _pages(chance: Chance) -> bytes:
    data = bytearray(chance.choice(bases()))
    other = chance.choice(bases())
    for _ in range(chance.choice([1, 1, 3])):
        to = chance.randrange(1, len(data) // PAGE_BYTES) * PAGE_BYTES
        source = chance.choice([data, other])
        at = chance.randrange(len(source) // PAGE_BYTES) * PAGE_BYTES
        page = bytes(source[at : at + PAGE_BYTES])
        data[to : to + PAGE_BYTES] = chance.choice([page, bytes(PAGE_BYTES), chance.randbytes(PAGE_BYTES)])
    return bytes(data)


# --- through SQL ---


def _with(data: bytes, change: Callable[[sqlite3.Connection], object]) -> bytes:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(data)
        db.execute("PRAGMA journal_mode = OFF")
        # What the file itself does not allow stays as it is.
        with contextlib.suppress(sqlite3.Error):
            change(db)
        return db.serialize()


def _tables(db: sqlite3.Connection) -> list[str]:
    return [
        name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]


def _columns(db: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    return [(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")]


def _table(chance: Chance, db: sqlite3.Connection) -> str:
    found = _tables(db)
    return chance.choice([name for name in found if name in TICKS] if chance.random() < 0.4 else found)


def _value(chance: Chance, kind: str) -> object:
    if kind == "INTEGER":
        return chance.choice([*INTEGERS, *INTEGERS, chance.randrange(10), chance.randrange(2 * 10**9), None])
    if kind == "REAL":
        return chance.choice([*REALS, None])
    if kind == "TEXT":
        return chance.choice([*TEXTS, None])
    if kind == "BLOB":
        return chance.choice([*BYTES, None])
    return chance.choice([*INTEGERS, *REALS, *TEXTS, None])


def _set(chance: Chance, db: sqlite3.Connection, kind: str | None = None) -> None:
    table = _table(chance, db)
    column, declared = chance.choice(_columns(db, table))
    keys = ", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5])
    value = _value(chance, kind or declared)
    where = (
        f" WHERE ({keys}) IN (SELECT {keys} FROM {table} ORDER BY random() LIMIT {chance.randrange(1, 4)})"
    )
    # `random()` would differ from run to run: a number of the row instead.
    where = where.replace("random()", f"abs({keys.split(',')[0]} * {chance.randrange(1, 997)}) % 101")
    try:
        db.execute(f"UPDATE {table} SET {column} = ?{'' if chance.random() < 0.3 else where}", (value,))
    except (sqlite3.IntegrityError, OverflowError):
        db.execute(f"UPDATE OR REPLACE {table} SET {column} = ?{where}", (value,))


def _values(chance: Chance) -> bytes:
    def change(db: sqlite3.Connection) -> None:
        for _ in range(chance.choice([1, 1, 2, 5])):
            _set(chance, db)

    return _with(chance.choice(bases()), change)


def _types(chance: Chance) -> bytes:
    number = chance.randrange(len(bases()))

    def change(db: sqlite3.Connection) -> None:
        try:
            for _ in range(chance.choice([1, 1, 2, 5])):
                _set(chance, db, chance.choice(["INTEGER", "REAL", "TEXT", "BLOB"]))
        finally:
            strict(db, number)

    return _with(loose(number), change)


def _undecodable(chance: Chance) -> bytes:
    def change(db: sqlite3.Connection) -> None:
        table = chance.choice(["thread", "process", "frame", "event", "gap", "interpreter", "meta"])
        column, _ = chance.choice([item for item in _columns(db, table) if item[1] in ("TEXT", "ANY")])
        db.execute(f"UPDATE {table} SET {column} = CAST(x'ff80fe' AS TEXT)")

    return _with(chance.choice(bases()), change)


def _rows(chance: Chance) -> bytes:
    """Too many, too few, swapped."""

    def change(db: sqlite3.Connection) -> None:
        table = _table(chance, db)
        columns = [name for name, _ in _columns(db, table)]
        way = chance.randrange(4)
        if way == 0:
            db.execute(f"DELETE FROM {table}")
        elif way == 1:
            db.execute(f"DELETE FROM {table} WHERE abs({columns[0]}) % 2 = {chance.randrange(2)}")
        elif way == 2 and len(columns) > 1:
            one, other = chance.sample(columns, 2)
            db.execute(f"UPDATE OR REPLACE {table} SET {one} = {other}, {other} = {one}")
        else:
            step = chance.choice([1, 1000, 10**9, 2**40])
            count = chance.choice([50, 400])
            rest = "".join(f", {name}" for name in columns[1:])
            db.execute(
                f"INSERT OR REPLACE INTO {table} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                f" FROM n WHERE i < {count}) SELECT i * {step}{rest} FROM n, (SELECT * FROM {table} LIMIT 1)"
            )

    return _with(chance.choice(bases()), change)


def _stacks(chance: Chance) -> bytes:
    """Rings and long chains of stacks."""

    def change(db: sqlite3.Connection) -> None:
        if chance.random() < 0.5:
            db.execute("UPDATE OR REPLACE stack SET parent = ?", (chance.choice([1, 2, 3, -1, 2**63 - 1]),))
            return
        count = chance.choice([100, 1_500])
        db.execute(
            "INSERT OR REPLACE INTO stack WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            f" WHERE i < {count}) SELECT i, (i + {chance.choice([0, 1, count - 2])}) % {count} + 1, 1 FROM n"
        )
        db.execute("UPDATE stack_sample SET stack = id")

    return _with(chance.choice(bases()), change)


def _large(chance: Chance) -> bytes:
    """One value that is far too large."""

    def change(db: sqlite3.Connection) -> None:
        size = chance.choice([100_000, 1_000_000])
        if chance.random() < 0.5:
            db.execute("UPDATE output SET data = zeroblob(?)", (size,))
            return
        table, column = chance.choice(
            [("thread", "name"), ("process", "command"), ("process", "name"), ("frame", "function"),
             ("event", "text"), ("gap", "reason"), ("meta", "value")]
        )  # fmt: skip
        db.execute(f"UPDATE {table} SET {column} = ?", (chance.choice("x=\x1b你") * (size // 4),))

    return _with(chance.choice(bases()), change)


_SCHEMAS = (
    "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM tick; END",
    "CREATE TRIGGER mark_t INSTEAD OF INSERT ON v BEGIN SELECT load_extension('x'); END",
    "CREATE VIEW v AS SELECT * FROM tick",
    "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "ALTER TABLE output RENAME TO other",
    "ALTER TABLE thread ADD COLUMN more TEXT AS (hex(zeroblob(100000000)))",
    "ALTER TABLE tick ADD COLUMN more INTEGER DEFAULT 5",
    "ALTER TABLE tick RENAME COLUMN end_ns TO start",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "CREATE VIRTUAL TABLE r USING rtree(a, b, c)",
    "CREATE INDEX i ON tick (abs(end_ns))",
    "CREATE UNIQUE INDEX i ON meta (value) WHERE value > 5",
    "DROP TABLE lane_tick",
    "DROP TABLE meta",
    "CREATE TABLE extra (x GENERATED ALWAYS AS (randomblob(1000000000)), y)",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = 1",
    "PRAGMA user_version = -7",
    "PRAGMA user_version = 99",
    "PRAGMA application_id = 0",
)
_REWRITES = (
    ("CREATE TABLE tick ", "CREATE VIRTUAL TABLE tick USING fts5"),
    ("end_ns INTEGER", "end_ns INTEGER GENERATED ALWAYS AS (start_ns + 1)"),
    ("end_ns INTEGER NOT NULL", "end_ns INTEGER CHECK (load_extension('x'))"),
    ("INTEGER", "TEXT"),
    (" STRICT", ""),
    ("(", "(("),
    ("CREATE TABLE", "CREATE TABLE  "),
    ("name TEXT", "name TEXT COLLATE nocase"),
)


def _schema(chance: Chance) -> bytes:
    def change(db: sqlite3.Connection) -> None:
        if chance.random() < 0.5:
            for statement in chance.sample(_SCHEMAS, chance.choice([1, 1, 3])):
                with contextlib.suppress(sqlite3.Error):
                    db.execute(statement)
            return
        db.execute("PRAGMA writable_schema = ON")
        old, new = chance.choice(_REWRITES)
        table = _table(chance, db)
        way = chance.randrange(4)
        if way == 0:
            db.execute("UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ?", (old, new, table))
        elif way == 1:
            db.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (chance.randrange(80), table))
        elif way == 2:
            db.execute("INSERT INTO sqlite_master SELECT * FROM sqlite_master WHERE name = ?", (table,))
        else:
            db.execute("UPDATE sqlite_master SET type = 'view' WHERE name = ?", (table,))

    return _with(chance.choice(bases()), change)


WAYS: dict[str, tuple[int, Callable[[Chance], bytes]]] = {
    "bits": (15, _bits),
    "bytes": (10, _bytes),
    "header": (5, _header),
    "length": (4, _length),
    "pages": (10, _pages),
    "values": (30, _values),
    "types": (12, _types),
    "undecodable": (1, _undecodable),
    "rows": (10, _rows),
    "stacks": (3, _stacks),
    "large": (1, _large),
    "schema": (8, _schema),
}
"""How often, and how."""

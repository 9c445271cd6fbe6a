"""Headers against gilscope's own tables."""

from __future__ import annotations

import dataclasses
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gilscope.sources import layouts
from gilscope.sources.layouts import Layout, Version
from tests.layouts.headers import FIRST, PUBLISHES, Headers


@dataclass(frozen=True)
class Row:
    """One number: as the table has it, and as the headers have it."""

    name: str
    table: int | None
    headers: int | None

    @property
    def fits(self) -> bool:
        return self.table == self.headers


@dataclass(frozen=True)
class Python:
    """An interpreter, and where its headers are."""

    path: Path
    version: Version
    include: Path


def ask(path: Path) -> Python | None:
    """What an interpreter says of itself; None for one that is too old, or none."""
    code = "import sys,sysconfig;print(*sys.version_info[:2],sysconfig.get_path('include'))"
    done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    words = done.stdout.split(maxsplit=2)
    if done.returncode or len(words) != 3:
        return None
    version = int(words[0]), int(words[1])
    return Python(path, version, Path(words[2].strip())) if version >= FIRST else None


def table(headers: Headers) -> Layout | None:
    """What gilscope would read such a process by."""
    if headers.version >= PUBLISHES:
        claim = layouts.from_debug_offsets(headers.published)
    else:
        claim = layouts.from_table(headers.version)
    return None if claim is None else layouts.with_mutexes_of(claim, headers.mutex_size)


def compare(headers: Headers) -> list[Row] | None:
    """Every number of the table beside that of the headers; None for a version that it does not know."""
    known = table(headers)
    if known is None:
        return None
    expected = headers.layout()
    rows = [
        Row(field.name, getattr(known, field.name), getattr(expected, field.name))
        for field in dataclasses.fields(Layout)
        if field.name not in {"gil", "version", "free_threaded"}
    ]
    for field in dataclasses.fields(expected.gil):
        mine = getattr(known.gil, field.name)
        if field.name == "waiters_in_cond":  # learnt from the live process
            mine = getattr(expected.gil, field.name)
            rows.append(Row("gil.waiters_in_cond known", int(mine in {28, 36}), 1))
            continue
        rows.append(Row(f"gil.{field.name}", mine, getattr(expected.gil, field.name)))
    rows += [Row(name, should, found) for name, (found, should) in headers.neighbours.items()]
    published = layouts._PUBLISHED.get(headers.version)
    if published is not None:
        rows += [
            Row(f"published at: {name}", getattr(published, name), headers.positions[name])
            for name in headers.positions
        ]
    return rows

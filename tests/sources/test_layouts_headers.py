"""The table of offsets against CPython's own headers, and `make layouts` itself."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from gilscope.sources import layouts
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.layouts import Layout
from tests.layouts import headers as headers_module
from tests.layouts.__main__ import main
from tests.layouts.compare import Python, ask, compare
from tests.layouts.headers import PUBLISHES, CannotCompileError, Headers, read
from tests.pythons import found_pythons
from tests.watched import watched

PYTHONS = {version: python for version, path in found_pythons().items() if (python := ask(path)) is not None}
BUILDS = [
    (version, free_threaded)
    for version, python in PYTHONS.items()
    for free_threaded in ((False, True) if python.version >= PUBLISHES else (False,))
]
each_build = pytest.mark.parametrize(("version", "free_threaded"), BUILDS)


def _read(python: Python, *, free_threaded: bool = False) -> Headers:
    try:
        return read(python.include, python.version, free_threaded=free_threaded)
    except CannotCompileError as error:
        pytest.skip(str(error))


@each_build
def test_every_number_fits_the_headers(version: str, free_threaded: bool) -> None:
    headers = _read(PYTHONS[version], free_threaded=free_threaded)
    rows = compare(headers)
    assert rows is not None
    assert len(rows) > 20
    assert [row for row in rows if not row.fits] == []


@each_build
def test_the_line_to_paste_is_the_one_in_the_table(version: str, free_threaded: bool) -> None:
    headers = _read(PYTHONS[version], free_threaded=free_threaded)
    names = {"Layout": Layout, "GilFields": layouts.GilFields, "_Published": layouts._Published}
    (pasted,) = eval(f"{{{headers.line()}}}", names).items()
    if headers.version >= PUBLISHES:
        assert pasted == (headers.version, layouts._PUBLISHED[headers.version])
    else:
        assert pasted == (headers.version, layouts.from_table(headers.version))


@pytest.mark.parametrize("version", [version for version, free in BUILDS if not free])
def test_a_live_process_is_read_by_what_its_headers_say(version: str) -> None:
    headers = _read(PYTHONS[version])
    with watched("sleepers.py", 1, 60, python=PYTHONS[version].path) as target:
        reader = InterpreterReader.open(target.pid)
        expected = headers.layout()
        if headers.version < PUBLISHES:
            assert expected.thread_attachment is None
        assert reader.layout == dataclasses.replace(
            expected, gil=dataclasses.replace(expected.gil, waiters_in_cond=reader.layout.gil.waiters_in_cond)
        )
        if headers.version >= PUBLISHES:
            head = reader.memory.read(reader.runtime, layouts.DEBUG_OFFSETS_SIZE)
            for name, position in headers.positions.items():
                if name != "attachment_after":
                    at = slice(position, position + 8)
                    assert (name, head[at]) == (name, headers.published[at])
        reader.close()


def _one() -> Python:
    python = next((known for known in PYTHONS.values() if known.version < PUBLISHES), None)
    if python is None:
        pytest.skip("no Python before 3.13 was found")
    _read(python)
    return python


def test_a_wrong_number_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    python = _one()
    known = layouts._TABLE[python.version]
    wrong = dataclasses.replace(known, threads_head=known.threads_head + 8)
    monkeypatch.setitem(layouts._TABLE, python.version, wrong)
    assert main([str(python.path)]) == 1
    out = capsys.readouterr().out
    assert "1 wrong" in out
    assert f"threads_head{'':31}table {wrong.threads_head:>6}   headers {known.threads_head:>6}   ✗" in out


def test_an_unknown_version_is_printed_to_paste(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = _one()
    monkeypatch.delitem(layouts._TABLE, python.version)
    assert main([str(python.path)]) == 1
    out = capsys.readouterr().out
    assert "not known" in out
    assert f"    ({python.version[0]}, {python.version[1]}): Layout(" in out


def test_all_fits_is_0_and_all_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    python = _one()
    assert main(["--all", "--lines", str(python.path)]) == 0
    out = capsys.readouterr().out
    assert "none wrong" in out
    assert "gil.switch_number" in out
    assert "): Layout(" in out


def test_without_a_compiler_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = next(iter(PYTHONS.values()))
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert main([str(python.path)]) == 2
    assert "not compared" in capsys.readouterr().out


def test_without_headers_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotCompileError, match="no internal headers"):
        read(tmp_path, (3, 12))
    (tmp_path / "internal").mkdir()
    (tmp_path / "internal" / "pycore_pystate.h").touch()
    with pytest.raises(CannotCompileError):
        read(tmp_path, (3, 12))


def test_every_field_of_a_layout_is_compared() -> None:
    fields = {field.name for field in dataclasses.fields(Layout)} - {"version", "gil", "free_threaded"}
    fields |= {f"gil.{field.name}" for field in dataclasses.fields(layouts.GilFields)} - {"gil.enabled"}
    assert set(headers_module.FIELDS) == fields
    derived = {"before_attachment", "attachment_after"}
    published = {field.name for field in dataclasses.fields(layouts._Published)}
    assert set(headers_module.PUBLISHED) | derived == published

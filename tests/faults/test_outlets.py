"""No text of a recording reaches a terminal, a page, a table or a file's name as anything but text."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from gilscope.analysis.limits import parse
from gilscope.analysis.limits.check import check
from gilscope.cli import main
from gilscope.cli.common import figures_until, flames_of, quality_of, verdict_of
from gilscope.cli.recordings import _described
from gilscope.exports import html, junit, markdown, text
from gilscope.exports.options import Options
from gilscope.exports.read import summary_of, watch_quality
from gilscope.exports.registry import FORMATS
from gilscope.recording import store
from gilscope.recording.reader import RecordingReader
from gilscope.recording.streams import RecordingStreams
from gilscope.text import clean
from gilscope.views.still import picture_of
from gilscope.views.tables import TABLES, cells
from gilscope.views.viewing import Viewing
from tests.faults.hostile import TEXTS, recording
from tests.watched import ROOT

CURSOR = re.compile(r"\x1b\[(?:\d+(?:;\d+)*)?[HmJ]|\x1b\[\?25[lh]")
"""What an animation itself tells a terminal."""


def _made(path: Path, name: str, options: Options | None = None) -> bytes:
    file = io.BytesIO()
    with contextlib.closing(RecordingStreams(path)) as streams:
        FORMATS[name].write(streams, file, options or Options())
    return file.getvalue()


def _lines_are_clean(shown: str) -> None:
    for line in shown.split("\n"):
        assert clean(line) == line, line


def _terminal(path: Path) -> None:
    with contextlib.closing(RecordingReader(path)) as reader:
        summary = summary_of(reader)
        _lines_are_clean(text.render(summary, watch_quality(reader, summary)))
        _lines_are_clean(text.render(summary))


def _screen(path: Path) -> None:
    with contextlib.closing(RecordingReader(path)) as reader:
        viewing = Viewing(reader)
        viewing.seek(viewing.head_ns)
        panels = viewing.panels()
        shown = [row.label for row in panels.rows] + [row.label for row in panels.cores]
        shown += [word for line in panels.gils for word in (line.holder or "", line.function, line.process)]
        summary = figures_until(reader, viewing.head_ns)
        for table in TABLES.values():
            shown += [cell for row in cells(table, summary, by=0, backwards=False) for cell in row]
        assert shown
        _lines_are_clean("\n".join(shown))
        assert len([line for line in shown if "\n" in line]) == 0
        flames_of(reader, viewing.head_ns)


def _list(path: Path) -> None:
    line = _described(path)
    assert "\n" not in line
    _lines_are_clean(line)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _html(path: Path) -> None:
    with contextlib.closing(RecordingStreams(path)) as streams:
        summary = summary_of(streams)
        page = html.render(summary, watch_quality(streams, summary), streams)
    tags = _Tags()
    tags.feed(page)
    assert not [tag for tag, _ in tags.found if tag in ("img", "iframe", "object", "embed", "base", "form")]
    assert sum(tag == "script" for tag, _ in tags.found) == 2  # the data, and ours
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on")]
    assert not [
        value
        for _, attributes in tags.found
        for value in attributes.values()
        if "javascript" in (value or "")
    ]


def _markdown(path: Path) -> None:
    with contextlib.closing(RecordingReader(path)) as reader:
        page = markdown.render(summary_of(reader))
    _lines_are_clean(page)
    # All that is not code: no link, picture, tag, mention.
    plain = re.sub(r"`[^`\n]*`", "", page).replace("@<!-- -->", "")
    assert not re.search(r"(?<!\\)\]\(|(?<!\\)!\[|(?<!\\)<[a-z/!]|@\w", plain)


def _csv(path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(_made(path, "csv", Options(with_output=True)))) as archive:
        for name in archive.namelist():
            assert re.fullmatch(r"[a-z_0-9]+\.csv", name)
            for row in csv.reader(io.StringIO(archive.read(name).decode(), newline="")):
                for cell in row:
                    assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                    assert not cell.startswith("-") or re.fullmatch(r"-[\d.e+-]+", cell)


def _junit(path: Path) -> None:
    with contextlib.closing(RecordingReader(path)) as reader:
        summary = summary_of(reader)
    limits = ("gil.contention > 0", "lane.waiting_share > 0", "lane.running_s >= 0", "totals.cpu_s > 0")
    report = junit.render(summary, [check(summary, parse(limit)) for limit in limits])
    tree = ET.fromstring(report)
    assert {element.tag for element in tree.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "error", "system-out",
    }  # fmt: skip
    for element in tree.iter():
        for words in (element.text or "", *element.attrib.values()):
            _lines_are_clean(words)


def _cast(path: Path) -> None:
    header, *events = [json.loads(line) for line in _made(path, "cast").decode().splitlines()]
    _lines_are_clean(header["title"])
    for _, kind, data in events:
        assert kind == "o"
        _lines_are_clean(CURSOR.sub("", data))


def _json(path: Path) -> None:
    for name in ("perfetto", "firefox", "speedscope"):
        json.loads(_made(path, name))
    with contextlib.closing(RecordingReader(path)) as reader:
        written = json.dumps(summary_of(reader))
    assert written.isascii()
    assert written.isprintable()


def _names(path: Path) -> None:
    with contextlib.closing(RecordingReader(path)) as reader:
        made = store.new_path(reader.session().command)
    assert re.fullmatch(r"[\w.:-]+", made.name, re.ASCII)
    assert made.parent == store.directory()


def _errors(path: Path) -> None:
    """Of commands that name a file which a stranger has named."""
    with contextlib.closing(RecordingReader(path)) as reader:
        name = reader.session().command.replace("\x00", "").replace("/", "")[:100]
    for arguments in (
        ["report", f"{name}.gilscope"],
        ["replay", f"./{name}"],
        ["export", "--format", "csv", f"./{name}"],
    ):
        said = CliRunner().invoke(main, arguments)
        assert said.exit_code == 2
        _lines_are_clean(said.output)
        assert "Traceback" not in said.output


OUTLETS: dict[str, Callable[[Path], None]] = {
    "terminal": _terminal, "screen": _screen, "list of recordings": _list,
    "html": _html, "markdown": _markdown,
    "csv": _csv, "junit": _junit, "cast": _cast, "json": _json, "file names": _names, "messages": _errors,
}  # fmt: skip


@pytest.mark.parametrize("outlet", OUTLETS)
@pytest.mark.parametrize("kind", TEXTS)
def test_hostile_text_is_text(
    kind: str, outlet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    OUTLETS[outlet](recording(tmp_path / "r.gilscope", TEXTS[kind]))


def test_hostile_text_in_a_picture(tmp_path: Path) -> None:
    """All of it at once: a picture takes a second."""
    path = recording(tmp_path / "r.gilscope", "".join(TEXTS.values()))
    title = TEXTS["svg"] + TEXTS["escape sequences"]
    picture = picture_of(
        path,
        at_ns=None,
        size=(120, 36),
        title=title,
        verdict_of=verdict_of,
        quality_of=quality_of,
        with_output=True,
    )
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(picture).iter()}
    assert not tags & {"script", "a", "image", "foreignObject", "use"}
    _lines_are_clean(picture)
    assert not re.search(r"(?:href|src)\s*=\s*[\"'](?!#)", re.sub(r">[^<]*<", "><", picture))


def test_output_and_environment_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No outlet but the csv of its table, and those with --with-output, holds what the target printed."""
    monkeypatch.setenv("GILSCOPE_TEST_SECRET", "swordfish-of-the-environment")
    path = recording(tmp_path / "r.gilscope", "plain")
    import sqlite3

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE output SET data = ?", (b"swordfish-of-the-output",))
    for name in FORMATS:
        assert b"swordfish" not in _made(path, name)
    with contextlib.closing(RecordingStreams(path)) as streams:
        summary = summary_of(streams)
        quality = watch_quality(streams, summary)
        pages = [
            html.render(summary, quality, streams),
            markdown.render(summary, quality),
            text.render(summary),
        ]
    assert not [page for page in [*pages, json.dumps(summary)] if "swordfish" in page]


def test_no_shell_is_ever_used() -> None:
    """Nothing that is started goes through a shell, and no text is run as code but the user's own program."""
    found = []
    for path in sorted((ROOT / "gilscope").rglob("*.py")):
        text_of = path.read_text()
        if not re.search(r"shell *=|os\.system|os\.popen|getoutput|getstatusoutput", text_of):
            continue  # to take all of them apart takes seconds
        for node in ast.walk(ast.parse(text_of)):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                found.append(f"{path}:{node.value.lineno}: shell=")
            if isinstance(node, ast.Attribute) and node.attr in (
                "system",
                "popen",
                "getoutput",
                "getstatusoutput",
            ):
                value = node.value
                if isinstance(value, ast.Name) and value.id in ("os", "subprocess", "commands"):
                    found.append(f"{path}:{node.lineno}: {value.id}.{node.attr}")
    assert not found

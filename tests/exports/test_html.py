"""The report as a page: what is in it, that it is safe, and that a real browser draws it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gilscope.exports.html import page
from gilscope.exports.html.timeline import DIGITS, LENGTHS_NS, MOST_VALUES, fold, length_of_cells
from gilscope.exports.read import flames_of, summary_of, watch_quality
from gilscope.model import State
from gilscope.recording.streams import RecordingStreams
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession
from tests.commands import complaint, gilscope
from tests.exports.samples import NAMES, QUOTES, SCRIPT_TAG, SECRET, rows_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OUTSIDE = re.compile(r"https?://|//[a-z0-9.-]+\.[a-z]{2,}/|@import|url\((?!#)", re.IGNORECASE)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1250,1800",
)  # fmt: skip
BROWSER_S = 120.0


class Page(HTMLParser):
    """Tags with their attributes, and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self._inside in ("script", "style") else self.texts).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def made(path: Path, **changes: Any) -> str:
    streams = RecordingStreams(path)
    try:
        summary = summary_of(streams) | changes
        return page(summary, watch_quality(streams, summary), fold(streams), flames_of(streams))
    finally:
        streams.close()


@pytest.fixture(scope="module")
def harmful_page(harmful: Path) -> str:
    return made(harmful)


def test_says_what_the_summary_says(real: Path) -> None:
    streams = RecordingStreams(real)
    summary = summary_of(streams)
    streams.close()
    shown = Page(made(real)).text
    verdict = summary["verdict"]
    for text in (verdict["headline"], *verdict["evidence"], *verdict["advice"]):
        assert " ".join(text.split()) in shown
    for lane in summary["lanes"]:
        assert lane["name"] in shown
    for function in summary["functions"][:30]:
        if function["held_share"]:
            assert f"{function['file']}:{function['line']}" in shown
    gil = max(summary["gils"], key=lambda gil: gil["utilisation"] or 0)
    assert f"{100 * gil['utilisation']:.1f} ± {100 * gil['ci95']:.1f} %" in shown
    assert "No thread kept others waiting" in shown


def test_stalls_with_their_stacks(real: Path) -> None:
    stall = {
        "at_s": 1.5, "pid": 7, "tid": 8, "name": SCRIPT_TAG, "held_ms": 250.0, "waiters": 2.0,
        "stack": ["outer (a.py:1)", SCRIPT_TAG],
    }  # fmt: skip
    shown = Page(made(real, stalls=[stall, {**stall, "name": None, "stack": []}])).text
    assert "250.0 ms at 1.500 s" in shown
    assert "outer (a.py:1)" in shown
    assert "No stack was caught." in shown
    assert "Nobody looked for stalls" in Page(made(real, stalls=None)).text


def test_nothing_known_is_no_zero(real: Path) -> None:
    streams = RecordingStreams(real)
    summary = summary_of(streams)
    streams.close()
    unknown = dict.fromkeys(("contention", "waiters_mean", "waiters_max", "handoffs", "longest_hold_ms"))
    text = made(real, gils=[{**gil, **unknown} for gil in summary["gils"]], verdict=None)
    assert "None" not in Page(text).text
    assert "Verdict" not in Page(text).text


def test_is_safe(harmful_page: str) -> None:
    parsed = Page(harmful_page)
    scripts = [attributes for tag, attributes in parsed.tags if tag == "script"]
    assert len(scripts) == 2, "ours, and the data"
    assert not OUTSIDE.search(harmful_page.replace("http://www.w3.org/", ""))
    assert not any(tag in ("link", "img", "iframe", "object", "base", "b") for tag, _ in parsed.tags)
    for _, attributes in parsed.tags:
        assert not any(name.startswith("on") or name in ("src", "href") for name in attributes)
    assert SCRIPT_TAG in parsed.text  # as words
    assert QUOTES in parsed.text
    assert SECRET not in harmful_page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", harmful_page)


def data_in(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    parsed: dict[str, Any] = json.loads(found[1])
    return parsed


def test_the_data_is_the_recording(real: Path) -> None:
    data = data_in(made(real))
    lane_ns = dict(
        rows_of(
            real,
            "SELECT name, sum(native_ns + waiting_ns) FROM lane_tick JOIN thread ON key = lane GROUP BY 1",
        )
    )
    cell_ns = data["cell_s"] * 1e9
    drawn = dict.fromkeys(lane_ns, 0.0)
    for lane in data["lanes"]:
        states = [lane["states"].get(str(int(state)), "") for state in (State.NATIVE, State.WAITING)]
        assert all(len(text) in (0, data["cells"]) for text in states)
        drawn[lane["name"]] += sum(
            DIGITS.index(c) / 63 * cell_ns for text in states for c in text if c != " "
        )
    for name, recorded in lane_ns.items():
        assert drawn[name] == pytest.approx(recorded, rel=0.05, abs=0.02e9), name


def test_harmful_names_are_data(harmful: Path, harmful_page: str) -> None:
    names = [lane["name"] for lane in data_in(harmful_page)["lanes"]]
    assert names[1] == NAMES[1]
    assert "\x1b" not in str(names)
    assert len(names) == rows_of(harmful, "SELECT count(*) FROM thread")[0][0]


def test_a_beginning_that_is_not_kept_takes_no_room(tmp_path: Path) -> None:
    path = tmp_path / "kept.gilscope"
    made_of = ScriptedSession(Script(seconds=4))
    writer = RecordingWriter(path, made_of.session)
    writer.put_processes(made_of.processes)
    writer.put_gils(made_of.gils)
    writer.put_lanes(made_of.lanes)
    for index in range(60, 80):
        step = made_of.step(index)
        writer.put_tick(step.tick, step.holds)
    writer.close()
    data = data_in(made(path))
    assert (data["start_s"], data["end_s"]) == (3.0, 4.0)
    assert data["cells"] * data["cell_s"] == pytest.approx(1.0)
    assert " " not in data["gils"][0]["held"]
    assert "3 s" in Page(made(path)).texts


@pytest.mark.parametrize("rows", [1, 9, 64, 300])
@pytest.mark.parametrize("seconds", [0.01, 1, 60, 3600, 86_400, 10**7])
def test_the_page_stays_small(seconds: float, rows: int) -> None:
    cell_ns = length_of_cells(round(seconds * 1e9), rows)
    assert seconds * 1e9 / cell_ns * rows <= MOST_VALUES
    assert cell_ns >= LENGTHS_NS[0]


def test_without_a_script_there_is_a_picture(harmful_page: str) -> None:
    parsed = Page(harmful_page)
    assert any(attributes.get("class") == "still" for _, attributes in parsed.tags)
    kinds = {attributes.get("class") for tag, attributes in parsed.tags if tag == "path"}
    assert {"fill-running", "fill-waiting", "fill-native", "fill-other"} <= kinds
    assert any(tag == "div" and "hidden" in a for tag, a in parsed.tags if a.get("class") == "controls")


def browse(path: Path, *flags: str) -> str:
    """The page as a browser has it after its scripts have run."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, path.as_uri()],
            capture_output=True, timeout=BROWSER_S, check=True,
        )  # fmt: skip
    return done.stdout.decode()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_in_a_browser(harmful: Path, tmp_path: Path) -> None:
    written = tmp_path / "report.html"
    done = gilscope(tmp_path, "report", harmful, "--format", "html", "-o", written)
    assert (done.code, done.stderr) == (0, "")
    assert written.stat().st_mode & 0o777 == 0o600
    after = browse(written, "--dump-dom")
    root = next(attributes for tag, attributes in Page(after).tags if tag == "html")
    assert root.get("data-script") == "ran"
    assert "data-harmed" not in root
    parsed = Page(after)
    assert sum(tag == "script" for tag, _ in parsed.tags) == 2
    assert any(tag == "canvas" for tag, _ in parsed.tags)
    assert any(tag == "svg" and a.get("class") == "flame" for tag, a in parsed.tags)
    assert any(tag == "div" and a.get("class") == "controls" and "hidden" not in a for tag, a in parsed.tags)
    picture = tmp_path / "report.png"
    browse(written, f"--screenshot={picture}")
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_report_files(real: Path, tmp_path: Path) -> None:
    """Markdown, a directory in the way, and no recording is overwritten."""
    assert gilscope(tmp_path, "report", real, "--format", "md").stdout.count(b"|") > 20
    before = real.read_bytes()
    for words, said in (((real, "-o", real), "not overwritten"), ((real, "-o", tmp_path), "is a directory")):
        for kind in ("html", "text"):
            assert said in complaint(gilscope(tmp_path, "report", *words, "--format", kind), 2)
    assert real.read_bytes() == before

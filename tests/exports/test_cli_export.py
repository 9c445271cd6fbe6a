"""gilscope export as its users call it: files, pipes, mistakes; and the picture of the screen."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from gilscope.cli.export import FORMATS as NAMES
from gilscope.exports.registry import FORMATS
from tests.commands import command, complaint, environment, gilscope, watch
from tests.watched import wait_for

OUTSIDE = re.compile(r"url\(\s*[\"']?(?!#)|@import|(href|src)\s*=\s*[\"'](?!#)", re.IGNORECASE)


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


def test_all_formats_have_a_writer() -> None:
    assert set(NAMES) == {*FORMATS, "svg"}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "svg"])
def test_a_file_or_stdout(real: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / ("out.zip" if name == "csv" else "out")
    done = gilscope(tmp_path, "export", real, "--format", name, "-o", target)
    assert (done.code, done.stdout, done.stderr) == (0, b"", "")
    assert target.stat().st_mode & 0o777 == 0o600
    piped = gilscope(tmp_path, "export", real, "--format", name).stdout
    assert contents(piped) == contents(target.read_bytes())
    assert not left_behind(tmp_path)


def contents(data: bytes) -> object:
    """Of a zip file what is in it: a pipe cannot be gone back in, so the sizes stand elsewhere in it."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_csv_into_a_folder(real: Path, tmp_path: Path) -> None:
    target = tmp_path / "tables"
    target.mkdir()  # an empty one will do
    assert gilscope(tmp_path, "export", real, "--format", "csv", "-o", target).code == 0
    assert "thread.csv" in {path.name for path in target.iterdir()}
    again = complaint(gilscope(tmp_path, "export", real, "--format", "csv", "-o", target), 2)
    assert "files in it" in again
    assert not left_behind(tmp_path)


def test_mistakes(real: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()

    def says(*words: object) -> str:
        return complaint(gilscope(tmp_path, "export", *words), 2)

    assert "is a directory" in says(real, "--format", "perfetto", "-o", "folder")
    assert "is a file" in says(real, "--format", "csv", "-o", "file")
    assert "No such file or directory" in says(real, "--format", "cast", "-o", "nowhere/x.cast")
    assert "not overwritten" in says(real, "--format", "cast", "-o", real)
    assert "no recording" in says("file", "--format", "cast")
    assert "There is no file" in says("nothing", "--format", "cast")
    assert "There is no second 99" in says(real, "--format", "svg", "--at", "99", "-o", "x.svg")
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_not_into_a_terminal(real: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command("export", real, "--format", "cast"), stdout=theirs, stderr=subprocess.PIPE,
            env=environment(tmp_path), check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert b"-o FILE" in done.stderr


ENDLESS = """
import sys, time
from gilscope.exports import perfetto
from gilscope.cli import main

def endless(streams, options):
    while True:
        yield 'x' * 100_000
        time.sleep(0.01)

perfetto.pieces = endless
main(['export', sys.argv[1], '--format', 'perfetto', '-o', sys.argv[2]])
"""
STOPPED_AT_ITS_BIRTH = """
import os, signal
opened = os.open

def born(name, *arguments, **more):
    handle = opened(name, *arguments, **more)
    if str(name).endswith('.part'):
        os.kill(os.getpid(), signal.SIGTERM)
    return handle

os.open = born
"""


def test_nothing_is_left_of_what_was_stopped(tmp_path: Path, real: Path) -> None:
    """Stopped in the middle: neither the file nor a part of it."""
    target = tmp_path / "out.json"
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, real, target], env=environment(tmp_path))
    try:
        wait_for(lambda: left_behind(tmp_path), "it never began")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert not left_behind(tmp_path)
    assert not target.exists()


def test_nothing_is_left_of_what_was_stopped_at_its_birth(tmp_path: Path, real: Path) -> None:
    """Between the making of the file and the first line after it."""
    target = tmp_path / "out.json"
    code = STOPPED_AT_ITS_BIRTH + ENDLESS
    done = subprocess.run(
        [sys.executable, "-c", code, real, target], env=environment(tmp_path), check=False, timeout=60
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert not left_behind(tmp_path)


def test_a_reader_that_has_had_enough(real: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        command("export", real, "--format", "perfetto"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(tmp_path),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) in (141, 0)


def test_a_full_disk(real: Path, tmp_path: Path) -> None:
    assert "No space left" in complaint(
        gilscope(tmp_path, "export", real, "--format", "cast", "-o", "/dev/full"), 2
    )


def picture(folder: Path, recording: Path, *options: str) -> str:
    target = folder / "screen.svg"
    done = gilscope(folder, "export", recording, "--format", "svg", "-o", target, *options)
    assert done.code == 0, done.stderr
    return target.read_text()


def text_in(svg: str) -> str:
    return " ".join("".join(element.itertext()) for element in ET.fromstring(svg).iter()).replace("\xa0", " ")


def test_the_screen(real: Path, tmp_path: Path) -> None:
    svg = picture(tmp_path, real)
    assert not OUTSIDE.search(re.sub(r">[^<]*<", "><", svg))
    assert "http" not in svg.replace("http://www.w3.org/", "")
    shown = text_in(svg)
    assert "ENDED" in shown
    assert "cpu-0" in shown
    assert "Verdict" in shown
    assert "Left out" in shown


def test_the_screen_at_a_moment(real: Path, tmp_path: Path) -> None:
    assert "PAUSED 00:00.5" in text_in(picture(tmp_path, real, "--at", "0.5"))


def test_harmful_names_in_the_picture(harmful: Path, tmp_path: Path) -> None:
    svg = picture(tmp_path, harmful)
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}
    assert tags <= {"svg", "style", "defs", "clipPath", "rect", "g", "text", "circle"}
    assert "swordfish" not in svg
    assert "swordfish" in picture(tmp_path, harmful, "--with-output")


def test_what_is_exported_is_what_ran(tmp_path: Path) -> None:
    """The summary of a live run, that of its recording, and figures from its tables alone are equal."""
    live = watch(tmp_path, "hash_threads.py", 2, 1)
    assert live.code == 0, live.stderr
    report = gilscope(tmp_path, "report", live.recording, "--format", "json")
    assert json.loads(report.stdout) == live.summary
    assert gilscope(tmp_path, "export", live.recording, "--format", "csv", "-o", "tables").code == 0

    def table(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((tmp_path / "tables" / f"{name}.csv").open(newline="")))

    held: dict[str, int] = {}
    for row in table("lane_tick"):
        held[row["lane"]] = held.get(row["lane"], 0) + int(row["running_ns"]) + int(row["holding_ns"])
    for thread, lane in zip(table("thread"), live.summary["lanes"], strict=True):
        seconds = lane["running_s"] + lane["holding_s"]
        assert held.get(thread["key"], 0) / 1e9 == pytest.approx(seconds, abs=2e-6)
    handoffs = [
        sum(int(r["handoffs"]) for r in table("gil_tick") if r["gil"] == g["key"])
        for g in table("interpreter")
    ]
    assert handoffs == [gil["handoffs"] for gil in live.summary["gils"]]


def test_same_recording_same_zip(real: Path, tmp_path: Path) -> None:
    first, second = (gilscope(tmp_path, "export", real, "--format", "csv").stdout for _ in range(2))
    assert first == second
    (tmp_path / "x.zip").write_bytes(first)
    assert zipfile.is_zipfile(tmp_path / "x.zip")

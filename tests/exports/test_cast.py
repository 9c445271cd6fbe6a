"""The asciicast export: each line by the format's rules, and what a terminal shows of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gilscope.exports.options import Options
from gilscope.exports.screen import ScreenCells
from tests.exports.samples import SECRET, rows_of

Exported = Callable[..., bytes]
SEQUENCE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])")


class Terminal:
    """As much of a terminal as the animation may use; anything else fails."""

    def __init__(self, columns: int, rows: int) -> None:
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.written = 0

    def feed(self, data: str) -> None:
        at = 0
        while at < len(data):
            match = SEQUENCE.match(data, at)
            if match is None:
                assert data[at].isprintable(), ascii(data[at])
                self.cells[self.row][self.column] = data[at]
                self.column += 1
                self.written += 1
                at += 1
                continue
            at = match.end()
            values, kind = match.groups()
            if kind == "H":
                row, column = map(int, values.split(";"))
                self.row, self.column = row - 1, column - 1
            elif (kind, values) == ("J", "2"):
                self.cells = [[" "] * len(row) for row in self.cells]
            else:
                assert kind == "m" or values == "?25", match.group()

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]


def parse(data: bytes) -> tuple[dict[str, object], list[tuple[float, str]]]:
    head, *lines = data.decode().splitlines()
    header = json.loads(head)
    assert header["version"] == 2
    assert isinstance(header["width"], int)
    assert isinstance(header["height"], int)
    assert isinstance(header["timestamp"], int)
    events = []
    for line in lines:
        at, kind, text = json.loads(line)
        assert kind == "o"
        assert isinstance(at, int | float)
        assert text
        events.append((at, text))
    times = [at for at, _ in events]
    assert times == sorted(set(times)), "times increase"
    return header, events


def play(data: bytes) -> Terminal:
    header, events = parse(data)
    terminal = Terminal(int(str(header["width"])), int(str(header["height"])))
    for _, text in events:
        terminal.feed(text)
    return terminal


def test_is_an_asciicast(recording: Path, exported: Exported) -> None:
    data = exported(recording, "cast")
    header, events = parse(data)
    assert (header["width"], header["height"]) == (100, 28)
    end_s = rows_of(recording, "SELECT max(end_ns) FROM tick")[0][0] / 1e9
    assert events[-1][0] == pytest.approx(end_s, abs=0.2)
    assert len(events) >= 10 * end_s * 0.8
    shown = "\n".join(play(data).lines)
    assert "GIL" in shown
    assert "running" in shown
    assert "core 0" in shown
    assert SECRET not in shown


def test_names_cannot_move_the_cursor(harmful: Path, exported: Exported) -> None:
    lines = play(exported(harmful, "cast")).lines  # the terminal fails at what it does not know
    assert any("</script><sc" in line for line in lines)
    assert any("�[2J" in line for line in lines)


def test_speed(real: Path, exported: Exported) -> None:
    normal, slow = (parse(exported(real, "cast", Options(speed=s)))[1] for s in (1.0, 0.1))
    assert slow[-1][0] == pytest.approx(10 * normal[-1][0], rel=0.1)
    # In slow motion a turn of 5 ms is a frame: the holder passes from one thread to the other.
    lines = play(exported(real, "cast", Options(speed=0.1))).lines
    assert "0.1 × 00:" in lines[0]


def test_a_lane_shows_what_it_did(real: Path, exported: Exported) -> None:
    """The share of running columns of a thread is about what it held of the GIL."""
    lines = play(exported(real, "cast", Options(speed=0.2))).lines
    [row] = [line for line in lines if " cpu-0 " in line]
    cells = row[26:]
    assert set(cells) & set("█!"), row
    assert "░" in cells, row


def test_only_what_changed_is_written() -> None:
    screen = ScreenCells(20, 2)
    screen.put(0, 0, "one two three")
    assert "one two three" in screen.changes()
    assert screen.changes() == ""
    screen.put(0, 4, "TWO")
    assert screen.changes() == "\x1b[1;5HTWO"
    screen.put(1, 18, "wide 你", "#ff0000")
    assert screen.changes() == "\x1b[2;19H\x1b[38;2;255;0;0mwi\x1b[0m"
    terminal = Terminal(20, 2)
    screen.put(1, 0, "你\x1bx")
    terminal.feed(screen.changes())
    assert terminal.lines[1] == "?�x"

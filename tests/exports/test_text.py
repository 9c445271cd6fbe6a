"""The summary for people, and text that is safe to show."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.summary import summarise
from gilscope.analysis.verdict import judge, verdict_fields
from gilscope.exports import text as export
from gilscope.model import Gap, GapSum, Gil, Lane, Process, ProcessTick, Quality
from gilscope.text import (
    cell_text,
    clean,
    clock_text,
    cut,
    duration_text,
    pad,
    share_text,
    width,
    wrap,
)
from tests.recording.samples import SESSION, plain_ticks

WILD = st.text(max_size=200) | st.sampled_from(
    ["你好" * 60, "\x1b[2J\x1b]0;x\x07", "a" * 500, "e\u0301" * 100, "\u202e\u2066x", "🧵" * 50,
     "\n\r\t\x85\x9b",
     "", " ", "\udcff", "ｗｉｄｅ" * 30, "\u200d\ufeff\xad"]
)  # fmt: skip


def summary_of(names: list[str], words: str, *, processes: int = 1) -> dict[str, Any]:
    session = dataclasses.replace(
        SESSION, command=words, python=words or None, implementation=words or None, ended_ns=2_000_000_000,
        exit_code=None, source=words, threads_created=10**9, threads_started=10**9, platform=words,
        mode=words,
    )  # fmt: skip
    keys = range(1, processes + 1)
    summary = summarise(
        session=session,
        processes=[
            Process(key=key, pid=4_194_304 - key, ppid=1, command=words, python=words, start_ns=0, name=words)
            for key in keys
        ],
        lanes=[
            Lane(key=number, process=1 + number % processes, tid=number, kind="thread", name=name, start_ns=0)
            for number, name in enumerate(names, 1)
        ],
        gils=[Gil(key=key, process=key, interpreter=0, kind=words) for key in keys],
        ticks=plain_ticks(40),
        gaps=[Gap(source=words, pid=1, reason=words, start_ns=0, end_ns=10**15)],
        process_ticks=[
            ProcessTick(
                process=1, at_ns=1, cpu_ns=1, rss_bytes=10**13, pss_bytes=None, uss_bytes=None, threads=10**6
            )
        ],
    )
    summary["verdict"] = verdict_fields(judge(summary))
    return summary


def safe(line: str) -> bool:
    return (
        all(unicodedata.category(character) not in ("Cc", "Cs") for character in line) and clean(line) == line
    )


@given(st.lists(WILD, max_size=4), WILD, st.integers(1, 30))
def test_no_line_is_wider_than_a_terminal(names: list[str], words: str, processes: int) -> None:
    made = export.render(summary_of(names, words, processes=processes))
    assert made.endswith("\n")
    for line in made.split("\n"):
        assert width(line) <= 80, line
        assert safe(line), line
        assert line == line.rstrip()


def test_a_plain_summary() -> None:
    lines = export.render(summary_of(["MainThread", "worker"], "fib.py")).splitlines()
    assert lines[0] == "gilscope  fib.py · fib.py · fib.py fib.py · 2.0 s · exit code ?"
    assert lines[2].startswith("GIL-bound") or lines[2]
    (header,) = [line for line in lines if line.startswith("thread")]
    assert header.split() == ["thread", "CPU", "s", *export._STATES]
    (worker,) = [line for line in lines if line.startswith("worker")]
    assert worker.split() == [
        "worker",
        "0.00",
        *["0", "%", "0", "%", "100", "%", "0", "%", "0", "%", "0", "%", "0", "%"],
    ]
    assert len(header) == len(worker)


def test_a_gil_that_is_off_has_no_figures() -> None:
    summary = summary_of(["MainThread"], "x")
    summary["gils"][0]["kind"] = "disabled"
    (line,) = [line for line in export.render(summary).splitlines() if line.startswith("pid ")]
    assert line == "pid 4194303   off: free-threaded, threads run Python side by side"


def test_columns_stay_in_line_with_wide_names() -> None:
    lines = export.render(summary_of(["你好", "worker"], "x")).splitlines()
    rows = [line for line in lines if line.startswith(("你好", "worker"))]
    assert len({width(row) for row in rows}) == 1


def test_many_of_all() -> None:
    made = export.render(summary_of([f"t{number}" for number in range(60)], "x", processes=40))
    assert f"… and {60 - export.LANES_SHOWN} more" in made
    assert f"… and {40 - export.PROCESSES_SHOWN} more" in made


def test_what_was_not_read_is_not_zero() -> None:
    session = dataclasses.replace(SESSION, ended_ns=10**9)
    summary = summarise(
        session=session,
        processes=[Process(key=1, pid=5, ppid=1, command="x", python=None, start_ns=0)],
        lanes=[],
        gils=[Gil(key=1, process=1, interpreter=0, kind="shared")],
        ticks=[],
    )
    summary["verdict"] = verdict_fields(judge(summary))
    made = export.render(summary)
    assert "memory ?" in made
    assert "no samples" in made
    assert "GIL of" not in made


QUALITY = Quality(
    rate_asked_hz=1000.0, rate_achieved_hz=994.6, samples_taken=3980, late_ns_max=5_400_000, torn_reads=3,
    failed_reads=1, handoffs=820, handoffs_seen=812, disagreements=2, stacks=41, gaps=(),
    cost_cpu_ns=84_000_000, cost_share=0.021, sources=("probe",), tick_ns=50_000_000,
)  # fmt: skip


def test_how_well_it_was_watched_is_always_said() -> None:
    summary = summary_of(["MainThread"], "x")
    made = export.render(summary, QUALITY)
    assert made.splitlines()[-4:] == [
        "3980 samples (probe) · 995 of 1000 Hz asked · tick ≥50 ms · cost 2.1 % of a core",
        "latest sample 5.4 ms late · 3 torn reads · 1 failed reads",
        "8 of 820 handoffs unseen · py-spy disagrees in 2 of 41 stacks",
        "no gaps",
    ]
    nothing = dataclasses.replace(
        QUALITY, rate_achieved_hz=None, samples_taken=0, late_ns_max=0, torn_reads=0, failed_reads=0,
        handoffs=0, handoffs_seen=0, disagreements=0, stacks=0, cost_share=None,
    )  # fmt: skip
    assert export.render(summary, nothing).splitlines()[-4:] == [
        "0 samples (probe) · ? of 1000 Hz asked · tick ≥50 ms · cost ? % of a core",
        "latest sample 0 ms late · 0 torn reads · 0 failed reads · 0 of 0 handoffs unseen",
        "py-spy disagrees in 0 of 0 stacks",
        "no gaps",
    ]


@given(WILD, st.integers(0, 8))
def test_gaps_with_their_reasons(words: str, count: int) -> None:
    gaps = tuple(
        GapSum(source=f"{n}{words}", reason=f"reason {words}", ns=10 ** (4 + n), count=1)
        for n in range(count)
    )
    made = export.render(summary_of([], "x"), dataclasses.replace(QUALITY, gaps=gaps[::-1], sources=(words,)))
    assert made.count("not read for") == min(count, export.GAPS_SHOWN)
    assert ("more reasons" in made) == (count > export.GAPS_SHOWN)
    for line in made.splitlines():
        assert width(line) <= 80, line
        assert safe(line), line


@pytest.mark.parametrize(
    ("given_text", "cells"),
    [
        ("", 0),
        ("abc", 3),
        ("你好", 4),
        ("e\u0301", 1),
        ("🧵", 2),
        ("ｗ", 2),
        ("ﾊ", 1),
        ("é", 1),
        ("…", 1),
        ("→", 1),
    ],
)
def test_width(given_text: str, cells: int) -> None:
    assert width(given_text) == cells


@given(WILD, st.integers(1, 90))
def test_cut_and_pad(words: str, cells: int) -> None:
    words = clean(words)
    found = cut(words, cells)
    assert width(found) <= cells
    assert found == words or found.endswith("…")
    assert words.startswith(found.removesuffix("…"))
    assert width(pad(found, cells)) == cells


@given(WILD, st.integers(10, 90), st.sampled_from([("", ""), ("  · ", "    ")]))
def test_wrap(words: str, cells: int, indents: tuple[str, str]) -> None:
    words = clean(words)
    lines = wrap(words, cells, first=indents[0], then=indents[1])
    assert all(width(line) <= cells for line in lines)
    assert lines[0].startswith(indents[0])
    assert all(line.startswith(indents[1]) for line in lines[1:])
    joined = "".join(
        [lines[0].removeprefix(indents[0]), *(line.removeprefix(indents[1]) for line in lines[1:])]
    )
    assert "".join(joined.split()) == "".join(words.split())


def test_wrap_fills_lines() -> None:
    assert wrap("aa bb cc dd", 5) == ["aa bb", "cc dd"]
    assert wrap("aa bb cc", 8, first="  · ", then="    ") == ["  · aa", "    bb", "    cc"]
    assert wrap("", 5, first="  ") == ["  "]
    assert wrap("abcdefgh ij", 5) == ["abcde", "fgh", "ij"] or wrap("abcdefgh ij", 6) == ["abcdef", "gh ij"]


@given(st.text())
def test_clean(words: str) -> None:
    assert safe(clean(words))
    assert len(clean(words)) == len(words)
    assert clean("plain ünï 你好 🧵 → ·") == "plain ünï 你好 🧵 → ·"


@pytest.mark.parametrize(
    "number", [*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x200B, 0x202E, 0x2066, 0xFEFF, 0xDCFF]
)
def test_no_character_that_a_terminal_obeys(number: int) -> None:
    assert clean(f"a{chr(number)}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_figures() -> None:
    assert [clock_text(at) for at in (-5, 0, 12_450_000_000, 61 * 10**9, 3_723_900_000_000)] == [
        "00:00.0", "00:00.0", "00:12.4", "01:01.0", "1:02:03.9",
    ]  # fmt: skip
    assert [duration_text(ns) for ns in (0, 5, 820_000, 5_400_000, 1_200_000_000, 200_000_000_000)] == [
        "0 ms", "5 ns", "820 µs", "5.4 ms", "1.2 s", "200 s",
    ]  # fmt: skip
    assert [cell_text(ns) for ns in (1_000_000, 2_000_000_000)] == ["1 ms", "2 s"]
    assert [share_text(share) for share in (None, 0.0, 0.987)] == ["? %", "0 %", "99 %"]

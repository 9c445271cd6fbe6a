"""The summary of a part of a session: adjacent parts add up to the whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.span import Span
from gilscope.analysis.verdict.kinds.too_short import SELECT_MORE, WORK_LONGER
from gilscope.exports.read import summary_of
from gilscope.model import NS_PER_S, Frame, Gap, StackSample
from gilscope.recording.reader import RecordingReader
from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, write

SECONDS = 70.0
FRAME = Frame(function="f", file="/x.py", line=3)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordingReader]:
    """A session long enough for roll-ups of both lengths."""
    path = tmp_path_factory.mktemp("span") / "x.gilscope"
    session = ScriptedSession(Script(seconds=SECONDS))
    writer = RecordingWriter(path, session.session)
    write(session, writer)
    writer.put_stacks(
        StackSample(lane=2, start_ns=at * NS_PER_S, end_ns=(at + 3) * NS_PER_S, count=101, frames=(FRAME,))
        for at in range(0, 66, 3)
    )
    writer.put_gaps([Gap(source="x", pid=1, reason="r", start_ns=5 * NS_PER_S, end_ns=9 * NS_PER_S + 7)])
    writer.close()
    reader = RecordingReader(path)
    yield reader
    reader.close()


def sums(summary: dict[str, Any]) -> dict[str, float]:
    """All that adds up, by what it is of."""
    found: dict[str, float] = {"wall": summary["target"]["wall_s"]}
    for gil in summary["gils"]:
        for key in ("samples", "handoffs", "handoffs_seen"):
            found[f"gil {gil['pid']} {gil['interpreter']} {key}"] = gil[key]
    for lane in summary["lanes"]:
        for key, value in lane.items():
            if key.endswith("_s") and value is not None:
                found[f"lane {lane['tid']} {key}"] = value
    for key in ("held_s", "cpu_s", "processes_started"):
        found[key] = summary["totals"][key]
    for row in summary["functions"]:
        found[f"function {row['function']}"] = row["samples"]
    found["gaps"] = sum(gap["seconds"] for gap in summary["gilscope"]["gaps"])
    return found


@pytest.fixture(scope="module")
def whole_sums(reader: RecordingReader) -> dict[str, float]:
    return sums(summary_of(reader, start_ns=0, end_ns=reader.head_ns()))


moments = st.integers(0, int(SECONDS * NS_PER_S)) | st.integers(0, int(SECONDS)).map(
    lambda second: second * NS_PER_S
)


@given(cuts=st.lists(moments, min_size=1, max_size=4, unique=True))
def test_spans_that_touch_add_up(
    reader: RecordingReader, whole_sums: dict[str, float], cuts: list[int]
) -> None:
    head = reader.head_ns()
    borders = [0, *sorted(cut for cut in cuts if 0 < cut < head), head]
    # Lanes are alive up to the border, ticks are of one side: cut between ticks, as the screen does.
    borders = sorted({reader.whole_ticks(border, border + 1)[0] for border in borders[:-1]} | {head})
    parts: dict[str, float] = {}
    for start, end in itertools.pairwise(borders):
        for key, value in sums(summary_of(reader, start_ns=start, end_ns=end)).items():
            parts[key] = parts.get(key, 0) + value
    assert parts.keys() == whole_sums.keys()
    for key, value in whole_sums.items():
        assert parts[key] == pytest.approx(value, abs=2e-5), key


def test_the_whole_as_a_span_is_the_whole(reader: RecordingReader) -> None:
    span, whole = summary_of(reader, start_ns=0), summary_of(reader)
    for key in ("gils", "cores", "functions", "notes", "stalls"):
        assert span[key] == whole[key]
    for of_span, of_whole in zip(span["lanes"], whole["lanes"], strict=True):
        # Waits are told of whole sessions only.
        left_out = {"cpu_s": 0, "waits": None}
        assert of_span | left_out == of_whole | left_out
        assert of_span["cpu_s"] == pytest.approx(of_whole["running_s"] + of_whole["native_s"], abs=1e-5)
    assert span["target"] == whole["target"]
    assert span["verdict"]["kind"] == whole["verdict"]["kind"]


@given(
    amount=st.integers(0, 10**12),
    start=st.integers(0, 10**10),
    length=st.integers(0, 10**10),
    cuts=st.lists(st.integers(0, 3 * 10**10), max_size=5),
)
def test_parts_of_an_amount(amount: int, start: int, length: int, cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), 4 * 10**10]
    parts = [
        Span(begin, end).part(amount, start, start + length) for begin, end in itertools.pairwise(borders)
    ]
    assert sum(parts) == amount
    assert min(parts) >= 0


def test_a_span_widens_to_whole_ticks(reader: RecordingReader) -> None:
    ticks = list(reader.ticks())
    inside = (ticks[7].start_ns + 5, ticks[9].start_ns + 1)
    assert reader.whole_ticks(*inside) == (ticks[7].start_ns, ticks[9].end_ns)
    assert reader.whole_ticks(ticks[7].start_ns, ticks[7].end_ns) == (ticks[7].start_ns, ticks[7].end_ns)
    assert reader.whole_ticks(ticks[3].start_ns + 1, 10**15) == (ticks[3].start_ns, 10**15)


def test_a_lane_is_alive_in_the_span_only(reader: RecordingReader) -> None:
    summary = summary_of(reader, start_ns=10 * NS_PER_S, end_ns=12 * NS_PER_S)
    assert summary["target"]["wall_s"] == 2
    for lane in summary["lanes"]:
        assert lane["alive_s"] <= 2
        states = sum(lane[key] for key in lane if key.endswith("_s") and key not in ("alive_s", "cpu_s"))
        assert states == pytest.approx(lane["alive_s"], abs=1e-4)
    assert summary["totals"]["threads_created"] is None


def test_a_span_does_not_know_what_comes_after_it(reader: RecordingReader) -> None:
    head_ns = reader.head_ns()
    before, whole = summary_of(reader, start_ns=0, end_ns=head_ns // 2), summary_of(reader)
    assert {process["state"] for process in before["processes"]} == {"running"}
    assert {process["end_s"] for process in before["processes"]} == {None}
    assert "running" not in {process["state"] for process in whole["processes"]}


def test_too_short_a_span_is_to_be_made_longer(reader: RecordingReader) -> None:
    start = 10 * NS_PER_S
    verdict = summary_of(reader, start_ns=start, end_ns=start + NS_PER_S // 10)["verdict"]
    assert (verdict["kind"], verdict["advice"]) == ("too-short", [SELECT_MORE])
    beginning = summary_of(reader, start_ns=0, end_ns=NS_PER_S // 10)["verdict"]
    assert beginning["advice"] == [SELECT_MORE]


def test_too_short_a_session_is_to_work_longer(tmp_path: Path) -> None:
    session = ScriptedSession(Script(seconds=0.1))
    writer = RecordingWriter(tmp_path / "x.gilscope", session.session)
    write(session, writer)
    writer.close()
    reader = RecordingReader(writer.path)
    found = [summary_of(reader), summary_of(reader, start_ns=0, end_ns=reader.head_ns())]
    reader.close()
    assert [summary["verdict"]["kind"] for summary in found] == ["too-short"] * 2
    assert [summary["verdict"]["advice"] for summary in found] == [[WORK_LONGER]] * 2

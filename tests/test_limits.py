"""Limits: expressions as people write them, and a summary held against them."""

from __future__ import annotations

import difflib
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.limits import (
    CROSSED,
    KEPT,
    METRICS,
    UNKNOWN,
    LimitError,
    check,
    help_text,
    outcome_fields,
    parse,
)
from gilscope.analysis.limits.check import quantity
from gilscope.analysis.limits.expression import COMPARISONS
from gilscope.model import State
from tests.analysis.test_summary import summary_of
from tests.analysis.test_verdict import BEAT, BUSY, lane, summary
from tests.watched import ROOT


def outcome(text: str, of: dict[str, Any]) -> Any:
    return check(of, parse(text))


@pytest.mark.parametrize(
    ("text", "metric", "comparison", "value"),
    [
        ("gil.contention > 0.5", "gil.contention", ">", 0.5),
        ("gil.contention>50%", "gil.contention", ">", 0.5),
        ("  gil.contention  >=  50 %  ", "gil.contention", ">=", 0.5),
        ("gil.longest_hold_ms > 100", "gil.longest_hold_ms", ">", 100),
        ("gil.longest_hold_ms > 100 ms", "gil.longest_hold_ms", ">", 100),
        ("gil.longest_hold_ms > 0.1 s", "gil.longest_hold_ms", ">", 100),
        ("gil.longest_hold_ms > 100_000us", "gil.longest_hold_ms", ">", 100),
        ("lane.waiting_s > 1.5", "lane.waiting_s", ">", 1.5),
        ("lane.waiting_s > 2 min", "lane.waiting_s", ">", 120),
        ("lane.waiting_share > 30 %", "lane.waiting_share", ">", 0.3),
        ("totals.memory_peak_mb >= 1.5 GB", "totals.memory_peak_mb", ">=", 1_500),
        ("totals.cores_used_mean < 1.5", "totals.cores_used_mean", "<", 1.5),
        ("totals.threads_never_started != 0", "totals.threads_never_started", "!=", 0),
        ("gil.handoffs_per_s <= 1e4", "gil.handoffs_per_s", "<=", 10_000),
        ("totals.cpu_s > .5", "totals.cpu_s", ">", 0.5),
        ("gil.waiters_max == 3", "gil.waiters_max", "==", 3),
    ],
)
def test_what_is_read(text: str, metric: str, comparison: str, value: float) -> None:
    limit = parse(text)
    assert (limit.metric.name, limit.comparison) == (metric, comparison)
    assert limit.value == pytest.approx(value)
    assert limit.text == text.strip()


@pytest.mark.parametrize(
    ("text", "says", "at"),
    [
        ("", "name of a metric", 0),
        ("> 5", "name of a metric", 0),
        ("gil.contention", "comes a comparison", 14),
        ("gil.contention = 0.5", "comes a comparison", 15),
        ("gil.contention >", "comes a number", 16),
        ("gil.contention > much", "comes a number", 17),
        ("gil.contention > 1e999", "too large", 17),
        ("gil.contention > 50", "for per cent write %", 17),
        ("gil.contention > 150 %", "for per cent write %", 17),
        ("gil.contention > -0.5", "for per cent write %", 17),
        ("gil.contention > 5 ms", "not in ms", 19),
        ("totals.cpu_s > 5 %", "not in %", 17),
        ("gil.handoffs > 5 s", "plain numbers, not in s", 17),
        ("gil.contention > 0.5 and gil.waiters_max > 2", "give --fail-on again", 21),
        ("gil.contention > 0.5 > 0.4", "give --fail-on again", 21),
    ],
)
def test_what_is_wrong_is_said_and_shown(text: str, says: str, at: int) -> None:
    with pytest.raises(LimitError) as wrong:
        parse(text)
    assert wrong.value.exit_code == 2
    said, shown, mark = str(wrong.value).split("\n")
    assert says in said
    assert shown[4:] == text
    assert mark.index("^") - 4 == at


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("gil.contetion", "gil.contention"),
        ("contention", "gil.contention"),
        ("lanes.waiting_s", "lane.waiting_s"),
        ("GIL.contention", "gil.contention"),
        ("totals.threads_nver_started", "totals.threads_never_started"),
    ],
)
def test_a_wrong_name_suggests_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(LimitError, match=f"The nearest is {nearest};"):
        parse(f"{name} > 1")


@given(st.text(max_size=250) | st.text("gil.contention <>=!0123456789%ms", max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    limit, said = None, ""
    try:
        limit = parse(text)
    except LimitError as error:
        said = str(error)
    assert said.count("\n") <= 2
    assert "\x1b" not in said
    assert limit is None or (math.isfinite(limit.value) and parse(limit.text) == limit)


@given(st.sampled_from(sorted(METRICS)), st.sampled_from(sorted(COMPARISONS)), st.floats(0, 1))
def test_every_metric_can_be_limited(name: str, comparison: str, value: float) -> None:
    limit = parse(f"{name} {comparison} {value!r}")
    assert limit.value == value
    found = check(summary(BUSY, BEAT, utilisation=0.9), limit)
    assert found.status in (KEPT, CROSSED, UNKNOWN)
    assert (found.status == UNKNOWN) is (found.value is None)
    assert "\n" not in found.sentence
    assert found.value is None or limit.crossed_by(found.value) is (found.status == CROSSED)


def test_every_metric_reads_a_real_summary() -> None:
    """None names a key that no summary has."""
    made = summary_of()
    for metric in METRICS.values():
        for _, value in metric.read(made):
            assert value is None or isinstance(value, int | float), metric.name
    assert METRICS["gil.utilisation"].read(made)[0][1] == made["gils"][0]["utilisation"]
    for state in State:
        assert f"lane.{state.word}_s" in METRICS
        assert f"lane.{state.word}_share" in METRICS


def test_the_worst_of_several_counts() -> None:
    made = summary(BUSY, BEAT, utilisation=0.9)
    crossed = outcome("lane.waiting_s > 0.1", made)
    assert (crossed.status, crossed.value, crossed.crossing) == (CROSSED, 5.0, 2)
    assert crossed.sentence == (
        "limit crossed: lane.waiting_s > 0.1: measured 5 s (beat of process 1), and 1 more cross it"
    )
    lowest = outcome("lane.cpu_s < 1", made)
    assert (lowest.status, lowest.value, lowest.of) == (CROSSED, 0.1, "beat of process 1")
    kept = outcome("lane.waiting_s > 6", made)
    assert (kept.status, kept.value, kept.passed) == (KEPT, 5.0, True)
    assert kept.sentence == "limit kept: lane.waiting_s > 6: measured 5 s (beat of process 1)"
    assert outcome("lane.waiting_share > 49 %", made).status == CROSSED
    assert outcome("lane.waiting_share > 51 %", made).status == KEPT


def test_borders() -> None:
    made = summary(BUSY, utilisation=0.5)
    assert outcome("gil.utilisation > 0.5", made).status == KEPT
    assert outcome("gil.utilisation >= 0.5", made).status == CROSSED
    assert outcome("gil.utilisation == 0.5", made).status == CROSSED
    assert outcome("gil.utilisation != 0.5", made).status == KEPT
    assert outcome("gil.utilisation < 0.5", made).status == KEPT
    assert outcome("gil.utilisation <= 0.5", made).status == CROSSED


def test_what_was_not_read_counts_as_crossed_and_says_so() -> None:
    made = summary(BUSY, BEAT | {"waiting_s": None}, utilisation=0.9)
    unknown = outcome("lane.waiting_s > 6", made)
    assert (unknown.status, unknown.value, unknown.passed, unknown.unread) == (UNKNOWN, None, False, 1)
    assert "not read (beat of process 1); what is not known counts as crossed" in unknown.sentence
    # What is known to cross it crosses it, whatever the rest may be.
    assert outcome("lane.waiting_s > 0.1", made).status == CROSSED
    assert outcome("gil.contention > 0.9", made | {"gils": []}).status == UNKNOWN
    assert outcome("stall.count > 0", made | {"stalls": None}).status == UNKNOWN


def test_stalls() -> None:
    made = summary(BUSY, utilisation=0.9)
    rows = [{"name": "a", "held_ms": 300.0}, {"name": "b", "held_ms": 120.0}]
    assert outcome("stall.count > 0", made | {"stalls": []}).status == KEPT
    assert outcome("stall.held_ms > 200", made | {"stalls": []}).status == KEPT
    assert outcome("stall.count > 1", made | {"stalls": rows}).value == 2
    assert outcome("stall.count > 1", made | {"stalls": rows, "stalls_total": 150}).value == 150
    assert outcome("stall.held_ms > 0.2 s", made | {"stalls": rows}).of == "a"


def test_threads_never_started() -> None:
    made = summary(BUSY, utilisation=0.9, threads=(4, 1))
    assert outcome("totals.threads_never_started > 0", made).value == 3
    assert outcome("totals.threads_never_started > 0", summary(BUSY)).status == UNKNOWN


def test_programs_that_are_no_python_hold_no_gil() -> None:
    other = lane("gzip", cpu=5.0, native=5.0) | {"kind": "process"}
    made = summary(BUSY | {"held_share": 0.9}, other, utilisation=0.9)
    assert outcome("lane.held_share > 0.95", made).status == KEPT


def test_the_fields_of_an_outcome() -> None:
    fields = outcome_fields(outcome("lane.waiting_s > 6", summary(BUSY, BEAT)))
    assert fields == {
        "limit": "lane.waiting_s > 6", "metric": "lane.waiting_s", "status": "kept", "value": 5.0,
        "of": "beat of process 1", "crossing": 0, "unread": 0,
    }  # fmt: skip


def test_a_name_from_the_target_cannot_move_the_cursor() -> None:
    made = summary(lane("\x1b[2Jx\n", cpu=5.0, running=5.0), utilisation=0.5)
    assert "\x1b" not in outcome("lane.cpu_s > 1", made).sentence
    assert "\n" not in outcome("lane.cpu_s > 1", made).sentence


def test_help_lists_all() -> None:
    lines = help_text().splitlines()
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in METRICS)
    assert all(metric.meaning for metric in METRICS.values())
    close = [difflib.get_close_matches(name, METRICS, n=1)[0] for name in METRICS]
    assert close == list(METRICS)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(None, "s", "unknown"), (0.123, "share", "12.3 %"), (1234.5, "ms", "1234 ms"), (3, "count", "3"),
     (2.5, "per second", "2.5 per s"), (1.25, "cores", "1.25 cores")],
)  # fmt: skip
def test_quantities(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_the_limits_of_the_page_are_limits() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    found = re.findall(r"(?:--fail-on '|fail_on=\"|`)([a-z]+\.\w+ [<>=!]+ [^'\"`]+)", page)
    assert len(found) >= 10
    for text in found:
        parse(text)
    mentioned = set(re.findall(r"`((?:gil|lane|process|totals|stall|target|gilscope)\.[a-z_]+)`", page))
    assert mentioned <= METRICS.keys()

"""What py-spy says of its own work: text from outside."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.sources.pyspy_text import (
    TraceLog,
    error_text,
    has_begun,
    parse_stacks,
    parse_trace_log,
)

BEGUN = "py-spy> Sampling process 100 times a second for 1 seconds. Press Control-C to exit.\n\n"
WROTE = "py-spy> Wrote raw flamegraph data to '/x/trace0-7.out'. Samples: 75 Errors: 2\n"
EARLY = "\npy-spy> Stopped sampling because process exited\n"


@pytest.mark.parametrize(
    ("text", "begun", "log"),
    [
        ("", False, None),
        ("Error: Permission denied", False, None),
        (BEGUN, True, None),
        (BEGUN + WROTE, True, TraceLog(75, 2, whole=True)),
        (BEGUN + EARLY + WROTE, True, TraceLog(75, 2, whole=False)),
    ],
)
def test_the_log_of_a_trace(text: str, begun: bool, log: TraceLog | None) -> None:
    assert has_begun(text) is begun
    assert parse_trace_log(text) == log


def test_an_error_is_one_line_without_its_backtrace() -> None:
    said = "Error: Failed to open it.\n\nCaused by:\n    0: denied\n\nStack backtrace:\n   0: py_spy::main\n"
    assert error_text(said) == "Failed to open it.; Caused by:; 0: denied"


@given(st.text())
def test_any_log_is_understood_or_not(text: str) -> None:
    log = parse_trace_log(text)
    assert log is None or (log.held >= 0 and log.errors >= 0)
    assert "\n" not in error_text(text)
    has_begun(text)


def test_a_thread_without_a_frame_counts_where_that_is_asked_for() -> None:
    """So it looks when the interpreter ends: it holds the GIL, and executes nothing."""
    text = "thread (12): MainThread 3"
    (stack,) = parse_stacks(text, 7, frameless=True)
    assert (stack.tid, stack.name, stack.count, stack.frames) == (12, "MainThread", 3, ())
    with pytest.raises(ValueError, match="no line"):
        parse_stacks(text, 7)


LINES = st.lists(
    st.from_regex(
        r"(process \d{1,3}:\w?;)?thread \((0x[0-9A-F]{1,12}|\d{1,5})\)(: \w?)?;f \(x:\d{1,3}\) \d{1,4}"
    )
    | st.text()
)


@given(LINES)
def test_any_stacks_are_stacks_or_an_error(lines: list[str]) -> None:
    with contextlib.suppress(ValueError):
        for stack in parse_stacks("\n".join(lines), 7, lambda _pid, tid, thread: tid or thread % 99_999):
            assert stack.tid > 0
            assert stack.count >= 0
            assert stack.frames

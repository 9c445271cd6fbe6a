"""The yardstick itself: what is made of the kernel's events."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.spans import Event, NoTruthError, Span, fold, parse
from tests.benchmarks.truth import function_offsets, traceable

TRACE = """\
# tracer: nop
          python-7       [001] DBZff  10.000100: take_0: (0x7f0000000000) gil=0x7f00000000aa
          python-7       [001] DBZff  10.000400: takeret_0: (0x7f0000000001 <- 0x7f0000000000)
          <idle>-0       [000] d..2.  10.000500: sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 \
prev_state=R ==> next_comm=a name next_pid=8 next_prio=120
          python-8       [000] d..2.  10.000600: sched_switch: prev_comm=a name prev_pid=8 prev_prio=120 \
prev_state=R+ ==> next_comm=swapper/0 next_pid=0 next_prio=120
          <idle>-0       [000] dNh2.  10.000700: sched_wakeup: comm=python pid=8 prio=120 target_cpu=000
          python-8       [000] DBZff  10.000800: drop_1: (0x7f0000000002)
          python-8       [000] .....  10.000900: sched_process_exit: comm=python pid=8 prio=120
"""


def test_a_trace_in_text_becomes_events() -> None:
    events = [event for event in parse(TRACE.splitlines()) if event.tid]
    assert [(event.at_ns - 10_000_000_000, event.tid, event.what, event.gil) for event in events] == [
        (100_000, 7, "take", 0x7F00000000AA),
        (400_000, 7, "took", 0),
        (500_000, 8, "on", 0),
        (600_000, 8, "preempted", 0),
        (700_000, 8, "woken", 0),
        (800_000, 8, "drop", 0),
        (900_000, 8, "exit", 0),
    ]


def of(*events: tuple[int, int, str]) -> list[Event]:
    return [Event(at_ns, tid, what, 0) for at_ns, tid, what in events]


def test_two_threads_hand_the_gil_on() -> None:
    truth = fold(
        of(
            (0, 1, "take"),
            (1, 1, "took"),
            (5, 2, "take"),
            (6, 2, "preempted"),
            (9, 2, "on"),
            (20, 1, "drop"),
            (23, 2, "took"),
            (24, 1, "dropped"),
            (30, 2, "drop"),
            (31, 2, "dropped"),
            (32, 2, "take"),
            (33, 2, "took"),
            (40, 2, "exit"),
        )
    )
    assert truth.holds == [Span(1, 0, 1, 20), Span(2, 0, 23, 30), Span(2, 0, 33, 40)]
    assert truth.count_handoffs(0, 100) == 2  # who retakes it hands nothing on
    threads = truth.by_tid(0, 100)
    assert (threads[1].held_ns, threads[1].waiting_ns, threads[1].yielding_ns) == (19, 1, 4)
    assert (threads[2].held_ns, threads[2].waiting_ns, threads[2].queued_ns) == (14, 19, 3)
    assert threads[2].acquisitions == 2
    assert truth.by_tid(10, 25)[2].waiting_ns == 13
    assert truth.contradictions == 0


def test_who_loses_its_cpu_at_once_in_drop_gil_holds_on() -> None:
    start = ((0, 1, "take"), (1, 1, "took"), (10_000, 1, "drop"), (12_000, 1, "preempted"))
    assert fold(of(*start, (90_000, 1, "on"))).holds == [Span(1, 0, 1, 90_000)]
    later = ((2, 2, "take"), (50_000, 2, "took"), (90_000, 1, "on"), (95_000, 2, "drop"))
    assert fold(of(*start, *later)).holds == [Span(1, 0, 1, 10_000), Span(2, 0, 50_000, 95_000)]


def test_a_drop_without_a_take_is_a_contradiction() -> None:
    assert fold(of((1, 1, "drop"), (2, 1, "dropped"))).contradictions == 1


def test_a_window_begins_when_the_main_thread_was_told_to_go() -> None:
    ms = 1_000_000
    truth = fold(
        of(
            (0, 1, "take"),
            (1 * ms, 1, "took"),
            (50 * ms, 1, "drop"),
            (199 * ms, 1, "take"),
            (200 * ms, 1, "took"),
            (700 * ms, 1, "exit"),
        )
    )
    assert truth.window(1, 497 * ms) == (200 * ms, 700 * ms)
    with pytest.raises(NoTruthError, match="end is not in the trace"):
        truth.window(2, 497 * ms)


def test_functions_are_found_in_an_interpreter_or_it_is_said_why_not() -> None:
    try:
        with traceable(Path(sys.executable)) as found:
            assert found.version == sys.version_info[:2]
            assert all(found.offsets.values())
    except NoTruthError as error:
        said = str(error)
    else:
        said = "has no symbol"
    assert "has no symbol" in said
    assert function_offsets(Path(sys.executable), "no_such_function") == []

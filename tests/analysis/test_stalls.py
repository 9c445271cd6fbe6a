"""Stalls as a summary has them."""

from __future__ import annotations

from gilscope.analysis.stalls import SHOWN, STACK_SHOWN, culprit, frame_text, stalls_shown
from gilscope.model import NS_PER_MS, Frame, Gil, Lane, Process, Stall

MS = NS_PER_MS
PROCESS = Process(key=1, pid=77, ppid=1, command="x", python="3.11.7", start_ns=0)
LANE = Lane(key=4, process=1, tid=78, kind="thread", name="hog", start_ns=0)
GIL = Gil(key=2, process=1, interpreter=0, kind="shared")
PYTHON = Frame(function="hog", file="/a/hog.py", line=7)
NATIVE = Frame(function="usleep", file="/lib/libc.so.6", line=0)


def stall(
    start_ms: int, length_ms: int, lane: int | None = 4, frames: tuple[Frame, ...] = (PYTHON,)
) -> Stall:
    return Stall(
        gil=2, lane=lane, start_ns=start_ms * MS, end_ns=(start_ms + length_ms) * MS,
        waiters_mean=2.4567, waiters_max=3, frames=frames,
    )  # fmt: skip


def test_a_row() -> None:
    (row,) = stalls_shown([stall(1500, 300, frames=(PYTHON, NATIVE))], [LANE], [GIL], [PROCESS])
    assert row == {
        "at_s": 1.5, "pid": 77, "tid": 78, "name": "hog", "held_ms": 300.0, "waiters": 2.46, "waiters_max": 3,
        "stack": ["hog (hog.py:7)", "usleep (libc.so.6)"],
    }  # fmt: skip


def test_the_longest_first_and_not_too_many() -> None:
    rows = stalls_shown([stall(1000 * n, 100 + n) for n in range(SHOWN + 50)], [LANE], [GIL], [PROCESS])
    assert len(rows) == SHOWN
    assert [row["held_ms"] for row in rows] == [float(249 - n) for n in range(SHOWN)]


def test_what_is_not_known() -> None:
    (row,) = stalls_shown([stall(0, 200, lane=None, frames=())], [LANE], [], [])
    assert (row["tid"], row["name"], row["pid"], row["stack"]) == (None, None, None, [])


def test_deep_stacks_keep_their_inner_end() -> None:
    deep = tuple(Frame(function=f"f{n}", file="a.py", line=n + 1) for n in range(500))
    (row,) = stalls_shown([stall(0, 200, frames=deep)], [LANE], [GIL], [PROCESS])
    assert len(row["stack"]) == STACK_SHOWN
    assert row["stack"][-1] == "f499 (a.py:500)"


def test_the_culprit_is_the_innermost_python_function() -> None:
    assert culprit((PYTHON, NATIVE)) == PYTHON
    assert culprit((NATIVE,)) == NATIVE
    assert culprit(()) is None
    assert frame_text(Frame(function="0x12", file="", line=0)) == "0x12"

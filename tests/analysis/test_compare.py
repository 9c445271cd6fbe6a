"""Comparisons: which way wins, by how much, and what the sentences say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.analysis.compare import Run, compare, each_run
from gilscope.comparing import shown, startup_s
from gilscope.exports.compare import WIDTH, render
from gilscope.model import Lane, Process
from gilscope.text import width


def summary(mode: str, wall_s: float, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "held": 0.5, "cores_used": 1.0, "memory": 20.0, "processes": 1, "exit_code": 0, "verdict": "mixed",
        "others": (0.02, 0.03),
    }  # fmt: skip
    values |= changes
    return {
        "target": {"mode": mode, "wall_s": wall_s, "exit_code": values["exit_code"], "python": "3.11.7"},
        "machine": {"cores_usable": 2},
        "gils": [{"utilisation": None}, {"utilisation": values["held"]}],
        "processes": [{}] * values["processes"],
        "cores": [
            {"busy_mean": None if others is None else 0.4 + others, "target_share": 0.4}
            for others in values["others"]
        ],
        "totals": {
            "cores_used_mean": values["cores_used"], "waiting_s": 1.0, "memory_peak_mb": values["memory"],
        },
        "verdict": {"kind": values["verdict"]},
    }  # fmt: skip


def run(mode: str, wall_s: float, *, label: str = "", output: str | None = "x", **changes: Any) -> Run:
    return Run(label=label or mode, summary=summary(mode, wall_s, **changes), startup_s=0.25, output=output)


def test_cpu_bound() -> None:
    found = compare(
        [
            run("threads", 8.0, held=0.99, verdict="gil-bound"),
            run("processes", 4.0, held=0.98, cores_used=2.0, memory=60.0, processes=5),
        ]
    )
    why = "With threads the GIL was held 99 % of the time and one core did the work; "
    why += "processes have a GIL each and used 2.0 of 2."
    assert found["advice"] == [
        "Use processes: 4.00 s instead of 8.00 s, 2.00 times as fast.",
        why,
        "5 processes took 60 MB at most, threads 20 MB: each process has its own copy of what it changes.",
    ]
    threads, processes = found["ways"]
    assert (threads["speedup"], threads["speedup_error"]) == (1.0, None)
    assert (processes["speedup"], processes["speedup_error"]) == (2.0, None)
    assert found["outputs_differ"] is False


def test_threads_that_are_faster() -> None:
    advice = compare([run("threads", 1.0), run("processes", 3.0, processes=9, memory=21.0)])["advice"]
    assert advice[0] == "Use threads: 1.00 s instead of 3.00 s, 3.00 times as fast."
    assert "The last process had started after 0.25 s." in advice[1]
    assert advice[2] == "9 processes took 21 MB at most, threads 20 MB."


@pytest.mark.parametrize(("threads_s", "processes_s"), [(1.9, 4.9), (2.0, 2.0)])
def test_other_programs_had_the_cores(threads_s: float, processes_s: float) -> None:
    """That processes were not faster says nothing then: seen on a machine that ran tests meanwhile."""

    def said(**processes: Any) -> list[str]:
        threads = run("threads", threads_s, verdict="gil-bound", cores_used=0.6)
        found = compare([threads, run("processes", processes_s, cores_used=0.7, **processes)])
        assert found["ways"][0]["others_cores"] == pytest.approx(0.05)
        advice: list[str] = found["advice"]
        return advice

    crowded = said(others=(0.6, 0.5))
    assert crowded[0] == "Run it again in quiet: other programs used 1.1 of the 2 cores."
    assert crowded[1].startswith(f"Processes had no cores to be faster on ({processes_s:.2f} s, threads ")
    for others in ((0.1, 0.1), (0.6, None)):  # few others; not known
        assert said(others=others)[0].startswith(("Use threads", "Neither is faster"))


def test_other_programs_do_not_matter_where_processes_are_faster() -> None:
    threads = run("threads", 8.0, verdict="gil-bound")
    advice = compare([threads, run("processes", 4.0, cores_used=1.2, others=(0.5, 0.5))])["advice"]
    assert advice[0].startswith("Use processes: 4.00 s")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("io-bound", "mostly waits"),
        ("native-parallel", "lets go of the GIL"),
        ("single-threaded", "One thread"),
        ("gil-bound", "are there cores"),
        ("mixed", "held 50 %"),
    ],
)
def test_no_difference(verdict: str, words: str) -> None:
    advice = compare([run("threads", 2.0, verdict=verdict), run("processes", 1.95, processes=5)])["advice"]
    assert advice[0].startswith("Use threads: they take as long as processes (2.00 s and 1.95 s)")
    assert words in advice[1]


def test_a_set_time_in_which_processes_do_more() -> None:
    runs = [run("threads", 3.0, verdict="gil-bound"), run("processes", 3.0, processes=5, cores_used=1.9)]
    advice = compare(runs)["advice"]
    assert advice[0].startswith("Neither is faster (3.00 s and 3.00 s), but processes used 1.9 cores")
    assert "runs for a set time gets more done with processes" in advice[1]


def test_a_difference_within_the_spread_is_none() -> None:
    runs = [run("threads", wall) for wall in (2.0, 4.0)] + [run("processes", wall) for wall in (1.5, 3.5)]
    found = compare(runs)
    assert found["ways"][1]["speedup"] == pytest.approx(3.0 / 2.5)
    assert found["ways"][1]["speedup_error"] > 0.2
    assert found["advice"][0].startswith("Use threads: they take as long")
    clear = compare(
        [run("threads", 2.0), run("threads", 2.02), run("processes", 1.0), run("processes", 1.01)]
    )
    assert clear["advice"][0].startswith("Use processes: 1.00 s instead of 2.01 s, 2.00 ± 0.0")


def test_a_way_that_failed_counts_for_nothing() -> None:
    found = compare([run("threads", 2.0), run("processes", 0.1, exit_code=1)])
    assert found["advice"] == ["processes: 1 of 1 runs ended with an error: its figures say nothing."]


def test_other_ways() -> None:
    runs = [run("threads", 4.0, label="A threads"), run("threads", 2.0, label="B threads")]
    assert compare(runs)["advice"] == [
        "B threads is the fastest: 2.00 s instead of 4.00 s, 2.00 times as fast."
    ]
    same = [run("asis", 4.0, label="A"), run("asis", 3.9, label="B")]
    assert compare(same)["advice"] == ["No way is clearly the fastest: A 4.00 s, B 3.90 s."]
    assert compare([run("threads", 1.0)])["advice"] == []
    assert compare([])["ways"] == []


def test_output_that_differs() -> None:
    found = compare([run("threads", 1.0, output="a"), run("processes", 1.0, output="b")])
    assert found["outputs_differ"] is True
    assert "The output differs" in render(found)
    unknown = compare([run("threads", 1.0, output=None)])
    assert unknown["outputs_differ"] is None
    assert "differs" not in render(unknown)


maybe = st.none() | st.floats(0, 1e6)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["threads", "processes", "asis", "a\x1b[31m very long label " * 3]),
            st.floats(0, 1e5),
            maybe,
            maybe,
            maybe,
            st.integers(0, 3),
        ),
        max_size=12,
    )
)
def test_any_runs_give_a_table_that_fits(drawn: list[tuple[Any, ...]]) -> None:
    runs = [
        run(mode, wall, held=held, cores_used=cores, memory=memory, exit_code=code, processes=code)
        for mode, wall, held, cores, memory, code in drawn
    ]
    text = render(compare(runs))
    assert all(width(line) <= WIDTH for line in text.splitlines())
    assert "\x1b" not in text


def test_when_the_last_worker_had_started() -> None:
    def process(key: int, start_ns: int) -> Process:
        return Process(key=key, pid=10 + key, ppid=1, command="x", python=None, start_ns=start_ns)

    def lane(process: int, tid: int, start_ns: int) -> Lane:
        return Lane(key=tid, process=process, tid=tid, kind="thread", name=None, start_ns=start_ns)

    threads = [lane(1, 11, 0), lane(1, 99, 10**9), lane(1, 98, 2 * 10**9)]
    assert startup_s([process(1, 0)], threads) == 2.0
    assert startup_s([process(1, 0), process(2, 3 * 10**9)], threads) == 3.0
    assert startup_s([process(1, 0)], threads[:1]) is None
    assert startup_s([], []) is None


def test_each_run_by_itself_is_measured_against_the_first_way() -> None:
    runs = [run("threads", 4.0), run("processes", 2.0), run("threads", 6.0), run("processes", 2.5)]
    found = each_run(runs)
    assert [(one["label"], one["wall_s"], one["speedup"]) for one in found] == [
        ("threads, run 1", 4.0, 1.25),
        ("processes, run 1", 2.0, 2.5),
        ("threads, run 2", 6.0, round(5 / 6, 6)),
        ("processes, run 2", 2.5, 2.0),
    ]
    assert [one["label"] for one in each_run(runs[:2])] == ["threads", "processes"]
    assert each_run([]) == []


def test_a_screen_gets_the_figures_that_are_printed() -> None:
    runs = [run("threads", 4.0), run("processes", 2.0, output="y")]
    found = shown(runs)
    printed = " ".join(render(compare(runs)).split())
    assert found.labels == ("threads", "processes")
    assert all(f"{word} {' '.join(values)}" in printed for word, values in found.rows)
    assert all(sentence in printed for sentence in found.advice)
    assert found.advice[-1].startswith("The output differs")
    assert found.recordings == ()

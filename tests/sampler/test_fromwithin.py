"""What is said of a target's own threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilscope.launch.reports import PlaceReport
from gilscope.recording.reader import RecordingReader
from gilscope.sampler.fromwithin import thread_events
from tests.commands import gilscope
from tests.pythons import found_pythons


def place(
    number: int, created: int, started: int, text: str = "/a/script.py", kind: str = "line", pid: int = 7
) -> PlaceReport:
    return PlaceReport(pid=pid, kind=kind, text=text, number=number, created=created, started=started)


def texts(places: list[PlaceReport], counts: dict[int, tuple[int, int]]) -> list[tuple[str, str]]:
    events = thread_events(places, counts, at_ns=5, process_of={7: 1}.get)
    assert all(event.at_ns == 5 for event in events)
    assert [event.process for event in events] == [{7: 1}.get(pid) for pid in sorted(p.pid for p in places)][
        : len(events)
    ] or not events
    return [(event.kind, event.text) for event in events]


@pytest.mark.parametrize(
    ("places", "counts", "expected"),
    [
        ([place(12, 4, 0)], (4, 0), ["4 threads were created and never started: script.py:12"]),
        ([place(12, 3, 2)], (3, 2), ["1 thread was created and never started: script.py:12"]),
        ([place(12, 3, 3)], (3, 3), []),
        (
            [place(12, 2, 1), place(13, 2, 0)],
            (4, 1),
            [
                "1 thread was created and never started: script.py:12",
                "2 threads were created and never started: script.py:13",
            ],
        ),
        # Some of those that started are not known by their place: never more than there are.
        (
            [place(12, 9, 0), place(13, 2, 0)],
            (11, 8),
            ["3 threads were created and never started, of several places, such as script.py:12"],
        ),
        ([place(12, 9, 0)], (9, 9), []),
        (
            [place(0, 5, 0, "", "others")],
            (5, 0),
            ["5 threads were created and never started: in other places"],
        ),
    ],
)
def test_never_started(places: list[PlaceReport], counts: tuple[int, int], expected: list[str]) -> None:
    assert texts(places, {7: counts}) == [("never-started", text) for text in expected]


def test_executors() -> None:
    found = texts([place(8, 3, 3, "ThreadPoolExecutor-0", "executor")], {7: (3, 3)})
    assert found == [("executor", "ThreadPoolExecutor-0: at most 8 workers, 3 ever used")]
    found = texts([place(1, 1, 1, "ProcessPoolExecutor", "executor")], {7: (1, 1)})
    assert found == [("executor", "ProcessPoolExecutor: at most 1 worker, in processes of their own")]


SNIPPET = """\
import threading


def work():
    print("working")


threads = [
    threading.Thread(target=work)
    for _ in range(4)
]
print("done")
"""


@pytest.mark.parametrize("version", [version for version in ("3.8", "3.13") if version in found_pythons()])
def test_four_threads_that_are_never_started(version: str, tmp_path: Path) -> None:
    """Exactly that, with the line."""
    (tmp_path / "snippet.py").write_text(SNIPPET)
    kept = ["--json", tmp_path / "s.json", "-o", tmp_path / "r.gilscope"]
    outcome = gilscope(tmp_path, "run", "--python", found_pythons()[version], *kept, tmp_path / "snippet.py")
    assert outcome.stdout == b"done\n"
    reader = RecordingReader(outcome.recording)
    try:
        found = [event.text for event in reader.events() if event.kind == "never-started"]
    finally:
        reader.close()
    assert found == ["4 threads were created and never started: snippet.py:9"]
    assert outcome.summary["verdict"]["kind"] == "never-started"

"""Pure: what a target counted of its own threads → events: those never started, sizes of executors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gilscope.launch.reports import PlaceReport
from gilscope.model import Event

NEVER_STARTED = "never-started"
EXECUTOR = "executor"


def thread_events(
    places: Sequence[PlaceReport],
    counts: Mapping[int, tuple[int, int]],
    *,
    at_ns: int,
    process_of: Callable[[int], int | None],
) -> list[Event]:
    """What is to be said of threads at a session's end.

    Args:
        places: where threads were created, of all processes.
        counts: per pid, threads created and started: exact, while places may not know each start.
        at_ns: when the session ended.
        process_of: the key of a pid's process.
    """
    found: list[tuple[int, str, str]] = []
    for pid in sorted({place.pid for place in places}):
        own = [place for place in places if place.pid == pid]
        created, started = counts.get(pid, (0, 0))
        found += [(pid, NEVER_STARTED, text) for text in _never_started(own, max(0, created - started))]
        found += [(pid, EXECUTOR, _executor(place)) for place in own if place.kind == "executor"]
    return [
        Event(at_ns=at_ns, kind=kind, process=process_of(pid), lane=None, text=text)
        for pid, kind, text in found
    ]


def _never_started(places: Sequence[PlaceReport], total: int) -> list[str]:
    """A sentence for each place; `total` is the exact number of all of them."""
    left = [(place.created - place.started, place) for place in places if place.created > place.started]
    if not left or not total:
        return []
    if sum(count for count, _ in left) > total:
        # Of some that started it is not known where they were made.
        most = max(left, key=lambda item: item[0])[1]
        return [f"{_threads(total)} created and never started, of several places, such as {_where(most)}"]
    return [f"{_threads(count)} created and never started: {_where(place)}" for count, place in left]


def _threads(count: int) -> str:
    return "1 thread was" if count == 1 else f"{count} threads were"


def _where(place: PlaceReport) -> str:
    if place.kind == "line":
        return f"{place.text.rpartition('/')[2]}:{place.number}"
    return place.text or "in other places"


def _executor(place: PlaceReport) -> str:
    workers = "1 worker" if place.number == 1 else f"{place.number} workers"
    if "Process" in place.text or place.text == "Pool":
        return f"{place.text}: at most {workers}, in processes of their own"
    if place.text == "ThreadPool":
        return f"{place.text}: {workers}"
    return f"{place.text}: at most {workers}, {min(place.started, place.number)} ever used"

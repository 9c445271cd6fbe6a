"""Where threads are created, as the shim sees it from inside; and that it keeps no more than it may."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.launch import threadcounts
from gilscope.launch.reports import PlaceReport, parse_places
from gilscope.launch.spec import TargetSpec
from gilscope.launch.target import Target
from gilscope.launch.threadcounts import (
    PLACES_BYTES,
    PLACES_MAX,
    UNSTARTED_MAX,
    Place,
    Places,
    Tally,
)
from tests.launch.conftest import TARGETS
from tests.launch.helpers import wait_exit


def watched(python: str, name: str) -> list[PlaceReport]:
    """The places where a program of tests/targets created threads."""
    with Target.start(TargetSpec(kind="script", target=str(TARGETS / name), python=python)) as target:
        assert target.wait_ready() is not None
        target.go()
        wait_exit(target)
        return target.places()


def test_where_threads_are_created(python: str) -> None:
    places = watched(python, "launch_places.py")
    lines = {
        place.number: (place.created, place.started)
        for place in places
        if place.kind == "line" and place.text.endswith("launch_places.py")
    }
    assert lines == {24: (1, 0), 29: (4, 0), 30: (2, 1), 34: (1, 0), 36: (6000, 0)}
    pools = {place.text: (place.number, place.started) for place in places if place.kind == "executor"}
    assert pools.pop("pool;1") == (8, 1)
    assert pools["ThreadPool"][0] == 2


def frame_of_init(create: Callable[[], Any]) -> Any:
    """The frame of Thread.__init__ as the shim sees it."""
    seen = []
    original = threading._make_invoke_excepthook  # type: ignore[attr-defined]

    def spy() -> Any:
        seen.append(threadcounts.creator(sys._getframe(1)))
        return original()

    threading._make_invoke_excepthook = spy  # type: ignore[attr-defined]
    try:
        create()
    finally:
        threading._make_invoke_excepthook = original  # type: ignore[attr-defined]
    return seen[0]


def test_a_plain_thread() -> None:
    def create() -> None:
        threading.Thread()

    assert frame_of_init(create) == (1, __file__, create.__code__.co_firstlineno + 1)


class _Descriptor:
    """Stands for the file of counters."""

    def __init__(self) -> None:
        self.number = os.memfd_create("test")
        weakref.finalize(self, os.close, self.number)

    def is_ours(self) -> bool:
        return True


def test_a_million_threads_do_not_grow_what_is_kept() -> None:
    """GIVEN many threads that are made, some of which start THEN the tables stay small and the sums exact."""
    places = Places()

    class Hook:
        pass

    kept = []
    for number in range(50_000):
        hook = Hook()
        place = places.created(hook, sys._getframe())
        if number % 2:
            assert places.started(hook) is place
        elif number % 100 == 0:
            kept.append(hook)
    assert len(places.unstarted) <= UNSTARTED_MAX
    assert sum(place.figures()[0] for place in places.by_key.values()) == 50_000
    assert sum(place.figures()[1] for place in places.by_key.values()) == 25_000


def test_many_places_share_the_last_one() -> None:
    places = Places()
    for number in range(500):
        places._place(1, "/a/file.py", number).created.add()
    assert len(places.by_key) == PLACES_MAX
    assert places.by_key[3, "", 0].figures()[0] == 500 - PLACES_MAX + 1
    assert sorted(place.at for place in places.by_key.values()) == list(range(0, PLACES_BYTES, 128))


def test_threads_count_at_once() -> None:
    counters = threadcounts.ThreadCounters(_Descriptor())  # type: ignore[arg-type]
    go = threading.Event()

    def count() -> None:
        go.wait()
        for _ in range(2_000):
            hook = object()
            counters.created(hook, sys._getframe())
            counters.started(hook)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert counters._figures() == (8_000, 8_000)
    data = os.pread(counters._descriptor.number, 16, os.getpid() * 16)
    assert (int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")) == (8_000, 8_000)


def test_a_tally_without_itertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "itertools")
    tally = Tally()
    for _ in range(5):
        tally.add()
    assert tally.value() == 5


def test_counting_is_cheap() -> None:
    """A few microseconds a thread; what starting one takes is ten times that."""
    counters = threadcounts.ThreadCounters(_Descriptor())  # type: ignore[arg-type]
    best = 1.0
    for _ in range(20):
        hooks = [object() for _ in range(100)]
        began = time.perf_counter()
        for hook in hooks:
            counters.created(hook, sys._getframe())
            counters.started(hook)
        best = min(best, (time.perf_counter() - began) / 100)
    assert best < 100e-6


@given(st.binary(max_size=PLACES_BYTES))
def test_whatever_stands_there(page: bytes) -> None:
    """User code may write into the file too."""
    for place in parse_places(1, page):
        assert place.kind in ("line", "executor", "others")
        assert place.created > 0


def test_a_long_name_keeps_its_end() -> None:
    place = Place(0, 1, "/long" * 100 + "/ümlaut.py", 2**40)
    (report,) = parse_places(9, place.record((3, 1)))
    assert report.text.endswith("long/ümlaut.py")
    assert (report.created, report.started, report.number) == (3, 1, 2**32 - 1)

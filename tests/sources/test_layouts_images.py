"""3.13 – 3.15, default and free-threaded, read from images of their memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from gilscope.sources.gil import Sample
from gilscope.sources.interpreter import Attachment, InterpreterReader
from gilscope.sources.libc import waiters_offset
from gilscope.sources.memory import NotReadableError, ReadFailedError
from tests.layouts.image import ATTACHMENT, INT_MAX, OFFSETS, RUNTIME, Image
from tests.pythons import found_pythons
from tests.watched import watched

TID = threading.get_native_id()
VERSIONS = list(OFFSETS)
each_build = pytest.mark.parametrize("free_threaded", [False, True], ids=["default", "free-threaded"])


@pytest.fixture(params=VERSIONS, ids=lambda version: f"{version[0]}.{version[1]}")
def image(request: pytest.FixtureRequest, free_threaded: bool) -> Iterator[Image]:
    made = Image(request.param, free_threaded)
    yield made
    made.memory.close()


@pytest.fixture
def free_threaded() -> bool:
    return False


@each_build
def test_one_interpreter(image: Image) -> None:
    main = image.add_interpreter()
    first, second = image.add_thread(main, TID), image.add_thread(main, TID + 1)
    gil = image.gil_of(main)
    reader = image.reader()
    assert reader.layout.version == image.version
    assert reader.layout.free_threaded == image.free_threaded
    assert reader.layout.thread_attachment == ATTACHMENT[image.version]
    reader.prove()
    (probe,) = reader.probes()
    assert (probe.kind, probe.interpreter, probe.address) == ("shared", 0, gil)
    assert probe.enabled == (INT_MAX if image.free_threaded else None)
    assert probe.switch_interval_us() == 5000
    assert probe.cond_span == (gil + 32 + image.shift, gil + 208 + image.shift)
    assert probe.sample() == Sample(0, 0, 0)
    image.set_gil(gil, holder=first, locked=1, switches=1, waiters=1)
    assert probe.sample() == Sample(TID, 1, 1)
    assert probe.sample() is probe.sample()
    image.set_gil(gil, holder=second, locked=1, switches=2)
    assert probe.sample() == Sample(TID + 1, 2, 0)
    image.set_gil(gil, holder=second, locked=0, switches=2)
    assert probe.sample() == Sample(0, 2, 0)
    image.set_gil(gil, holder=second, locked=-1, switches=2)
    assert probe.sample() == Sample(0, 2, 0)
    assert reader.walks == 1


@each_build
def test_a_thread_that_came_later_is_found_by_another_walk(image: Image) -> None:
    main = image.add_interpreter()
    image.add_thread(main, TID)
    reader = image.reader()
    (probe,) = reader.probes()
    image.set_gil(image.gil_of(main), holder=0x123450, locked=1, switches=1)
    assert probe.sample().tid == -1
    later = image.add_thread(main, TID + 7)
    image.set_gil(image.gil_of(main), holder=later, locked=1, switches=2)
    assert probe.sample().tid == TID + 7


@each_build
def test_each_interpreter_with_a_gil_of_its_own_has_a_probe(image: Image) -> None:
    main = image.add_interpreter()
    legacy = image.add_interpreter(gil=image.gil_of(main))
    own = image.add_interpreter()
    states = [image.add_thread(interpreter, TID + n) for n, interpreter in enumerate((main, legacy, own))]
    reader = image.reader()
    reader.prove()
    shared, other = reader.probes()
    assert [(shared.kind, shared.interpreter), (other.kind, other.interpreter)] == [("shared", 0), ("own", 2)]
    assert [reader.tid_of(state) for state in states] == [TID, TID + 1, TID + 2]
    image.set_gil(image.gil_of(main), holder=states[1], locked=1, switches=5)
    image.set_gil(image.gil_of(own), holder=states[2], locked=1, switches=9, waiters=3)
    assert shared.sample() == Sample(TID + 1, 5, 0)
    assert other.sample() == Sample(TID + 2, 9, 3)


@pytest.mark.parametrize("free_threaded", [True])
def test_a_disabled_gil_is_nobodys(image: Image) -> None:
    main = image.add_interpreter(enabled=0)
    state = image.add_thread(main, TID)
    gil = image.gil_of(main)
    reader = image.reader()
    reader.prove()
    (probe,) = reader.probes()
    assert (probe.kind, probe.enabled) == ("disabled", 0)
    image.set_gil(gil, holder=state, locked=1, switches=1, waiters=2, enabled=0)
    assert probe.sample() == Sample(0, 1, 0)
    # An extension module that needs one turned it on; another for the moment of its import.
    for enabled in (INT_MAX, 1, 2):
        image.set_gil(gil, holder=state, locked=1, switches=1, waiters=2, enabled=enabled)
        assert probe.sample() == Sample(TID, 1, 2)
        assert (probe.kind, probe.enabled) == ("shared", enabled)
    image.set_gil(gil, holder=state, locked=0, switches=1, enabled=0)
    assert probe.sample() == Sample(0, 1, 0)
    assert (probe.kind, probe.enabled) == ("disabled", 0)
    reader.counts_waiters = False
    image.set_gil(gil, switches=3, enabled=0)
    assert probe.sample() == Sample(0, 3, 0)
    image.set_gil(gil, switches=4, enabled=1)
    assert probe.sample() == Sample(0, 4, -1)


@each_build
def test_who_is_attached(image: Image) -> None:
    main = image.add_interpreter(enabled=0)
    other = image.add_interpreter(enabled=0)
    for number, attachment in enumerate(Attachment):
        image.add_thread(main, TID + number, attachment)
    reader = image.reader()
    reader.prove()
    assert reader.attached_threads() == {TID + number: state for number, state in enumerate(Attachment)}
    image.add_thread(other, TID, Attachment.ATTACHED)
    image.add_thread(other, TID + 1, Attachment.DETACHED)
    image.add_thread(other, TID + 2, Attachment.DETACHED)
    image.add_thread(other, TID + 9, 4)
    unbound = image.add_thread(other, 0, Attachment.ATTACHED)
    found = reader.attached_threads()
    assert found == {
        TID: Attachment.ATTACHED,
        TID + 1: Attachment.ATTACHED,
        TID + 2: Attachment.SUSPENDED,
        TID + 3: Attachment.SHUTTING_DOWN,
    }
    image.memory.put(unbound + 16, 0x77)  # freed meanwhile: what follows it is not followed
    assert reader.attached_threads() == {TID + number: state for number, state in enumerate(Attachment)}


@pytest.mark.parametrize("version", [version for version in found_pythons() if version == "3.13"])
def test_attached_threads_of_a_live_process(version: str) -> None:
    """With a GIL only its holder is attached."""
    with watched("cpu_threads.py", 2, python=found_pythons()[version]) as target:
        reader = InterpreterReader.open(target.pid)
        seen: set[int] = set()
        for _ in range(5_000):
            attached = reader.attached_threads()
            assert set(attached) <= {target.pid, *target.tids}
            seen |= {tid for tid, state in attached.items() if state is Attachment.ATTACHED}
            if seen >= set(target.tids):
                break
        assert seen >= set(target.tids)
        assert reader.probes()[0].enabled is None
        reader.close()


def test_older_versions_do_not_tell_who_is_attached() -> None:
    version, python = next(iter(found_pythons().items()))
    with watched("sleepers.py", 1, 60, python=python) as target:
        reader = InterpreterReader.open(target.pid)
        assert bool(reader.attached_threads()) == (version == "3.13")
        reader.close()


def _broken(image: Image, what: str) -> None:
    main, gil, at = image.interpreters[0], image.gil_of(image.interpreters[0]), image.offsets
    thread = image.threads[main][0]
    put, put_int = image.memory.put, image.memory.put_int
    {
        "no interpreter yet": lambda: put(RUNTIME + at["interpreters_head"], 0),
        "in no list": lambda: put(RUNTIME + at["interpreters_head"] + 8, main + 8),
        "point back": lambda: put(thread + at["thread_interp"], main + 8),
        "names a living thread": lambda: put(thread + at["native_thread_id"], 2**22 + 5),
        "neither attached": lambda: put_int(thread + ATTACHMENT[image.version], 4),
        "has a GIL": lambda: put(main + at["ceval_gil"], 0),
        "number is out of range": lambda: put(main + at["interp_id"], -1),
        "is not the first": lambda: put(main + at["interp_id"], 3),
        "switch interval": lambda: put(gil + image.shift, 0x7F0000000000),
        "lock word": lambda: put_int(gil + image.shift + 16, 2),
        "last holder": lambda: put(gil + image.shift + 8, 0x1001),
        "whether there is a GIL": lambda: put_int(gil, -1),
        "address": lambda: put(main + at["threads_head"], image.memory.end + 64),
    }[what]()


@pytest.mark.parametrize("free_threaded", [True])
@pytest.mark.parametrize(
    "what",
    [
        "no interpreter yet", "in no list", "point back", "names a living thread", "neither attached",
        "has a GIL", "number is out of range", "is not the first", "switch interval", "lock word",
        "last holder", "whether there is a GIL", "address",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(image: Image, what: str) -> None:
    main = image.add_interpreter()
    image.add_thread(main, TID)
    image.reader().prove()
    _broken(image, what)
    with pytest.raises(ReadFailedError, match=what) as caught:
        image.reader().prove()
    assert isinstance(caught.value, NotReadableError) == (what != "address")


@pytest.mark.parametrize("interval_us", [0, 1, 10**9, 86_400_000_000])
def test_programs_set_odd_switch_intervals(image: Image, interval_us: int) -> None:
    main = image.add_interpreter()
    state = image.add_thread(main, TID)
    image.set_gil(image.gil_of(main), holder=state, locked=0, switches=1)
    image.memory.put(image.gil_of(main), interval_us)
    reader = image.reader()
    reader.prove()
    assert reader.probes()[0].switch_interval_us() == interval_us


@pytest.mark.parametrize(("at", "other", "is_2_41"), [(36, 28, False), (28, 36, True)])
def test_where_glibc_counts_waiters(at: int, other: int, is_2_41: bool) -> None:
    """The word with the flag of the monotonic clock; by the version only where both look like it."""
    image = Image((3, 14), waiters_in_cond=at)
    gil = image.gil_of(image.add_interpreter())
    cond = gil + 32
    for waiters in (0, 1, 5, 100):
        image.set_gil(gil, waiters=waiters)
        for value in (0, 1, 4, -2, 2**31 - 1):
            image.memory.put_int(cond + other, value)
            if value & 7 != 2:
                assert waiters_offset(image.memory, cond, lambda: pytest.fail("no need to ask")) == at
        image.memory.put_int(cond + other, 2)
        assert waiters_offset(image.memory, cond, lambda: is_2_41) == at
    image.memory.write(cond, bytes(48))  # no glibc at all
    assert waiters_offset(image.memory, cond, lambda: is_2_41) is None
    image.memory.close()
    with pytest.raises(ReadFailedError):
        waiters_offset(image.memory, cond, lambda: is_2_41)


def test_a_torn_change_is_read_again(image: Image) -> None:
    main = image.add_interpreter()
    first, second = image.add_thread(main, TID), image.add_thread(main, TID + 1)
    (probe,) = image.reader().probes()
    image.set_gil(image.gil_of(main), holder=first, locked=1, switches=1)
    assert probe.sample().tid == TID
    image.set_gil(image.gil_of(main), holder=second, locked=1, switches=1)
    assert probe.sample().tid == TID + 1  # it stays so: believed in the end
    assert probe.torn == 0
    assert os.getpid() == image.memory.pid

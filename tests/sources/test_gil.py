"""Who holds the GIL, read from live processes of every Python found."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gilscope.sources import layouts
from gilscope.sources.gil import GilProbe, Sample
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.layouts import fields_at
from gilscope.sources.memory import NotReadableError, ReadFailedError
from tests.pythons import found_pythons
from tests.watched import asleep, on_free_cores, wait_for, watched

PYTHONS = found_pythons()
TABLED = {
    version: layouts.from_table((int(version[0]), int(version[2:])))
    for version in PYTHONS
    if layouts.from_table((int(version[0]), int(version[2:]))) is not None
}
each_python = pytest.mark.parametrize("version", list(PYTHONS))


@contextmanager
def probing(pid: int) -> Iterator[tuple[InterpreterReader, GilProbe]]:
    reader = InterpreterReader.open(pid)
    try:
        yield reader, reader.probes()[0]
    finally:
        reader.close()


class Seen:
    """Samples of a GIL over some time, added up: the only sum here is of the time since the last one."""

    def __init__(self, probe: GilProbe) -> None:
        self.probe = probe
        self.ns_by_tid: Counter[int] = Counter()
        self.waiters: Counter[int] = Counter()
        self.switches: list[int] = []

    def sample_for(self, seconds: float) -> None:
        before = time.monotonic_ns()
        end = before + int(seconds * 1e9)
        while before < end:
            time.sleep(random.random() * 0.002)
            sample = self.probe.sample()
            now = time.monotonic_ns()
            self.ns_by_tid[sample.tid] += now - before
            self.waiters[sample.waiters] += 1
            self.switches.append(sample.switch_number)
            before = now

    def share(self, tid: int) -> float:
        return self.ns_by_tid[tid] / sum(self.ns_by_tid.values())


@each_python
def test_four_threads_share_one_gil(version: str) -> None:
    with (
        watched("cpu_threads.py", 4, python=PYTHONS[version]) as target,
        probing(target.pid) as (reader, probe),
    ):
        assert reader.layout.version == (3, int(version[2:]))
        assert [found.kind for found in reader.probes()] == ["shared"]
        assert probe.interpreter == 0
        assert probe.switch_interval_us() == 5000

        seen = Seen(probe)  # a busy machine favours some for a while; in the long run none

        def sampled() -> Seen:
            seen.sample_for(1.5)
            assert {tid for tid in seen.ns_by_tid if seen.share(tid) > 0.02} - {0} <= set(target.tids)
            assert max(seen.waiters) <= 3
            assert seen.switches == sorted(seen.switches)
            return seen

        def shared(seen: Seen) -> None:
            # Free only as long as a thread that was woken takes to run.
            assert seen.share(0) < 0.25
            assert [seen.share(tid) for tid in target.tids] == pytest.approx([0.25] * 4, abs=0.08)
            assert max(seen.waiters) == 3
            assert seen.waiters[3] + seen.waiters[2] > 0.7 * seen.waiters.total()
            assert seen.switches[-1] - seen.switches[0] > 30

        on_free_cores(sampled, shared, times=5)


@each_python
def test_a_gil_that_nobody_wants_is_never_held(version: str) -> None:
    with watched("sleepers.py", 3, 600, python=PYTHONS[version]) as target, probing(target.pid) as (_, probe):

        def settled() -> bool:
            before = probe.sample()
            return before.tid == 0 and asleep(target.pid) and probe.sample() == before

        wait_for(settled, "held by a sleeper")  # it may still come back from printing READY
        first = probe.sample()
        seen = Seen(probe)
        seen.sample_for(0.3)
        assert first == Sample(0, first.switch_number, 0)
        assert set(seen.ns_by_tid) == {0}
        assert set(seen.waiters) == {0}
        assert set(seen.switches) == {first.switch_number}


@each_python
def test_one_busy_thread_holds_it_all_the_time(version: str) -> None:
    with watched("cpu_threads.py", 1, python=PYTHONS[version]) as target, probing(target.pid) as (_, probe):
        (tid,) = target.tids
        # The main thread takes it once more, to wait for the end.
        wait_for(lambda: probe.sample().tid == tid and asleep(target.pid, tid), "the thread does not begin")
        seen = Seen(probe)
        seen.sample_for(0.5)
        assert seen.share(target.tids[0]) > 0.95
        assert len(set(seen.switches)) < 5


@each_python
def test_a_process_that_ended_is_no_free_gil(version: str) -> None:
    with (
        watched("cpu_threads.py", 2, python=PYTHONS[version]) as target,
        probing(target.pid) as (reader, probe),
    ):
        assert probe.sample()
        target.kill()
        for read in (probe.sample, probe.switch_interval_us, reader.prove):
            with pytest.raises(ReadFailedError, match=str(target.pid)):
                read()
        with pytest.raises(ReadFailedError):
            InterpreterReader.open(target.pid)


def test_a_program_that_is_no_python() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        wait_for(lambda: b"sleep" in Path(f"/proc/{process.pid}/cmdline").read_bytes(), "no exec")
        with pytest.raises(NotReadableError, match="no CPython") as caught:
            InterpreterReader.open(process.pid)
        assert caught.value.no_python
        process.kill()


@each_python
def test_exec_ends_what_was_read(version: str) -> None:
    other = next((path for known, path in PYTHONS.items() if known != version), None)
    with watched("obey.py", python=PYTHONS[version]) as target, probing(target.pid) as (_, probe):
        assert probe.sample()
        target.write("exec /bin/sleep 60")
        # In the middle of it the command line is empty, and the old memory not yet given up.
        wait_for(lambda: b"sleep" in Path(f"/proc/{target.pid}/cmdline").read_bytes(), "no exec")
        with pytest.raises(ReadFailedError):
            probe.sample()
        with pytest.raises(NotReadableError) as caught:
            InterpreterReader.open(target.pid)
        assert caught.value.no_python
    if other is None:
        return
    with watched("obey.py", python=PYTHONS[version]) as target, probing(target.pid) as (first, _):
        target.write(f"exec {other} -c print('again',flush=True);__import__('time').sleep(60)")
        assert target.line() == ["again"]
        with probing(target.pid) as (second, probe):
            assert second.layout.version != first.layout.version
            assert probe.switch_interval_us() == 5000


@pytest.mark.parametrize("version", list(TABLED))
def test_a_layout_that_does_not_fit_is_refused(version: str) -> None:
    with watched("cpu_threads.py", 2, python=PYTHONS[version]) as target:
        tried = 0
        for claimed in layouts.TABLE_VERSIONS:
            same = TABLED[version]
            wrong = layouts.from_table(claimed)
            assert same is not None
            assert wrong is not None
            if (wrong.gil_in_runtime, wrong.threads_head, wrong.gil_pointer) == (
                same.gil_in_runtime,
                same.threads_head,
                same.gil_pointer,
            ):
                InterpreterReader.open(target.pid, claimed).close()
                continue
            tried += 1
            with pytest.raises(NotReadableError, match=rf"3\.{claimed[1]}: "):
                InterpreterReader.open(target.pid, claimed)
        assert tried >= 3
        with pytest.raises(NotReadableError, match="not known") as caught:
            InterpreterReader.open(target.pid, (3, 7))
        assert not caught.value.no_python


@pytest.mark.skipif(not {"3.12", "3.13"} & set(PYTHONS), reason="own GILs came with 3.12")
@pytest.mark.parametrize("version", [known for known in PYTHONS if known in {"3.12", "3.13"}])
def test_an_interpreter_with_its_own_gil(version: str) -> None:
    with (
        watched("interpreters.py", python=PYTHONS[version]) as target,
        probing(target.pid) as (reader, shared),
    ):
        wait_for(lambda: len(reader.probes()) == 2, "one GIL only")
        _, own = reader.probes()
        assert (shared.kind, own.kind) == ("shared", "own")
        assert own.interpreter > 0
        assert own.address != shared.address
        wait_for(lambda: own.sample().tid != 0, "the thread does not begin")
        seen, main = Seen(own), Seen(shared)
        seen.sample_for(0.3)
        main.sample_for(0.2)
        assert seen.share(0) < 0.1
        assert main.share(0) > 0.9
        if version == "3.13":  # 3.12 keeps the id of the thread that made the interpreter
            assert seen.share(target.tids[0]) > 0.9


def test_a_holder_in_no_list_is_told_as_such() -> None:
    with watched("cpu_threads.py", 1) as target, probing(target.pid) as (reader, probe):
        wait_for(lambda: probe.sample().tid == target.tids[0], "the thread does not begin")
        assert reader.tid_of(0x1234) == -1
        walks = reader.walks
        assert reader.tid_of(next(reader.thread_states(next(reader.interpreters())))) > 0
        assert reader.walks == walks


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([(0, "Q")], (0x0706050403020100,)),
        ([(2, "B")], (2,)),
        ([(0, "B"), (8, "i"), (12, "H")], (0, 0x0B0A0908, 0x0D0C)),
    ],
)
def test_a_struct_that_skips(fields: list[tuple[int, str]], expected: tuple[int, ...]) -> None:
    made = fields_at(fields)
    assert made.unpack(bytes(range(made.size))) == expected

"""Values to record: strategies, and a session of random shape."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from gilscope.model import (
    NS_PER_S,
    CoreTick,
    Event,
    Frame,
    Gap,
    Gil,
    GilTick,
    Hold,
    Lane,
    LaneTick,
    Output,
    Process,
    ProcessTick,
    Session,
    StackSample,
    Tick,
)

T = TypeVar("T")

SESSION = Session(
    command="fib.py 30", mode="asis", workers=None, python="3.11.7", implementation="CPython",
    executable="/usr/bin/python3", pid=77, started="2026-01-02T03:04:05.000+00:00",
    platform="Linux 6 x86_64", cores=4, cores_usable=2, rate_hz=1000.0, tick_ns=50_000_000,
    stall_ns=100_000_000, gilscope_version="0.1.0",
)  # fmt: skip

GIL = Gil(key=1, process=1, interpreter=0, kind="shared", switch_interval_us=5000)

texts = st.text(max_size=30)
"""Without lone surrogates; those are replaced on the way in."""
ns = st.integers(0, 2**61)
small = st.integers(0, 2**40)
keys = st.integers(1, 5)
maybe_text, maybe_ns = st.none() | texts, st.none() | ns

processes = st.builds(
    Process, key=keys, pid=keys, ppid=keys, command=texts, python=maybe_text, start_ns=ns, end_ns=maybe_ns,
    exit_code=st.none() | st.integers(0, 255), name=maybe_text,
)  # fmt: skip
lanes = st.builds(
    Lane, key=keys, process=keys, tid=keys, kind=st.sampled_from(["thread", "process"]), name=maybe_text,
    start_ns=ns, end_ns=maybe_ns, cpu_ns=ns,
)  # fmt: skip
gils = st.builds(
    Gil, key=keys, process=keys, interpreter=ns, kind=st.sampled_from(["shared", "own", "disabled"]),
    switch_interval_us=maybe_ns, source=st.sampled_from(["probe", "py-spy"]),
)  # fmt: skip
process_ticks = st.builds(
    ProcessTick, process=keys, at_ns=ns, cpu_ns=ns, rss_bytes=ns, pss_bytes=maybe_ns, uss_bytes=maybe_ns,
    threads=keys,
)  # fmt: skip
events = st.builds(Event, at_ns=ns, kind=texts, process=st.none() | keys, lane=st.none() | keys, text=texts)
outputs = st.builds(Output, at_ns=ns, data=st.binary(max_size=50))
frames = st.builds(Frame, function=texts, file=texts, line=st.integers(0, 9))
stacks = st.builds(
    StackSample, lane=keys, start_ns=ns, end_ns=st.just(2**62), count=keys,
    frames=st.lists(frames, min_size=1, max_size=6).map(tuple),
)  # fmt: skip


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    start = draw(st.integers(0, 2**61))
    pid = draw(st.none() | keys)
    return Gap(
        source=draw(texts),
        pid=pid,
        reason=draw(texts),
        start_ns=start,
        end_ns=start + draw(st.integers(1, 2**60)),
    )


gil_ticks = st.builds(
    GilTick, gil=keys, samples=small, locked_samples=small, watched_ns=small, held_ns=small,
    contended_ns=small, waiter_ns=small, waiters_max=keys, handoffs=small, handoffs_seen=small,
    longest_hold_ns=small, holder=st.none() | keys,
)  # fmt: skip
lane_ticks = st.builds(
    LaneTick, lane=keys, states=st.tuples(*[small] * 7), held_ns=small, core=st.none() | keys
)
core_ticks = st.builds(
    CoreTick, core=keys, busy_share=st.floats(0, 1), lane=st.none() | keys, target_share=st.floats(0, 1)
)


@st.composite
def tick_runs(draw: st.DrawFn, *, longest_ns: int = 3 * NS_PER_S) -> list[Tick]:
    """Ticks one after the other; some end exactly on a second, some last longer than one.

    What is in them is drawn first and then dealt out: to draw each row of each tick takes ten times as long.
    """
    gils = st.sampled_from(draw(_hands(_few(gil_ticks, "gil"))))
    lanes = st.sampled_from(draw(_hands(_few(lane_ticks, "lane"))))
    cores = st.sampled_from(draw(_hands(_few(core_ticks, "core"))))
    steps = st.sampled_from([50_000_000, 250_000_000, NS_PER_S // 2, NS_PER_S]) | st.integers(1, longest_ns)
    at_ns = draw(st.sampled_from([0, 0, 7, 59 * NS_PER_S]))
    ticks = []
    for index in range(draw(st.integers(0, 60))):
        end_ns = at_ns + draw(steps)
        if draw(st.integers(0, 9)) == 0:
            end_ns += -end_ns % NS_PER_S
        ticks.append(
            Tick(
                index=index,
                start_ns=at_ns,
                end_ns=end_ns,
                gils=draw(gils),
                lanes=draw(lanes),
                cores=draw(cores),
            )
        )
        at_ns = end_ns
    return ticks


def _hands(values: st.SearchStrategy[T]) -> st.SearchStrategy[list[T]]:
    return st.lists(values, min_size=1, max_size=8)


def _few(values: st.SearchStrategy[T], key: str) -> st.SearchStrategy[tuple[T, ...]]:
    def ordered(found: list[T]) -> tuple[T, ...]:
        return tuple(sorted(found, key=lambda value: int(getattr(value, key))))

    return st.lists(values, max_size=2, unique_by=lambda value: getattr(value, key)).map(ordered)


def plain_ticks(count: int, *, tick_ns: int = 50_000_000) -> list[Tick]:
    """Ticks of a session with one GIL and two lanes."""
    return [
        Tick(
            index=index,
            start_ns=index * tick_ns,
            end_ns=(index + 1) * tick_ns,
            gils=(
                GilTick(
                    gil=1, samples=50, locked_samples=49, watched_ns=tick_ns, held_ns=tick_ns - index,
                    contended_ns=7, waiter_ns=9, waiters_max=2, handoffs=3, handoffs_seen=2,
                    longest_hold_ns=index, holder=1,
                ),
            ),
            lanes=(
                LaneTick(lane=1, states=(tick_ns - 9, 1, 2, 3, 1, 1, 1), held_ns=tick_ns - 8, core=0),
                LaneTick(lane=2, states=(0, 0, tick_ns, 0, 0, 0, 0), held_ns=0, core=None),
            ),
            cores=(CoreTick(core=0, busy_share=0.5, lane=1, target_share=0.25),),
        )
        for index in range(count)
    ]  # fmt: skip


def plain_holds(tick: Tick) -> list[Hold]:
    """One hold a tick, that ends a little before the tick does."""
    return [Hold(gil=1, lane=1, start_ns=tick.start_ns + 1000, end_ns=tick.end_ns - 1000)]

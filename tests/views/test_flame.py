"""The flame of functions: blocks and moves as tables and properties, the screen in a terminal of tests."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from gilscope.model import Flame, Flames, Frame
from gilscope.recording.reader import RecordingReader
from gilscope.views.app import GilscopeApp
from gilscope.views.render.flame import block_at, blocks, moved, node_at, render_details, render_flame
from gilscope.views.render.palette import Palette
from gilscope.views.screens.functions import NO_WAITING, FunctionsScreen
from tests.views.conftest import ready, replay, wait
from tests.views.test_render import FORBIDDEN, HOSTILE

PALETTE = Palette(Style(color="#ffffff", bgcolor="#000000"))


def node(name: str, own: int, *children: Flame, samples: int = 1) -> Flame:
    return Flame(
        frame=Frame(function=name, file="/a/b.py", line=7),
        time_ns=own + sum(child.time_ns for child in children),
        own_ns=own,
        samples=samples,
        children=tuple(sorted(children, key=lambda child: -child.time_ns)),
    )


TREE = node("", 0, node("main", 10, node("f", 60, node("g", 10)), node("h", 20)), samples=9)


def drawn(width: int = 50, height: int = 5, tree: Flame = TREE, top: tuple[int, ...] = ()) -> list[str]:
    rows = blocks(tree, width, height, top)
    return [strip.text for strip in render_flame(rows, (), width, height, PALETTE, whole_ns=tree.time_ns)]


def test_a_flame() -> None:
    assert drawn() == [
        "▏all                                              ",
        "▏main 100 %                                       ",
        "▏f 70 %                            ▏h 20 %        ",
        "▏g 1…                                             ",
        "                                                  ",
    ]


def test_zoomed_in() -> None:
    assert drawn(top=(0, 0))[:2] == [
        "▏f 70 %                                           ",
        "▏g 10 %                                           "[:7].ljust(50),
    ]


def test_moves() -> None:
    rows = blocks(TREE, 50, 5)
    assert moved(rows, (), "down") == (0,)
    assert moved(rows, (0,), "down") == (0, 0)
    assert moved(rows, (0, 0), "right") == (0, 1)
    assert moved(rows, (0, 1), "right") == (0, 1)
    assert moved(rows, (0, 1), "down") == (0, 1)
    assert moved(rows, (0, 1), "up") == (0,)
    assert moved(rows, (), "up") == ()
    assert moved(rows, (9, 9), "down") == ()
    assert (block_at(rows, 36, 2), block_at(rows, 49, 2), block_at(rows, 3, 9)) == ((0, 1), None, None)
    assert node_at(TREE, (0, 0, 0)) == node("g", 10)
    assert node_at(TREE, (5,)) is None


def test_details() -> None:
    first, second = (strip.text.rstrip() for strip in render_details(TREE, (0, 0), 70, PALETTE))
    assert first == "f  /a/b.py:7"
    assert second == "70.0 % of the held time, itself 60.0 %; in 1 of 9 stacks"


trees = st.recursive(
    st.builds(node, st.sampled_from(["f", "ü", "名前", HOSTILE]), st.integers(0, 10**9)),
    lambda inner: st.builds(
        lambda name, own, children: node(name, own, *children),
        st.sampled_from(["f", HOSTILE]), st.integers(0, 10**9), st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)  # fmt: skip


@given(trees, st.integers(0, 90), st.integers(0, 12))
def test_every_size_and_every_tree(tree: Flame, width: int, height: int) -> None:
    rows = blocks(tree, width, height)
    for row in rows:
        assert all(0 <= block.start < block.end <= width for block in row)
        assert all(before.end <= after.start for before, after in pairwise(row))
    strips = render_flame(rows, (), width, height, PALETTE, whole_ns=tree.time_ns)
    assert [strip.cell_length for strip in strips] == [width] * height
    assert not any(FORBIDDEN.search(strip.text) for strip in strips)


FLAMES = Flames(whole=TREE, threads=(("web [1]", node("", 0, node("main", 5))), ("other", node("", 3))))


async def opened(app: GilscopeApp, pilot: object) -> FunctionsScreen:
    await ready(pilot, app)  # type: ignore[arg-type]
    await pilot.press("8")  # type: ignore[attr-defined]
    await wait(pilot, lambda: isinstance(app.screen, FunctionsScreen) and app.screen.flame is not None)  # type: ignore[arg-type]
    screen = app.screen
    assert isinstance(screen, FunctionsScreen)
    return screen


def lines(screen: FunctionsScreen) -> list[str]:
    return [strip.text.rstrip() for strip in screen.panel._strips]


async def test_the_screen(finished: Path) -> None:
    app = replay(finished)
    asked: list[int] = []

    def flames_of(_reader: RecordingReader, end_ns: int) -> Flames:
        asked.append(end_ns)
        return FLAMES

    app.flames_of = flames_of
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        assert asked
        await wait(pilot, lambda: "▏all" in lines(screen)[:1])
        await pilot.press("down", "down", "enter")
        await wait(pilot, lambda: lines(screen)[0] == "▏f 70 %")
        assert "f  /a/b.py:7" in screen.details._strips[0].text
        await pilot.press("backspace", "backspace")
        await wait(pilot, lambda: lines(screen)[0] == "▏all")
        await pilot.press("tab")
        await wait(pilot, lambda: "web (1)" in str(screen.panel.border_title))
        assert lines(screen)[1] == "▏main 100 %"
        await pilot.press("shift+tab")
        await wait(pilot, lambda: "all threads" in str(screen.panel.border_title))
        await pilot.click("#flame", offset=(4, 2))
        await wait(pilot, lambda: "main  /a/b.py:7" in screen.details._strips[0].text)
        await pilot.press("escape")
        await wait(pilot, lambda: app.screen is app.dashboard)


async def test_held_or_waiting(finished: Path) -> None:
    """GIVEN a thread is shown WHEN waiting time is asked for THEN it is that thread's, where it has any."""
    app = replay(finished)
    waiting = Flames(whole=node("", 0, node("lock", 4)), threads=(("other", node("", 0, node("get", 4))),))
    app.flames_of = lambda _reader, _end: dataclasses.replace(FLAMES, waiting=waiting)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("w", "down")
        await wait(pilot, lambda: lines(screen)[:2] == ["▏all", "▏lock 100 %"])
        assert str(screen.panel.border_title) == "Functions that wait for the GIL: all threads"
        assert "100.0 % of the waiting time" in screen.details._strips[1].text
        await pilot.press("w", "tab", "tab")
        await wait(pilot, lambda: "hold the GIL: other" in str(screen.panel.border_title))
        await pilot.press("w")
        await wait(pilot, lambda: "wait for the GIL: other" in str(screen.panel.border_title))
        assert lines(screen)[1] == "▏get 100 %"
        await pilot.press("w", "shift+tab", "w")
        await wait(pilot, lambda: "wait for the GIL: all threads" in str(screen.panel.border_title))


async def test_nobody_was_caught_waiting(finished: Path) -> None:
    app = replay(finished)
    app.flames_of = lambda _reader, _end: FLAMES
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("w")
        await wait(pilot, lambda: any(note.message == NO_WAITING for note in app._notifications))
        assert "hold the GIL" in str(screen.panel.border_title)


async def test_nothing_to_show(finished: Path) -> None:
    app = replay(finished)
    empty = Flame(frame=Frame(function="", file="", line=0), time_ns=0, own_ns=0, samples=0)
    app.flames_of = lambda _reader, _end: Flames(whole=empty, threads=())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        await wait(pilot, lambda: lines(screen)[0].startswith("No stacks yet"))
        await pilot.press("down", "enter", "tab", "backspace", "8")
        await wait(pilot, lambda: app.screen is app.dashboard)


@pytest.mark.parametrize("size", [(60, 20), (200, 60)])
async def test_from_a_recording(finished: Path, size: tuple[int, int]) -> None:
    """What the command gives the app: the same functions as in the summary."""
    from gilscope.cli.common import flames_of
    from gilscope.exports.read import summary_of

    app = replay(finished)
    app.flames_of = flames_of
    reader = RecordingReader(finished)
    try:
        rows = summary_of(reader)["functions"]
        tree = flames_of(reader, reader.head_ns())
    finally:
        reader.close()
    assert tree.whole.time_ns > 0
    top = max(rows, key=lambda row: row["total_share"])
    assert tree.whole.children[0].time_ns <= top["total_share"] * tree.whole.time_ns * 1.001 + 1
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("f")
        await wait(pilot, lambda: bool(screen.panel._strips))

"""The flame in the report: as wide as the shares are, a picture without JavaScript, and safe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.exports.html.flame import LEAST_WIDTH, MOST_ROWS, WIDTH, drawn, picture
from gilscope.exports.read import flames_of
from gilscope.model import Flame, Flames, Frame
from gilscope.recording.reader import RecordingReader
from tests.exports.samples import QUOTES, SCRIPT_TAG


def node(name: str, own: int, *children: Flame, samples: int = 1) -> Flame:
    return Flame(
        frame=Frame(function=name, file="/a/b.py", line=7),
        time_ns=own + sum(child.time_ns for child in children),
        own_ns=own,
        samples=samples,
        children=children,
    )


def boxes(svg: str) -> list[tuple[float, float, float, str, str]]:
    """Row's y, x, width, tip and label of each box, as a reader of XML has them."""
    found = []
    for group in ET.fromstring(svg).iter("g"):
        rect, title, text = group.find("rect"), group.find("title"), group.find("text")
        assert rect is not None
        assert title is not None
        y, x, width = (float(rect.attrib[name]) for name in ("y", "x", "width"))
        found.append((y, x, width, title.text or "", "" if text is None else text.text or ""))
    return found


TREE = node(
    "", 0, node("f", 200, node("g", 500, samples=5), samples=7), node("h", 300, samples=3), samples=10
)


def test_as_wide_as_the_shares() -> None:
    found: dict[str, tuple[Any, Any, Any]] = {
        tip.split("\n")[0]: (y, x, width) for y, x, width, tip, _ in boxes(picture(TREE, "held"))
    }
    ys = {y for y, _, _ in found.values()}
    assert len(ys) == 3
    share = WIDTH / 1000
    assert found["f"][2] == pytest.approx(700 * share, abs=1.1)
    assert found["g"] == (max(ys), 0, pytest.approx(500 * share, abs=1.1))
    assert found["h"][1:] == (pytest.approx(700 * share, abs=0.1), pytest.approx(300 * share, abs=1.1))
    tips = [tip for _, _, _, tip, _ in boxes(picture(TREE, "waiting"))]
    assert "f\n/a/b.py:7\n70.0 % of the waiting time, itself 20.0 %; in 7 stacks" in tips


def test_of_all_threads_and_of_each() -> None:
    waiting = Flames(whole=node("", 9), threads=(("b", node("", 9)), ("c", node("", 0))))
    made = drawn(Flames(whole=TREE, threads=(("a", TREE), ("b", TREE)), waiting=waiting))
    assert [one.title for one in made] == [
        "All threads: who holds the GIL", "All threads: who waits for the GIL",
        "a holds the GIL", "b holds the GIL", "b waits for the GIL",
    ]  # fmt: skip
    assert made[0].stacks == 10
    assert drawn(Flames(whole=node("", 0), threads=())) == []


def test_names_are_words(harmful: Path) -> None:
    reader = RecordingReader(harmful)
    made = drawn(flames_of(reader))
    reader.close()
    assert {"holds", "waits"} <= {word for one in made for word in one.title.split()}
    tips = [tip for one in made for _, _, _, tip, _ in boxes(one.picture)]
    assert any(tip.startswith(f"{QUOTES}\n{SCRIPT_TAG}:0\n") for tip in tips)
    for one in made:
        assert "<script" not in one.picture
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", one.picture)


texts = st.text(max_size=30)
trees = st.recursive(
    st.builds(node, texts, st.integers(0, 10**9)),
    lambda inner: st.builds(
        lambda name, own, children: node(name, own, *children),
        texts,
        st.integers(0, 10**9),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


@given(trees)
def test_any_tree_is_a_picture(tree: Flame) -> None:
    if not tree.time_ns:
        return
    found = boxes(picture(tree, "held"))
    for y, x, width, _, _ in found:
        assert 0 <= x <= x + width <= WIDTH + 0.1
        assert y % 19 == 0
    rows: dict[float, float] = {}
    for y, x, width, _, _ in sorted(found):
        assert x >= rows.get(y, 0) - 0.11
        rows[y] = x + width


def test_deep_and_broad() -> None:
    deep = node("x", 1)
    for _ in range(150):
        deep = node("x", 0, deep)
    assert len(boxes(picture(deep, "held"))) == MOST_ROWS
    broad = node("", 0, *(node("y", 1) for _ in range(5_000)))
    assert len(boxes(picture(broad, "held"))) == 1
    assert LEAST_WIDTH > WIDTH / 5_000

"""Reports for continuous integration: JUnit and Markdown, with whatever text a recording may hold."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from gilscope.analysis.limits import check, parse
from gilscope.analysis.verdict import judge, verdict_fields
from gilscope.exports import junit, markdown
from gilscope.exports.markdown import LANES_SHOWN
from tests.analysis.test_verdict import BEAT, BUSY, lane, summary
from tests.exports.test_text import WILD, summary_of

LIMITS = ["gil.contention > 0.5", "lane.waiting_s > 1 s", "stall.count > 0"]


def judged(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = summary(*rows, **({"utilisation": 0.97, "contention": 0.4} | changes))
    for gil in made["gils"]:
        gil["ci95"] = 0.01
    made["stalls"] = None  # nobody looked for any
    made["verdict"] = verdict_fields(judge(made))
    return made


def outcomes(of: dict[str, Any]) -> list[Any]:
    return [check(of, parse(text)) for text in LIMITS]


def test_a_test_case_a_limit() -> None:
    made = judged(BUSY, BEAT)
    suite = ET.fromstring(junit.render(made, outcomes(made)))[0]
    assert suite.attrib["tests"] == "3"
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "1")
    cases = suite.findall("testcase")
    assert [case.attrib["name"] for case in cases] == LIMITS
    assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["error"]]
    failure = cases[1][0]
    assert failure.attrib["message"] == outcomes(made)[1].sentence
    assert "Convoy: beat waits" in str(failure.text)
    assert "not read" in cases[2][0].attrib["message"]


@given(WILD, WILD)
def test_any_text_gives_well_formed_xml(name: str, words: str) -> None:
    made = summary_of([name], words)
    found = ET.fromstring(junit.render(made, outcomes(made)))
    assert len(found[0].findall("testcase")) == len(LIMITS)


def test_markdown() -> None:
    made = judged(BUSY, BEAT)
    text = markdown.render(made, None, outcomes(made))
    assert text.startswith("## gilscope: `fib.py 30` – 2 of 3 limits not kept\n")
    assert "**Convoy: beat waits for the GIL behind busy" in text
    assert "| `gil.contention > 0.5` | 40.0 % | ✅ kept, the GIL of process 1 |" in text
    assert "| `lane.waiting_s > 1 s` | 5 s | ❌ crossed, beat of process 1 |" in text
    assert "| `stall.count > 0` | unknown | ❌ unknown, counts as crossed |" in text
    assert "| `beat` | 1 | 0.10 | 1 % | 0 % | 50 % |" in text
    assert text.endswith("\n")
    assert "limit (not allowed)" not in markdown.render(made)


def test_of_very_many_only_the_busiest_are_listed() -> None:
    text = markdown.render(judged(*[lane(f"t-{n}", cpu=1.0, running=1.0) for n in range(LANES_SHOWN + 7)]))
    assert "… and 7 more" in text


@given(WILD, WILD)
def test_any_text_leaves_tables_and_markup_as_they_are(name: str, words: str) -> None:
    made = summary_of([name], words)
    text = markdown.render(made, None, outcomes(made))
    for rows in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in rows.splitlines()}
        assert len(counts) == 1, rows
    assert "\x1b" not in text
    assert not re.search(r"(?<!\\)<(?!!-- -->)", re.sub(r"`[^`\n]*`", "", text))


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "[x](http://evil)",
        "a|b",
        "`code`",
        "**bold**",
        "@someone",
        "# h\n# i",
        "",
    ],
)
def test_text_of_strangers_is_shown_as_it_is(name: str) -> None:
    text = markdown.render(judged(lane(name, cpu=9.5, running=9.5, waiting=0.3), BEAT))
    line = next(line for line in text.splitlines() if line.startswith("**"))
    assert "<script" not in line.replace("\\<", "")
    assert "@someone" not in line
    assert "](" not in line.replace("\\]", "")
    row = text.splitlines()[next(n for n, row in enumerate(text.splitlines()) if "| thread |" in row) + 2]
    assert row.startswith("| `")

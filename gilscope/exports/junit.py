"""How limits were kept, as a JUnit report: a test case a limit. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gilscope.analysis.limits import CROSSED, KEPT, UNKNOWN, Outcome
from gilscope.text import REPLACED, clean

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may have in it, escaped or not."""


def render(summary: Mapping[str, Any], outcomes: Sequence[Outcome]) -> str:
    """The report, as XML 1.0: failures are limits crossed, errors those that could not be measured."""
    target, verdict = summary["target"], summary["verdict"]
    crossed = sum(outcome.status == CROSSED for outcome in outcomes)
    unknown = sum(outcome.status == UNKNOWN for outcome in outcomes)
    wall = f"{target['wall_s'] or 0:.3f}"
    suite = (
        f'<testsuite name="gilscope" tests="{len(outcomes)}" failures="{crossed}" errors="{unknown}" '
        'skipped="0" '
        f'time="{wall}" timestamp={_attribute(str(target["started"]))}>'
    )
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>", suite]
    for outcome in outcomes:
        case = (
            f"  <testcase classname={_attribute('gilscope ' + str(target['command']))} "
            f'name={_attribute(outcome.limit.text)} time="{wall}">'
        )
        lines.append(case)
        if outcome.status != KEPT:
            tag = "failure" if outcome.status == CROSSED else "error"
            words = [outcome.sentence]
            if verdict is not None:
                words += [verdict["headline"], *verdict["evidence"], *verdict["advice"]]
            text = escape(_plain("\n".join(map(clean, words))))
            lines.append(f'    <{tag} type="limit" message={_attribute(outcome.sentence)}>{text}</{tag}>')
        lines.append("  </testcase>")
    if verdict is not None:
        lines.append(f"  <system-out>{escape(_plain(clean(verdict['headline'])))}</system-out>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"]) + "\n"


def _plain(text: str) -> str:
    return _NO_XML.sub(REPLACED, text)


def _attribute(text: str) -> str:
    return quoteattr(_plain(clean(text)))
